"""A failed check or connect: what the agent printed, and what it means."""

from collections.abc import Callable

from arcferry import catalog
from arcferry.catalog import Code
from arcferry.evidence.document import Document
from arcferry.evidence.readers import agent_check, agent_connect
from arcferry.evidence.readers.guard import kept_apart
from arcferry.fleet.facts import ScriptAnswer
from arcferry.fleet.outcome import StepResult, StepState

_MOST_NAMED = 4


def agent_failure(step: str, answer: ScriptAnswer) -> StepResult:
    """The failed step, with the code's meaning from the catalogue and the endpoints behind it."""
    output = answer.output()
    code = answer.text("code", limit=40)
    hosts = unreachable(output)
    known = agent_code(code)
    meaning, hint = (known.meaning, known.remedy) if known else ("", "")
    if hosts:
        says = f"{code or 'the agent'}: cannot reach {', '.join(hosts[:_MOST_NAMED])}"
        says += f" and {len(hosts) - _MOST_NAMED} more" if len(hosts) > _MOST_NAMED else ""
        hint = "Save the output to a file; arcferry explain FILE names the cause and who can change it."
    elif meaning:
        own = _own_words(output)
        says = f"{code}: {meaning}" + (f" The agent says: {own}" if own else "")
    else:
        says = answer.text("message") or f"azcmagent {step} failed"
    return StepResult(
        step, StepState.FAILED, says, hint, code=code, meaning=meaning, unreachable=hosts, output=output
    )


def unreachable(output: str) -> tuple[str, ...]:
    """The endpoints that a `check` table or a `connect` output gives up on."""
    hosts: dict[str, None] = {}
    for reader in (agent_check.read, agent_connect.read):
        document = _document(reader, output)
        if document is not None:
            hosts.update((seen.host, None) for seen in document.attempts if not seen.reachable)
    return tuple(hosts)


def _own_words(output: str) -> str:
    """What the agent prints beside its first code, on one line; empty where there is none."""
    document = _document(agent_connect.read, output)
    return document.codes[0].says if document is not None and document.codes else ""


def _document(reader: Callable[[str, str], Document | None], output: str) -> Document | None:
    """What the reader finds; nothing where it meets a surprise, which the diagnosis of the run tells."""
    return kept_apart(lambda: reader("agent", output), lambda _: None)


def agent_code(code: str) -> Code | None:
    """What the catalogue knows about an agent's code."""
    return catalog.code(code) if code.upper().startswith("AZCM") and catalog.is_code(code) else None
