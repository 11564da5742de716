import json
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from arcferry_lab.cli.rows import carried, fault_row, fault_text, machine_row, reach, steered

app = typer.Typer(
    no_args_is_help=True,
    help="A twin of Azure and a closed network on this machine, to try everything in and to test against.",
)
filters = typer.Typer(
    no_args_is_help=True, help="The route filter of the twin's Microsoft peering: what it lets through."
)
faults = typer.Typer(
    no_args_is_help=True, help="Let the twin go wrong in a named way, as Azure or a network does."
)
app.add_typer(filters, name="filter")
app.add_typer(faults, name="fault")


class NetworkKind(StrEnum):
    """The kinds of network that a lab can have."""

    LOOPBACK = "loopback"
    NAMESPACES = "namespaces"


class LabOutput(StrEnum):
    """The forms in which a lab command gives its data."""

    TABLE = "table"
    JSON = "json"


FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--folder",
        envvar="ARCFERRY_LAB_FOLDER",
        metavar="DIR",
        help="The lab's folder; several labs run side by side in several folders. "
        "Default: lab in arcferry's cache folder.",
    ),
]
OutputOption = Annotated[
    LabOutput, typer.Option("--output", "-o", help="A table for people, or one JSON document.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing where all goes well.")]


@app.command()
def up(
    *,
    folder: FolderOption = None,
    network: Annotated[
        NetworkKind,
        typer.Option(
            "--network",
            help="loopback: services on 127.x addresses, without privileges. namespaces: two hosts, routers "
            "that speak BGP, regions and resolvers, at Azure's own names and addresses.",
        ),
    ] = NetworkKind.LOOPBACK,
    hosts: Annotated[
        int, typer.Option("--hosts", min=0, metavar="N", help="How many Linux hosts with SSH to start.")
    ] = 0,
    rpm_hosts: Annotated[
        int,
        typer.Option(
            "--rpm-hosts", min=0, metavar="N", help="How many of them install packages with rpm, not dpkg."
        ),
    ] = 0,
    windows_hosts: Annotated[
        int, typer.Option("--windows-hosts", min=0, metavar="N", help="How many Windows hosts to start.")
    ] = 0,
    windows_version: Annotated[
        str,
        typer.Option(
            "--windows-version", metavar="YEAR", help="Their Windows Server: 2016, 2019, 2022 or 2025."
        ),
    ] = "2022",
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            min=1,
            max=65535,
            metavar="N",
            help="The port of every service. Default: 443 where it may be used, else a high one.",
        ),
    ] = None,
    location: Annotated[
        str, typer.Option("--location", "-l", metavar="REGION", help="The region of its machines.")
    ] = "eastasia",
    output: OutputOption = LabOutput.TABLE,
    quiet: QuietOption = False,
) -> None:
    """Start a lab in the background, and print how to reach it.

    Azure's services answer over TLS with the lab's own CA: sign-in, Resource Manager, and all that the agent
    talks to. Its network carries what its route filter allows; at first one required endpoint is out of
    reach. The lab runs until arcferry lab down.
    """
    chosen = _folder(folder)
    from arcferry_lab import background

    if not quiet:
        typer.echo("Starting the lab ...", err=True)
    document = background.up(
        chosen,
        network=network,
        hosts=hosts,
        rpm_hosts=rpm_hosts,
        windows_hosts=windows_hosts,
        windows_version=windows_version,
        port=port,
        location=location,
    )
    if not quiet or output is LabOutput.JSON:
        _print(document, output, reach(document))


@app.command()
def status(*, folder: FolderOption = None, output: OutputOption = LabOutput.TABLE) -> None:
    """Show the running lab: how to reach it, its route filter, its machines, its faults.

    Exit code 1 when none is running.
    """
    document = _ask(folder, "GET", "/status")
    rows = [
        *reach(document),
        ("Let through", ", ".join(document["route_filter"]) or "nothing"),
        *steered(document),
        ("Machines", str(document["machines"])),
        ("Faults", ", ".join(fault_text(fault) for fault in document["faults"]) or "none"),
    ]
    _print(document, output, rows)


