"""A place's TLS context: its true certificate, or a wrong one while a fault strikes it."""

import ssl
from datetime import UTC, datetime, timedelta

from arcferry.lab.faults import Faults
from arcferry.lab.network.plan import Place, Service
from arcferry.lab.pki import Authority


def place_context(place: Place, authority: Authority, faults: Faults) -> ssl.SSLContext:
    """A server context whose certificate names the place's hosts and its address.

    HIS also asks for the client's certificate, and takes clients that have none.
    """
    context = authority.server_context([*place.names, place.address])
    if place.service is Service.HIS:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=authority.pem.decode())

    def choose(connection: ssl.SSLObject, server_name: str | None, _: ssl.SSLContext) -> int | None:
        hosts = [server_name] if server_name else list(place.names)
        if faults.take("tls/reset", *hosts):
            return ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE
        wrong = _wrong(place, authority, faults, hosts)
        if wrong is not None:
            connection.context = wrong
        return None

    context.sni_callback = choose
    return context


def _wrong(place: Place, authority: Authority, faults: Faults, hosts: list[str]) -> ssl.SSLContext | None:
    names = [*place.names, place.address]
    if faults.take("tls/expired-certificate", *hosts):
        return authority.server_context(names, not_after=datetime.now(UTC) - timedelta(days=1))
    if faults.take("tls/wrong-name", *hosts):
        return authority.server_context(["another.example"])
    if faults.take("tls/unknown-issuer", *hosts):
        return Authority("a CA nobody knows").server_context(names)
    return None
