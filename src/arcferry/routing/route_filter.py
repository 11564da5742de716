"""Route filters: the communities whose routes a circuit's Microsoft peering lets through."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from arcferry import typed
from arcferry.routing.azure_json import VALUE, Node, date_in, resource_group, resource_name


@dataclass(frozen=True, slots=True)
class RouteFilter:
    """One route filter.

    Attributes:
        name: as in Azure, or the file's name.
        communities: the values in rules that allow; empty where the filter lets nothing through.
        denied: the values in rules that deny.
        provisioning_state: such as `Succeeded`; empty where the document does not say.
        resource_id: empty where the document does not say.
        resource_group: empty if the document has no resource id.
        rule: the rule that allows communities; Microsoft documents one a filter. Empty if none does.
        in_order: what that rule allows, in its own order.
        denying: the rules that deny communities.
        origin: the document's name.
        taken: the day of the document; None if neither it nor whoever handed it in tells.
        location: its Azure region; empty if unknown.
        attached_to: the resource ids of the peerings that hold it; None if the document does not tell.
    """

    name: str
    communities: frozenset[str]
    denied: frozenset[str]
    provisioning_state: str
    resource_id: str = ""
    resource_group: str = ""
    rule: str = ""
    in_order: tuple[str, ...] = ()
    denying: tuple[str, ...] = ()
    origin: str = ""
    taken: date | None = None
    location: str = ""
    attached_to: tuple[str, ...] | None = None

    @property
    def is_attached_nowhere(self) -> bool:
        """Whether Azure says that no peering holds it, so that what it allows has no effect."""
        return self.attached_to == ()

    @property
    def allowed(self) -> tuple[str, ...]:
        """What it allows: in the rule's own order if that is known, else by number."""
        by_number = sorted(self.communities, key=lambda value: (len(value), value))
        return self.in_order or tuple(by_number)

    @property
    def day(self) -> str:
        """The day of the document; empty if unknown."""
        return self.taken.isoformat() if self.taken else ""

    @property
    def unsettled(self) -> str:
        """Why something else may be in effect than what it says; empty where nothing tells so."""
        if self.provisioning_state.lower() in ("", "succeeded"):
            return ""
        state = f"route filter {self.name} is in state {self.provisioning_state}"
        return f"{state}: what is in effect may differ from what it says"

    def allows(self, value: str) -> bool:
        """Whether routes with this community pass; a rule that denies outweighs one that allows."""
        return value in self.communities and value not in self.denied

    def is_named_by(self, reference: str) -> bool:
        """Whether a resource id, or a bare name, means this filter; Azure's ids differ in letter case."""
        wanted = reference.strip("/").lower()
        if "/" in wanted and self.resource_id:
            return wanted == self.resource_id.strip("/").lower()
        return bool(wanted) and wanted.rpartition("/")[2] == self.name.lower()


def _one(root: Node) -> Node:
    listed = root if root.is_list else root.field("value")
    if listed is None:
        return root
    found = list(listed.items())
    if len(found) == 1:
        return found[0]
    names = ", ".join(resource_name(item.text("name")) or "unnamed" for item in found[:5])
    raise root.problem(f"holds {len(found)} route filters ({names}), expected one" if found else "holds none")


def _values(rule: Node) -> Iterator[str]:
    for value in rule.texts("communities"):
        if not VALUE.fullmatch(value.strip()):
            raise rule.problem(f"{typed.shown(value, 40)} is no community value such as 12076:51010")
        yield value.strip()


def read_route_filter(document: object, name: str) -> RouteFilter:
    """Read one route filter, or a list of one, as REST, `az network route-filter show` or PowerShell has it.

    Raises:
        InputError: the document is no route filter, a rule does not say whether it allows or denies, or a
            part of it is malformed.
    """
    found = _one(Node(document, name))
    properties = found.flat()
    rules = properties.field("rules")
    if rules is None:
        raise found.problem("no rules: not a route filter")
    by_access: dict[str, list[tuple[str, tuple[str, ...]]]] = {"allow": [], "deny": []}
    for item in rules.items():
        rule = item.flat()
        access = rule.text("access").lower()
        if access not in by_access:
            raise rule.problem("a rule whose access is neither Allow nor Deny")
        by_access[access].append((typed.resource(item.text("name")), tuple(_values(rule))))
    allowing, denying = by_access["allow"], by_access["deny"]
    return RouteFilter(
        name=resource_name(found.text("name")) or name,
        communities=frozenset(value for _, values in allowing for value in values),
        denied=frozenset(value for _, values in denying for value in values),
        provisioning_state=typed.label(properties.text("provisioningState")),
        resource_id=typed.resource_id(found.text("id")),
        resource_group=resource_group(found),
        rule=allowing[0][0] if allowing else "",
        in_order=allowing[0][1] if allowing else (),
        denying=tuple(rule for rule, _ in denying if rule),
        origin=name,
        taken=date_in(name.partition(": ")[0]),
        location=typed.location(found.text("location")),
        attached_to=_attached_to(properties),
    )


def _attached_to(properties: Node) -> tuple[str, ...] | None:
    """The peerings that hold it, over IPv4 and IPv6. A list that is missing tells nothing."""
    listed = [one for key in ("peerings", "ipv6Peerings") if (one := properties.field(key)) and one.is_list]
    if not listed:
        return None
    return tuple(
        typed.resource_id(item.text("id")) for one in listed for item in one.items() if item.is_object
    )


def distinct(filters: Iterable[RouteFilter]) -> tuple[RouteFilter, ...]:
    """Each filter once, where the same one was handed in twice, such as by two tools: by its id or its name.

    One that allows something else than the other stays beside it: which of them is newer, only a day tells.
    """
    found: dict[tuple[object, ...], RouteFilter] = {}
    for one in filters:
        known = one.resource_id.lower() or ("" if one.name == one.origin else one.name.lower())
        key = (known, one.communities, one.denied) if known else (id(one),)
        found.setdefault(key, one)
    return tuple(found.values())