@app.command()
def down(*, folder: FolderOption = None, quiet: QuietOption = False) -> None:
    """Stop the lab with all its hosts, and remove its files; also those of one that was killed."""
    chosen = _folder(folder)
    from arcferry_lab import background

    was = background.down(chosen)
    if not quiet:
        typer.echo(f"The lab in {chosen} is down." if was else f"No lab is running in {chosen}.", err=True)


@app.command()
def env(*, folder: FolderOption = None) -> None:
    """Print export lines that point arcferry's other commands at the lab: eval "$(arcferry lab env)"."""
    import shlex

    chosen = _folder(folder)
    from arcferry_lab import background

    for name, value in background.read_document(chosen)["environment"].items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@app.command()
def steer(
    name: Annotated[str, typer.Argument(help="A steered name, such as gbl.his.arc.azure.com.")],
    region: Annotated[
        str, typer.Argument(help="The region that its answer is to lie in, such as japaneast.")
    ],
    *,
    resolver: Annotated[
        str,
        typer.Option(
            "--resolver",
            metavar="NAME",
            help="Move the answer of this resolver alone, corp or elsewhere; for a lab of namespaces.",
        ),
    ] = "",
    folder: FolderOption = None,
) -> None:
    """Let Traffic Manager's answer for a name lie in another region."""
    moved = _ask(folder, "POST", "/steer", {"name": name, "region": region, "resolver": resolver})
    _table(("NAME", "REGION"), moved.items())


@app.command(context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True})
def exec(  # noqa: A001 - the command's name; nothing here needs the built-in
    host: Annotated[str, typer.Argument(help="A host of the lab: host1 or host2.")],
    command: Annotated[list[str], typer.Argument(metavar="COMMAND...", help="A program with its arguments.")],
    *,
    folder: FolderOption = None,
) -> None:
    """Run a command as a host of a lab of namespaces: arcferry lab exec host1 -- arcferry check -l eastasia.

    The command sees the files of this computer, and the host's network, resolver and name. Its output and its
    exit code are passed through.
    """
    import os

    from arcferry_lab.network.namespaces.enter import entrance

    chosen = _folder(folder)
    from arcferry_lab import background

    given = command[1:] if command[0] == "--" else command
    way = entrance(background.read_document(chosen), host, given)
    os.execve(way.program, way.arguments, way.environment)  # noqa: S606 - the user's own command, as given


class Link(StrEnum):
    """The two links of an ExpressRoute circuit."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


@app.command()
def routes(
    *,
    received: Annotated[
        bool, typer.Option("--received", help="What a link brought, before the router's own policy.")
    ] = False,
    filtered: Annotated[
        bool, typer.Option("--filtered", help="What the router's own policy dropped.")
    ] = False,
    link: Annotated[Link, typer.Option("--link", help="Whose routes, with --received.")] = Link.PRIMARY,
    folder: FolderOption = None,
) -> None:
    """Print the routes of the company's router in a lab of namespaces, as BIRD's show route all has them.

    arcferry explain and arcferry routes audit read it.
    """
    from arcferry.errors import InputError

    if received and filtered:
        raise InputError("--received and --filtered are two different lists", hint="Give one of them.")
    what = "received" if received else "filtered" if filtered else "all"
    typer.echo(_ask(folder, "GET", "/routes", {"what": what, "link": link})["capture"], nl=False)


@app.command()
def machines(*, folder: FolderOption = None, output: OutputOption = LabOutput.TABLE) -> None:
    """List the machines as the lab's Resource Manager reports them."""
    found = _ask(folder, "GET", "/machines")
    if output is LabOutput.JSON:
        typer.echo(json.dumps(found, indent=2))
        return
    _table(("NAME", "LOCATION", "STATUS", "SINCE", "AGENT"), map(machine_row, found))


@app.command()
def demo() -> None:
    """Tell the whole story on a twin of its own: check, explain, fix, bundle, onboard, verify.

    Runs arcferry's own commands, shows each with its output, takes a minute or two, and leaves nothing
    behind.
    """
    from arcferry.report.console import stdout
    from arcferry_lab.demo import tell

    tell(stdout())


@filters.command("show")
def show_filter(*, folder: FolderOption = None) -> None:
    """Print the route filter as Azure's API shows it."""
    typer.echo(json.dumps(_ask(folder, "GET", "/filter"), indent=2))


