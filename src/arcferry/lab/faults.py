"""What the twin can be told to do wrong: declared values, switched on and off by name."""

from dataclasses import dataclass
from fnmatch import fnmatch

from arcferry.errors import InputError, UnknownNameError


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can go wrong.

    Attributes:
        name: family and kind, such as `arm/429`.
        does: what a client sees.
        needs_host: whether it strikes one endpoint, which must then be named.
    """

    name: str
    does: str
    needs_host: bool = False


FAULTS = (
    Fault("arm/401", "ARM refuses every token: InvalidAuthenticationToken"),
    Fault("arm/403", "ARM allows nobody anything: AuthorizationFailed"),
    Fault("arm/404", "ARM finds nothing: ResourceNotFound"),
    Fault("arm/409", "ARM answers Conflict"),
    Fault("arm/429", "ARM asks for slower requests: TooManyRequests, Retry-After: 1"),
    Fault("arm/500", "ARM fails: InternalServerError"),
    Fault("arm/garbage", "ARM answers 200 with an HTML page, as a captive proxy does"),
    Fault("entra/expired-secret", "every client secret has expired: AADSTS7000222"),
    Fault("entra/unavailable", "the token endpoint answers 503: AADSTS90033"),
    Fault("his/discovery-fails", "the discovery call answers 500, so that no regional name is known"),
    Fault("his/no-certificate", "the identity call answers 500, so that no machine gets its certificate"),
    Fault("his/no-heartbeat", "heartbeats are refused with 503, so that no machine becomes Connected"),
    Fault("dns/nxdomain", "the name does not exist", needs_host=True),
    Fault("dns/servfail", "the resolver cannot find out: SERVFAIL", needs_host=True),
    Fault("dns/silent", "the resolver does not answer for this name", needs_host=True),
    Fault("tcp/silent", "a firewall drops the packets, though a route exists", needs_host=True),
    Fault("tcp/refused", "nothing listens, and connections are refused", needs_host=True),
    Fault("tls/expired-certificate", "the endpoint's certificate ended yesterday", needs_host=True),
    Fault("tls/wrong-name", "the endpoint's certificate is for another name", needs_host=True),
    Fault("tls/unknown-issuer", "the endpoint's certificate is by a CA nobody knows", needs_host=True),
    Fault("tls/reset", "the connection is cut during the TLS handshake", needs_host=True),
    Fault("service/silent", "the endpoint takes the request and never answers", needs_host=True),
    Fault("service/reset", "the endpoint takes the request and cuts the connection", needs_host=True),
    Fault("clock/ahead", "every answer's Date is one hour ahead"),
)

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
    """The faults that are switched on in one twin."""

    def __init__(self) -> None:
        self._active: list[ActiveFault] = []

    def add(self, name: str, host: str = "", *, times: int | None = None) -> ActiveFault:
        """Switch a fault on, for ever or for its next `times` strikes.

        Raises:
            UnknownNameError: there is no such fault.
            InputError: the host is missing, or `times` is not positive.
        """
        fault = _BY_NAME.get(name)
        if fault is None:
            raise UnknownNameError("fault", name, _BY_NAME)
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

    def holds(self, name: str, *hosts: str) -> bool:
        """Whether this fault is switched on for any of these names; counts nothing."""
        return any(one.strikes(name, host) for one in self._active for host in hosts)

    def take(self, name: str, *hosts: str) -> bool:
        """Whether this fault strikes now, at any of these names of one service; counts the strike."""
        for one in self._active:
            if any(one.strikes(name, host) for host in hosts or ("",)):
                if one.times is not None:
                    one.times -= 1
                return True
        return False
