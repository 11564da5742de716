"""Every cause that arcferry knows, in the order of asking: the root before what follows from it."""

from arcferry.diagnosis.causes import agent, coded, connection, dns, ipv6, path, risk, route, router
from arcferry.diagnosis.rule import Cause

FAULTS: tuple[Cause, ...] = (
    path.discovery_failed,
    coded.faulty_release,
    # Proxies.
    connection.proxy_of_winhttp_alone,
    connection.bypass_missing,
    connection.proxy_authentication_required,
    connection.proxy_name_not_found,
    connection.proxy_unreachable,
    connection.not_a_proxy,
    connection.proxy_cannot_reach,
    connection.proxy_refused,
    # Answers that are wrong.
    ipv6.not_peered,
    dns.blocked_answer,
    dns.wrong_address,
    # Beyond TCP, and what answers with a no.
    connection.skew,
    connection.untrusted_root,
    connection.intercepted,
    connection.incomplete_chain,
    connection.expired,
    connection.not_yet_valid,
    connection.name_mismatch,
    connection.revocation_unreachable,
    connection.large_packets_lost,
    connection.protocol_version,
    connection.cipher_mismatch,
    connection.connection_cut,
    connection.no_answer,
    connection.handshake_failed,
    path.captive_page,
    coded.download_refused,
    path.no_http_answer,
    connection.refused,
    connection.reset,
    # Names without a usable answer.
    route.not_on_microsoft_peering,
    dns.resolver_fails,
    dns.resolver_unreachable,
    dns.no_addresses,
    dns.name_not_found,
    dns.scope_not_given,
    dns.private_endpoint_unreachable,
    dns.private_answer_leak,
    dns.public_answer_in_scope,
    # Routes.
    router.filtered_by_own_policy,
    router.another_path_preferred,
    route.peering_down,
    route.no_route_filter,
    route.filter_not_attached,
    route.community_denied,
    route.empty_route_filter,
    router.session_down,
    router.session_without_routes,
    route.community_not_in_filter,
    route.region_without_community,
    route.outside_sku_geography,
    router.not_received,
    # Silence.
    connection.nat_prefix_not_validated,
    connection.asymmetric_return,
    connection.filtered,
    connection.timeout_with_route,
    connection.unreachable,
    # Nothing tells.
    path.endpoint_unreachable,
)
"""Asked of every endpoint that was not reached; the first that applies is its cause. A step that was seen to
fail comes before what dated lists lead to expect, and what a router's table shows before the route filter."""

RISKS: tuple[Cause, ...] = (
    risk.steered_answer_may_leave_filter,
    risk.reached_outside_filter,
    risk.answer_not_in_service_community,
    risk.inspected,
    ipv6.leads_nowhere,
    dns.answers_differ,
)
"""Asked of every endpoint that works; each that applies counts."""

_MODULES = (route, ipv6, router, path, dns, connection, agent, coded, risk)
_DECLARED = [one for module in _MODULES for one in vars(module).values() if isinstance(one, Cause)]

CAUSES: dict[str, Cause] = {cause.slug: cause for cause in (*_DECLARED, *coded.CODED)}
"""Every cause by its slug, in the order in which findings of equal severity are told."""
