from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli import options
from arcferry.cli.options import argument, grouped, option
from arcferry.cli.output import show
from arcferry.cli.sign_in import principal
from arcferry.cli.talk import say
from arcferry.cli.verify import HALF, OF_IDENTITY, VerifyOptions, verified, wanted_of
from arcferry.language import _

if TYPE_CHECKING:
    from arcferry.azure import Identity
    from arcferry.verify import Lifecycle, Verification


@grouped
def lifecycle(
    inventory: Annotated[
        Path | None,
        argument(
            "[INVENTORY]",
            "The servers, as for verify. Without it, every machine of the resource group.",
        ),
    ] = None,
    *,
    given: VerifyOptions,
    ics: Annotated[
        Path | None,
        option(
            "--ics FILE",
            "Also write the days as a calendar (iCalendar, RFC 5545), with a reminder a month ahead.",
        ),
    ] = None,
    output: options.OutputOption = "table",
) -> None:
    """Show what ends and when: agents' support, bundles, certificates, announced changes. Changes nothing.

    Agents by version with the day from which Microsoft does not support them, silent machines with the day
    on which they may expire, the newest bundles opened with this state folder, the certificate that signs
    in, the CA file, and what Microsoft has announced. Automatic upgrade, where Azure has it on, with what it
    needs and the command that turns it off. What is not known here is said, with who can tell.

    Without a sign-in Azure is not asked, and the rest is shown.

    Exit code 0 when nothing has ended, 1 when something has, 3 when Azure's answer was not whole, 4 when
    signing in failed or a right is missing.
    """
    from arcferry import catalog, times
    from arcferry.files import state_folder, write_whole
    from arcferry.report import console
    from arcferry.report import ics as calendar
    from arcferry.report import lifecycle as report
    from arcferry.verify import lifecycle as lifecycle_of

    who = principal(given) if given.client_id or given.az_login or given.managed_identity else None
    found = lifecycle_of(
        _asked(inventory, given, who) if who else None,
        who,
        at=times.now(),
        cloud=catalog.cloud(given.cloud),
        state=given.state or state_folder(),
        ca_file=given.ca_file,
    )
    if ics is not None:
        write_whole(ics, calendar.calendar(found).encode())
        say(f"wrote {ics}")
    show(
        output,
        table=lambda: report.draw(found, console.stdout()),
        document=lambda: report.document(found),
        lines=lambda: report.lines(found),
    )
    _exit(found)


def _asked(inventory: Path | None, given: VerifyOptions, who: "Identity") -> "Verification":
    from arcferry.cli import stopping
    from arcferry.report.console import waiting_for
    from arcferry.verify import Source

    wanted = wanted_of(inventory, given, timedelta(days=7))
    with waiting_for(_("Asking Azure for the machines")):
        return stopping.run(verified(wanted, who, Source.GRAPH), says="stopped; nothing was changed")


def _exit(found: "Lifecycle") -> None:
    """End as what was found asks for.

    Raises:
        typer.Exit: something has ended, or could not be asked.
    """
    if found.half:
        raise typer.Exit(OF_IDENTITY if found.refused else HALF)
    if found.over:
        raise typer.Exit(1)
