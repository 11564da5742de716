from pathlib import Path
from typing import Annotated

import typer

from arcferry.cli.options import CheckOutputOption, argument
from arcferry.cli.output import show_by


def diff(
    before: Annotated[Path, argument("BEFORE", "The earlier file.")],
    after: Annotated[Path, argument("AFTER", "The later one.")],
    *,
    output: CheckOutputOption = "table",
) -> None:
    """Tell what changed between two files: answers and regions, what is reached, filter, circuit, agent.

    Any two that explain reads and that tell of the same: two results of arcferry check, two route filters,
    two outputs of azcmagent show, a circuit then and now. An earlier answer lies where the service tags at
    hand say. Needs no network.

    Exit code 0 when nothing differs, 1 when something does, 2 when a file cannot be used or the two have
    nothing in common.
    """
    from arcferry import catalog
    from arcferry.cli.evidence import held_beside, read_files
    from arcferry.diagnosis.since import compare
    from arcferry.evidence.case import Case
    from arcferry.report import diff as report

    told = [read_files([str(path)]) for path in (before, after)]
    held = held_beside((*told[0], *told[1]), catalog.cloud("AzureCloud"))
    found = compare(Case.of(told[0]), Case.of(told[1]), held)
    show_by(output, report, found)
    if found.changes:
        raise typer.Exit(1)
