"""Route filters: the communities whose routes a circuit's Microsoft peering lets through."""

from collections.abc import Iterator
from dataclasses import dataclass

from arcferry.routing.communities import VALUE
from arcferry.routing.shapes import Node


@dataclass(frozen=True, slots=True)
class RouteFilter:
    """One route filter.

    Attributes:
        name: as in Azure, or the file's name.
        communities: the values in rules that allow; empty where the filter lets nothing through.
        denied: the values in rules that deny.
        provisioning_state: such as `Succeeded`; empty where the document does not say.
    """

    name: str
    communities: frozenset[str]
    denied: frozenset[str]
    provisioning_state: str

    def allows(self, value: str) -> bool:
        """Whether routes with this community pass; a rule that denies outweighs one that allows."""
        return value in self.communities and value not in self.denied


def _one(root: Node) -> Node:
    listed = root if root.is_list else root.field("value")
    if listed is None:
        return root
    found = list(listed.items())
    if len(found) == 1:
        return found[0]
    names = ", ".join(item.text("name") or "unnamed" for item in found[:5])
    raise root.problem(f"holds {len(found)} route filters ({names}), expected one" if found else "holds none")


def _values(rule: Node) -> Iterator[str]:
    for value in rule.texts("communities"):
        if not VALUE.fullmatch(value.strip()):
            raise rule.problem(f"{value[:40]!r} is no community value such as 12076:51010")
        yield value.strip()


def read_route_filter(document: object, name: str) -> RouteFilter:
    """Read one route filter as REST, `az network route-filter show` or PowerShell has it.

    A list of one is accepted.

    Args:
        document: the parsed JSON.
        name: the file's name, for errors.

    Raises:
        InputError: the document is no route filter, a rule does not say whether it allows or denies, or a
            part of it is malformed.
    """
    found = _one(Node(document, name))
    properties = found.flat()
    rules = properties.field("rules")
    if rules is None:
        raise found.problem("no rules: not a route filter")
    by_access: dict[str, set[str]] = {"allow": set(), "deny": set()}
    for item in rules.items():
        rule = item.flat()
        access = rule.text("access").lower()
        if access not in by_access:
            raise rule.problem("a rule whose access is neither Allow nor Deny")
        by_access[access].update(_values(rule))
    return RouteFilter(
        name=found.text("name") or name,
        communities=frozenset(by_access["allow"]),
        denied=frozenset(by_access["deny"]),
        provisioning_state=properties.text("provisioningState"),
    )
