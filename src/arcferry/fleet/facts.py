"""What a host says about itself. Everything in it is the host's claim: bounded and cleaned, never obeyed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from arcferry.redaction import mask, mask_value, redact_value
from arcferry.text import clean, from_json, one_line

_COMPARED = (
    "hostname", "resource_id", "resource_name", "subscription_id", "resource_group", "location", "vm_id",
)  # fmt: skip
"""What is compared with Azure's own words, and would differ once a word of it was hidden for its looks."""
_VERSION = re.compile(r"\d{1,9}(?:\.\d{1,9}){0,5}")


@dataclass(frozen=True, slots=True)
class ScriptAnswer:
    """One line of the host script. Missing or wrongly typed fields read as empty."""

    verb: str
    ok: bool
    fields: Mapping[str, Any] = field(default_factory=dict)

    def text(self, key: str, *, limit: int = 300) -> str:
        """A field as one clean line, empty if it is no text."""
        return one_line(self._string(key), limit=limit)

    def output(self, *, limit: int = 16_000) -> str:
        """The end of what a program printed, cleaned, its lines kept."""
        # Again, now that no terminal sequence can part a name any more.
        return mask(clean(self._string("output"), limit=4 * limit))[-limit:]

    def number(self, key: str) -> int | None:
        """A field as a whole number below 2^63."""
        value = self.fields.get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        return value if abs(value) < 1 << 63 else None

    def flag(self, key: str) -> bool | None:
        """A field as true or false."""
        value = self.fields.get(key)
        return value if isinstance(value, bool) else None

    def _string(self, key: str) -> str:
        value = self.fields.get(key)
        # JSON can hold halves of surrogate pairs, which no file and no terminal takes.
        return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""

    def part(self, key: str) -> "ScriptAnswer":
        """An object inside, empty where there is none."""
        value = self.fields.get(key)
        return ScriptAnswer(self.verb, self.ok, value if isinstance(value, dict) else {})


def read_answer(verb: str, text: str) -> ScriptAnswer | None:
    """The last line of the output that answers to `verb`, whatever else the host printed around it."""
    for line in reversed(text.splitlines()):
        if not line.lstrip().startswith("{"):
            continue
        try:
            document = from_json(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(document, dict) and document.get("schema") == 1 and document.get("verb") == verb:
            return ScriptAnswer(verb, document.get("ok") is True, masked_fields(document))
    return None


def masked_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What a host answered as it may be kept: this is where its words come in, and secrets stay out."""
    found: dict[str, Any] = {}
    for key, value in fields.items():
        if key in _COMPARED:
            found |= redact_value({key: value})
        elif key == "agent" and isinstance(value, dict):
            found[key] = masked_fields(value)
        else:
            found |= mask_value({key: value})
    return found


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
    last_heartbeat: str = ""

    @property
    def has_machine(self) -> bool:
        """Whether the agent is connected to some machine in Azure, be it alive or not."""
        return bool(self.resource_id or (self.resource_name and self.subscription_id))


@dataclass(frozen=True, slots=True)
class HostFacts:
    """The answer to the host script's `facts`.

    Attributes:
        disk_free: bytes free under /var, None where unknown; `opt_free` likewise under /opt.
        skew: the host's clock minus ours, in seconds; None where it does not say.
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
