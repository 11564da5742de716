"""Causes that no fault of the lab leads to, each with the reason."""

from collections.abc import Mapping

UNPRODUCED: Mapping[str, str] = {
    "agent/*": "the agent's own words tell it; a lab with --hosts has servers with an agent to ask",
    "his/*": "connecting tells it, not a check; the fault of that name makes a lab's server so",
    "install/*": "the installer's own words tell it; the faults of a host, such as host/disk-full, stop one",
    "signin/*": "a sign-in tells it, not a check; entra/expired-secret makes one fail",
    "arm/*": "a request to Resource Manager tells it, not a check; arm/401 to arm/500 make one fail",
    "private-link/*": "the lab has no private link scopes",
    "bundle/*": "opening a bundle tells it, not a check; any byte of a bundle that is changed leads to it",
    "evidence/unreadable": "it takes a file that no reader foresaw",
    "proxy/bypass-missing": "the agent's proxy.bypass tells it, which a check does not read",
    "proxy/credentials-in-url": "arcferry check refuses such a proxy before it asks anything",
    "proxy/for-winhttp-alone": "netsh of Windows tells it, and a check does not read that setting",
    "clock/not-synchronized": "w32tm or timedatectl tells it; clock/skew is what a check sees of it",
    "path/endpoint-unreachable": "it says that evidence is missing; a check with the lab's files lacks none",
    "dns/answers-differ": "it takes a check by each of two resolvers, which a namespaces lab can steer apart",
    "route/session-without-routes": "a router's summary tells it; the lab gives its routes and the filter",
    "tcp/reset": "Linux reports a reset in answer to a connection's first packet as a refusal",
    "tcp/unreachable": "it takes a router that says so; a lab's routers drop what they have no way for",
    "tls/revocation-unreachable": "a check does not ask for revocation lists; Windows does, and says so",
    "risk/steered-answer-may-leave-filter": "the lab is so from the start",
    "risk/inspected": "the lab is so from the start: its own CA stands where a public one would",
    "risk/reached-outside-filter": "it takes a second way into Azure, which no lab has",
    "risk/answer-not-in-service-community": "the lab has one prefix for sign-in, and its community has it",
    "risk/old-data": "the lab's data are of today",
}
"""By slug, or by family with a star."""
