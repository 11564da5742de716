"""Every cause that arcferry knows, in the order of asking: the root before what follows from it."""

from typing import Any

from arcferry.diagnosis.causes import (
    agent,
    arm,
    circuit,
    clock,
    dns,
    install,
    off_peering,
    path,
    private_link,
    proxy,
    received,
    risk,
    route_filter,
    signin,
    steering,
    tcp,
    tls,
    unexplained,
    unreadable,
)

_NAMES = (
    off_peering.NOT_ON_MICROSOFT_PEERING,
    dns.resolver_fails,
    dns.resolver_unreachable,
    dns.no_addresses,
    dns.name_not_found,
    private_link.scope_not_given,
    private_link.unreachable,
    dns.private_answer_leak,
    private_link.public_answer,
)
_PROXY = (
    proxy.bypass_missing,
    proxy.authentication_required,
    proxy.name_not_found,
    proxy.unreachable,
    proxy.not_a_proxy,
    proxy.cannot_reach,
    proxy.refused,
)
_WRONG_ANSWERS = (circuit.IPV6_NOT_PEERED, dns.blocked_answer, dns.wrong_address)
_BEYOND_TCP = (
    clock.skew,
    tls.untrusted_root,
    tls.intercepted,
    tls.incomplete_chain,
    tls.expired,
    tls.not_yet_valid,
    tls.name_mismatch,
    tls.revocation_unreachable,
    tcp.large_packets_lost,
    tls.protocol_version,
    tls.cipher_mismatch,
    tls.connection_cut,
    tls.no_answer,
    tls.handshake_failed,
    path.captive_page,
    install.download_refused,
    path.no_http_answer,
    tcp.refused,
    tcp.reset,
)
_ROUTING = (
    received.FILTERED_BY_OWN_POLICY,
    received.ANOTHER_PATH_PREFERRED,
    circuit.PEERING_DOWN,
    circuit.NO_ROUTE_FILTER,
    circuit.FILTER_NOT_ATTACHED,
    route_filter.COMMUNITY_DENIED,
    route_filter.EMPTY_ROUTE_FILTER,
    received.SESSION_DOWN,
    route_filter.COMMUNITY_NOT_IN_FILTER,
    route_filter.REGION_WITHOUT_COMMUNITY,
    circuit.OUTSIDE_SKU,
    received.NOT_RECEIVED,
)
_SILENCE = (
    tcp.nat_prefix_not_validated,
    tcp.asymmetric_return,
    tcp.filtered,
    tcp.timeout_with_route,
    tcp.unreachable,
)

FAULTS: tuple[Any, ...] = (
    path.discovery_failed,
    *_PROXY,
    *_WRONG_ANSWERS,
    *_BEYOND_TCP,
    *_NAMES,
    *_ROUTING,
    *_SILENCE,
    path.endpoint_unreachable,
)
"""Asked of every endpoint that was not reached; the first that applies is its cause. A step that was seen to
fail comes before what dated lists lead to expect, and what a router's table shows before the route filter."""

RISKS: tuple[Any, ...] = (*steering.FAMILY, *risk.FAMILY, dns.answers_differ)
"""Asked of every endpoint that works; each that applies counts."""

_MODULES = (
    route_filter,
    circuit,
    received,
    off_peering,
    path,
    dns,
    private_link,
    tcp,
    tls,
    proxy,
    clock,
    agent,
    install,
    signin,
    arm,
    unexplained,
    unreadable,
    steering,
    risk,
)

CAUSES: dict[str, Any] = {cause.slug: cause for module in _MODULES for cause in module.FAMILY}
"""Every cause by its slug, in the order in which findings of equal severity are told."""
