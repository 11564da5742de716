from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli.data_output import FolderOption, print_rows, today
from arcferry.cli.onboard_options import (
    ArmUrlOption,
    AuthorityOption,
    CertificateOption,
    SecretEnvOption,
    SecretFileOption,
)
from arcferry.cli.options import CaFileOption, CloudOption, Output, OutputOption, ProxyOption
from arcferry.cli.sign_in import ClientOption, GroupOption, SubscriptionOption, TenantOption, sign_in
from arcferry.errors import InputError
from arcferry.folders import data_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arcferry.data import HeldKind
    from arcferry.data.update import SignIn


def update(
    *,
    cloud: CloudOption = "AzureCloud",
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="KIND", help="service-tags or community-list, where not both."),
    ] = None,
    route_filter: Annotated[
        str, typer.Option("--route-filter", metavar="NAME", help="Fetch this route filter too.")
    ] = "",
    circuit: Annotated[
        str, typer.Option("--circuit", metavar="NAME", help="Fetch this ExpressRoute circuit too.")
    ] = "",
    group: GroupOption = None,
    allow_older: Annotated[
        bool, typer.Option("--allow-older", help="Take a document that is older than what is held.")
    ] = False,
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
    site: Annotated[
        str,
        typer.Option(
            "--download-url",
            envvar="ARCFERRY_DOWNLOAD_URL",
            metavar="URL",
            help="Where Microsoft's download pages are, where a mirror stands in.",
        ),
    ] = "https://www.microsoft.com",
    folder: FolderOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Fetch what is newer, on a connected machine.

    The service tags come from Microsoft's download page and need no sign-in. The list of BGP communities, a
    route filter and a circuit come from Azure, with a service principal that may read them; without one they
    are left out. Every document is checked whole; what is older than what is held is refused.
    """
    from arcferry import catalog
    from arcferry.cli import stopping
    from arcferry.data import HeldKind, Store
    from arcferry.data.update import Status, UpdateRequest
    from arcferry.data.update import update as fetch
    from arcferry.report import data as report

    chosen = catalog.cloud(cloud)
    kinds = _kinds(only)
    signing_in = sign_in(
        needed=bool(route_filter or circuit or HeldKind.COMMUNITY_LIST in kinds),
        cloud=chosen.name, tenant=tenant, subscription=subscription, client=client, group=group,
        secret_env=secret_env, secret_file=secret_file, certificate=certificate, arm_url=arm_url,
        authority=authority, proxy=proxy, ca_file=ca_file,
    )  # fmt: skip
    _explain_left_out(kinds, signing_in, route_filter, circuit, asked=bool(only))
    request = UpdateRequest(
        chosen, kinds, site, proxy, ca_file, signing_in, route_filter, circuit, allow_older
    )
    store = Store(folder or data_folder())
    found = stopping.run(fetch(store, request), says="stopped; what was held stays as it was")
    leads = report.leading(store.held())
    rows = [report.outcome_row(one, today(), leads) for one in found]
    print_rows(output, "data-update", "outcomes", rows, report.outcomes(found, leads))
    failed = [one.error for one in found if one.status is Status.FAILED and one.error]
    for hint in dict.fromkeys(error.hint for error in failed if error.hint):
        typer.echo(f"hint: {hint}", err=True)
    if failed:
        raise typer.Exit(max(error.exit_code for error in failed))


def _kinds(only: "Sequence[str] | None") -> "tuple[HeldKind, ...]":
    from arcferry.data import HeldKind
    from arcferry.errors import UnknownNameError

    fetched = (HeldKind.SERVICE_TAGS, HeldKind.COMMUNITY_LIST)
    for name in only or ():
        if name not in fetched:
            raise UnknownNameError("kind", name, fetched)
    return tuple(kind for kind in fetched if not only or kind in only)


def _explain_left_out(
    kinds: "Sequence[HeldKind]", signing_in: "SignIn | None", route_filter: str, circuit: str, *, asked: bool
) -> None:
    needs = [name for name, value in (("--route-filter", route_filter), ("--circuit", circuit)) if value]
    if signing_in is None and (needs or (asked and "community-list" in kinds)):
        what = " and ".join(needs) or "--only community-list"
        raise InputError(
            f"{what} needs a sign-in: --tenant-id, --subscription-id, --client-id and a secret or certificate"
        )
    if needs and signing_in is not None and signing_in.target.resource_group == "none":
        raise InputError(f"{' and '.join(needs)} needs --resource-group")
    if signing_in is None and "community-list" in kinds:
        typer.echo(
            "note: without a sign-in (--tenant-id …) the list of BGP communities is left out", err=True
        )
