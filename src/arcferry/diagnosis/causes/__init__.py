"""Every cause that arcferry knows, in the order of asking: the root before what follows from it."""

from arcferry.diagnosis.causes import clock, dns, install, path, proxy, risk, route, tcp, tls
from arcferry.diagnosis.causes.cause import Cause

FAULTS: tuple[Cause, ...] = (
    path.DISCOVERY_FAILED,
    proxy.AUTHENTICATION_REQUIRED,
    proxy.UNREACHABLE,
    proxy.REFUSED,
    clock.SKEW,
    tls.INTERCEPTED,
    tls.EXPIRED,
    tls.NAME_MISMATCH,
    tls.HANDSHAKE_FAILED,
    install.DOWNLOAD_REFUSED,
    path.NO_HTTP_ANSWER,
    tcp.REFUSED,
    dns.BLOCKED_ANSWER,
    route.NOT_ON_MICROSOFT_PEERING,
    dns.RESOLVER_UNREACHABLE,
    dns.RESOLVER_FAILS,
    dns.NAME_NOT_FOUND,
    dns.PRIVATE_ANSWER,
    route.COMMUNITY_NOT_IN_FILTER,
    route.REGION_WITHOUT_COMMUNITY,
    tcp.TIMEOUT_WITH_ROUTE,
    path.ENDPOINT_UNREACHABLE,
)
"""Asked of every endpoint that was not reached; the first that applies is its cause. A step that was seen to
fail comes before what dated lists lead to expect."""

RISKS: tuple[Cause, ...] = (*risk.FAMILY, clock.SKEW)
"""Asked of every endpoint that works; each that applies counts."""

CAUSES: dict[str, Cause] = {
    cause.slug: cause
    for module in (route, path, dns, tcp, tls, proxy, clock, install, risk)
    for cause in module.FAMILY
}
"""Every cause by its slug."""
