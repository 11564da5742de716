"""Sheets of firewall rules in the words of firewalls: lists, objects, sets or rules, to be loaded as is.

Each begins with a line that says what it holds and what it lacks; what is held loads again without harm.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from arcferry.routing.firewall import NameRule, PrefixRule
from arcferry.routing.prefixes import Network
from arcferry.text import one_line

NAME = "arcferry"
HOLD_NAMES = ("edl", "panos", "fortios", "asa")
"""The forms that can hold names; the kernel's packet filters look at addresses alone."""
_HTTPS = 443
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]")
_HOST = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}")


@dataclass(frozen=True, slots=True)
class Content:
    """What a form is to hold.

    Attributes:
        comments: lines to begin with, the first of which says what is held and what is not.
        prefixes: by the service tag that has them.
        names: hosts; those with a star at their head stand for all beneath.
        gone: prefixes that were held before, by tag, to be taken out of what a firewall keeps.
    """

    comments: tuple[str, ...]
    prefixes: Mapping[str, Sequence[Network]]
    names: tuple[str, ...] = ()
    gone: Mapping[str, Sequence[Network]] = field(default_factory=dict)


def by_tag(rules: Iterable[PrefixRule]) -> dict[str, list[Network]]:
    """The prefixes of each service tag."""
    found: dict[str, list[Network]] = {}
    for rule in rules:
        found.setdefault(rule.tag, []).append(ipaddress.ip_network(rule.prefix))
    return found


