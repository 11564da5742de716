"""A host's result file: one JSON document that the server itself wrote, so every word of it is a claim."""

import json
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from arcferry import catalog
from arcferry.azure import Machine
from arcferry.bundle import blocks
from arcferry.errors import first_problem
from arcferry.evidence.readers.values import text_of
from arcferry.fleet.host_state import HostAgent, at_least, read_agent
from arcferry.fleet.inventory import Host
from arcferry.fleet.outcome import HostOutcome, HostRun, StepResult, StepState
from arcferry.fleet.script import ScriptAnswer, masked_fields
from arcferry.fleet.steps.check import agent_failure
from arcferry.redaction import mask, mask_value
from arcferry.text import NumberError, from_json, one_line, quoted
from arcferry.times import from_text

LARGEST = 4 * 1024 * 1024
"""Bytes of a result: an honest one has at most some 300 KB, with every output at its bound."""

MOST_EVIDENCE = 1024 * 1024
"""Bytes of the path evidence that are judged and written: an honest one has at most some 200 KB."""

SCHEMA = 1
_MOST_ANSWERS = 40
_SWALLOWED = (
    "no result can be delivered under its name, and one may have been moved into it. Remove it, and run the "
    "script on the host again"
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_AGENTS_OWN = {"check", "connect"}
_NOT_HEARD = "not-heard-from"
NOT_HEARD_SAYS = "connected, not yet heard from"


@dataclass(frozen=True, slots=True)
class Reported:
    """What one host reported.

    Attributes:
        run: its steps as a run's, so that they read and print as those of `onboard apply`.
        file: the name of its file.
        via: the tool that took the script there, as the host says.
        bundle: the id of the bundle, as the host says.
        ended: None if it is no instant.
        agent: what it said last of its connection.
        was: the version that its agent had before, if it has another now; else empty.
        told: its answers to `connect` and `show`, one JSON object a line; empty if they were let go.
        path: the path evidence, a document as `arcferry check` prints it; None if there is none, or if
            it was let go.
        too_much: whether its path evidence is more than is judged, and was let go unread.
        symptoms: stands for what makes it fail, the same for hosts that fail alike.
    """

    run: HostRun
    file: str
    via: str
    bundle: str
    began: datetime | None
    ended: datetime | None
    agent: HostAgent = field(default_factory=HostAgent)
    was: str = ""
    told: str = field(repr=False, default="")
    path: Mapping[str, Any] | None = field(repr=False, default=None)
    too_much: bool = False
    symptoms: bytes = field(repr=False, default=b"")

    @property
    def name(self) -> str:
        """The host's name."""
        return self.run.host.name

    @property
    def connected(self) -> bool:
        """Whether it is."""
        return self.run.outcome is HostOutcome.CONNECTED

    @property
    def failed(self) -> bool:
        """Whether a step of it failed, so that it has no machine in Azure, or not the right one."""
        return self.run.outcome is HostOutcome.FAILED

    def seen_in(self, machines: Mapping[str, Machine], group: str) -> "Reported":
        """The same as Azure sees it, which counts where the host says that its machine is made.

        Args:
            machines: all of the resource group, by lower-case name.
            group: the resource group's name.
        """
        name = self.agent.resource_name or self.name
        machine = machines.get(name.lower())
        if self.failed:
            return replace(self, run=replace(self.run, machine=machine))
        if machine is None:
            return self._with(None, f"Azure has no machine {name} in {group}", "no-machine")
        if self.agent.vm_id and machine.vm_id and self.agent.vm_id.lower() != machine.vm_id.lower():
            says = f"Azure's machine {name} is another server: its vmId is {machine.vm_id}"
            return self._with(machine, f"{says}, here it is {self.agent.vm_id}", "another-server")
        if machine.connected and self.was and not at_least(machine.agent_version, self.agent.version):
            shown = machine.agent_version or "unknown"
            says = f"upgraded to {self.agent.version}, and Azure still shows agent {shown}"
            return self._with(machine, says, _NOT_HEARD)
        if machine.connected:
            return self._with(machine)
        says = f"{NOT_HEARD_SAYS}: Azure shows it as {machine.status or 'nothing'}"
        return self._with(machine, says, _NOT_HEARD)

    def _with(self, machine: Machine | None, says: str = "", code: str = "") -> "Reported":
        """The same with its machine, and with what is wrong, if anything is."""
        steps = tuple(
            replace(step, state=StepState.DONE, says="done", hint="", code="")
            if step.code == _NOT_HEARD
            else step
            for step in self.run.steps
        )
        outcome = HostOutcome.CONNECTED
        if code:
            outcome = HostOutcome.NOT_HEARD_FROM if code == _NOT_HEARD else HostOutcome.FAILED
            steps = (*steps, _unheard(says, code))
        return replace(self, run=replace(self.run, outcome=outcome, steps=steps, machine=machine))


class NotAResultError(Exception):
    """A file that is left out; the text says why."""


class _Result(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    host: Annotated[str, Field(max_length=64)]
    outcome: Literal["connected", "not-heard-from", "failed"]
    via: Annotated[str, Field(max_length=40)] = ""
    bundle: Annotated[str, Field(max_length=64)] = ""
    began: Annotated[str, Field(max_length=64)] = ""
    ended: Annotated[str, Field(max_length=64)] = ""
    answers: Annotated[list[dict[str, Any]], Field(max_length=_MOST_ANSWERS)] = []
    path: dict[str, Any] | None = None


def read_result(path: Path) -> Reported:
    """Read one host's file.

    Raises:
        NotAResultError: it is not a whole result, or another host's.
    """
    try:
        result = _Result.model_validate(_document(_bytes(path)), strict=True)
    except ValidationError as error:
        problem = one_line(f"is no result of a host: {first_problem(error)}", limit=200)
        raise NotAResultError(problem) from None
    too_much = result.path is not None and len(json.dumps(result.path)) > MOST_EVIDENCE
    if too_much:
        result = result.model_copy(update={"path": None})
    # As it may be kept, shown and written; the host's name is compared with its file's instead.
    told = {"via": result.via, "bundle": result.bundle, "path": result.path}
    result = result.model_copy(update=mask_value(told))
    if not _NAME.fullmatch(result.host):
        raise NotAResultError(f"names no host: {quoted(mask(result.host), limit=60)}")
    if result.host.lower() != path.stem.lower():
        raise NotAResultError(f"holds the result of another host, {result.host}; look who owns the file")
    answers = [_answer(masked_fields(one)) for one in result.answers]
    agent = next((read_agent(answer) for answer in reversed(answers) if answer.verb == "show"), HostAgent())
    before = next((read_agent(answer).version for answer in answers if answer.verb == "facts"), "")
    was = before if agent.version not in {"", before} else ""
    steps = tuple(_step(answer, was) for answer in answers)
    # The script stops at a failure, so its output alone is kept: what a host says has to have an end.
    failed = next((step for step in steps if step.state is StepState.FAILED), None)
    steps = tuple(step if step is failed else replace(step, output="") for step in steps)
    outcome = _outcome(result, answers, agent)
    if outcome is HostOutcome.NOT_HEARD_FROM:
        says = f"{NOT_HEARD_SAYS}: the agent says {agent.status or 'nothing'}"
        steps = (*(step for step in steps if step.step != "show"), _unheard(says, _NOT_HEARD))
    return Reported(
        run=HostRun(Host(result.host, result.host), outcome, _explained(result, steps)),
        file=path.name,
        via=one_line(result.via, limit=40),
        bundle=one_line(result.bundle, limit=64),
        began=_instant(result.began),
        ended=_instant(result.ended),
        agent=agent,
        was=was,
        told="\n".join(json.dumps(one.fields) for one in answers if one.verb in ("connect", "show")),
        path=result.path,
        too_much=too_much,
    )


def _outcome(result: _Result, answers: list[ScriptAnswer], agent: HostAgent) -> HostOutcome:
    """What the host says, unless its own answers say otherwise; connected is what its agent calls so."""
    whole = any(answer.verb == "show" for answer in answers) and all(answer.ok for answer in answers)
    if result.outcome == "failed" or not whole:
        return HostOutcome.FAILED
    heard = result.outcome == "connected" and agent.status.lower() == "connected"
    return HostOutcome.CONNECTED if heard else HostOutcome.NOT_HEARD_FROM


def _unheard(says: str, code: str) -> StepResult:
    return StepResult("show", StepState.FAILED, says, hint=_hints()[code], code=code)


def _bytes(path: Path) -> bytes:
    try:
        with blocks.open_regular(path) as stream:
            data = blocks.whole(stream, limit=LARGEST + 1)
    except blocks.NotRegularError as error:
        way = f"; {_SWALLOWED}" if str(error) == "folder" else ""
        raise NotAResultError(f"is a {error}, not a file{way}") from error
    except (OSError, blocks.UnreadableError) as error:
        raise NotAResultError(f"cannot be read: {error.strerror or error}") from error
    if len(data) > LARGEST:
        raise NotAResultError(f"is larger than the {LARGEST:,} bytes that are read of a result")
    if not data.strip():
        raise NotAResultError("is empty")
    return data


def _document(data: bytes) -> dict[str, Any]:
    """The JSON object, also with the byte order mark or in the UTF-16 that PowerShell 5.1 writes."""
    text = text_of(data)
    try:
        document = from_json(text) if text else None
    except NumberError as error:
        raise NotAResultError(f"could not be read: it holds {error}") from None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise NotAResultError("is not one whole JSON document; was it cut short?")
    if document.get("kind") != "host-run":
        raise NotAResultError("is no result of a host")
    if document.get("schema") != SCHEMA:
        schema = one_line(mask(str(document.get("schema"))), limit=20)
        raise NotAResultError(f"is of schema {schema}; this arcferry reads {SCHEMA}")
    return document


def _answer(fields: dict[str, Any]) -> ScriptAnswer:
    verb = fields.get("verb")
    name = one_line(verb, limit=20) if isinstance(verb, str) else ""
    return ScriptAnswer(name or "unknown", fields.get("ok") is True, fields)


def _step(answer: ScriptAnswer, was: str) -> StepResult:
    if answer.ok:
        version = answer.text("version", limit=40)
        unchanged = "; nothing was to be done" if answer.flag("changed") is False else ""
        says = f"agent {version}" if answer.verb == "install" and version else "done"
        says += f", {was} before" if answer.verb == "install" and was else ""
        return StepResult(answer.verb, StepState.DONE, says + unchanged)
    # If the agent ran, it is the agent that failed; else the script refused to let it.
    if answer.verb in _AGENTS_OWN and answer.number("exit") is not None:
        return agent_failure(answer.verb, answer)
    meaning, hint = _way_out(answer)
    return StepResult(
        answer.verb,
        StepState.FAILED,
        answer.text("message") or f"{answer.verb} failed",
        hint=hint,
        code=answer.text("code", limit=40),
        meaning=meaning,
        output=answer.output(),
    )


def _explained(result: _Result, steps: tuple[StepResult, ...]) -> tuple[StepResult, ...]:
    """The steps, and if a host is not connected and none of them says why, one that says so."""
    if any(step.state is StepState.FAILED for step in steps):
        return steps
    if result.outcome == "connected" and any(step.step == "show" for step in steps):
        return steps
    says, hint = "the result does not say which step failed", "Run the script on the host once by hand."
    return (*steps, StepResult("onboard", StepState.FAILED, says, hint=hint))


def _instant(text: str) -> datetime | None:
    with suppress(ValueError):
        return from_text(text)
    return None


@cache
def _hints() -> dict[str, str]:
    text = resources.files("arcferry.export").joinpath("ways_out.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _way_out(answer: ScriptAnswer) -> tuple[str, str]:
    """What the catalogue knows about a failed answer's code, and what to do; empty if nothing is known."""
    code = answer.text("code", limit=40)
    status = answer.number("exit")
    if code in {"install-failed", "uninstall-failed"} and status is not None and answer.text("log"):
        if known := catalog.known_code(f"msiexec {status}"):
            return known.meaning, known.remedy
        return "", f"Read the log on the server: {answer.text('log')}"
    return "", _hints().get(code, "")
