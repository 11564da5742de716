"""What `onboard plan` and `onboard apply` both take, and the request that it makes."""

from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

from arcferry.cli import azure_options, options
from arcferry.cli.bundle_shared import open_bundle
from arcferry.cli.inventory import EncodingOption, completed, read
from arcferry.cli.options import option, setting
from arcferry.cli.sign_in import principal
from arcferry.cli.winrm import WinrmOptions, winrm_trust
from arcferry.errors import InputError

if TYPE_CHECKING:
    from arcferry.azure import Identity
    from arcferry.fleet.inventory import Host, HowReached, Inventory
    from arcferry.fleet.task import RunRequest
    from arcferry.fleet.transport import SignIn
    from arcferry.fleet.window import Window

MaxFailuresOption = Annotated[
    str,
    option(
        "--max-failures N",
        "Begin no further server after so many failures, or such a share of the servers: 3 or 5%.",
        "--stop-after",
        panel=options.RUN,
    ),
]
ConcurrencyOption = Annotated[
    int, option("--concurrency N", "Hosts at one time.", panel=options.RUN, min=1, max=500)
]


@dataclass(frozen=True, kw_only=True)
class SelectionOptions:
    """Which servers of the inventory are meant."""

    limit: Annotated[
        list[str] | None,
        option(
            "--limit WHICH",
            "These servers only: a NAME, TAG=VALUE, or @FILE with a name a line. May be repeated.",
            panel=options.HOSTS,
        ),
    ] = None
    site: Annotated[
        list[str] | None,
        option(
            "--site NAME", "The servers of this site of the inventory. May be repeated.", panel=options.HOSTS
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class OrderOptions:
    """Who goes first, and how many follow."""

    canary: Annotated[
        int,
        option(
            "--canary N",
            "So many servers of each network (its site, else its subnet) go before the others, and where one "
            "of them fails nothing further is begun. What installs measures the path to Azure from them "
            "first. With 0 neither.",
            panel=options.RUN,
            min=0,
            max=100,
            envvar="ARCFERRY_CANARY",
        ),
    ] = 1
    waves: Annotated[
        str,
        option(
            "--waves A,B,C",
            "How many servers are begun by the end of each wave, such as 5%,25%,100% or 10,200. Each wave "
            "waits for the one before.",
            panel=options.RUN,
        ),
    ] = "100%"

    def of(self, request: "RunRequest") -> "RunRequest":
        """The request with these.

        Raises:
            InputError: one cannot be read.
        """
        from arcferry.fleet.waves import waves

        return replace(request, canary=self.canary, waves=waves(self.waves))


@dataclass(frozen=True, kw_only=True)
class RunOptions(OrderOptions):
    """The same, and when to wait or stop."""

    max_failures: MaxFailuresOption = ""

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
    ] = 420
    kill_switch: Annotated[
        Path | None,
        setting(
            "--kill-switch FILE",
            "While this file exists nothing is begun, in every run that names it.",
            panel=options.RUN,
        ),
    ] = None

    def of(self, request: "RunRequest") -> "RunRequest":
        """The request with these.

        Raises:
            InputError: one cannot be read.
        """
        from arcferry.fleet.waves import amount

        budget = amount(self.max_failures, "--max-failures") if self.max_failures else None
        return replace(
            OrderOptions.of(self, request),
            stop_after=budget.least(len(request.inventory.hosts)) if budget else None,
            patience=self.patience,
            kill_switch=self.kill_switch,
        )


@dataclass(frozen=True, kw_only=True)
class HostOptions:
    """How servers are reached."""

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

    @property
    def how(self) -> "HowReached":
        """How hosts are reached whose row does not say.

        Raises:
            InputError: there is no such way.
        """
        from arcferry.fleet.inventory import HowReached

        try:
            return HowReached(self.transport, self.auth, self.host_port)
        except ValueError as error:
            raise InputError(f"--{error}") from error


@dataclass(frozen=True, kw_only=True)
class FleetOptions(
    SelectionOptions,
    HostOptions,
    azure_options.HostPlaceOptions,
    azure_options.AccessOptions,
    azure_options.IdentityOptions,
    WinrmOptions,
):
    """What every run over servers takes that has a bundle."""

    inventory_encoding: EncodingOption = ""
    bundle: options.BundleOption
    bundle_key: options.BundleKeyOption
    allow_older: options.AllowOlderOption = ""
    state: options.StateOption = None
    window: options.WindowOption = None
    concurrency: ConcurrencyOption = 50


@dataclass(frozen=True, kw_only=True)
class ConnectingOptions(FleetOptions, azure_options.ConnectOptions):
    """The same where servers are connected, and not only looked at or upgraded."""


@dataclass(frozen=True, kw_only=True)
class OnboardOptions(ConnectingOptions):
    """The same, and what becomes of servers that are connected already."""

    reconnect: Annotated[
        bool,
        option(
            "--reconnect",
            "Move servers that are connected elsewhere, or whose connection has ended: disconnect them "
            "there, then connect them.",
            panel=options.RUN,
        ),
    ] = False


def request_of(
    inventory: Path, given: FleetOptions, *, acts: bool, run: "OrderOptions | None" = None
) -> "RunRequest":
    """What was asked for, read and checked; `acts` if servers are to be changed."""
    from arcferry.files import state_folder
    from arcferry.fleet.selection import selected
    from arcferry.fleet.task import RunRequest

    quiet_libraries()
    who = principal(given, ask=acts)
    folder = given.state or state_folder()
    target = given.target(**given.access()) if given.complete else None
    found = read(inventory, given.inventory_encoding, given.cloud, given.how)
    target = target or completed(given, found).target(**given.access())
    everyone = with_options(found, given) if isinstance(given, ConnectingOptions) else found
    hosts = selected(everyone, given.limit or [], given.site or [])
    sign_in = sign_in_of(given, given, hosts.hosts)
    opened = open_bundle(given.bundle, given.bundle_key, folder, given.allow_older, keeps=acts)
    request = RunRequest(
        hosts, opened, sign_in, target, who, folder, given.concurrency,
        window=window_of(given.window), everyone=everyone,
        reconnect=isinstance(given, OnboardOptions) and given.reconnect,
    )  # fmt: skip
    return request if run is None else run.of(request)


def who_signs_in(request: "RunRequest", given: FleetOptions) -> "Identity":
    """Who signs in to Azure for a run that changes something.

    Raises:
        InputError: nobody can.
    """
    if request.principal is None:
        raise InputError(
            "no secret and no certificate to sign in to Azure with",
            hint=f"Set {given.secret_env}, or pass --secret-file or --certificate; or sign in as somebody "
            "else: --az-login, --managed-identity or --federated-token-file.",
        )
    return request.principal


def window_of(texts: list[str] | None) -> "Window | None":
    """The window that an option's values give; None where there is none.

    Raises:
        InputError: it is none, naming what is wrong.
    """
    from arcferry.fleet.window import joined

    try:
        return joined(texts or ())
    except ValueError as error:
        raise InputError(f"--window: {error}") from error


def quiet_libraries() -> None:
    """What goes wrong is told once, in our own words; libraries would print it too where nobody listens."""
    import logging

    for name in ("azure", "asyncssh", "aiohttp"):
        logging.getLogger(name).addHandler(logging.NullHandler())


def sign_in_of(given: HostOptions, winrm: WinrmOptions, hosts: "tuple[Host, ...]") -> "SignIn":
    """What the transports sign in with that these hosts are reached by."""
    from arcferry.fleet.transport import SignIn, read_trust

    ssh = None
    if any(host.transport == "ssh" for host in hosts):
        if given.known_hosts is None:
            hint = (
                "Pass --known-hosts FILE: the servers' own keys, so that no other machine answers for them."
            )
            raise InputError("no known_hosts file for the servers that are reached over SSH", hint=hint)
        ssh = read_trust(given.known_hosts, given.ssh_key, given.user)
    return SignIn(ssh, winrm_trust(winrm, hosts))


def with_options(inventory: "Inventory", given: azure_options.ConnectOptions) -> "Inventory":
    """Every host with these too; where both say something, the inventory's stands.

    Raises:
        InputError: one of them is not what it must be.
    """
    from arcferry.fleet.place import place_of_options

    place = place_of_options(private_link_scope=given.private_link_scope, gateway_id=given.gateway_id)
    found = tagged(inventory, given.tags or [])
    if not place.given():
        return found
    return replace(found, hosts=tuple(replace(host, place=host.place.over(place)) for host in found.hosts))


def tagged(inventory: "Inventory", texts: list[str]) -> "Inventory":
    """Every host with these tags too; where both name one, the inventory's stands."""
    from arcferry.fleet.inventory.tags import check_tags, parse_tags

    try:
        tags = parse_tags(texts)
        hosts = (
            replace(host, tags=MappingProxyType(check_tags({**tags, **host.tags})))
            for host in inventory.hosts
        )
        return replace(inventory, hosts=tuple(hosts)) if tags else inventory
    except ValueError as error:
        raise InputError(f"--tags: {error}") from error
