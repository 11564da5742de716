"""What the twin can be told to do wrong: declared values, switched on and off by name."""

from dataclasses import dataclass
from fnmatch import fnmatch

from arcferry.errors import InputError, UnknownNameError

LOOPBACK, NAMESPACES = "loopback", "namespaces"
_BOTH = frozenset({LOOPBACK, NAMESPACES})
_ROUTED = frozenset({NAMESPACES})


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can go wrong.

    Attributes:
        name: family and kind, such as `arm/429`; the slug of its cause where no other fault leads to it.
        does: what a client sees.
        needs_host: whether it strikes one endpoint, which must then be named.
        cause: the slug that a check of the network and the twin's documents must lead to; empty where a
            check does not meet the fault, as with what goes wrong in Resource Manager.
        networks: the kinds of lab network that can produce it.
    """

    name: str
    does: str
    needs_host: bool = False
    cause: str = ""
    networks: frozenset[str] = _BOTH


def _of_one_endpoint(name: str, does: str, cause: str = "", *, networks: frozenset[str] = _BOTH) -> Fault:
    return Fault(name, does, needs_host=True, cause=cause or name, networks=networks)


def _of_the_path(name: str, does: str, cause: str = "", *, networks: frozenset[str] = _BOTH) -> Fault:
    return Fault(name, does, cause=cause or name, networks=networks)


_AZURE = (
    Fault("arm/401", "ARM refuses every token: InvalidAuthenticationToken"),
    Fault("arm/403", "ARM allows nobody anything: AuthorizationFailed"),
    Fault("arm/write-403", "ARM lets nobody write a machine, and all read: AuthorizationFailed"),
    Fault("arm/404", "ARM finds nothing: ResourceNotFound"),
    Fault("arm/409", "ARM answers Conflict"),
    Fault("arm/429", "ARM asks for slower requests: TooManyRequests, Retry-After: 1"),
    Fault("arm/500", "ARM fails: InternalServerError"),
    Fault(
        "arm/provider-not-registered",
        "the subscription uses no resource provider, and registering one never ends: 409 "
        "MissingSubscriptionRegistration",
    ),
    Fault(
        "arm/412", "somebody changes each resource first: whatever carries If-Match fails, PreconditionFailed"
    ),
    Fault(
        "arm/throttling",
        "ARM refuses every client for 2 seconds: 429 SubscriptionRequestsThrottled, with Retry-After",
    ),
    Fault("arm/graph-throttling", "Resource Graph refuses every query: 429 RateLimiting, Retry-After: 1"),
    Fault(
        "arm/role-settling",
        "each client's first 3 requests that take a right are refused: AuthorizationFailed",
    ),
    Fault("arm/operation-fails", "changes are accepted and fail afterwards: Failed, InternalServerError"),
    Fault("arm/operation-stuck", "changes are accepted and never end: InProgress"),
    Fault("arm/extension-fails", "extensions are accepted and their installation fails: HCRP400"),
    Fault("arm/group-deletion-stuck", "a resource group that is deleted stays: Deleting"),
    Fault("arm/garbage", "ARM answers 200 with an HTML page, as a captive proxy does"),
    Fault("entra/expired-secret", "every client secret has expired: AADSTS7000222"),
    Fault("entra/unavailable", "the token endpoint answers 503: AADSTS90033"),
    Fault("his/no-certificate", "the identity call answers 500, so that no machine gets its certificate"),
    Fault("his/machine-exists", "the identity call answers 409 for a machine that Azure had before"),
    Fault("his/no-heartbeat", "heartbeats are refused with 503, so that no machine becomes Connected"),
)
_DNS = (
    _of_one_endpoint("dns/name-not-found", "the name does not exist: NXDOMAIN"),
    _of_one_endpoint("dns/resolver-fails", "the resolver cannot find out: SERVFAIL"),
    _of_one_endpoint("dns/silent", "the resolver does not answer for this name", "dns/resolver-fails"),
    _of_the_path("dns/resolver-unreachable", "the resolver answers nothing at all"),
    _of_one_endpoint("dns/no-addresses", "the name exists and has no address"),
    _of_one_endpoint(
        "dns/private-answer-leak", "a private zone answers with 10.255.255.1, where nothing serves the name"
    ),
    _of_one_endpoint("dns/blocked-answer", "a DNS filter answers 0.0.0.0"),
    _of_one_endpoint("dns/wrong-address", "a stale record answers with an address that is not Microsoft's"),
)
_TCP = (
    _of_one_endpoint("tcp/refused", "nothing listens, and connections are refused"),
    _of_one_endpoint(
        "tcp/silent", "a firewall drops the packets, though a route is expected", "tcp/timeout-with-route"
    ),
    _of_the_path(
        "tcp/nat-prefix-not-validated",
        "Microsoft has not validated the advertised NAT prefix, and drops what comes from it",
    ),
    _of_one_endpoint(
        "tcp/filtered", "the company's firewall drops packets to one address of a route", networks=_ROUTED
    ),
    _of_the_path(
        "tcp/asymmetric-return",
        "answers leave Azure on another path, and are dropped there",
        networks=_ROUTED,
    ),
    _of_the_path(
        "tcp/large-packets-lost", "packets of more than 1000 bytes from Azure vanish", networks=_ROUTED
    ),
)
_TLS = (
    _of_one_endpoint("tls/intercepted", "a company's inspection shows a certificate by its own CA"),
    _of_one_endpoint(
        "tls/untrusted-root", "the certificate is by Azure's authority, whose root is unknown here"
    ),
    _of_one_endpoint("tls/expired", "the endpoint's certificate ended yesterday"),
    _of_one_endpoint("tls/not-yet-valid", "the endpoint's certificate begins tomorrow"),
    _of_one_endpoint("tls/name-mismatch", "the endpoint's certificate is for another name"),
    _of_one_endpoint("tls/incomplete-chain", "the endpoint does not send the CA between it and the root"),
    _of_one_endpoint("tls/protocol-version", "the endpoint knows TLS 1.1 and older alone"),
    _of_one_endpoint("tls/cipher-mismatch", "the endpoint shares no cipher suite with its clients"),
    _of_one_endpoint("tls/connection-cut", "the connection is reset when the client begins TLS"),
    _of_one_endpoint("tls/no-answer", "the connection stands, and nothing answers in TLS"),
    _of_one_endpoint("tls/handshake-failed", "a plain web server answers at the TLS port"),
)
_PROXY = (
    _of_the_path("proxy/authentication-required", "the proxy wants credentials: 407"),
    _of_the_path("proxy/refused", "the proxy does not let the name through: 403"),
    _of_the_path("proxy/cannot-reach", "the proxy finds no way to the name: 503"),
    _of_the_path("proxy/not-a-proxy", "a web server answers at the proxy's address: 405 to CONNECT"),
    _of_the_path("proxy/unreachable", "nothing answers at the proxy's address"),
    _of_the_path("proxy/name-not-found", "the proxy's own name does not exist"),
)
_PATH = (
    _of_one_endpoint("path/no-http-answer", "the endpoint takes the request and never answers"),
    _of_one_endpoint(
        "service/reset", "the endpoint takes the request and cuts the connection", "path/no-http-answer"
    ),
    _of_one_endpoint("path/captive-page", "a sign-in page answers in the endpoint's place"),
    _of_the_path(
        "path/discovery-failed", "the discovery call answers 500, so that no regional name is known"
    ),
    _of_the_path("clock/skew", "every answer's Date is one hour ahead"),
)
_ROUTE = (
    _of_the_path(
        "route/community-not-in-filter", "the route filter lacks the community of the lab's own region"
    ),
    _of_the_path("route/community-denied", "the route filter's rule denies its communities"),
    _of_the_path("route/empty-route-filter", "the route filter has no rule, and lets nothing through"),
    _of_the_path("route/no-route-filter", "no route filter is attached to the peering"),
    _of_the_path("route/filter-not-attached", "another route filter is attached, one that allows nothing"),
    _of_the_path("route/peering-down", "Microsoft peering is disabled on the circuit"),
    _of_the_path(
        "route/outside-sku-geography", "a Standard circuit in Amsterdam, whose geography lacks the region"
    ),
    _of_one_endpoint(
        "route/region-without-community",
        "the answer lies in Sweden Central, for which no community is documented",
    ),
    _of_one_endpoint("route/not-on-microsoft-peering", "the answer lies on Front Door's edge"),
    _of_the_path("route/session-down", "both BGP sessions are down", networks=_ROUTED),
    _of_the_path("route/one-link-down", "one BGP session is down", "risk/one-path-only", networks=_ROUTED),
    Fault(
        "route/on-primary-alone",
        "Microsoft advertises the endpoint's prefix on the primary link alone: seen when that link is down",
        needs_host=True,
        networks=_ROUTED,
    ),
    _of_one_endpoint(
        "route/not-received", "Microsoft does not advertise the endpoint's prefix", networks=_ROUTED
    ),
    _of_the_path(
        "route/filtered-by-own-policy",
        "the company's router rejects the routes of the lab's own region",
        networks=_ROUTED,
    ),
    _of_one_endpoint(
        "route/another-path-preferred",
        "a static route of the company's router wins, and leads nowhere",
        networks=_ROUTED,
    ),
    _of_one_endpoint(
        "route/ipv6-not-peered", "the name answers with IPv6 alone, which has no peering", networks=_ROUTED
    ),
    _of_one_endpoint(
        "risk/ipv6-leads-nowhere",
        "the name answers with IPv4 and IPv6, and the peering has no IPv6 side",
        networks=_ROUTED,
    ),
    _of_one_endpoint(
        "route/ipv6-filtered",
        "the same, and the peering's IPv6 side has a filter of its own that lets nothing of it through",
        "risk/ipv6-leads-nowhere",
        networks=_ROUTED,
    ),
    _of_one_endpoint(
        "route/ipv6-swallowed",
        "the same, and the IPv6 side lets it through: what the routers get they drop",
        "risk/ipv6-leads-nowhere",
        networks=_ROUTED,
    ),
)
FAULTS = (*_AZURE, *_DNS, *_TCP, *_TLS, *_PROXY, *_PATH, *_ROUTE)

_BY_NAME = {fault.name: fault for fault in FAULTS}


@dataclass(slots=True)
class ActiveFault:
    """A fault that is switched on.

    Attributes:
        host: the endpoint it strikes, stars allowed; empty strikes all.
        times: how often it will still strike; None for ever.
    """

    fault: Fault
    host: str = ""
    times: int | None = None

    def strikes(self, name: str, host: str) -> bool:
        """Whether it is the fault called `name`, and strikes this host now."""
        return self.fault.name == name and self.times != 0 and (not self.host or fnmatch(host, self.host))


class Faults:
    """The faults that are switched on in one twin.

    Attributes:
        network: the kind of lab network they strike, which refuses those that it cannot produce; empty
            takes every fault.
    """

    def __init__(self, network: str = "") -> None:
        self.network = network
        self._active: list[ActiveFault] = []

    def add(self, name: str, host: str = "", *, times: int | None = None) -> ActiveFault:
        """Switch a fault on, for ever or for its next `times` strikes.

        Raises:
            UnknownNameError: there is no such fault.
            InputError: the host is missing, `times` is not positive, or this network cannot produce it.
        """
        fault = _BY_NAME.get(name)
        if fault is None:
            raise UnknownNameError("fault", name, _BY_NAME)
        if self.network and self.network not in fault.networks:
            raise InputError(
                f"{name} takes real routers, which the {self.network} network has not",
                hint="arcferry lab up --network namespaces",
            )
        if fault.needs_host and not host:
            raise InputError(
                f"{name} strikes one endpoint; name it", hint=f"{name} login.microsoftonline.com"
            )
        if times is not None and times < 1:
            raise InputError(f"a fault strikes at least once, not {times} times")
        self.remove(name, host)
        active = ActiveFault(fault, host.lower().rstrip("."), times)
        self._active.append(active)
        return active

    def remove(self, name: str, host: str = "") -> int:
        """Switch faults off by name, and by host where one is given; returns how many that were.

        Raises:
            UnknownNameError: there is no such fault.
        """
        if name not in _BY_NAME:
            raise UnknownNameError("fault", name, _BY_NAME)
        kept = [one for one in self._active if one.fault.name != name or (host and one.host != host.lower())]
        removed = len(self._active) - len(kept)
        self._active = kept
        return removed

    def clear(self) -> None:
        """Switch every fault off."""
        self._active = []

    def active(self) -> tuple[ActiveFault, ...]:
        """What is switched on and will still strike."""
        return tuple(one for one in self._active if one.times != 0)

    def are_on(self, name: str) -> bool:
        """Whether this fault is switched on, for whichever host, and will still strike."""
        return any(one.fault.name == name for one in self.active())

    def holds(self, name: str, *hosts: str) -> bool:
        """Whether this fault is switched on for any of these names; counts nothing."""
        return any(one.strikes(name, host) for one in self._active for host in hosts or ("",))

    def take(self, name: str, *hosts: str) -> bool:
        """Whether this fault strikes now, at any of these names of one service; counts the strike."""
        for one in self._active:
            if any(one.strikes(name, host) for host in hosts or ("",)):
                if one.times is not None:
                    one.times -= 1
                return True
        return False
