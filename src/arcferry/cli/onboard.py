from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arcferry.cli import options
from arcferry.cli.bundle_shared import open_bundle
from arcferry.cli.options import argument, grouped, option, setting
from arcferry.cli.output import show, show_by
from arcferry.cli.sign_in import principal
from arcferry.cli.winrm import WinrmOptions, winrm_trust
from arcferry.errors import InputError, InterruptedRunError

if TYPE_CHECKING:
    from arcferry.fleet.inventory import Host, Inventory
    from arcferry.fleet.task import RunRequest
    from arcferry.fleet.transport import SignIn

app = typer.Typer(
    no_args_is_help=True,
    help="Install the agent on servers over SSH or WinRM, connect them to Azure Arc, and verify in Azure.",
)
_GO_ON = "Run the same command again: it goes on where it was."
_STOPPING = "stopping: what is being installed or connected ends first; once more to leave it"

InventoryArgument = Annotated[
    Path,
    argument(
        "INVENTORY",
        "CSV or YAML with the columns name, address, port, transport, user, auth, tags (k=v;k2=v2, or "
        "k=v,k2=v2 in quotes) and site. "
        "A host's name becomes its machine's name in Azure.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class FleetOptions(options.PlaceOptions, options.AccessOptions, options.IdentityOptions, WinrmOptions):
    """What plan and apply both take."""

    bundle: options.BundleOption
    bundle_key: options.BundleKeyOption
    allow_older: options.AllowOlderOption = ""
    known_hosts: Annotated[
        Path | None,
        setting(
            "--known-hosts FILE",
            "The servers' SSH host keys. A server whose key is not in it is refused. Needed for SSH.",
            panel=options.HOSTS,
        ),
    ] = None
    ssh_key: Annotated[
        Path | None,
        setting(
            "--ssh-key FILE",
            "The private key to sign in to the servers with. Without it the SSH agent is asked.",
            panel=options.HOSTS,
        ),
    ] = None
    user: Annotated[
        str,
        option(
            "--user NAME",
            "The user if the inventory names none: root, or one with sudo without a password.",
            panel=options.HOSTS,
            envvar="ARCFERRY_SSH_USER",
        ),
    ] = "root"
    transport: Annotated[
        str,
        setting(
            "--transport NAME",
            "How servers are reached whose row in the inventory does not say: ssh, or winrm. Without it ssh.",
            panel=options.HOSTS,
        ),
    ] = ""
    auth: Annotated[
        str,
        setting(
            "--auth WAY",
            "How to sign in over WinRM: kerberos, ntlm, certificate or basic. Without it kerberos and, where "
            "that cannot be, ntlm.",
            panel=options.HOSTS,
        ),
    ] = ""
    host_port: Annotated[
        int,
        setting(
            "--host-port N",
            "The servers' port if the inventory names none. Without it 22 for SSH; for WinRM 5986, over TLS, "
            "and where nothing answers there 5985, with encrypted messages.",
            panel=options.HOSTS,
            min=0,
            max=65535,
        ),
    ] = 0
    tags: options.TagsOption = None
    state: options.StateOption = None
    concurrency: Annotated[
        int, option("--concurrency N", "Hosts at one time.", panel=options.RUN, min=1, max=500)
    ] = 50


@app.command("plan")
@grouped
def plan(
    inventory: InventoryArgument,
    *,
    fleet: FleetOptions,
    output: options.CheckOutputOption = "table",
) -> None:
    """Show what apply would do with every server. Changes nothing.

    Reads each server's facts and decides as apply does. With a secret or a certificate it also asks
    Azure whether everything is ready there; without one it says that Azure was not asked.

    Exit code 0 when every server could go on, 1 when one could not or Azure gave no usable answer, 3 when
    Azure is not ready, 4 when signing in failed.
    """
    from arcferry.cli import stopping
    from arcferry.fleet.plan import plan_fleet
    from arcferry.report import plan as report

    request = _request(inventory, fleet, acts=False)
    result = stopping.run(plan_fleet(request), says="stopped; nothing was changed")
    show_by(output, report, result)
    if not all(host.good for host in result.hosts):
        raise typer.Exit(1)


@app.command("apply")
@grouped
def apply(
    inventory: InventoryArgument,
    *,
    fleet: FleetOptions,
    stop_after: Annotated[
        int | None,
        option("--stop-after N", "Begin no further host after N failures.", panel=options.RUN, min=1),
    ] = None,
    patience: Annotated[
        float,
        option(
            "--patience SECONDS",
            "How long a machine may take to be Connected in Azure, with the bundle's version and a "
            "heartbeat newer than the run. An agent sends one every five minutes.",
            panel=options.RUN,
            min=1,
            max=3600,
        ),
    ] = 420,
    output: options.CheckOutputOption = "table",
) -> None:
    """Bring every server of the inventory into Azure Arc.

    For each: facts, files carried, verified on the server, agent installed, connection checked, connected,
    and done only when Azure itself reports it Connected, with at least the bundle's version and a heartbeat
    newer than the run. A server gets a short-lived token, never the secret. The service principal needs the
    role Azure Connected Machine Onboarding.

    Run the same command again at any time, also after a crash or Ctrl-C: it goes on where it was, repeats
    nothing that is done, and tries again what failed.

    Ctrl-C and SIGTERM let what is being installed or connected end, and begin nothing else; a second one
    leaves that too. What is done is kept.

    Exit code 0 when every server is connected, 1 when one is not, 2 when an option or a file is wrong or the
    disk with the state is full, 3 when nothing was begun because something must change first, 4 when signing
    in failed, 130 after Ctrl-C or SIGTERM.
    """
    from arcferry import catalog, log
    from arcferry.cli import stopping
    from arcferry.cli.evidence import held_beside, warn
    from arcferry.fleet.findings import findings_of_run, keep
    from arcferry.fleet.pipeline import NAMES
    from arcferry.fleet.run import Stop, apply_fleet
    from arcferry.report import fleet as report
    from arcferry.report.progress import watching

    request = _request(inventory, fleet, acts=True)
    who = request.principal
    if who is None:
        raise InputError(
            "no secret and no certificate to sign in to Azure with",
            hint=f"Set {fleet.secret_env}, or pass --secret-file or --certificate; or sign in as somebody "
            "else: --az-login, --managed-identity or --federated-token-file.",
        )
    request = replace(request, stop_after=stop_after, patience=patience)
    stop = Stop()

    def ask() -> None:
        """Once to end in order, twice to leave what is at work."""
        stop.ask()
        if stop.asked == 1:
            typer.echo(_STOPPING, err=True)

    names = [host.name for host in request.inventory.hosts]
    with watching(names, len(NAMES), lines=log.is_on()) as observer:
        result = stopping.run(
            apply_fleet(request, who, observer=observer, stop=stop), says="stopped", hint=_GO_ON, ask=ask
        )
    held = held_beside((), catalog.cloud(fleet.cloud))
    warn(held)
    judged = replace(result, diagnosis=findings_of_run(result.hosts, held))
    show_by(output, report, judged)
    keep(judged.diagnosis, Path(judged.state))
    if stopping.asked():
        raise InterruptedRunError("stopped; what is done is kept", hint=_GO_ON)
    if not result.all_connected:
        raise typer.Exit(1)


@app.command("status")
def status(*, state: options.StateOption = None, output: options.CheckOutputOption = "table") -> None:
    """List the runs that are remembered here, the newest first, and how far each host came.

    Reads the state folder alone: neither Azure nor a server is asked. JSON has the findings of the newest run
    that was judged, too, by the data that were at hand then.
    """
    from arcferry.files import state_folder
    from arcferry.fleet.findings import judged_again
    from arcferry.report import as_json, runs

    folder = state or state_folder()
    found = runs.remembered(folder)

    def content() -> dict[str, Any]:
        return {"runs": found, **as_json.fields(judged_again(folder))}

    show(
        output,
        table=lambda: typer.echo("\n".join(runs.plain(found))),
        document=lambda: {"schema": 1, "kind": "runs", **content()},
        lines=lambda: as_json.lines(content(), "runs", "run-state"),
        junit=lambda: runs.junit(found),
    )


def _request(inventory: Path, given: FleetOptions, *, acts: bool) -> "RunRequest":
    """What was asked for, read and checked; `acts` if servers are to be changed."""
    import logging

    from arcferry.files import state_folder
    from arcferry.fleet.inventory import HowReached, read_inventory
    from arcferry.fleet.task import RunRequest

    # What goes wrong is told once, in our own words; libraries would print it too where nobody listens.
    for name in ("azure", "asyncssh", "aiohttp"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    who = principal(given, ask=acts)
    folder = given.state or state_folder()
    target = given.target(**given.access())
    try:
        how = HowReached(given.transport, given.auth, given.host_port)
    except ValueError as error:
        raise InputError(f"--{error}") from error
    hosts = tagged(read_inventory(inventory, how), given.tags or [])
    sign_in = _sign_in(given, hosts.hosts)
    opened = open_bundle(given.bundle, given.bundle_key, folder, given.allow_older, keeps=acts)
    return RunRequest(hosts, opened, sign_in, target, who, folder, given.concurrency)


def _sign_in(given: FleetOptions, hosts: "tuple[Host, ...]") -> "SignIn":
    """What the transports sign in with that hosts of this run are reached by."""
    from arcferry.fleet.transport import SignIn, read_trust

    ssh = None
    if any(host.transport == "ssh" for host in hosts):
        if given.known_hosts is None:
            hint = (
                "Pass --known-hosts FILE: the servers' own keys, so that no other machine answers for them."
            )
            raise InputError("no known_hosts file for the servers that are reached over SSH", hint=hint)
        ssh = read_trust(given.known_hosts, given.ssh_key, given.user)
    return SignIn(ssh, winrm_trust(given, hosts))


def tagged(inventory: "Inventory", texts: list[str]) -> "Inventory":
    """Every host with these tags too; where both name one, the inventory's stands."""
    from arcferry.fleet.tags import check_tags, parse_tags

    try:
        tags = parse_tags(texts)
        hosts = (
            replace(host, tags=MappingProxyType(check_tags({**tags, **host.tags})))
            for host in inventory.hosts
        )
        return replace(inventory, hosts=tuple(hosts)) if tags else inventory
    except ValueError as error:
        raise InputError(f"--tags: {error}") from error
