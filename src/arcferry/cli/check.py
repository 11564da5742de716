import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arcferry.cli import azure_options, options
from arcferry.cli.options import grouped, option
from arcferry.cli.output import PageOutput, show
from arcferry.cli.since import SinceOption
from arcferry.cli.talk import say
from arcferry.files import state_folder
from arcferry.language import _

if TYPE_CHECKING:
    from arcferry.diagnosis import Diagnosis
    from arcferry.diagnosis.expectation import Expectation
    from arcferry.probe.https import CheckResult
    from arcferry.probe.observation import Observation
    from arcferry.report.private_link import PrivateLink


@grouped
def check(
    *,
    location: options.LocationOption,
    location_unlisted: options.UnlistedOption = False,
    cloud: options.CloudOption = options.DEFAULT_CLOUD,
    every: Annotated[
        bool, option("--all", "Also probe what installation and optional features use.")
    ] = False,
    private_link_scope: azure_options.ScopeOption = None,
    probing: options.ProbeOptions,
    evidence: options.WithOption = None,
    since: SinceOption = None,
    expect: Annotated[
        str,
        option(
            "--expect CAUSE",
            "Say whether a change that was asked for has come about: the cause is gone, is still there, or "
            "something else hinders now.",
        ),
    ] = "",
    state: options.StateOption = None,
    output: options.PageOutputOption = "table",
) -> None:
    """Probe every endpoint that Azure Arc requires, from this machine, all at once.

    For each: the name with its CNAME chain, TCP, TLS and who issued the certificate, an HTTP answer, and the
    clock. Any HTTP status counts as reached. Changes nothing, needs no sign-in and no agent, and ends within
    ten seconds. Beneath: what follows from it, by the data at hand, and which data would tell more.

    A result with which all was reached is remembered, so that a later finding says what changed since then.

    With --private-link-scope it also shows, name by name, what an Arc private link scope can serve and how it
    answers, what stays public, and what a proxy must let past.

    Exit code 0 when every required endpoint was reached, and answers privately where a scope is used; else 1.
    With --expect 0 only when the change is done.
    """
    from arcferry import catalog
    from arcferry.cli import stopping
    from arcferry.cli.evidence import evidence_and_held
    from arcferry.diagnosis import judge
    from arcferry.diagnosis.expectation import cause_named, expected
    from arcferry.evidence.case import SCOPE_UNNAMED, observed
    from arcferry.probe.https import check as check_endpoints
    from arcferry.probe.step import ProbeSettings

    wanted = cause_named(expect) if expect else ""
    chosen = catalog.cloud(cloud)
    region = options.region_of(location, chosen, unlisted=location_unlisted)
    scope = None if private_link_scope is None else azure_options.scope_of(private_link_scope)
    settings = ProbeSettings(**vars(probing))
    endpoints = catalog.endpoints(chosen, region, optional=every)
    given, held = evidence_and_held(evidence or [], chosen)
    if not probing.proxy and any(map(os.environ.get, ("HTTPS_PROXY", "https_proxy"))):
        say("note: HTTPS_PROXY is set, and not used here; give --proxy to go through it")
    with _counter(len(endpoints)) as step:
        result = stopping.run(
            check_endpoints(chosen, region, settings, optional=every, progress=step),
            says="stopped before every endpoint had answered",
        )
    said = "" if scope is None else scope or SCOPE_UNNAMED
    seen = observed(result.observations, location=result.region.name, scope=said)
    private = _private_link(result, scope)
    diagnosis = judge((seen, *given), held)
    about = (chosen.name, region.name, probing.resolver or "", probing.proxy or "", scope or "")
    diagnosis = _since(diagnosis, since, state or state_folder(), about, well=not result.failed)
    expectation = expected(wanted, diagnosis, failed=len(result.failed)) if wanted else None
    _print(result, diagnosis, private, expectation, output)
    if result.failed or (private and private.wrong) or (expectation and not expectation.is_done):
        raise typer.Exit(1)


def _since(
    diagnosis: "Diagnosis", since: Path | None, state: Path, about: "tuple[str, ...]", *, well: bool
) -> "Diagnosis":
    """The diagnosis with what changed since a file, else since the last time that all was well here."""
    if not (since or well or (state / "baselines").is_dir()):
        return diagnosis
    from arcferry.cli.since import since_file, since_kept
    from arcferry.watch.baseline import path_of

    kept = path_of(state, "check", *about)
    return since_file(diagnosis, since) if since else since_kept(diagnosis, kept, well=well)


def _private_link(result: "CheckResult", scope: str | None) -> "PrivateLink | None":
    if scope is None:
        return None
    from arcferry.report.private_link import private_link

    return private_link(result, scope)


def _print(
    result: "CheckResult",
    diagnosis: "Diagnosis",
    private: "PrivateLink | None",
    expectation: "Expectation | None",
    output: PageOutput,
) -> None:
    from arcferry import catalog, times
    from arcferry.report import check as report

    names: dict[str, Any] | None = None
    of_names: list[tuple[str, str]] = []
    if private:
        from arcferry.report.private_link import document, lines

        names, of_names = document(private), [*lines(private)]
    announced = catalog.ahead(times.now().date(), result.cloud)

    def table() -> None:
        met = report.met(expectation) if expectation else ()
        conclusions = (*report.conclusions(result, diagnosis, announced), *met)
        if not sys.stdout.isatty():  # without rich, which takes longer to load than a pipe's table is worth
            typer.echo("\n".join(report.plain(result, (*of_names, *conclusions))))
            return
        from arcferry.report import check_terminal, console

        check_terminal.draw(result, conclusions, console.stdout(), private)

    def junit() -> str:
        from arcferry.report import junit

        return junit.check(result, diagnosis)

    show(
        output,
        table=table,
        document=lambda: report.judged_document(result, diagnosis, announced, names, expectation),
        lines=lambda: report.json_lines(result, diagnosis, names),
        junit=junit,
    )


def _counter(total: int) -> "AbstractContextManager[Callable[[Observation], None]]":
    from arcferry import log

    def told(seen: "Observation") -> None:
        answer = "reached" if seen.reachable else seen.failure.kind if seen.failure else ""
        log.did("probe", host=seen.endpoint.host, address=seen.address, answer=answer)

    if log.is_on() or not sys.stderr.isatty():
        return nullcontext(told)
    from arcferry.report import console

    return console.counter(_("Probing {total} endpoints", total=total), total)
