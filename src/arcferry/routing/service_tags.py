"""Service tags: which Azure service and region an address belongs to, as Microsoft publishes it weekly."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from arcferry import catalog, typed
from arcferry.routing.prefixes import Address, PrefixMap
from arcferry.routing.shapes import Node, date_in
from arcferry.text import whole

_WHOLE_CLOUD = "AzureCloud"
_MOST_CHANGES = 10**17 - 1
_PREFIXES = "addressPrefixes"
_LONGEST_PART = 40


@dataclass(frozen=True, slots=True)
class TagMatch:
    """One service tag that holds an address.

    Attributes:
        tag: such as `AzureArcInfrastructure.JapanEast`.
        region: the ARM name of its region, empty for a tag that spans regions.
        prefix: the longest prefix of the tag that holds the address.
    """

    tag: str
    region: str
    prefix: str


@dataclass(frozen=True, slots=True)
class ServiceTags:
    """One service-tag file.

    Attributes:
        name: the file's name.
        cloud: as the file says, such as `Public`, `AzureGovernment` or `China`.
        change_number: the file's own number, which grows with each change.
        taken: the day in the file's name; None if it has none.
        prefixes: every prefix with the tags that hold it, each with the ARM name of its region.
    """

    name: str
    cloud: str
    change_number: int
    taken: date | None
    prefixes: PrefixMap[tuple[str, str]] = field(repr=False, compare=False)

    def matches(self, address: str | Address) -> tuple[TagMatch, ...]:
        """Every tag that holds the address, the most informative first.

        A service's regional tag leads, then tags of a service that span regions, then `AzureCloud` of a
        region, then `AzureCloud`; among equals the longest prefix leads.

        Raises:
            ValueError: `address` is no IP address.
        """
        found: dict[str, TagMatch] = {}
        for prefix, (tag, region) in self.prefixes.covering(address):
            found.setdefault(tag, TagMatch(tag, region, prefix))
        return tuple(sorted(found.values(), key=_rank))


def _rank(match: TagMatch) -> tuple[int, int, bool, str]:
    length = int(match.prefix.partition("/")[2])
    service, _, part = match.tag.partition(".")
    if service == _WHOLE_CLOUD:
        return (2 if match.region else 3), -length, False, match.tag
    return (0 if match.region else 1), -length, not part, match.tag


@lru_cache(maxsize=1024)
def _is_plain(part: str) -> bool:
    return len(part) <= _LONGEST_PART and part.isascii() and part.isalnum() and typed.label(part) == part


def _tag_name(text: str) -> str:
    """The name as it may be shown; masking 3,000 of them, made of 250 words, took longer than all else."""
    return text if all(map(_is_plain, text.split("."))) else typed.label(text)


def _rows(root: Node) -> Iterator[tuple[Node, tuple[str, str]]]:
    """The properties of every tag, with its name and the ARM name of its region."""
    values = root.field("values")
    if values is None:
        raise root.problem("no values: not a service-tag file")
    for item in values.items():
        tag = item.text("name") or item.text("id")
        if not tag:
            raise item.problem("a service tag without a name")
        properties = item.flat()
        yield properties, (_tag_name(tag), typed.word(catalog.arm_region(properties.text("region"))))


def _prefixes(root: Node) -> PrefixMap[tuple[str, str]]:
    try:
        return PrefixMap(
            (prefix, known) for properties, known in _rows(root) for prefix in properties.texts(_PREFIXES)
        )
    except ValueError:
        # One pass for all, and a second one that finds the place only where something is wrong.
        for properties, _ in _rows(root):
            properties.prefixes(_PREFIXES)
        raise


def read_service_tags(document: object, name: str) -> ServiceTags:
    """Read the weekly download file, or what the service-tag API and `az network list-service-tags` give.

    Args:
        document: the parsed JSON.
        name: the file's name, for errors and for the day in it.

    Raises:
        InputError: the document is no service-tag file, or a part of it is malformed.
    """
    root = Node(document, name)
    if not root.is_object:
        raise root.problem("expected an object with cloud, changeNumber and values")
    cloud = root.text("cloud")
    if not typed.word(cloud):
        raise root.problem("no cloud: not a service-tag file")
    changed = root.field("changeNumber")
    number = whole(str(changed.value), most=_MOST_CHANGES) if changed else None  # the API gives it as text
    if number is None:
        raise (changed or root).problem("expected a changeNumber")
    return ServiceTags(name, cloud, number, date_in(name), _prefixes(root))