CommunitiesArgument = Annotated[
    list[str], typer.Argument(metavar="COMMUNITY...", help="Such as 12076:51012, which is Japan East.")
]


@filters.command("add")
def add_to_filter(communities: CommunitiesArgument, *, folder: FolderOption = None) -> None:
    """Let communities through; what they carry answers at once."""
    _table(("COMMUNITY", "NAME"), carried(_ask(folder, "POST", "/filter", {"add": communities})))


@filters.command("remove")
def remove_from_filter(communities: CommunitiesArgument, *, folder: FolderOption = None) -> None:
    """Let communities through no more; connections to what they carry are cut, and new ones time out."""
    _table(("COMMUNITY", "NAME"), carried(_ask(folder, "POST", "/filter", {"remove": communities})))


NameArgument = Annotated[str, typer.Argument(metavar="FAULT", help="A name that fault list --all prints.")]
HostArgument = Annotated[
    str,
    typer.Argument(
        metavar="[HOST]", help="The endpoint to strike, stars allowed; for a fault of a host, its name."
    ),
]


@faults.command("add")
def add_fault(
    name: NameArgument,
    host: HostArgument = "",
    *,
    times: Annotated[
        int | None, typer.Option("--times", min=1, metavar="N", help="Strike N times, then no more.")
    ] = None,
    folder: FolderOption = None,
) -> None:
    """Switch a fault on."""
    _tell_faults(_ask(folder, "POST", "/faults", {"name": name, "host": host, "times": times}))


@faults.command("remove")
def remove_fault(name: NameArgument, host: HostArgument = "", *, folder: FolderOption = None) -> None:
    """Switch a fault off."""
    _tell_faults(_ask(folder, "DELETE", "/faults", {"name": name, "host": host}))


@faults.command("list")
def list_faults(
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Every fault there is, also those switched off.")
    ] = False,
    folder: FolderOption = None,
    output: OutputOption = LabOutput.TABLE,
) -> None:
    """List the faults that are switched on, or all that there are."""
    found: list[dict[str, Any]] = _every_fault(folder) if every else _ask(folder, "GET", "/faults")
    if output is LabOutput.JSON:
        typer.echo(json.dumps(found, indent=2))
    elif not found:
        typer.echo("No fault is switched on.", err=True)
    elif every:
        _table(("FAULT", "CAUSE", "NETWORKS", "WHAT IT DOES"), map(fault_row, found))
    else:
        _table(("FAULT", "WHAT IT DOES"), ((fault_text(one), one["does"]) for one in found))


def _every_fault(folder: Path | None) -> list[dict[str, Any]]:
    _folder(folder)
    from arcferry_lab.faults import FAULTS, LOOPBACK
    from arcferry_lab.servers import host_faults

    return [
        {
            "name": one.name,
            "needs_host": one.needs_host,
            "does": one.does,
            "cause": one.cause,
            "networks": sorted(one.networks),
        }
        for one in FAULTS
    ] + [
        {"name": name, "needs_host": True, "does": does, "cause": "", "networks": [LOOPBACK]}
        for name, does in host_faults().items()
    ]


def _folder(given: Path | None) -> Path:
    """Every command asks for its folder first, so that what only Linux has is imported on Linux alone."""
    from arcferry_lab.system import require_linux

    require_linux()
    from arcferry_lab import background

    return given.absolute() if given else background.default_folder()


def _ask(folder: Path | None, method: str, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
    chosen = _folder(folder)
    from arcferry_lab import background

    return background.ask(chosen, method, path, body)


def _print(document: dict[str, Any], output: LabOutput, rows: list[tuple[str, str]]) -> None:
    if output is LabOutput.JSON:
        typer.echo(json.dumps(document, indent=2))
        return
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        typer.echo(f"{name:<{width}}  {value}")
    from arcferry_lab.background import words

    line = words("env", Path(document["folder"]))
    typer.echo(f'\nPoint a shell at it: eval "$({line})"', err=True)


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    rows = list(rows)
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    for row in (header, *rows):
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _tell_faults(found: list[dict[str, Any]]) -> None:
    for fault in found:
        typer.echo(fault_text(fault))