def listable(form: str, rules: Sequence[NameRule]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The hosts that the form can hold, and the others: patterns that it has no way to write."""
    hosts = tuple(dict.fromkeys(rule.host for rule in rules))
    patterns = form in ("edl", "fortios")
    held = tuple(host for host in hosts if _HOST.fullmatch(host) and (patterns or "*" not in host))
    return held, tuple(host for host in hosts if host not in held)


def write(form: str, content: Content) -> str:
    """The whole text of one form."""
    return "\n".join(_FORMS[form](content)) + "\n"


def _comments(content: Content, mark: str) -> Iterator[str]:
    return (f"{mark} {one_line(line, limit=4000)}" for line in content.comments)


def _safe(text: str) -> str:
    return _NOT_IN_A_NAME.sub("-", text)


def _object(held: Network | str) -> str:
    return f"{NAME}_{_safe(held if isinstance(held, str) else str(held).replace('/', '_'))}"[:63]


def _edl(content: Content) -> Iterator[str]:
    """Palo Alto Networks takes a comment on the line of an address alone, and in a list of domains none."""
    first, every = one_line(" ".join(content.comments), limit=4000), _all(content.prefixes)
    for place, network in enumerate(every):
        yield f"{network} # {first}" if place == 0 else str(network)
    yield from content.names


def _all(prefixes: Mapping[str, Sequence[Network]]) -> list[Network]:
    return list(dict.fromkeys(chain.from_iterable(prefixes.values())))


def _panos(content: Content) -> Iterator[str]:
    yield from _comments(content, "#")
    for network in _all(content.prefixes):
        yield f"set address {_object(network)} ip-netmask {network}"
    for host in content.names:
        yield f"set address {_object(host)} fqdn {host}"
        yield f"set address-group {NAME} static {_object(host)}"
    for tag, networks in content.prefixes.items():
        yield from (f"set address-group {NAME}_{_safe(tag)} static {_object(one)}" for one in networks)
        yield f"set address-group {NAME} static {NAME}_{_safe(tag)}"
    for tag, networks in content.gone.items():
        yield from (f"delete address-group {NAME}_{_safe(tag)} static {_object(one)}" for one in networks)
    kept = set(_all(content.prefixes))
    yield from (f"delete address {_object(one)}" for one in _all(content.gone) if one not in kept)


def _fortios(content: Content) -> Iterator[str]:
    yield from _comments(content, "#")
    every = _all(content.prefixes)
    kinds = (("address", "addrgrp", 4), ("address6", "addrgrp6", 6))
    for kind, _, version in kinds:
        mine = [one for one in every if one.version == version]
        objects = [(_object(one), [f"set {_fortios_value(one)}"]) for one in mine]
        if version == 4:  # noqa: PLR2004  # an IP version
            objects += [(_object(one), ["set type fqdn", f'set fqdn "{one}"']) for one in content.names]
        yield from _fortios_table(kind, objects)
    for kind, group, version in kinds:
        sets = {
            f"{NAME}_{_safe(tag)}": [_object(one) for one in networks if one.version == version]
            for tag, networks in content.prefixes.items()
        }
        if version == 4 and content.names:  # noqa: PLR2004  # as above
            sets[NAME] = [_object(one) for one in content.names]
        members = [
            (name, ["set member " + " ".join(f'"{one}"' for one in held)])
            for name, held in sets.items()
            if held
        ]
        yield from _fortios_table(group, members)
        gone = [one for one in _all(content.gone) if one.version == version and one not in every]
        yield from _fortios_block(kind, [f'    delete "{_object(one)}"' for one in gone])


def _fortios_value(network: Network) -> str:
    if isinstance(network, ipaddress.IPv6Network):
        return f"ip6 {network}"
    return f"subnet {network.network_address} {network.netmask}"


def _fortios_table(kind: str, objects: Sequence[tuple[str, Sequence[str]]]) -> Iterator[str]:
    lines = [
        line
        for name, settings in objects
        for line in (f'    edit "{name}"', *(f"        {one}" for one in settings), "    next")
    ]
    return _fortios_block(kind, lines)


def _fortios_block(kind: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield from (f"config firewall {kind}", *lines, "end")


def _asa(content: Content) -> Iterator[str]:
    yield from _comments(content, "!")
    for host in content.names:
        yield from (f"object network {_object(host)}", f" fqdn v4 {host}")
    for tag, networks in content.prefixes.items():
        yield f"object-group network {NAME}_{_safe(tag)}"
        yield from (f" no network-object {_asa_value(one)}" for one in content.gone.get(tag, ()))
        yield from (f" network-object {_asa_value(one)}" for one in networks)
    yield f"object-group network {NAME}"
    yield from (f" group-object {NAME}_{_safe(tag)}" for tag in content.prefixes)
    yield from (f" network-object object {_object(host)}" for host in content.names)


def _asa_value(network: Network) -> str:
    if isinstance(network, ipaddress.IPv6Network):
        return str(network)
    return f"{network.network_address} {network.netmask}"


def _nftables(content: Content) -> Iterator[str]:
    yield from _comments(content, "#")
    yield from (f"table inet {NAME}", f"delete table inet {NAME}", f"table inet {NAME} {{")
    allowed = []
    for tag, networks in content.prefixes.items():
        for version, family in ((4, "ip"), (6, "ip6")):
            if mine := [str(one) for one in networks if one.version == version]:
                name = f"{_safe(tag).replace('-', '_')}_v{version}"
                yield f"    set {name} {{"
                yield f"        type ipv{version}_addr"
                yield "        flags interval"
                yield "        auto-merge"
                yield f"        elements = {{ {', '.join(mine)} }}"
                yield "    }"
                allowed.append(f"        {family} daddr @{name} tcp dport {_HTTPS} accept")
    yield from ("    chain to_azure {", *allowed, "    }", "}")


def _windows(content: Content) -> Iterator[str]:
    yield from _comments(content, "#")
    yield f"Get-NetFirewallRule -Group '{NAME}' -ErrorAction SilentlyContinue | Remove-NetFirewallRule"
    for tag, networks in content.prefixes.items():
        addresses = ",\n    ".join(f"'{one}'" for one in networks)
        yield (
            f"New-NetFirewallRule -Name '{NAME}-{_safe(tag)}' -DisplayName 'Azure Arc: {_safe(tag)}' "
            f"-Group '{NAME}' -Direction Outbound -Action Allow -Protocol TCP -RemotePort {_HTTPS} "
            f"-RemoteAddress @(\n    {addresses}\n)"
        )


_FORMS: Mapping[str, Callable[[Content], Iterator[str]]] = {
    "edl": _edl,
    "panos": _panos,
    "fortios": _fortios,
    "asa": _asa,
    "nftables": _nftables,
    "windows": _windows,
}
FORMS = tuple(_FORMS)
