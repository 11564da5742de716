import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arcferry.cli import stopping
from arcferry.cli.bundle_options import AllowOlderOption, version_record
from arcferry.cli.location import UnlistedOption, region_of
from arcferry.cli.onboard_options import (
    RUN,
    ArmUrlOption,
    AuthorityOption,
    BundleKeyOption,
    BundleOption,
    CertificateOption,
    ClientOption,
    ConcurrencyOption,
    GroupOption,
    InventoryArgument,
    KnownHostsOption,
    PlaceOption,
    SecretEnvOption,
    SecretFileOption,
    SshKeyOption,
    StateOption,
    SubscriptionOption,
    TenantOption,
    UserOption,
)
from arcferry.cli.options import CaFileOption, CloudOption, Output, OutputOption, ProxyOption
from arcferry.errors import InputError, InterruptedRunError

if TYPE_CHECKING:
    from arcferry.azure import ServicePrincipal
    from arcferry.fleet.outcome import FleetRun
    from arcferry.fleet.plan import FleetPlan
    from arcferry.fleet.run import Stop
    from arcferry.fleet.task import RunRequest

app = typer.Typer(
    no_args_is_help=True,
    help="Install the agent on a fleet of servers over SSH, connect them to Azure Arc, and verify in Azure.",
)
_GO_ON = "Run the same command again: it goes on where it was."
_STOPPING = "stopping: what is being installed or connected ends first; once more to leave it"


