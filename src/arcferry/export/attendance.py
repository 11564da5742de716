"""Who of an inventory reported, by name."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unclear:
    """A host that reported, and cannot be told apart.

    Attributes:
        host: the name that it gave.
        may_be: the hosts of the inventory that it may be.
    """

    host: str
    may_be: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attendance:
    """An inventory beside what was reported.

    Attributes:
        missing: hosts of the inventory that did not report.
        strangers: hosts that reported and are not in the inventory.
        unclear: hosts that reported and may be one of several; they count for none.
    """

    missing: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    unclear: tuple[Unclear, ...] = ()


def attendance(listed: Iterable[str], reported: Iterable[str]) -> Attendance:
    """Compare whole names, without regard to case.

    Windows says its name without the domain, and either side may have it with. A name without a domain stands
    for one with, if no second host on either side could be meant.
    """
    inventory, hosts = tuple(listed), tuple(reported)
    known = {name.lower() for name in inventory}
    by_label = _by_label(inventory)
    rest = [host for host in hosts if host.lower() not in known]
    claims = _by_label(rest)
    present = {host.lower() for host in hosts} & known
    strangers: list[str] = []
    unclear: list[Unclear] = []
    for host in rest:
        near = [name for name in by_label.get(_label(host), ()) if _is_short(name) != _is_short(host)]
        if not near:
            strangers.append(host)
        elif len(near) == 1 and len(claims[_label(host)]) == 1 and near[0].lower() not in present:
            present.add(near[0].lower())
        else:
            unclear.append(Unclear(host, tuple(near)))
    missing = tuple(name for name in inventory if name.lower() not in present)
    return Attendance(missing, tuple(strangers), tuple(unclear))


def _by_label(names: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(_label(name), []).append(name)
    return found


def _label(name: str) -> str:
    """The name up to the first dot."""
    return name.lower().partition(".")[0]


def _is_short(name: str) -> bool:
    return "." not in name
