"""What a step decides on: a host's facts, its machine, the bundle and the target. No I/O in here."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from arcferry.azure import Machine, Target
from arcferry.bundle import Bundle, BundleFile
from arcferry.errors import InputError
from arcferry.fleet.facts import AgentState, Facts
from arcferry.fleet.inventory import Host

STAGING = "/var/lib/arcferry"


class Verdict(StrEnum):
    """What is to be done with a step."""

    RUN = "run"
    SKIP = "skip"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, why, and for a block the way out. `plan` prints it and `apply` follows it."""

    verdict: Verdict
    why: str
    hint: str = ""


def run(why: str) -> Decision:
    """The step is to be run."""
    return Decision(Verdict.RUN, why)


def skip(why: str) -> Decision:
    """There is nothing to do."""
    return Decision(Verdict.SKIP, why)


def block(why: str, hint: str = "") -> Decision:
    """The host must not be touched."""
    return Decision(Verdict.BLOCK, why, hint)


@dataclass(frozen=True, slots=True)
class MachineSeen:
    """As much of a machine as a decision needs, as it was when the facts were taken."""

    status: str
    vm_id: str
    changed: str

    @classmethod
    def of(cls, machine: Machine | None) -> "MachineSeen | None":
        """From what ARM reports; None where there is no machine."""
        if machine is None:
            return None
        return cls(machine.status, machine.vm_id, str(machine.last_status_change or ""))


@dataclass(frozen=True, slots=True)
class Packed:
    """What the bundle holds for one host.

    Attributes:
        package: the agent for its package format and processor, None where there is none.
        version: that package's version.
    """

    bundle_id: str
    script: BundleFile
    package: BundleFile | None
    version: str

    @property
    def folder(self) -> str:
        """Where it is staged on the host."""
        return f"{STAGING}/{self.bundle_id}"

    @property
    def files(self) -> tuple[BundleFile, ...]:
        """Everything that the host needs, the script first."""
        return (self.script, self.package) if self.package else (self.script,)

    def staged(self, file: BundleFile) -> str:
        """The path of a file on the host."""
        return f"{self.folder}/{PurePosixPath(file.name).name}"

    @property
    def script_path(self) -> str:
        """The path of the host script on the host."""
        return self.staged(self.script)


def packed_for(bundle: Bundle, facts: Facts) -> Packed:
    """What the bundle holds for a host with these facts."""
    package = bundle.agent_package(facts.package_format, facts.arch)
    version = bundle.agent(package).version if package else ""
    return Packed(bundle.id, bundle.host_script("linux"), package, version)


def linux_files(bundle: Bundle) -> tuple[BundleFile, ...]:
    """Every file of the bundle that a Linux host may need, whatever it turns out to be."""
    packages = [
        bundle.file(agent.file) for agent in bundle.manifest.agents if agent.format.lower() in {"deb", "rpm"}
    ]
    return (bundle.host_script("linux"), *packages)


def linux_script(bundle: Bundle) -> BundleFile:
    """The host script for Linux.

    Raises:
        InputError: the bundle holds none, so that it cannot be used for onboarding.
    """
    try:
        return bundle.host_script("linux")
    except InputError as error:
        hint = "Build the bundle anew with this version of arcferry."
        raise InputError(error.message, hint=hint) from None


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that the steps of one host decide on.

    Attributes:
        machine: the machine of the host's name in the target, None where there is none.
        azure_known: whether ARM was asked at all, which a plan without a sign-in does not, and told.
        azure_silence: why ARM, asked, did not tell whether the machine exists.
        finished: steps that ended well in earlier attempts of the same run.
        begun: steps that were begun in earlier attempts of the same run.
    """

    host: Host
    facts: Facts
    target: Target
    packed: Packed
    machine: MachineSeen | None = None
    azure_known: bool = True
    azure_silence: str = ""
    finished: frozenset[str] = frozenset()
    begun: frozenset[str] = frozenset()

    @property
    def agent(self) -> AgentState:
        """The agent on the host."""
        return self.facts.agent

    @property
    def connected_here(self) -> bool:
        """Whether the host's agent is connected to just the machine that this run would make."""
        return is_connected_to(self.agent, self.target, self.host.name)


def is_connected_to(agent: AgentState, target: Target, name: str) -> bool:
    """Whether an agent holds the identity of the machine of that name in the target."""
    if agent.resource_id:
        return agent.resource_id.lower() == target.machine_id(name).lower()
    return (agent.subscription_id, agent.resource_group.lower(), agent.resource_name.lower()) == (
        target.subscription_id,
        target.resource_group.lower(),
        name.lower(),
    )


def survey_to_json(
    facts: Facts, machine: MachineSeen | None, *, azure_known: bool, azure_silence: str = ""
) -> dict[str, Any]:
    """What was learned of a host, as plain JSON for the run's record."""
    seen = None if machine is None else [machine.status, machine.vm_id, machine.changed]
    return {
        "facts": facts.to_json(),
        "machine": seen,
        "azure_known": azure_known,
        "azure_silence": azure_silence,
    }


def situation_from(
    document: Mapping[str, Any],
    host: Host,
    target: Target,
    bundle: Bundle,
    *,
    finished: frozenset[str] = frozenset(),
    begun: frozenset[str] = frozenset(),
) -> Situation:
    """Read what `survey_to_json` wrote."""
    facts = Facts.from_json(document["facts"])
    seen = document["machine"]
    return Situation(
        host=host,
        facts=facts,
        target=target,
        packed=packed_for(bundle, facts),
        machine=None if seen is None else MachineSeen(*seen),
        azure_known=bool(document["azure_known"]),
        azure_silence=str(document.get("azure_silence", "")),
        finished=finished,
        begun=begun,
    )