@app.command("plan")
def plan(
    inventory: InventoryArgument,
    *,
    bundle: BundleOption,
    bundle_key: BundleKeyOption,
    allow_older: AllowOlderOption = "",
    known_hosts: KnownHostsOption,
    ssh_key: SshKeyOption = None,
    user: UserOption = "root",
    cloud: CloudOption = "AzureCloud",
    location: PlaceOption,
    location_unlisted: UnlistedOption = False,
    tenant_id: TenantOption,
    subscription_id: SubscriptionOption,
    resource_group: GroupOption,
    client_id: ClientOption = None,
    secret_env: SecretEnvOption = "AZURE_CLIENT_SECRET",  # noqa: S107  # a variable's name, not its value
    secret_file: SecretFileOption = None,
    certificate: CertificateOption = None,
    arm_url: ArmUrlOption = None,
    authority: AuthorityOption = None,
    ca_file: CaFileOption = None,
    proxy: ProxyOption = None,
    state: StateOption = None,
    concurrency: ConcurrencyOption = 50,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what apply would do with every server. Changes nothing.

    Reads each server's facts over SSH and decides as apply does. With a secret or a certificate it also asks
    Azure whether everything is ready there; without one it says that Azure was not asked.

    Exit code 0 when every server could go on, 1 when one could not or Azure gave no usable answer, 3 when
    Azure is not ready, 4 when signing in failed.
    """
    from arcferry.fleet.plan import plan_fleet

    order = _order(
        acts=False,
        inventory=inventory, bundle=bundle, bundle_key=bundle_key, allow_older=allow_older,
        known_hosts=known_hosts, ssh_key=ssh_key, user=user,
        cloud=cloud, location=region_of(location, cloud, unlisted=location_unlisted),
        tenant_id=tenant_id, subscription_id=subscription_id,
        resource_group=resource_group, arm_url=arm_url, authority=authority, ca_file=ca_file, proxy=proxy,
        principal=_principal(client_id, secret_env, secret_file, certificate, ask=False),
        state=state, concurrency=concurrency,
    )  # fmt: skip
    result = stopping.run(plan_fleet(order), says="stopped; nothing was changed")
    _print_plan(result, output)
    if not all(host.good for host in result.hosts):
        raise typer.Exit(1)


@app.command("apply")
def apply(
    inventory: InventoryArgument,
    *,
    bundle: BundleOption,
    bundle_key: BundleKeyOption,
    allow_older: AllowOlderOption = "",
    known_hosts: KnownHostsOption,
    ssh_key: SshKeyOption = None,
    user: UserOption = "root",
    cloud: CloudOption = "AzureCloud",
    location: PlaceOption,
    location_unlisted: UnlistedOption = False,
    tenant_id: TenantOption,
    subscription_id: SubscriptionOption,
    resource_group: GroupOption,
    client_id: ClientOption = None,
    secret_env: SecretEnvOption = "AZURE_CLIENT_SECRET",  # noqa: S107  # a variable's name, not its value
    secret_file: SecretFileOption = None,
    certificate: CertificateOption = None,
    arm_url: ArmUrlOption = None,
    authority: AuthorityOption = None,
    ca_file: CaFileOption = None,
    proxy: ProxyOption = None,
    state: StateOption = None,
    concurrency: ConcurrencyOption = 50,
    stop_after: Annotated[
        int | None,
        typer.Option(
            "--stop-after",
            min=1,
            metavar="N",
            help="Begin no further host after N failures.",
            rich_help_panel=RUN,
        ),
    ] = None,
    patience: Annotated[
        float,
        typer.Option(
            "--patience",
            min=1,
            max=3600,
            metavar="SECONDS",
            help="How long a machine may take to be Connected in Azure, with the bundle's version and a "
            "heartbeat newer than the run. An agent sends one every five minutes.",
            rich_help_panel=RUN,
        ),
    ] = 420,
    output: OutputOption = Output.TABLE,
) -> None:
    """Bring every server of the inventory into Azure Arc.

    For each: facts, files carried, verified on the server, agent installed, connection checked, connected,
    and done only when Azure itself reports it Connected, with at least the bundle's version and a heartbeat
    newer than the run. A server gets a short-lived token, never the secret.

    Run the same command again at any time, also after a crash or Ctrl-C: it goes on where it was, repeats
    nothing that is done, and tries again what failed.

    Ctrl-C and SIGTERM let what is being installed or connected end, and begin nothing else; a second one
    leaves that too. What is done is kept.

    Exit code 0 when every server is connected, 1 when one is not, 2 when an option or a file is wrong or the
    disk with the state is full, 3 when nothing was begun because something must change first, 4 when signing
    in failed, 130 after Ctrl-C or SIGTERM.
    """
    from arcferry.fleet.apply import apply_fleet
    from arcferry.fleet.run import Stop
    from arcferry.fleet.steps import NAMES
    from arcferry.report.progress import watching

    principal = _principal(client_id, secret_env, secret_file, certificate, ask=True)
    if principal is None:
        raise InputError(
            "no secret and no certificate to sign in to Azure with",
            hint=f"Set {secret_env}, or pass --secret-file or --certificate.",
        )
    order = _order(
        acts=True,
        inventory=inventory, bundle=bundle, bundle_key=bundle_key, allow_older=allow_older,
        known_hosts=known_hosts, ssh_key=ssh_key, user=user,
        cloud=cloud, location=region_of(location, cloud, unlisted=location_unlisted),
        tenant_id=tenant_id, subscription_id=subscription_id,
        resource_group=resource_group, arm_url=arm_url, authority=authority, ca_file=ca_file, proxy=proxy,
        principal=principal, state=state, concurrency=concurrency, stop_after=stop_after, patience=patience,
    )  # fmt: skip
    stop = Stop()
    with watching([host.name for host in order.inventory.hosts], len(NAMES)) as observer:
        result = stopping.run(
            apply_fleet(order, principal, observers=[observer], stop=stop),
            says="stopped",
            hint=_GO_ON,
            ask=lambda: _ask(stop),
        )
    _print_run(result, output)
    if stopping.asked():
        raise InterruptedRunError("stopped; what is done is kept", hint=_GO_ON)
    if not result.all_connected:
        raise typer.Exit(1)


@app.command("status")
def status(*, state: StateOption = None, output: OutputOption = Output.TABLE) -> None:
    """List the runs that are remembered here, the newest first, and how far each host came.

    Reads the state folder alone: neither Azure nor a server is asked.
    """
    from arcferry.folders import state_folder
    from arcferry.report.runs import json_lines, plain, remembered

    found = remembered(state or state_folder())
    match output:
        case Output.JSON:
            typer.echo(json.dumps({"schema": 1, "kind": "runs", "runs": found}, indent=2, ensure_ascii=False))
        case Output.JSONL:
            for line in json_lines(found):
                typer.echo(line)
        case Output.TABLE:
            typer.echo("\n".join(plain(found)))


def _principal(
    client_id: str | None, secret_env: str, secret_file: Path | None, certificate: Path | None, *, ask: bool
) -> "ServicePrincipal | None":
    from arcferry import azure

    if client_id is None:
        if ask:
            raise InputError("no service principal", hint="Pass --client-id, or set AZURE_CLIENT_ID.")
        return None
    if certificate is not None:
        return azure.with_certificate(client_id, certificate)
    secret = azure.secret_from_file(secret_file) if secret_file else azure.secret_from_environment(secret_env)
    if secret is None and ask and sys.stdin.isatty():
        secret = typer.prompt("Secret of the service principal", hide_input=True, err=True)
    return None if secret is None else azure.with_secret(client_id, secret)


def _quiet() -> None:
    """What goes wrong is told once, in our own words; libraries would print it too where nobody listens."""
    import logging

    for name in ("azure", "asyncssh", "aiohttp"):
        logging.getLogger(name).addHandler(logging.NullHandler())


def _order(
    *,
    inventory: Path,
    bundle: Path,
    bundle_key: Path,
    allow_older: str,
    known_hosts: Path,
    ssh_key: Path | None,
    user: str,
    acts: bool,
    principal: "ServicePrincipal | None",
    state: Path | None,
    concurrency: int,
    stop_after: int | None = None,
    patience: float = 420,
    **target: Any,  # noqa: ANN401  # passed on as they are, and typed there
) -> "RunRequest":
    from arcferry import azure, times
    from arcferry.bundle import open_bundle
    from arcferry.fleet.inventory import read_inventory
    from arcferry.fleet.task import RunRequest
    from arcferry.fleet.transport import read_trust
    from arcferry.folders import state_folder

    _quiet()
    folder = state or state_folder()
    hosts = read_inventory(inventory)
    where = azure.target(**target)
    trust = read_trust(known_hosts, ssh_key, user)
    opened = open_bundle(
        bundle,
        bundle_key,
        now=times.now(),
        record=version_record(folder, keeps=acts),
        allow_older=allow_older,
    )
    if opened.older:
        typer.echo(f"warning: {opened.older}", err=True)
    return RunRequest(
        inventory=hosts,
        target=where,
        trust=trust,
        bundle=opened,
        principal=principal,
        state=folder,
        concurrency=concurrency,
        stop_after=stop_after,
        patience=patience,
    )


def _ask(stop: "Stop") -> None:
    """Ask once to end in order, twice to leave what is at work."""
    stop.ask()
    if stop.asked == 1:
        typer.echo(_STOPPING, err=True)


def _print_plan(plan: "FleetPlan", output: Output) -> None:
    from arcferry.report import plan as report

    match output:
        case Output.JSON:
            typer.echo(json.dumps(report.document(plan), indent=2, ensure_ascii=False))
        case Output.JSONL:
            typer.echo("\n".join(report.json_lines(plan)))
        case Output.TABLE:
            typer.echo("\n".join(report.plain(plan)))


def _print_run(run: "FleetRun", output: Output) -> None:
    from arcferry.report import fleet as report
    from arcferry.report.console import stdout

    match output:
        case Output.JSON:
            typer.echo(json.dumps(report.document(run), indent=2, ensure_ascii=False))
        case Output.JSONL:
            typer.echo("\n".join(report.json_lines(run)))
        case Output.TABLE if sys.stdout.isatty():
            report.draw(run, stdout())
        case Output.TABLE:
            typer.echo("\n".join(report.plain(run)))
