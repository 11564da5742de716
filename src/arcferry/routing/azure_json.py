"""Azure's JSON, by whatever tool it was written, and the two lists of prefixes in it: tags and communities.

Service tags say which Azure service and region a prefix belongs to, as Microsoft publishes it weekly. The
community list says with which BGP community Microsoft tags a prefix, as Azure's API gives it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from arcferry import catalog, typed
from arcferry.errors import FileInputError, InputError
from arcferry.redaction import mask
from arcferry.routing.prefixes import Address, PrefixMap, prefix_key
from arcferry.text import one_line, whole

CIRCUIT_ID = re.compile(r"/expressRouteCircuits/([^/\s]{1,80})", re.IGNORECASE)
"""The circuit's name in the resource id of anything of its."""
_GROUP_ID = re.compile(r"/resourceGroups/([^/\s]{1,90})/", re.IGNORECASE)
_DATE = re.compile(r"(?<!\d)(20\d\d)-?(0[1-9]|1[0-2])(?:-?([0-2]\d|3[01]))?(?!\d)")
VALUE = re.compile(r"\d{1,5}:\d{1,5}")
WHOLE_CLOUD = "AzureCloud"
"""The tag of every address of Azure's; where it alone holds one, no tag names the region."""
_MOST_CHANGES = 10**17 - 1
_PREFIXES = "addressPrefixes"
_LONGEST_PART = 40


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a JSON document and where it stands, such as `value[3].properties`.

    Azure's REST API, the `az` command line and PowerShell write the same objects with keys in different
    letter case; fields are found whatever the case.
    """

    value: object
    file: str
    place: str = ""

    def problem(self, says: str) -> InputError:
        """An error that names the file and this place."""
        told = mask(says)
        return FileInputError(self.file, f"{self.place}: {told}" if self.place else told)

    def _child(self, value: object, step: str) -> "Node":
        separator = "." if self.place and not step.startswith("[") else ""
        return Node(value, self.file, f"{self.place}{separator}{step}")

    @property
    def is_object(self) -> bool:
        """Whether this is a JSON object."""
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        """Whether this is a JSON array."""
        return isinstance(self.value, list)

    def field(self, name: str) -> "Node | None":
        """The object's field of this name in any letter case; None if it is missing or null."""
        if not isinstance(self.value, dict):
            return None
        value = self.value.get(name)
        if value is None:
            wanted = name.lower()
            value = next((found for key, found in self.value.items() if str(key).lower() == wanted), None)
        return None if value is None else self._child(value, name)

    def flat(self) -> "Node":
        """This object's `properties` where it has them, else itself, as `az` flattens them away."""
        properties = self.field("properties")
        return properties if properties is not None and properties.is_object else self

    def items(self) -> "Iterator[Node]":
        """The array's elements.

        Raises:
            InputError: this is no array.
        """
        if not isinstance(self.value, list):
            raise self.problem("expected a list")
        return (self._child(value, f"[{index}]") for index, value in enumerate(self.value))

    def text(self, name: str) -> str:
        """A field's text, cleaned and on one line; empty if it is missing.

        Raises:
            InputError: the field is there and no text.
        """
        found = self.field(name)
        if found is None:
            return ""
        if not isinstance(found.value, str):
            raise found.problem("expected text")
        return one_line(found.value)

    def texts(self, name: str) -> list[str]:
        """A field's array of texts; empty if it is missing.

        Raises:
            InputError: the field is no array, or an element is no text.
        """
        found = self.field(name)
        if found is None:
            return []
        if isinstance(found.value, list) and all(isinstance(value, str) for value in found.value):
            return found.value
        raise next(item for item in found.items() if not isinstance(item.value, str)).problem("expected text")

    def prefixes(self, name: str) -> list[str]:
        """A field's array of IP prefixes; empty if it is missing.

        Raises:
            InputError: the field is no array, or an element is no prefix.
        """
        found = self.texts(name)
        for index, text in enumerate(found):
            try:
                prefix_key(text)
            except ValueError as error:
                raise self._child(None, f"{name}[{index}]").problem(one_line(str(error))) from error
        return found


