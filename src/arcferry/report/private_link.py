"""What a check shows of private link, name by name, where a scope is in use."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from arcferry.catalog import Carrier
from arcferry.language import _, headings, marked
from arcferry.probe.https import CheckResult
from arcferry.probe.observation import Observation
from arcferry.probe.tcp import is_private
from arcferry.report.as_json import picked
from arcferry.report.columns import UNDISCOVERED_CELL, columns

HEADERS = headings("PRIVATE LINK", "ANSWERS", "ZONE", "WHAT TO DO")
BYPASS = marked(
    "With a proxy the agent needs proxy.bypass Arc, which sends names under his.arc and guestconfiguration "
    "past it; sign-in and Resource Manager stay with the proxy. "
    "`azcmagent config get proxy.bypass` shows what is set."
)
_SAID = {
    "private": "",
    "public": marked("link {zone} to the network of the resolver that is asked, or forward it there"),
    "mixed": marked("take the record of the public address away: {public}"),
    "no address": marked(
        "{zone} answers without this name: add its record, as the private endpoint lists it"
    ),
    "unknown": marked("not known here: {why}"),
}
_WITHOUT = ("nxdomain", "no-addresses")
_ALWAYS_PUBLIC = {
    Carrier.ENTRA: marked("a private zone leaks: no private link serves Entra ID"),
    Carrier.ARM: marked("right where a resource management private link is meant, else a private zone leaks"),
}


@dataclass(frozen=True, slots=True)
class PrivateName:
    """One name and how it answers.

    Attributes:
        served: whether an Arc private link scope can serve it; the others stay public.
        answers: `private`, `public`, `mixed`, `no address` or `unknown`.
        zone: the private DNS zone that it should be answered from; empty where it stays public.
        says: what to do, empty if it answers as it should.
    """

    host: str
    served: bool
    answers: str
    zone: str
    addresses: tuple[str, ...]
    says: str


@dataclass(frozen=True, slots=True)
class PrivateLink:
    """Every required name, as seen with a scope in use."""

    scope: str
    names: tuple[PrivateName, ...]

    @property
    def wrong(self) -> tuple[PrivateName, ...]:
        """The names that a scope serves and that do not answer privately, or are not known to."""
        return tuple(one for one in self.names if one.served and one.answers != "private")


def private_link(result: CheckResult, scope: str) -> PrivateLink:
    """Each name of the check by its answers.

    Args:
        result: the check.
        scope: the scope's id or name, empty where only that there is one is known.
    """
    shown = [seen for seen in result.observations if seen.endpoint.private_link or _stays_public(seen)]
    return PrivateLink(scope, tuple(_name(seen, result.cloud.his_suffix) for seen in shown))


def _stays_public(seen: Observation) -> bool:
    return seen.endpoint.carrier in _ALWAYS_PUBLIC


def _name(seen: Observation, his_suffix: str) -> PrivateName:
    addresses = seen.dns.addresses if seen.dns else ()
    served, how, host = seen.endpoint.private_link, _answers(seen), seen.host
    if not served:
        says = "" if how in ("public", "unknown", "no address") else _(_ALWAYS_PUBLIC[seen.endpoint.carrier])
        return PrivateName(host, served, how, "", addresses, says)
    zone = f"privatelink.{host.partition('.')[2] or his_suffix.lstrip('.')}"
    public = ", ".join(one for one in addresses if not is_private(one))
    why = _("no resolver answered, or the name was not told")
    if seen.proxy:
        why = _("the proxy resolves it")
    return PrivateName(host, served, how, zone, addresses, _(_SAID[how], zone=zone, public=public, why=why))


def _answers(seen: Observation) -> str:
    if seen.proxy or not seen.host:
        return "unknown"
    kinds = {is_private(one) for one in seen.dns.addresses} if seen.dns else set()
    if not kinds:
        return "no address" if seen.failure and seen.failure.kind in _WITHOUT else "unknown"
    return marked("mixed") if len(kinds) > 1 else "private" if True in kinds else marked("public")


def document(shown: PrivateLink) -> dict[str, Any]:
    """The same as JSON."""
    fields = ("host", "served", "answers", "zone", "addresses", "says")
    return {
        "scope": shown.scope or None,
        "names": [picked(one, *fields) for one in shown.names],
        "bypass": BYPASS,
    }


def rows(shown: PrivateLink) -> list[tuple[str, ...]]:
    """A row for each name that a scope serves."""
    served = (one for one in shown.names if one.served)
    return [(one.host or _(UNDISCOVERED_CELL), _(one.answers), one.zone, one.says or "-") for one in served]


def lines(shown: PrivateLink) -> Iterator[tuple[str, str]]:
    """A table and its notes for a pipe; each line after its style."""
    yield "", ""
    yield from (("", line) for line in columns([HEADERS, *rows(shown)], between="  |"))
    yield from notes(shown)


def notes(shown: PrivateLink) -> Iterator[tuple[str, str]]:
    """The names that stay public and the proxy's bypass; each line after its style."""
    public = [one for one in shown.names if not one.served]
    yield "", _("Stay public: {names}", names=", ".join(one.host for one in public))
    for one in public:
        if one.says:
            said = _("{host} answers {answers}: {says}", host=one.host, answers=_(one.answers), says=one.says)
            yield "yellow", f"  {said}"
    yield "", _(BYPASS)
