"""Every cause that arcferry knows, in the order of asking: the root before what follows from it."""

from arcferry.diagnosis.causes import (
    agent,
    arm,
    clock,
    dns,
    install,
    path,
    private_link,
    proxy,
    risk,
    route,
    signin,
    tcp,
    tls,
    unexplained,
    unreadable,
)
from arcferry.diagnosis.rule import Cause

_NAMES = (
    route.not_on_microsoft_peering,
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
_WRONG_ANSWERS = (route.ipv6_not_peered, dns.blocked_answer, dns.wrong_address)
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
    route.filtered_by_own_policy,
    route.another_path_preferred,
    route.peering_down,
    route.no_route_filter,
    route.filter_not_attached,
    route.community_denied,
    route.empty_route_filter,
    route.session_down,
    route.community_not_in_filter,
    route.region_without_community,
    route.outside_sku_geography,
    route.not_received,
)
_SILENCE = (
    tcp.nat_prefix_not_validated,
    tcp.asymmetric_return,
    tcp.filtered,
    tcp.timeout_with_route,
    tcp.unreachable,
)

FAULTS: tuple[Cause, ...] = (
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

RISKS: tuple[Cause, ...] = (*risk.FAMILY, dns.answers_differ)
"""Asked of every endpoint that works; each that applies counts."""

_MODULES = (
    route,
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
    risk,
)

CAUSES: dict[str, Cause] = {cause.slug: cause for module in _MODULES for cause in module.FAMILY}
"""Every cause by its slug, in the order in which findings of equal severity are told."""