def date_in(name: str) -> date | None:
    """The first day or month (taken as its first day) in a file name: 20251028, 2019-05-30, 2024-01."""
    for year, month, day in _DATE.findall(name):
        try:
            return date(int(year), int(month), int(day or 1))
        except ValueError:
            continue
    return None


def resource_name(text: str) -> str:
    """A resource's name; a word that says so if it is none that Azure could have given."""
    return typed.resource(text) or (typed.NAME_IS_NONE if text else "")


def resource_group(node: Node) -> str:
    """A resource's group: by its id, or by its field, which PowerShell names otherwise than `az` does."""
    found = _GROUP_ID.search(node.text("id"))
    named = found[1] if found else node.text("resourceGroup") or node.text("resourceGroupName")
    return typed.resource_group(named)


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
    if service == WHOLE_CLOUD:
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

    Of which day it is stands in the file's name.

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


@dataclass(frozen=True, slots=True)
class ListedCommunity:
    """One entry of a community list that holds an address.

    Attributes:
        value: such as `12076:51012`.
        name: as the list has it, such as `Azure Japan East`.
        prefix: the entry's longest prefix that holds the address.
        service_group: such as `Azure`, `AzureStorage` or `O365`.
    """

    value: str
    name: str
    prefix: str
    service_group: str


@dataclass(frozen=True, slots=True)
class CommunityList:
    """One community list.

    Attributes:
        name: the file's name.
        taken: the day in the file's name, or the document's own `asOf`; None if neither is there.
        values: every community value that the list knows, also those without prefixes.
        prefixes: every prefix with the value, name and service group of its entries.
    """

    name: str
    taken: date | None
    values: frozenset[str]
    prefixes: PrefixMap[tuple[str, str, str]] = field(repr=False, compare=False)

    def containing(self, address: str | Address) -> tuple[ListedCommunity, ...]:
        """The entries that hold the address, the longest prefix first; several may share one value.

        Raises:
            ValueError: `address` is no IP address.
        """
        found: dict[tuple[str, str, str], ListedCommunity] = {}
        for prefix, (value, name, group) in self.prefixes.covering(address):
            found.setdefault((value, name, group), ListedCommunity(value, name, prefix, group))
        return tuple(found.values())


def _entries(root: Node) -> Iterator[Node]:
    """The community objects of every shape: REST, `az`, PowerShell, and a plain list of entries."""
    outer = root
    if root.is_object:
        for key in ("value", "entries"):
            if (inner := root.field(key)) is not None:
                outer = inner
                break
    services = outer.items() if outer.is_list else iter((outer,))
    for service in services:
        communities = service.flat().field("bgpCommunities")
        if communities is not None:
            yield from communities.items()
        elif service.field("communityValue") is not None:
            yield service
        else:
            raise service.problem("neither bgpCommunities nor a communityValue: not a community list")


def _identity(entry: Node) -> tuple[str, str, str]:
    """An entry's value, name and service group."""
    value = entry.text("communityValue")
    if not VALUE.fullmatch(value):
        raise entry.problem(f"{typed.shown(value)} is no community value such as 12076:51010")
    return value, typed.label(entry.text("communityName")), typed.label(entry.text("serviceGroup"))


def read_community_list(document: object, name: str) -> CommunityList:
    """Read a community list as REST, `az`, PowerShell or a plain list of entries has it.

    Entries without prefixes are kept, because Azure lists some; one value may stand in several entries.

    Raises:
        InputError: the document is no community list, or a part of it is malformed.
    """
    root = Node(document, name)
    if not root.is_object and not root.is_list:
        raise root.problem("expected a list of communities")
    entries = [(entry, _identity(entry)) for entry in _entries(root)]
    if not entries:
        raise root.problem("holds no community")
    prefixes = PrefixMap(
        (prefix, identity) for entry, identity in entries for prefix in entry.prefixes("communityPrefixes")
    )
    taken = date_in(name) or (date_in(root.text("asOf")) if root.is_object else None)
    return CommunityList(name, taken, frozenset(value for _, (value, _, _) in entries), prefixes)
