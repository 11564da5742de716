"""The result of `arcferry check`: a document, lines of documents, or a plain table and what failed in it."""

from collections.abc import Iterator
from typing import Any

from arcferry import times
from arcferry.probe.https import CheckResult
from arcferry.probe.observation import Observation, TlsSession
from arcferry.probe.tcp import is_private
from arcferry.report.columns import columns
from arcferry.text import one_line

_SCHEMA = 1
_UNDISCOVERED = "<regional HIS>"
HEADERS = ("ENDPOINT", "REACHABLE", "PRIVATE", "TLS", "PROXY", "ADDRESS", "TIME")


def document(result: CheckResult) -> dict[str, Any]:
    """The whole result as one JSON document."""
    return {
        "schema": _SCHEMA,
        "kind": "check",
        "cloud": result.cloud.name,
        "location": result.region.name,
        "taken": times.to_text(result.taken),
        "resolver": result.resolver or None,
        "proxy": result.proxy,
        "endpoints": [_endpoint(seen) for seen in result.observations],
    }


def json_lines(result: CheckResult) -> Iterator[dict[str, Any]]:
    """One line an endpoint, then one that sums up."""
    for seen in result.observations:
        yield {"schema": _SCHEMA, "kind": "endpoint", **_endpoint(seen)}
    summary = {key: value for key, value in document(result).items() if key != "endpoints"}
    required = [seen for seen in result.observations if seen.endpoint.required]
    counts = {"required": len(required), "failed": len(result.failed), "elapsed": round(result.elapsed, 3)}
    yield summary | counts


def _endpoint(seen: Observation) -> dict[str, Any]:
    return {
        "host": seen.endpoint.host,
        "port": seen.endpoint.port,
        "purpose": seen.endpoint.purpose,
        "required": seen.endpoint.required,
        "steering": seen.endpoint.steering.value,
        "reachable": seen.reachable,
        "private": is_private(seen.address) if seen.address else None,
        "tls": _tls(seen.tls) if seen.tls else None,
        "proxy": _proxy(seen),
        "dns": {
            "chain": list(seen.dns.chain),
            "addresses": list(seen.dns.addresses),
            "resolver": seen.dns.resolver,
        }
        if seen.dns
        else None,
        "address": seen.address or None,
        "http": {"status": seen.http.status} if seen.http else None,
        "clock_skew": seen.clock_skew,
        "failure": {
            "stage": seen.failure.stage.value,
            "kind": seen.failure.kind,
            "says": one_line(seen.failure.says, limit=600),
        }
        if seen.failure
        else None,
        "elapsed": round(seen.elapsed, 3),
    }


def _tls(session: TlsSession) -> dict[str, Any]:
    return {
        "version": session.version,
        "cipher": session.cipher,
        "issuer": session.issuer,
        "subject": session.subject,
        "names": list(session.names),
        "not_after": times.to_text(session.not_after),
        "public_root": session.public_root,
    }


def _proxy(seen: Observation) -> str:
    return "set" if seen.proxy else "not set"


def _url(seen: Observation) -> str:
    return seen.endpoint.url if seen.endpoint.host else _UNDISCOVERED


def row(seen: Observation) -> tuple[str, ...]:
    """One endpoint's cells; the first five as `azcmagent check` prints them."""
    private = "unknown" if not seen.address else str(is_private(seen.address)).lower()
    return (
        _url(seen),
        str(seen.reachable).lower(),
        private,
        seen.tls.version if seen.tls else "unknown",
        _proxy(seen),
        seen.address or ("by proxy" if seen.proxy else "-"),
        f"{seen.elapsed:.2f} s",
    )


def plain_table(result: CheckResult) -> Iterator[str]:
    """Columns that end in `|`, the form in which the agent prints them and tools read them."""
    rows = [HEADERS, *map(row, result.observations)]
    return columns(rows, between="  |")


def failures(result: CheckResult) -> Iterator[tuple[str, str]]:
    """`FAIL` or `warn`, and one line on what was tried and what came back."""
    for seen in result.observations:
        if seen.failure:
            word = "FAIL" if seen.endpoint.required else "warn"
            failure = seen.failure
            says = f"{failure.says}{_named(seen)}"
            yield word, one_line(f"{_url(seen)}  {failure.stage.value} {failure.kind}: {says}", limit=900)


def _named(seen: Observation) -> str:
    """How the name led to the address that failed; a failure of the name itself has said so."""
    if not seen.dns or not seen.dns.addresses:
        return ""
    return f" (resolver {seen.dns.resolver}: {' -> '.join([*seen.dns.chain, seen.address or ''])})"


def summary(result: CheckResult) -> str:
    """One line: how many of the required were reached, from where, when."""
    required = [seen for seen in result.observations if seen.endpoint.required]
    through = f"through {result.proxy}" if result.proxy else f"resolver {result.resolver or 'none'}"
    return (
        f"{len(required) - len(result.failed)} of {len(required)} required endpoints reached "
        f"for {result.region.name} in {result.cloud.name}, {through}, "
        f"in {result.elapsed:.1f} s, {times.to_text(result.taken)}"
    )


def plain(result: CheckResult) -> Iterator[str]:
    """The whole report without a terminal: the table, then a line for each failure, and the sum."""
    yield from plain_table(result)
    told = [f"{word}  {line}" for word, line in failures(result)]
    if told:
        yield ""
        yield from told
    yield ""
    yield summary(result)
