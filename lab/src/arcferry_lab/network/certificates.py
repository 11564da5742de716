"""A place's TLS context: its true certificate, or what a fault puts in its way."""

import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

from arcferry_lab.faults import Faults
from arcferry_lab.network.plan import Place, Service
from arcferry_lab.pki import Authority, bare_server_context

_DAY = timedelta(days=1)


def place_context(place: Place, authority: Authority, faults: Faults) -> ssl.SSLContext:
    """A server context whose certificate names the place's hosts and its address.

    It is issued at the first connection: most places of a twin never see one, and it costs a start's half.
    HIS also asks for the client's certificate, and takes clients that have none.
    """
    names = [*place.names, place.address]

    def asking(context: ssl.SSLContext) -> ssl.SSLContext:
        if place.service is Service.HIS:
            context.verify_mode = ssl.CERT_OPTIONAL
            context.load_verify_locations(cadata=authority.pem.decode())
        return context

    @cache
    def true() -> ssl.SSLContext:
        return asking(authority.server_context(names))

    def choose(connection: ssl.SSLObject, server_name: str | None, _: ssl.SSLContext) -> None:
        hosts = [server_name] if server_name else list(place.names)
        wrong = next((wrong for fault, wrong in _WRONG.items() if faults.take(fault, *hosts)), None)
        connection.context = wrong(authority, names) if wrong else true()

    context = asking(bare_server_context())  # whether it asks is settled before the name is known
    context.sni_callback = choose
    return context


@cache
def _inspection_ca() -> Authority:
    return Authority("Contoso TLS Inspection CA")


@cache
def _unknown_root() -> tuple[Authority, bytes]:
    """An authority with a name of Azure's kind, and what it sends: itself and a root that nobody knows."""
    root = Authority("DigiCert Global Root G9 (twin)")
    issuing = Authority("Microsoft TLS Issuing CA 99 (twin)", above=root)
    return issuing, issuing.pem + root.pem


def _untrusted_root(_: Authority, names: Sequence[str]) -> ssl.SSLContext:
    issuing, send = _unknown_root()
    return issuing.server_context(names, send=send)


_WRONG: Mapping[str, Callable[[Authority, Sequence[str]], ssl.SSLContext]] = {
    "tls/intercepted": lambda _, names: _inspection_ca().server_context(names, send=_inspection_ca().pem),
    "tls/untrusted-root": _untrusted_root,
    "tls/expired": lambda ca, names: ca.server_context(names, not_after=datetime.now(UTC) - _DAY),
    "tls/not-yet-valid": lambda ca, names: ca.server_context(names, not_before=datetime.now(UTC) + _DAY),
    "tls/name-mismatch": lambda ca, _: ca.server_context(["another.example"]),
    "tls/incomplete-chain": lambda ca, names: Authority("arcferry twin issuing CA", above=ca).server_context(
        names
    ),
}
