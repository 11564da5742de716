"""What an export is asked for: one bundle, one place in Azure, one way to sign in, whatever the tool."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

from arcferry.azure import AzureTarget
from arcferry.bundle import Bundle
from arcferry.errors import InputError, UnknownNameError
from arcferry.export.openings import openings
from arcferry.export.servers import ServerMap, server_map
from arcferry.fleet.host_state import Way, version_key
from arcferry.fleet.inventory import Inventory
from arcferry.fleet.inventory.tags import check_tags, parse_tags, tags_text
from arcferry.fleet.place import place_of_options
from arcferry.fleet.window import Window
from arcferry.text import quoted

LONGEST_DELAY = 24 * 60
"""Minutes within which a start may be spread: the task comes back after a day."""

WAIT = 300
"""Seconds that the host script's `connect` waits, unless told otherwise, for Azure to hear from the agent."""

LONGEST_WAIT = 3600

# Minutes. Hundreds of servers that copy a bundle at once would fill a file server's line.
_DELAY = 30
_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# A UNC path, or an absolute path for Linux. Both stand in scripts and commands, so there is no quote, percent
# sign or blank at an end in them.
_PATH = r"\\\\[\w.-]+(?:\\[\w .()$-]*[\w()$-])+|(?:/[A-Za-z0-9_.@+-]+)+"
_GROUP = r"[\w.-]{1,64}\\[^\x00-\x1f\x7f\"'`/\\\[\]:;|=,+*?<>@$%&]{1,200}"
_PROXY = r"https?://[\w.\[\]:-]+/?"


class Tool(StrEnum):
    """What takes the artefacts to the servers."""

    GPO = "gpo"
    CONFIGMGR = "configmgr"
    INTUNE = "intune"
    ANSIBLE = "ansible"
    SCRIPT = "script"


