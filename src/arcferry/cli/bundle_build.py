import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli import options
from arcferry.cli.bundle_fetch import BringOptions, bring
from arcferry.cli.bundle_shared import SealOptions, show_built
from arcferry.cli.location import region_of
from arcferry.cli.options import grouped, is_on_command_line, option
from arcferry.cli.output import Output
from arcferry.errors import InputError

if TYPE_CHECKING:
    from arcferry.bundle import Contents
    from arcferry.fetch import Fetched

AT_HAND = "Files at hand"
_NAMED = re.compile(r"([a-z0-9]+(?:,[a-z0-9]+)*)=(.+)")
_LARGEST_PEM = 1024 * 1024


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
            "PEM: what an MSI's signature has to lead to in place of Microsoft's roots, as in the lab.",
            panel=AT_HAND,
        ),
    ] = None,
    location: options.OptionalLocationOption = None,
    location_unlisted: options.UnlistedOption = False,
    cloud: options.CloudOption = options.DEFAULT_CLOUD,
    fetching: BringOptions,
    output: options.OutputOption = Output.TABLE,
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

    settings, secret = sealing.settings(), sealing.key()
    region = region_of(location, cloud, unlisted=location_unlisted) if location else None
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
        signing_roots=Roots.from_pem(read_bounded(signing_root, limit=_LARGEST_PEM))
        if signing_root
        else MICROSOFT,
        location=region.name if region else "",
        cloud=cloud,
    )
    manifest = bundle.build(sealing.out, _joined(contents, brought), secret, **settings)
    show_built(sealing.out, manifest, secret.public(), output)
    typer.echo(f"hint: arcferry bundle verify {sealing.out} --bundle-key {sealing.secret_key}.pub", err=True)


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
    """What is at hand and what was brought.

    Raises:
        InputError: a document was named and brought as well.
    """
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
