"""What `arcferry bundle build` takes to bring things from Microsoft, and the function that brings them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.errors import InputError

if TYPE_CHECKING:
    from arcferry.data.update import SignIn
    from arcferry.fetch import Fetched, FetchOptions, FetchRequest, Progress

PANEL = "From Microsoft"
WINDOWS, DATA = "windows", "data"

FetchOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fetch",
        metavar="WHAT",
        help="Bring the agent for windows, debian12, ubuntu2204, rhel9 … (rhel9:arm64 for another "
        "processor), and the service tags with it; data brings documents alone. May be repeated.",
        rich_help_panel=PANEL,
    ),
]
AgentVersionOption = Annotated[
    str,
    typer.Option(
        "--agent-version",
        metavar="VERSION",
        help="Such as 1.61. Without it the newest.",
        rich_help_panel=PANEL,
    ),
]
DownloadsOption = Annotated[
    Path | None,
    typer.Option(
        "--downloads",
        envvar="ARCFERRY_DOWNLOADS",
        metavar="DIR",
        help="Where downloads are kept, and go on where they broke off. Without it the user's cache folder.",
        rich_help_panel=PANEL,
    ),
]
MirrorOption = Annotated[
    list[str] | None,
    typer.Option(
        "--mirror",
        metavar="[HOST=]URL",
        help="Ask this https address in place of one of Microsoft's hosts, such as "
        "packages.microsoft.com=https://mirror.example/linux; without HOST, of all, each a folder there.",
        rich_help_panel=PANEL,
    ),
]
RepositoryKeyOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--repository-key",
        metavar="FILE",
        help="Trust this OpenPGP key for Linux packages beside Microsoft's, such as a mirror's own.",
        rich_help_panel=PANEL,
    ),
]
OfflineOption = Annotated[
    bool,
    typer.Option(
        "--offline",
        help="Ask nobody: take what --fetch names from earlier downloads.",
        rich_help_panel=PANEL,
    ),
]
FilterNameOption = Annotated[
    str,
    typer.Option(
        "--route-filter-name",
        metavar="NAME",
        help="Bring this route filter, with a sign-in.",
        rich_help_panel=PANEL,
    ),
]
CircuitOption = Annotated[
    str,
    typer.Option(
        "--circuit",
        metavar="NAME",
        help="Bring the route filter of this ExpressRoute circuit, with a sign-in.",
        rich_help_panel=PANEL,
    ),
]


@dataclass(frozen=True, slots=True)
class FetchArguments:
    """What a user gave of the options above.

    Attributes:
        service_tags: whether they are to be brought; not where a file is at hand.
        communities: likewise; they take a sign-in.
        resolver: the DNS server to ask, as ARCFERRY_RESOLVER gives it.
        port: the port of Azure Arc's own services, as ARCFERRY_PORT gives it.
        sign_in: how to sign in to Azure; None where nothing was given for it.
    """

    fetch: tuple[str, ...]
    agent_version: str = ""
    location: str = ""
    cloud: str = "AzureCloud"
    downloads: Path | None = None
    mirrors: tuple[str, ...] = ()
    repository_keys: tuple[Path, ...] = ()
    offline: bool = False
    route_filter: str = ""
    circuit: str = ""
    service_tags: bool = True
    communities: bool = True
    proxy: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    resolver: str | None = None
    port: int | None = None
    sign_in: "SignIn | None" = None


def bring(given: FetchArguments) -> "Fetched | None":
    """Everything that was asked for, or None where nothing was; progress and notes go to stderr.

    Raises:
        InputError: an option is wrong, or was given without `--fetch`.
        ArcferryError: as for `arcferry.fetch.fetch`.
    """
    import platformdirs

    from arcferry.cli import stopping
    from arcferry.fetch import fetch

    if not given.fetch:
        _refuse_alone(given)
        return None
    folder = given.downloads or Path(platformdirs.user_cache_dir("arcferry")) / "downloads"
    request = _request(given)
    with _progress() as progress:
        found = stopping.run(
            fetch(request, folder, _options(given, progress)),
            says="stopped; what has arrived stays, and the next run goes on from there",
        )
    for one in found.files:
        typer.echo(f"{one.item}: {one.path.name}, SHA-256 {one.sha256}\n  {one.origin}, {one.says}", err=True)
    for note in found.notes:
        typer.echo(f"note: {note}", err=True)
    return found


def _refuse_alone(given: FetchArguments) -> None:
    needs = {
        "--agent-version": given.agent_version,
        "--mirror": given.mirrors,
        "--repository-key": given.repository_keys,
        "--route-filter-name": given.route_filter,
        "--circuit": given.circuit,
    }
    alone = [name for name, value in needs.items() if value]
    if alone:
        raise InputError(
            f"{' and '.join(alone)} has no meaning without --fetch",
            hint="--fetch windows brings the agent, --fetch data documents alone.",
        )


def _request(given: FetchArguments) -> "FetchRequest":
    from arcferry import catalog
    from arcferry.fetch import FetchRequest, choose, read_version

    asked = [one.strip().lower() for one in given.fetch]
    cloud = catalog.cloud(given.cloud)
    return FetchRequest(
        cloud,
        windows=WINDOWS in asked,
        linux=tuple(choose(one, besides=(WINDOWS, DATA)) for one in asked if one not in (WINDOWS, DATA)),
        agent_version=read_version(given.agent_version),
        service_tags=given.service_tags,
        location=catalog.region(given.location, cloud, unlisted=True) if given.location else None,
        communities=given.communities and given.sign_in is not None,
        route_filter=given.route_filter,
        circuit=given.circuit,
    )


def _options(given: FetchArguments, progress: "Callable[[Progress], None]") -> "FetchOptions":
    from arcferry.fetch import FetchOptions, read_sources

    return FetchOptions(
        read_sources(given.mirrors, port=given.port),
        proxy=given.proxy,
        ca_file=given.ca_file,
        resolver=given.resolver,
        repository_keys=given.repository_keys,
        sign_in=given.sign_in,
        offline=given.offline,
        progress=progress,
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
