"""Bundles, servers and runs as JUnit's cases."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from arcferry.errors import BundleRefusedError
from arcferry.export.collect import Collection
from arcferry.fleet.outcome import FleetRun, HostOutcome, HostRun
from arcferry.fleet.plan import FleetPlan
from arcferry.report.bundle import BundleView, verdict
from arcferry.report.junit import JunitCase, JunitResult, xml
from arcferry.report.junit_findings import finding_cases
from arcferry.report.plan import hindrance


def bundle(view: BundleView) -> str:
    """A case for the seal and one for each file that it vouches for."""
    files = [JunitCase(file.name) for file in view.manifest.files]
    return xml({f"bundle {view.manifest.id}": [JunitCase("seal", details=verdict(view)[1]), *files]})


def refused_bundle(path: Path, refused: BundleRefusedError) -> str:
    """The one case of a bundle that is not what its seal says."""
    return xml({f"bundle {path.name}": [JunitCase("seal", JunitResult.FAILURE, refused.message, "refused")]})


def plan(found: FleetPlan) -> str:
    """A case a host: it could go on, or what hinders it."""
    cases = []
    for host in found.hosts:
        says, hint = hindrance(host) or ("", "")
        outcome = JunitResult.PASSED if host.good else JunitResult.FAILURE
        step = host.blocked[0] if host.blocked else ""
        cases.append(JunitCase(host.host.name, outcome, says, step, hint))
    return xml({"onboard plan": cases})


def run(found: FleetRun) -> str:
    """A case a host: connected, failed, or not finished. Then the findings."""
    findings = finding_cases(found.diagnosis.findings)
    return xml({f"onboard apply {found.id}": [_host(one) for one in found.hosts], "findings": findings})


def runs(found: Sequence[Mapping[str, Any]]) -> str:
    """A suite a run, a case a host by the last that the run's journal says of it."""
    outcomes = {
        "connected": JunitResult.PASSED,
        "failed": JunitResult.FAILURE,
        "blocked": JunitResult.FAILURE,
    }
    return xml(
        {
            f"run {one['run']}": [
                JunitCase(name, outcomes.get(host["state"], JunitResult.SKIPPED), host["says"], host["step"])
                for name, host in one["hosts"].items()
            ]
            for one in found
        }
    )


def collection(found: Collection) -> str:
    """A case a host that reported, or should have; what could not be used is an error. Then the findings."""
    cases = [_host(one.run) for one in found.hosts]
    cases += [JunitCase(name, JunitResult.FAILURE, "did not report", "missing") for name in found.missing]
    cases += [JunitCase(one.file, JunitResult.SKIPPED, one.why, "left out") for one in found.skipped]
    return xml({"collect": cases, "findings": finding_cases(found.diagnosis.findings)})


def _host(host: HostRun) -> JunitCase:
    seconds = sum(step.seconds for step in host.steps)
    if failure := host.failure:
        kind = " ".join(filter(None, (failure.step, failure.code)))
        return JunitCase(host.host.name, JunitResult.FAILURE, failure.says, kind, failure.hint, seconds)
    if host.outcome is HostOutcome.CONNECTED:
        return JunitCase(host.host.name, seconds=seconds)
    return JunitCase(host.host.name, JunitResult.ERROR, "not finished", host.outcome.value, seconds=seconds)
