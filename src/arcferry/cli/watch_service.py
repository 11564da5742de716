"""A watch that runs by itself: written as a service, taken away again, and whether it still takes rounds."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli import options
from arcferry.cli.options import grouped, option
from arcferry.cli.talk import say
from arcferry.cli.watch_options import WatchOptions
from arcferry.errors import InputError

if TYPE_CHECKING:
    from arcferry.export.watch_service import WatchService

UnitsOption = Annotated[Path, option("--units DIR", "The folder of systemd's units.")]
UNITS = Path("/etc/systemd/system")


@grouped
def install(
    *,
    given: WatchOptions,
    inventory: Annotated[Path | None, option("--inventory FILE", "Not for a service.", hidden=True)] = None,
    data: options.DataOption = None,
    run_as: Annotated[
        str, option("--run-as USER", "The user that it runs as. Default: one of its own, without a home.")
    ] = "",
    out: options.OptionalOutOption = None,
) -> None:
    """Write a watch as a service of this machine: a unit of systemd's, or a scheduled task of Windows'.

    Takes the options of arcferry watch, and checks them as that does. Without --out the service is shown and
    nothing is written; --out names a folder, as root /etc/systemd/system. Starts nothing: how it is started
    and stopped is told. The unit may do nothing but ask the network and write its history; files given by
    --notify file:PATH are handed to it by systemd, so that nobody else need read them.
    """
    from arcferry.export import watch_service as services
    from arcferry.files import write_whole

    if inventory is not None:
        hint = (
            "Its user would have neither the key nor the passwords of the servers. Run arcferry watch "
            "--inventory under a user that may sign in to them."
        )
        raise InputError("a watch from servers is not written as a service", hint=hint)
    service = _service(given, data, run_as)
    if sys.platform == "win32":
        state = str(Path(os.environ["PROGRAMDATA"]) / "arcferry")
        document, name = services.task(service, state), f"{service.name}.xml"
        text = document.decode("utf-16")
    else:
        text, name = services.unit(service), f"{service.name}.service"
    if out is None:
        typer.echo(text, nl=False)
        say(f"Nothing was written; --out DIR writes {name}.")
    else:
        if sys.platform == "win32":
            write_whole(out / name, document)
        else:
            services.write_unit(out / name, text)
        say(f"Written: {out / name}")
    for line in _next_steps(service, out or Path(), name):
        say(line)


def uninstall(
    *,
    location: options.LocationOption,
    units: UnitsOption = UNITS,
) -> None:
    """Take the unit of a watch away again, once it is stopped. Its history stays, and where it lies is told.

    Only a unit that arcferry has written is removed. On Windows the one command that removes the task is
    told.
    """
    name = _name(location)
    if sys.platform == "win32":
        typer.echo(f'Stop it and remove it: schtasks /end /tn "{name}" & schtasks /delete /tn "{name}" /f')
    else:
        _remove(units / f"{name}.service", Path("/var/lib") / name)


def _remove(path: Path, state: Path) -> None:
    from arcferry.export.watch_service import remove_unit

    remove_unit(path, state)
    say(f"Removed: {path}")
    say("Let systemd know: systemctl daemon-reload")
    say(f"Its history stays in {state}; remove that folder to forget it.")


def status(
    *,
    state: options.StateOption = None,
    output: options.OutputOption = "table",
) -> None:
    """Say of every watch on this machine whether it runs, and whether it still takes rounds.

    Those are looked at whose history lies in --state, or in the user's own folder and those of installed
    services; into the latter only root can look. A watch is late after three times its usual interval.

    Exit code 0 when every watch runs and none is late, 1 when one is not, 2 when there is none.
    """
    from arcferry import times
    from arcferry.cli.output import show
    from arcferry.files import state_folder
    from arcferry.report import as_json, console
    from arcferry.report import watch_status as report
    from arcferry.watch.standing import standings

    folders = [state] if state else [state_folder(), *sorted(Path("/var/lib").glob("arcferry-watch-*"))]
    found = standings(folders, times.now())
    if not found:
        hint = "Start with arcferry watch --location REGION, or look with --state DIR; as root for services."
        raise InputError("nothing was watched yet", hint=hint)
    document = report.document(found)
    show(
        output,
        table=lambda: report.draw(found, console.stdout()),
        document=lambda: document,
        lines=lambda: as_json.lines(document, *report.ROWS),
    )
    if not all(one.well for one in found):
        raise typer.Exit(1)


def _service(given: WatchOptions, data: Path | None, run_as: str) -> "WatchService":
    """The watch as a service, every setting checked and every path absolute."""
    from arcferry.export.watch_service import WatchService, credential
    from arcferry.watch.notifiers.program import Program
    from arcferry.watch.notifiers.textfile import Textfile

    _, region = given.target()
    given.sites()  # refuses a proxy with a password, too
    given.notifying()
    notify: list[str] = []
    credentials: dict[str, Path] = {}
    for what in given.notify or ():
        scheme, _, rest = what.partition(":")
        if scheme == "file" and sys.platform != "win32":
            name = f"notify-{len(credentials) + 1}"
            credentials[name] = Path(rest).absolute()
            notify.append(f"file:{credential(name)}")
        else:
            of_path = scheme in {"file", "textfile"}
            notify.append(f"{scheme}:{Path(rest).absolute()}" if of_path else what)
    told = given.notifiers()
    evidence = [path.absolute() for path in given.evidence or ()]
    ca_file = given.ca_file.absolute() if given.ca_file else None
    programs = [one.path for one in told if isinstance(one, Program)]
    python = [Path(sys.executable), Path(sys.executable).resolve(), Path(__file__)]
    return WatchService(
        name=_name(region.name),
        location=region.name,
        program=(sys.executable, "-m", "arcferry"),
        words=(
            "watch",
            *replace(
                given, location=region.name, evidence=evidence or None, ca_file=ca_file, notify=notify or None
            ).words(),
        ),
        run_as=run_as,
        data=data.absolute() if data else None,
        credentials=credentials,
        writable=[one.path.parent for one in told if isinstance(one, Textfile)],
        needs=[*python, *evidence, *programs, *([ca_file] if ca_file else [])],
    )


def _name(location: str) -> str:
    from arcferry import catalog

    clouds = (catalog.cloud(name) for name in ("AzureCloud", "AzureUSGovernment", "AzureChinaCloud"))
    for cloud in clouds:
        try:
            return f"arcferry-watch-{catalog.region(location, cloud).name}"
        except InputError:
            continue
    return f"arcferry-watch-{catalog.region(location, catalog.cloud('AzureCloud'), unlisted=True).name}"


def _next_steps(service: "WatchService", folder: Path, file: str) -> list[str]:
    name = service.name
    if sys.platform == "win32":
        return [
            f'Start, now and at each boot: schtasks /create /tn "{name}" /xml "{folder / file}"',
            f'Stop: schtasks /change /tn "{name}" /disable & schtasks /end /tn "{name}"',
        ]
    else:  # noqa: RET505  # mypy leaves out what is another system's by this
        who = service.run_as or "the user of its own that systemd makes"
        steps = [f"note: {one} must let {who} write" for one in service.writable]
        if service.data is None:
            steps.append(
                "note: it has no held data; give --data DIR, or files by --with, to judge answers by"
            )
        return [
            *steps,
            f"Start: systemctl daemon-reload && systemctl enable --now {name}",
            f"Stop: systemctl disable --now {name}",
            f"Look: journalctl -u {name}; arcferry watch status; arcferry watch show --state /var/lib/{name}",
        ]