@dataclass(frozen=True, slots=True)
class CertificateSignIn:
    """A service principal's certificate that is in each server's own store; no secret is carried.

    Attributes:
        client_id: the service principal's application id.
        thumbprint: 40 hexadecimal digits, upper case, as Windows shows it; however it was copied.

    Raises:
        InputError: no GUID, or no SHA-1 thumbprint.
    """

    client_id: str
    thumbprint: str

    def __post_init__(self) -> None:
        """Check what the user gave."""
        _match("--client-id", self.client_id, _GUID, "the application id of a service principal, a GUID")
        # The certificate's window puts blanks between the digits, and an invisible mark before them.
        digits = re.sub(r"[\s\u200e\u200f:]", "", self.thumbprint).upper()
        if not self.client_id or not re.fullmatch(r"[0-9A-F]{40}", digits):
            raise InputError(
                "--certificate-thumbprint and --client-id are needed together, "
                "and the thumbprint has 40 digits",
                hint=r"On a server: Get-ChildItem Cert:\LocalMachine\My | Format-List Subject, Thumbprint",
            )
        object.__setattr__(self, "client_id", self.client_id.lower())
        object.__setattr__(self, "thumbprint", digits)


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A file with a short-lived access token, which one group of computers may read; only its path is known.

    Attributes:
        path: a UNC path, or an absolute path for Linux.

    Raises:
        InputError: it is neither.
    """

    path: str

    def __post_init__(self) -> None:
        """Check what the user gave."""
        wanted = r"a path such as \\fs01\arcferry-token$\token, or /run/arcferry-token"
        _match("--token-file", self.path, _PATH, wanted)


SignIn = CertificateSignIn | TokenFile


@dataclass(frozen=True)
class ExportOptions:
    """Everything that is chosen for an export; it holds no secret.

    Attributes:
        bundle: opened, so verified.
        share: the UNC path that the servers see, or an absolute path for Linux; empty for Ansible.
        sign_in: how each server signs in; None if the tool brings a token itself (Ansible).
        tags: for every machine in Azure.
        proxy: as `http://HOST:PORT`, without a user; empty for none.
        private_link_scope: an ARM id, empty for none; `gateway_id` likewise.
        group: the servers' group, with its domain; empty if no rights of Windows are given.
        delay: minutes within which a server starts at a random instant; None for the tool's own.
        inventory: the servers, each with what its row or its site says instead of this; None where all
            go to one place, and Ansible's own example is to be filled in.
        wait: seconds that a server waits for Azure to hear from it, once it is connected.
        window: when servers may begin; None for any time.
        upgrades: whether servers that are connected get a newer agent, and no other is touched; nothing of
            what they are connected with is then looked at.

    Raises:
        InputError: something cannot be carried safely, naming the option. What a tool needs beyond this is
            checked by `export`.
    """

    bundle: Bundle
    target: AzureTarget
    share: str = ""
    sign_in: SignIn | None = None
    tags: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    proxy: str = ""
    private_link_scope: str = ""
    gateway_id: str = ""
    group: str = ""
    delay: int | None = None
    wait: int = WAIT
    window: Window | None = None
    inventory: Inventory | None = None
    upgrades: bool = False

    def __post_init__(self) -> None:
        """Check what the user gave."""
        object.__setattr__(self, "share", self.share.rstrip("\\/"))
        wanted = r"a path such as \\fs01\arcferry, or /mnt/arcferry for Linux"
        _match("--share", self.share, _PATH, wanted)
        _match("--group", self.group, _GROUP, r"a group such as 'CORP\Arc servers'")
        if self.proxy and not re.fullmatch(_PROXY, self.proxy):
            # Not told again: it may hold a password.
            hint = "Without a user: the agent knows none."
            raise InputError("--agent-proxy is not http://HOST:PORT", hint=hint)
        place_of_options(private_link_scope=self.private_link_scope, gateway_id=self.gateway_id)
        if self.delay is not None and not 0 <= self.delay <= LONGEST_DELAY:
            raise InputError(f"--delay {self.delay} is not between 0 and {LONGEST_DELAY} minutes")
        if not 0 <= self.wait <= LONGEST_WAIT:
            raise InputError(f"--wait {self.wait} is not between 0 and {LONGEST_WAIT} seconds")
        try:
            openings(self.window, self.bundle.manifest)
        except ValueError as error:
            hint = "Build a bundle that expires earlier, or name fewer days."
            raise InputError(f"--window {error}", hint=hint) from None
        if self.upgrades and self.sign_in is not None:
            raise InputError(
                "--certificate-thumbprint and --token-file are not for an upgrade",
                hint="The servers are connected already, and need neither to install a newer agent.",
            )
        below = tuple(f"{self.share.lower()}{separator}" for separator in "\\/" if self.share)
        if isinstance(self.sign_in, TokenFile) and self.sign_in.path.lower().startswith(below):
            raise InputError(
                f"--token-file {self.sign_in.path} lies on the share that every server reads",
                hint="Put it on a share of its own, which only --group may read.",
            )

    @property
    def for_linux(self) -> bool:
        """Whether the servers that see the share run Linux."""
        return self.share.startswith("/")

    @property
    def openings(self) -> str:
        """From when until when the window is open, as the settings carry it."""
        return openings(self.window, self.bundle.manifest)

    @cached_property
    def servers(self) -> ServerMap | None:
        """Where each server of the inventory goes; None where there is no inventory.

        Raises:
            FileInputError: as for `server_map`.
        """
        return None if self.inventory is None else server_map(self.inventory, self)

    @property
    def has_windows(self) -> bool:
        """Whether some servers may not begin at any time."""
        rows = self.inventory.hosts if self.inventory is not None else ()
        return self.window is not None or any(host.window is not None for host in rows)

    def minutes(self, tool: Tool) -> int:
        """The delay: if a tool spreads its own starts, as Configuration Manager does, none by default."""
        if self.delay is not None:
            return self.delay
        return 0 if tool in {Tool.CONFIGMGR, Tool.INTUNE} else _DELAY

    @property
    def results(self) -> str:
        """The folder on the share that result files go into."""
        return f"{self.share}/results" if self.for_linux else f"{self.share}\\results"

    @property
    def least_version(self) -> str:
        """The version that every Windows server has once it is upgraded, whichever package it takes."""
        packed = (agent.version for agent in self.bundle.manifest.agents if agent.format.value == "msi")
        return min(packed, key=version_key, default="")

    @property
    def way(self) -> Way:
        """What it is for, as a run's."""
        return Way.UPGRADE if self.upgrades else Way.ONBOARD

    @property
    def connect_options(self) -> dict[str, str]:
        """The options of `azcmagent connect`, but for a token and the machine's name, the host's."""
        options = {
            "subscription-id": self.target.subscription_id,
            "resource-group": self.target.resource_group,
            "tenant-id": self.target.tenant_id,
            "location": self.target.location,
            "cloud": self.target.cloud.name,
        }
        if self.upgrades:
            return options
        options |= {
            "tags": tags_text(dict(self.tags)),
            "private-link-scope": self.private_link_scope,
            "gateway-id": self.gateway_id,
        }
        if isinstance(self.sign_in, CertificateSignIn):
            options["service-principal-id"] = self.sign_in.client_id
            options["service-principal-cert-thumbprint"] = self.sign_in.thumbprint
        return {name: value for name, value in options.items() if value}


def tool(name: str) -> Tool:
    """The tool of that name.

    Raises:
        UnknownNameError: there is none.
    """
    try:
        return Tool(name.lower())
    except ValueError:
        raise UnknownNameError("tool", name, Tool) from None


def read_tags(texts: Sequence[str]) -> Mapping[str, str]:
    """Tags from texts that hold `key=value` once or more.

    Raises:
        InputError: not written so, to be read in two ways, twice the same, or not what ARM takes.
    """
    try:
        return MappingProxyType(check_tags(parse_tags(texts)))
    except ValueError as error:
        raise InputError(f"--tags: {error}") from error


def _match(option: str, value: str, pattern: str, wanted: str) -> None:
    if value and not re.fullmatch(pattern, value):
        raise InputError(f"{option} {quoted(value)} is not {wanted}")
