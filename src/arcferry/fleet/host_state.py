"""What a step decides on: a host's facts, its machine, the bundle and the target. No I/O in here."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from arcferry.azure import AzureTarget, Machine
from arcferry.bundle import Bundle, BundleFile
from arcferry.errors import InputError
from arcferry.fleet.inventory import Host
from arcferry.fleet.script import ScriptAnswer
from arcferry.fleet.system import System, system_of

_VERSION = re.compile(r"\d{1,9}(?:\.\d{1,9}){0,5}")


@dataclass(frozen=True, slots=True)
class HostAgent:
    """The agent on a host. Texts are empty where it does not say."""

    installed: bool = False
    version: str = ""
    status: str = ""
    resource_id: str = ""
    resource_name: str = ""
    subscription_id: str = ""
    resource_group: str = ""
    location: str = ""
    vm_id: str = ""
    vm_uuid: str = ""
    tenant_id: str = ""
    last_heartbeat: str = ""

    @property
    def has_machine(self) -> bool:
        """Whether the agent is connected to some machine in Azure, be it alive or not."""
        return bool(self.resource_id or (self.resource_name and self.subscription_id))

    @property
    def expired(self) -> bool:
        """Whether it was silent for so long that its identity ended."""
        return self.status.lower() == "expired"


@dataclass(frozen=True, slots=True)
class HostFacts:
    """The answer to the host script's `facts`.

    Attributes:
        disk_free: bytes free where packages are staged, None where unknown; `opt_free` likewise where the
            agent goes.
        root: whether the host script ran with all rights.
        dotnet: the version of .NET Framework, on Windows.
        busy: whether another installation runs.
        restart_pending: whether the system notes that it has to start anew.
        azure_local: whether it is Azure Local, which has its own way into Azure Arc.
        skew: the host's clock minus ours, in seconds; None where it does not say.
        vm_uuid: the firmware's id, by which Azure knows the server too; empty where it is not told.
        machine_id: what tells this installed system from others; likewise.
        staged: SHA-256 of the bundle's files that lie on the host already, by name.
    """

    os: str
    hostname: str
    distro: str
    arch: str
    package_format: str
    systemd: bool | None
    disk_free: int | None
    opt_free: int | None
    azure_vm: bool | None
    skew: float | None
    agent: HostAgent
    staged: dict[str, str] = field(default_factory=dict)
    root: bool | None = None
    dotnet: str = ""
    busy: bool | None = None
    restart_pending: bool = False
    azure_local: bool | None = None
    vm_uuid: str = ""
    machine_id: str = ""

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what `asdict` made of it for the run's record."""
        return cls(**{**document, "agent": HostAgent(**document["agent"])})


def read_agent(answer: ScriptAnswer) -> HostAgent:
    """The agent's state in an answer to `facts` or `show`."""
    said = answer.part("agent")
    texts = {key: said.text(key) for key in HostAgent.__dataclass_fields__ if key != "installed"}
    return HostAgent(installed=said.flag("installed") is True, **texts)


def read_facts(answer: ScriptAnswer, *, skew: float | None, staged: dict[str, str]) -> HostFacts:
    """The facts in an answer, with what was learned beside it."""
    distro = answer.part("distro")
    name = distro.text("name") or f"{distro.text('id')} {distro.text('version')}".strip()
    return HostFacts(
        os=answer.text("os").lower(),
        hostname=answer.text("hostname"),
        distro=name,
        arch=answer.text("arch").lower(),
        package_format=answer.text("package_format").lower(),
        systemd=answer.flag("systemd"),
        disk_free=answer.number("disk_free"),
        opt_free=answer.number("opt_free"),
        azure_vm=answer.flag("azure_vm"),
        skew=skew,
        agent=read_agent(answer),
        staged=staged,
        root=answer.flag("root"),
        dotnet=answer.text("dotnet", limit=40),
        busy=answer.flag("installer_busy"),
        restart_pending=bool(answer.fields.get("pending_reboot")),
        azure_local=answer.flag("azure_stack_hci"),
        vm_uuid=answer.text("vm_uuid", limit=60),
        machine_id=answer.text("machine_id", limit=60),
    )


def at_least(version: str, wanted: str) -> bool:
    """Whether a version is the wanted one or a newer one. One that is not told is neither."""
    return version_key(version) >= version_key(wanted)


def version_key(text: str) -> tuple[int, ...]:
    """A version's numbers, for comparing; empty where it begins with none."""
    found = _VERSION.match(text.strip())
    numbers = [int(part) for part in found[0].split(".")] if found else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


class Action(StrEnum):
    """What is to be done with a step."""

    RUN = "run"
    SKIP = "skip"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Decision:
    """An action, why, and for a block the way out. `plan` prints it and `apply` follows it."""

    action: Action
    why: str
    hint: str = ""


class Way(StrEnum):
    """What a run is for: each way is a list of steps of its own."""

    ONBOARD = "onboard"
    UPGRADE = "upgrade"
    """A newer agent for servers that are connected, and nothing else."""
    RECONNECT = "reconnect"
    """Disconnected and connected anew, whatever the state of the connection."""


def run(why: str) -> Decision:
    """The step is to be run."""
    return Decision(Action.RUN, why)


def skip(why: str) -> Decision:
    """There is nothing to do."""
    return Decision(Action.SKIP, why)


def block(why: str, hint: str = "") -> Decision:
    """The host must not be touched."""
    return Decision(Action.BLOCK, why, hint)


