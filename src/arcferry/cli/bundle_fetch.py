"""What `arcferry bundle build` takes to bring things from Microsoft, and the function that brings them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli import options
from arcferry.cli.options import option, setting
from arcferry.cli.sign_in import sign_in
from arcferry.errors import InputError

if TYPE_CHECKING:
    from arcferry.catalog import Region
    from arcferry.fetch import Fetched, Progress

PANEL = "From Microsoft"
WINDOWS, DATA = "windows", "data"


@dataclass(frozen=True, kw_only=True)
class BringOptions(options.QueryOptions, options.ProbeOptions):
    """What is brought, and how it is reached; without `fetch` nothing is."""

    fetch: Annotated[
        list[str] | None,
        option(
            "--fetch WHAT",
            "Bring the agent for windows, debian12, ubuntu2204, rhel9 … (rhel9:arm64 for another "
            "processor), and the service tags with it; data brings documents alone. May be repeated.",
            panel=PANEL,
        ),
    ] = None
    agent_version: Annotated[
        str, option("--agent-version VERSION", "Such as 1.61. Without it the newest.", panel=PANEL)
    ] = ""
    downloads: Annotated[
        Path | None,
        setting(
            "--downloads DIR",
            "Where downloads are kept, and go on where they broke off. Without it the user's cache folder.",
            panel=PANEL,
        ),
    ] = None
    mirror: Annotated[
        list[str] | None,
        option(
            "--mirror [HOST=]URL",
            "Ask this https address in place of one of Microsoft's hosts, such as "
            "packages.microsoft.com=https://mirror.example/linux; without HOST, of all, each a folder there.",
            panel=PANEL,
        ),
    ] = None
    repository_key: Annotated[
        list[Path] | None,
        option(
            "--repository-key FILE",
            "Trust this OpenPGP key for Linux packages beside Microsoft's, such as a mirror's own.",
            panel=PANEL,
        ),
    ] = None
    offline: Annotated[
        bool, option("--offline", "Ask nobody: take what --fetch names from earlier downloads.", panel=PANEL)
    ] = False
    route_filter_name: options.FilterNameOption = ""
    circuit: options.CircuitOption = ""


def bring(
    given: BringOptions,
    *,
    cloud: str = options.DEFAULT_CLOUD,
    region: "Region | None" = None,
    at_hand: "Sequence[str]" = (),
    typed: Callable[[str], bool] = lambda _: True,
) -> "Fetched | None":
    """Everything that was asked for, or None if nothing was; progress and notes go to stderr.

    Args:
        given: the options.
        cloud: the cloud's name.
        region: the machines' region, if it is known yet.
        at_hand: the kinds of documents that are given as files, and not brought.
        typed: whether an option stood on the command line; one from the site file may mean nothing here.

    Raises:
        InputError: an option is wrong, or was typed without `--fetch`.
        ArcferryError: as for `arcferry.fetch.fetch`.
    """
    import platformdirs

    from arcferry import catalog
    from arcferry.cli import stopping
    from arcferry.fetch import FetchOptions, FetchRequest, choose, fetch, read_sources, read_version

    if not given.fetch:
        _refuse_alone(given, typed)
        return None
    asked = [one.strip().lower() for one in given.fetch]
    signing_in = sign_in(given, cloud)
    request = FetchRequest(
        catalog.cloud(cloud),
        windows=WINDOWS in asked,
        linux=tuple(choose(one, besides=(WINDOWS, DATA)) for one in asked if one not in (WINDOWS, DATA)),
        agent_version=read_version(given.agent_version),
        service_tags="service-tags" not in at_hand,
        location=region,
        communities="communities" not in at_hand and signing_in is not None,
        route_filter=given.route_filter_name,
        circuit=given.circuit if typed("circuit") or signing_in else "",
    )
    with _progress() as progress:
        settings = FetchOptions(
            read_sources(given.mirror or (), port=given.port),
            proxy=given.proxy,
            ca_file=given.ca_file,
            resolver=given.resolver,
            repository_keys=tuple(given.repository_key or ()),
            sign_in=signing_in,
            offline=given.offline,
            progress=progress,
        )
        folder = given.downloads or Path(platformdirs.user_cache_dir("arcferry")) / "downloads"
        found = stopping.run(
            fetch(request, folder, settings),
            says="stopped; what has arrived stays, and the next run goes on from there",
        )
    for one in found.files:
        typer.echo(f"{one.item}: {one.path.name}, SHA-256 {one.sha256}\n  {one.origin}, {one.says}", err=True)
    for note in found.notes:
        typer.echo(f"note: {note}", err=True)
    return found


def _refuse_alone(given: BringOptions, typed: Callable[[str], bool]) -> None:
    needs = ("agent_version", "mirror", "repository_key", "route_filter_name", "circuit")
    alone = [f"--{name.replace('_', '-')}" for name in needs if getattr(given, name) and typed(name)]
    if alone:
        raise InputError(
            f"{' and '.join(alone)} has no meaning without --fetch",
            hint="--fetch windows brings the agent, --fetch data documents alone.",
        )


@contextmanager
def _progress() -> "Iterator[Callable[[Progress], None]]":
    """A bar for each download on a terminal; elsewhere one line as each begins."""
    from arcferry.report.console import stderr

    console = stderr()
    if not console.is_terminal:
        seen: set[str] = set()

        def tell(now: "Progress") -> None:
            if now.item not in seen:
                seen.add(now.item)
                typer.echo(f"fetching {now.item}", err=True)

        yield tell
        return
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=console, transient=True) as bars:
        tasks = {}

        def draw(now: "Progress") -> None:
            if now.item not in tasks:
                tasks[now.item] = bars.add_task(now.item, total=None)
            bars.update(tasks[now.item], completed=now.done, total=now.total)

        yield draw
