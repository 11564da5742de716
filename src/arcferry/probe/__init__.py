"""What the network answers from here: names, TCP, TLS, HTTP, proxy."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from arcferry.probe.observation import (
    DnsAnswer,
    Failure,
    HttpAnswer,
    Observation,
    Stage,
    TlsSession,
)
from arcferry.probe.settings import ProbeSettings

if TYPE_CHECKING:
    from arcferry.probe.location import CheckResult, check, probe

__all__ = [
    "CheckResult",
    "DnsAnswer",
    "Failure",
    "HttpAnswer",
    "Observation",
    "ProbeSettings",
    "Stage",
    "TlsSession",
    "check",
    "probe",
]

_ON_USE = {"probe": "location", "check": "location", "CheckResult": "location"}


def __getattr__(name: str) -> Any:  # noqa: ANN401  # the names' own types are declared above
    """Import DNS and TLS only for a probe: most commands read observations without making any."""
    if name not in _ON_USE:
        raise AttributeError(name)
    return getattr(import_module(f"arcferry.probe.{_ON_USE[name]}"), name)
