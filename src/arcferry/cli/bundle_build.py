"""`arcferry bundle build`: what goes in is at hand, or brought from Microsoft."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli import azure_options, options
from arcferry.cli.bundle_shared import SealOptions, open_secret_key, show_built
from arcferry.cli.options import grouped, is_on_command_line, option, setting
from arcferry.cli.sign_in import sign_in
from arcferry.cli.talk import say
from arcferry.errors import InputError

if TYPE_CHECKING:
    from arcferry.bundle import Contents
    from arcferry.catalog import Region
    from arcferry.fetch import Fetched, Progress

AT_HAND, PANEL = "Files at hand", "From Microsoft"
WINDOWS, DATA = "windows", "data"
_NAMED = re.compile(r"([a-z0-9]+(?:,[a-z0-9]+)*)=(.+)")
LARGEST_PEM = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class BringOptions(azure_options.QueryOptions, options.ProbeOptions):
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
    route_filter_name: azure_options.FilterNameOption = ""
    circuit: azure_options.CircuitOption = ""


@grouped
def build(
    *,
    context: typer.Context,
    sealing: SealOptions,
    agent: Annotated[
        list[Path] | None,
        option(
            "--agent [DISTRIBUTION=]FILE",
            "An agent package: MSI, deb or rpm. Once for each kind of server you have. Bundles for "
            "several distributions with packages of their own are told apart by rhel9=FILE.",
            panel=AT_HAND,
        ),
    ] = None,
    service_tags: Annotated[
        Path | None, option("--service-tags FILE", "Azure's service-tag file for your cloud.", panel=AT_HAND)
    ] = None,
    communities: Annotated[
        Path | None, option("--communities FILE", "A list of BGP service communities, JSON.", panel=AT_HAND)
    ] = None,
    route_filter: Annotated[
        Path | None, option("--route-filter FILE", "The circuit's route filter, JSON.", panel=AT_HAND)
    ] = None,
    signing_root: Annotated[
        Path | None,
        option(
            "--signing-root FILE",
            "PEM: what a signature has to lead to in place of the real roots, as in the lab.",
            panel=AT_HAND,
        ),
    ] = None,
    location: options.OptionalLocationOption = None,
    location_unlisted: options.UnlistedOption = False,
    cloud: options.CloudOption = options.DEFAULT_CLOUD,
    fetching: BringOptions,
    output: options.OutputOption = "table",
) -> None:
    """Pack agent packages, host scripts, a guide and dated data into a folder or a zip, and seal it.

    What goes in is at hand (--agent FILE), or brought from Microsoft (--fetch windows), or both. Every
    package is recognised by its content; what is no agent package, is cut short, or is not signed as it must
    be, is refused. With --location the guide's commands name the region, and --fetch brings what is the
    region's own. To ask Azure, a service principal with the role Reader is enough.

    The bundle is a zip if the name of --out ends in .zip, else a folder, and appears whole or not at all. The
    receiver needs your public key too, by another way than the bundle's.
    """
    from arcferry import bundle
    from arcferry.bundle import Role
    from arcferry.bundle.authenticode import MICROSOFT, Roots
    from arcferry.files import read_bounded

    settings, secret = sealing.settings(), open_secret_key(sealing.secret_key, sealing.password_env)
    region = options.region_of(location, cloud, unlisted=location_unlisted) if location else None
    given = {Role.SERVICE_TAGS: service_tags, Role.COMMUNITIES: communities, Role.ROUTE_FILTER: route_filter}
    documents = tuple((role, path) for role, path in given.items() if path is not None)
    brought = bring(
        fetching,
        cloud=cloud,
        region=region,
        at_hand=[role.value for role, _ in documents],
        typed=lambda name: is_on_command_line(context, name),
    )
    at_hand = dict(map(_served, agent or ()))
    contents = bundle.Contents(
        agents=tuple(at_hand),
        distributions=at_hand,
        documents=documents,
        signing_roots=Roots.from_pem(read_bounded(signing_root, limit=LARGEST_PEM))
        if signing_root
        else MICROSOFT,
        location=region.name if region else "",
        cloud=cloud,
    )
    manifest = bundle.build(sealing.out, _joined(contents, brought), secret, **settings)
    show_built(sealing.out, manifest, secret.public(), output)
    say(f"hint: arcferry bundle verify {sealing.out} --bundle-key {sealing.secret_key}.pub")


def _served(given: Path) -> tuple[Path, tuple[str, ...]]:
    """A package, and for which distributions it was named: `rhel9=FILE`, or `rhel9,alma9=FILE`.

    Raises:
        UnknownNameError: no such distribution.
    """
    from arcferry.fetch.distributions import choose

    named = _NAMED.fullmatch(str(given))
    if named is None or given.exists():
        return given, ()
    return Path(named[2]), tuple(choose(name).distribution.name for name in named[1].split(","))


def _joined(contents: "Contents", brought: "Fetched | None") -> "Contents":
    """What is at hand and what was brought; no document may be both."""
    if brought is None:
        return contents
    twice = {role for role, _ in contents.documents} & {role for role, _ in brought.documents}
    if twice:
        words = ", ".join(sorted(role.value for role in twice))
        raise InputError(f"{words} cannot be both at hand and fetched", hint="Leave one out.")
    return replace(
        contents,
        agents=(*contents.agents, *brought.agents),
        documents=(*contents.documents, *brought.documents),
        origins=brought.origins,
        distributions={**contents.distributions, **brought.distributions},
    )


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
        say(f"{one.item}: {one.path.name}, SHA-256 {one.sha256}\n  {one.origin}, {one.says}")
    for note in found.notes:
        say(f"note: {note}")
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
def _progress() -> "Iterator[Progress]":
    """A bar for each download on a terminal; elsewhere one line as each begins."""
    from arcferry.report.console import stderr

    console = stderr()
    if not console.is_terminal:
        seen: set[str] = set()

        def tell(item: str, _done: int, _total: int | None) -> None:
            if item not in seen:
                seen.add(item)
                say(f"fetching {item}")

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

        def draw(item: str, done: int, total: int | None) -> None:
            if item not in tasks:
                tasks[item] = bars.add_task(item, total=None)
            bars.update(tasks[item], completed=done, total=total)

        yield draw
