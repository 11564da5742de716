import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli import bundle_fetch as fetching
from arcferry.cli.bundle_options import (
    CreatedOption,
    ExpiresOption,
    OutOption,
    PasswordOption,
    ReplaceOption,
    SecretKeyOption,
    VersionOption,
    creation_time,
    password_for,
    show_built,
    signing_roots,
)
from arcferry.cli.location import UnlistedOption, region_of
from arcferry.cli.onboard_options import (
    ArmUrlOption,
    AuthorityOption,
    CertificateOption,
    SecretEnvOption,
    SecretFileOption,
)
from arcferry.cli.options import (
    LOCATION_VARIABLE,
    CaFileOption,
    CloudOption,
    Output,
    OutputOption,
    PortOption,
    ProxyOption,
    ResolverOption,
)
from arcferry.cli.sign_in import ClientOption, GroupOption, SubscriptionOption, TenantOption, sign_in
from arcferry.errors import InputError

if TYPE_CHECKING:
    from arcferry.bundle import Contents, Role
    from arcferry.fetch import Fetched

AT_HAND = "Files at hand"
_NAMED = re.compile(r"([a-z0-9]+(?:,[a-z0-9]+)*)=(.+)")


def build(
    *,
    out: OutOption,
    key: SecretKeyOption,
    agent: Annotated[
        list[Path] | None,
        typer.Option(
            "--agent",
            metavar="[DISTRIBUTION=]FILE",
            help="An agent package: MSI, deb or rpm. Once for each kind of server you have. Bundles for "
            "several distributions with packages of their own are told apart by rhel9=FILE.",
            rich_help_panel=AT_HAND,
        ),
    ] = None,
    service_tags: Annotated[
        Path | None,
        typer.Option(
            "--service-tags",
            metavar="FILE",
            help="Azure's service-tag file for your cloud.",
            rich_help_panel=AT_HAND,
        ),
    ] = None,
    communities: Annotated[
        Path | None,
        typer.Option(
            "--communities",
            metavar="FILE",
            help="A list of BGP service communities, JSON.",
            rich_help_panel=AT_HAND,
        ),
    ] = None,
    route_filter: Annotated[
        Path | None,
        typer.Option(
            "--route-filter",
            metavar="FILE",
            help="The circuit's route filter, JSON.",
            rich_help_panel=AT_HAND,
        ),
    ] = None,
    signing_root: Annotated[
        Path | None,
        typer.Option(
            "--signing-root",
            metavar="FILE",
            help="PEM: what an MSI's signature has to lead to in place of Microsoft's roots, as in the lab.",
            rich_help_panel=AT_HAND,
        ),
    ] = None,
    location: Annotated[
        str,
        typer.Option(
            "--location",
            "-l",
            envvar=LOCATION_VARIABLE,
            metavar="REGION",
            help="The Azure region, such as eastasia: the guide's commands name it, and --fetch brings "
            "what is the region's own.",
        ),
    ] = "",
    location_unlisted: UnlistedOption = False,
    cloud: CloudOption = "AzureCloud",
    version: VersionOption = None,
    expires_days: ExpiresOption = 90,
    created: CreatedOption = None,
    password_env: PasswordOption = None,
    replace: ReplaceOption = False,
    fetch: fetching.FetchOption = None,
    agent_version: fetching.AgentVersionOption = "",
    downloads: fetching.DownloadsOption = None,
    mirror: fetching.MirrorOption = None,
    repository_key: fetching.RepositoryKeyOption = None,
    offline: fetching.OfflineOption = False,
    filter_name: fetching.FilterNameOption = "",
    circuit: fetching.CircuitOption = "",
    group: GroupOption = None,
    tenant: TenantOption = None,
    subscription: SubscriptionOption = None,
    client: ClientOption = None,
    secret_env: SecretEnvOption = "AZURE_CLIENT_SECRET",  # noqa: S107  # a variable's name, not its value
    secret_file: SecretFileOption = None,
    certificate: CertificateOption = None,
    arm_url: ArmUrlOption = None,
    authority: AuthorityOption = None,
    proxy: ProxyOption = None,
    ca_file: CaFileOption = None,
    resolver: ResolverOption = None,
    port: PortOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Pack agent packages, host scripts, a guide and dated data into a folder or a zip, and seal it.

    What goes in is at hand (--agent FILE), or brought from Microsoft (--fetch windows), or both. Every
    package is recognised by its content; what is no agent package, is cut short, or is not signed as it must
    be, is refused. The bundle appears whole or not at all. The receiver needs your public key too, by another
    way than the bundle's.
    """
    from datetime import timedelta

    from arcferry import bundle, times

    instant = creation_time(created) or times.now()
    secret = bundle.load_secret_key(key, password_for(key, password_env))
    region = region_of(location, cloud, unlisted=location_unlisted).name if location else ""
    signing_in = sign_in(
        needed=bool(fetch),
        cloud=cloud, tenant=tenant, subscription=subscription, client=client, group=group,
        secret_env=secret_env, secret_file=secret_file, certificate=certificate, arm_url=arm_url,
        authority=authority, proxy=proxy, ca_file=ca_file,
    )  # fmt: skip
    brought = fetching.bring(
        fetching.FetchArguments(
            tuple(fetch or ()),
            agent_version,
            region,
            cloud,
            downloads,
            tuple(mirror or ()),
            tuple(repository_key or ()),
            offline,
            filter_name,
            circuit,
            service_tags=service_tags is None,
            communities=communities is None,
            proxy=proxy,
            ca_file=ca_file,
            resolver=resolver,
            port=port,
            sign_in=signing_in,
        )
    )
    at_hand = dict(map(_served, agent or ()))
    contents = bundle.Contents(
        agents=tuple(at_hand),
        distributions=at_hand,
        documents=_named(service_tags, communities, route_filter),
        signing_roots=signing_roots(signing_root),
        location=region,
        cloud=cloud,
    )
    manifest = bundle.build(
        out,
        _joined(contents, brought),
        secret,
        created=instant,
        version=version,
        expires_after=timedelta(days=expires_days),
        replace=replace,
    )
    show_built(out, manifest, secret.public(), output)
    typer.echo(f"hint: arcferry bundle verify {out} --key {key}.pub", err=True)


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


def _named(
    service_tags: Path | None, communities: Path | None, route_filter: Path | None
) -> "tuple[tuple[Role, Path], ...]":
    """The documents at hand, by what they were given as."""
    from arcferry.bundle import Role

    given = {
        Role.SERVICE_TAGS: service_tags,
        Role.COMMUNITIES: communities,
        Role.ROUTE_FILTER: route_filter,
    }
    return tuple((role, path) for role, path in given.items() if path is not None)


def _joined(contents: "Contents", brought: "Fetched | None") -> "Contents":
    """What is at hand and what was brought.

    Raises:
        InputError: a document was named and brought as well.
    """
    from dataclasses import replace

    if brought is None:
        return contents
    twice = {role for role, _ in contents.documents} & {role for role, _ in brought.documents}
    if twice:
        raise InputError(f"{_words(twice)} cannot be both at hand and fetched", hint="Leave one out.")
    return replace(
        contents,
        agents=(*contents.agents, *brought.agents),
        documents=(*contents.documents, *brought.documents),
        origins=brought.origins,
        distributions={**contents.distributions, **brought.distributions},
    )


def _words(roles: "set[Role]") -> str:
    return ", ".join(sorted(role.value for role in roles))
