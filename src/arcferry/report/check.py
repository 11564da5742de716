"""The result of `arcferry check` and what follows from it, without rich, so that a pipe starts fast."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from arcferry import times
from arcferry.catalog import Announced
from arcferry.diagnosis import Diagnosis, Severity
from arcferry.diagnosis.expectation import Expectation
from arcferry.diagnosis.words import how_to_get
from arcferry.language import _, headings, marked, together, translated
from arcferry.probe.https import CheckResult
from arcferry.probe.observation import Observation
from arcferry.probe.tcp import is_private
from arcferry.report import as_json
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.columns import UNDISCOVERED_CELL, columns, padded
from arcferry.text import one_line

HEADERS = headings("ENDPOINT", "REACHABLE", "PRIVATE", "TLS", "PROXY", "ADDRESS", "TIME")
COMMAND = "cyan"
"""The style of a line that is a command, which stays whole."""
_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_NEXT = {
    "route-filter": marked("which names may leave the filter, and which community is missing"),
    "service-tags": marked("the region of each address"),
    "community-list": marked("the community of each address, also in regions that no document lists"),
    "received-routes": marked("whether a route is really there"),
}
_HOW = marked("arcferry data import FILE once, or --with FILE each time")


def document(result: CheckResult) -> dict[str, Any]:
    """The whole result as one JSON document."""
    return _head(result) | {"endpoints": list(map(_endpoint, result.observations))}


def judged_document(
    result: CheckResult,
    diagnosis: Diagnosis,
    announced: Sequence[Announced],
    private_link: Mapping[str, Any] | None = None,
    expectation: Expectation | None = None,
) -> dict[str, Any]:
    """The same with what follows from it, the kinds of evidence that would sharpen it, and what is ahead."""
    return {
        **document(result),
        **({"private_link": private_link} if private_link else {}),
        **({"expected": picked(expectation, "cause", "met", "says")} if expectation else {}),
        "inputs": as_json.inputs(diagnosis),
        "would_sharpen": list(diagnosis.lacks),
        **as_json.fields(diagnosis),
        "ahead": as_json.ahead(announced),
    }


def json_lines(
    result: CheckResult, diagnosis: Diagnosis, private_link: Mapping[str, Any] | None = None
) -> Iterator[dict[str, Any]]:
    """One line an endpoint, one a finding, one for the evidence, then one that sums up."""
    for seen in result.observations:
        yield {"schema": SCHEMA, "kind": "endpoint", **_endpoint(seen)}
    yield from as_json.lines(as_json.fields(diagnosis))
    yield _head(result) | {
        "required": sum(seen.endpoint.required for seen in result.observations),
        "failed": len(result.failed),
        "elapsed": round(result.elapsed, 3),
        "findings": len(diagnosis.findings),
        "would_sharpen": list(diagnosis.lacks),
        **({"private_link": private_link} if private_link else {}),
    }


def _head(result: CheckResult) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "kind": "check",
        "cloud": result.cloud.name,
        "location": result.region.name,
        "taken": times.to_text(result.taken),
        "resolver": result.resolver or None,
        "proxy": result.proxy,
    }


def _endpoint(seen: Observation) -> dict[str, Any]:
    tls = ("version", "cipher", "issuer", "subject", "names", "not_after", "public_root")
    failure = seen.failure
    return {
        **picked(seen.endpoint, "host", "port", "purpose", "required", "steering"),
        "reachable": seen.reachable,
        "private": is_private(seen.address) if seen.address else None,
        "tls": picked(seen.tls, *tls) if seen.tls else None,
        "proxy": _proxy(seen),
        "dns": picked(seen.dns, "chain", "addresses", "resolver") if seen.dns else None,
        "address": seen.address or None,
        "http": picked(seen.http, "status") if seen.http else None,
        "clock_skew": seen.clock_skew,
        "failure": picked(failure, "stage", "kind") | {"says": one_line(failure.says, limit=600)}
        if failure
        else None,
        "other_family": _other_family(seen),
        "elapsed": round(seen.elapsed, 3),
    }


def _other_family(seen: Observation) -> dict[str, Any] | None:
    other = seen.other_family
    if other is None:
        return None
    said = picked(other.failure, "stage", "kind", "says") if other.failure else None
    return picked(other, "address", "first") | {"failure": said}


def _proxy(seen: Observation) -> str:
    return "set" if seen.proxy else "not set"


def _url(seen: Observation) -> str:
    return seen.endpoint.url if seen.endpoint.host else UNDISCOVERED_CELL


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


def failures(result: CheckResult) -> Iterator[tuple[str, str]]:
    """`FAIL` or `warn`, and one line on what was tried and what came back."""
    for seen in result.observations:
        if seen.failure:
            word = "FAIL" if seen.endpoint.required else "warn"
            failure = seen.failure
            says = f"{translated(failure.says)}{_named(seen)}"
            yield word, one_line(f"{_url(seen)}  {failure.stage.value} {failure.kind}: {says}", limit=900)


def _named(seen: Observation) -> str:
    """How the name led to the address that failed; a failure of the name itself has said so."""
    if not seen.dns or not seen.dns.addresses:
        return ""
    links = " -> ".join([*seen.dns.chain, seen.address or ""])
    return _(" (resolver {resolver}: {links})", resolver=seen.dns.resolver, links=links)


def summary(result: CheckResult) -> str:
    """One line: how many of the required were reached, from where, when."""
    required = [seen for seen in result.observations if seen.endpoint.required]
    through = _("resolver {resolver}", resolver=result.resolver or _("none"))
    if result.proxy:
        through = _("through {proxy}", proxy=result.proxy)
    return _(
        "{reached} of {required} required endpoints reached for {location} in {cloud}, {through}, "
        "in {seconds:.1f} s, {taken}",
        reached=len(required) - len(result.failed),
        required=len(required),
        location=result.region.name,
        cloud=result.cloud.name,
        through=through,
        seconds=result.elapsed,
        taken=times.to_text(result.taken),
    )


def plain(result: CheckResult, conclusions: Iterable[tuple[str, str]] = ()) -> Iterator[str]:
    """Without a terminal: the table, then a line for each failure, what follows from it, and the sum.

    Columns end in `|`, the form in which the agent prints them and tools read them.
    """
    yield from columns([HEADERS, *map(row, result.observations)], between="  |")
    told = [f"{word}  {line}" for word, line in failures(result)]
    if told:
        yield ""
        yield from told
    yield from (line for style, line in conclusions)
    yield ""
    yield summary(result)


def met(expectation: Expectation) -> Iterator[tuple[str, str]]:
    """Whether the change that was asked for has come about; the line after its style on a terminal."""
    yield "", ""
    yield (
        "bold green" if expectation.is_done else "bold red",
        _("{name}: {says}", name=_(expectation.met), says=one_line(translated(expectation.says))),
    )


def conclusions(
    result: CheckResult, diagnosis: Diagnosis, announced: Sequence[Announced]
) -> Iterator[tuple[str, str]]:
    """What follows, what would sharpen it, and what is ahead; each line after its style on a terminal."""
    for finding in diagnosis.findings:
        yield "", ""
        yield (
            _STYLES[finding.severity],
            f"{padded(_(finding.severity.value).upper(), 7)}  {one_line(finding.title)}",
        )
        team = _("{owner} team", owner=_(finding.owner))
        yield "dim", f"{'':<9}{together((finding.cause, team, _(finding.confidence)))}"
        if finding.remedy.summary:
            yield "", f"         {one_line(finding.remedy.summary)}"
    wanted = [kind for kind in diagnosis.lacks if kind in _NEXT]
    if wanted:
        yield "", ""
    if wanted and not diagnosis.findings:
        kinds, tells = _(" and ").join(wanted), _(_NEXT[wanted[0]])
        says = _(
            "With {kinds} at hand, this also tells {tells}: {how}", kinds=kinds, tells=tells, how=_(_HOW)
        )
        yield "dim", says
    elif wanted:
        ways = how_to_get(known={"arc_location": result.region.name})
        yield "dim", _("Data at hand does not tell:")
        for kind in wanted:
            yield "dim", f"  {_('{tells}. {kind}: {way}', tells=_(_NEXT[kind]), kind=kind, way=ways[kind])}"
        yield "dim", f"  {_('Then: {how}.', how=_(_HOW))}"
    if diagnosis.findings:
        again = f"arcferry check --location {result.region.name} --cloud {result.cloud.name} --output json"
        yield "", ""
        yield "dim", _("Evidence, commands and the request to send:")
        yield COMMAND, f"  {again} > check.json"
        yield COMMAND, "  arcferry explain check.json"
    if announced:
        yield "", ""
        yield from (("", _("Ahead, {announced}", announced=one)) for one in announced)