@dataclass(frozen=True, slots=True)
class MachineSummary:
    """As much of a machine as a decision needs, as it was when the facts were taken."""

    status: str
    vm_id: str
    changed: str
    vm_uuid: str = ""
    fqdn: str = ""
    kind: str = ""

    @classmethod
    def of(cls, machine: Machine | None) -> Self | None:
        """From what ARM reports; None where there is no machine."""
        if machine is None:
            return None
        changed = str(machine.last_status_change or "")
        return cls(machine.status, machine.vm_id, changed, machine.vm_uuid, machine.fqdn, machine.kind)


@dataclass(frozen=True, slots=True)
class HostPayload:
    """What the bundle holds for one host.

    Attributes:
        system: what the host runs.
        network_script: the host script's part that opens connections; None in a bundle that was built
            before there was one.
        package: the agent for its package format and processor, None where there is none.
        version: that package's version.
    """

    system: System
    bundle_id: str
    script: BundleFile
    network_script: BundleFile | None
    package: BundleFile | None
    version: str

    @property
    def folder(self) -> str:
        """Where it is staged on the host."""
        return self.system.staged(self.bundle_id)

    @property
    def files(self) -> tuple[BundleFile, ...]:
        """Everything that the host needs, the script first."""
        return tuple(filter(None, (self.script, self.network_script, self.package)))

    def staged(self, file: BundleFile) -> str:
        """The path of a file on the host."""
        return self.system.staged(self.bundle_id, file.name)

    @property
    def script_path(self) -> str:
        """The path of the host script on the host."""
        return self.staged(self.script)


def payload_for(bundle: Bundle, facts: HostFacts) -> HostPayload:
    """What the bundle holds for a host with these facts."""
    system = system_of(facts.os)
    package = bundle.agent_package(facts.package_format, facts.arch)
    version = bundle.agent(package).version if package else ""
    scripts = host_scripts(bundle, system)
    return HostPayload(system, bundle.id, scripts[0], next(iter(scripts[1:]), None), package, version)


def host_scripts(bundle: Bundle, system: System) -> tuple[BundleFile, ...]:
    """A system's host script, and the part of it that opens connections, which older bundles lack.

    Raises:
        InputError: the bundle holds no host script for it.
    """
    script = bundle.host_script(system.name)
    try:
        return script, bundle.host_script(f"{system.name}-network")
    except InputError:
        return (script,)


@dataclass(frozen=True, slots=True)
class HostState:
    """Everything that the steps of one host decide on.

    Attributes:
        machine: the machine of the host's name in the target, None where there is none.
        azure_known: whether ARM was asked at all, which a plan without a sign-in does not, and answered.
        azure_error: why ARM, asked, did not say whether the machine exists.
        finished: steps that ended well in earlier attempts of the same run.
        begun: steps that were begun in earlier attempts of the same run.
        reconnect: whether an agent that is connected elsewhere, or no longer, may be disconnected there.
        way: what the run is for.
        objection: why this host must not be touched at all, whatever its steps would say.
    """

    host: Host
    facts: HostFacts
    target: AzureTarget
    payload: HostPayload
    machine: MachineSummary | None = None
    azure_known: bool = True
    azure_error: str = ""
    finished: frozenset[str] = frozenset()
    begun: frozenset[str] = frozenset()
    reconnect: bool = False
    way: Way = Way.ONBOARD
    objection: Decision | None = None

    @property
    def agent(self) -> HostAgent:
        """The agent on the host."""
        return self.facts.agent

    @property
    def connected_here(self) -> bool:
        """Whether the host's agent is connected to just the machine that this run would make."""
        return is_connected_to(self.agent, self.target, self.host.name)

    @property
    def moves(self) -> bool:
        """Whether its agent has to leave the machine that it holds, and may."""
        if self.way is Way.RECONNECT:
            return self.connected_here and "connect" not in self.finished
        if not self.reconnect or not self.agent.has_machine:
            return False
        gone = self.azure_known and self.machine is None
        return not self.connected_here or self.agent.expired or gone

    @property
    def stays(self) -> bool:
        """Whether its agent keeps its connection, which is the one that is wanted."""
        return self.connected_here and not self.moves


def is_connected_to(agent: HostAgent, target: AzureTarget, name: str) -> bool:
    """Whether an agent holds the identity of the machine of that name in the target."""
    if agent.resource_id:
        return agent.resource_id.lower() == target.machine_id(name).lower()
    return (agent.subscription_id, agent.resource_group.lower(), agent.resource_name.lower()) == (
        target.subscription_id,
        target.resource_group.lower(),
        name.lower(),
    )


def survey_to_json(
    facts: HostFacts, machine: MachineSummary | None, *, azure_known: bool, azure_error: str = ""
) -> dict[str, Any]:
    """What was learned of a host, as plain JSON for the run's record."""
    return {
        "facts": asdict(facts),
        "machine": machine and list(asdict(machine).values()),
        "azure_known": azure_known,
        # Named so by the records of runs that began before; a run may be resumed with a newer arcferry.
        "azure_silence": azure_error,
    }


def state_from(document: Mapping[str, Any], host: Host, target: AzureTarget, bundle: Bundle) -> HostState:
    """Read what `survey_to_json` wrote; of earlier attempts it knows nothing."""
    facts = HostFacts.from_json(document["facts"])
    seen = document["machine"]
    return HostState(
        host=host,
        facts=facts,
        target=target,
        payload=payload_for(bundle, facts),
        machine=None if seen is None else MachineSummary(*seen),
        azure_known=bool(document["azure_known"]),
        azure_error=str(document.get("azure_silence", "")),
    )
