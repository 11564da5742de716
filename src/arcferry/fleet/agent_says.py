"""What the agent's output says when a check or a connect fails: its code, and what it could not reach."""

from collections.abc import Callable

from arcferry import catalog
from arcferry.errors import UnknownNameError
from arcferry.evidence.document import Document
from arcferry.evidence.readers import agent_check, agent_connect
from arcferry.evidence.readers.edge import kept_apart
from arcferry.fleet.facts import Answer
from arcferry.fleet.outcome import StepResult, StepState


def agent_failure(step: str, answer: Answer) -> StepResult:
    """The failed step, with the code's meaning from the catalogue and the endpoints behind it."""
    output = answer.output()
    code = answer.text("code", limit=40)
    hosts = unreachable(output)
    meaning, remedy = meaning_of(code)
    if hosts:
        says = f"{code or 'the agent'}: cannot reach {', '.join(hosts[:4])}"
        says += f" and {len(hosts) - 4} more" if len(hosts) > 4 else ""  # noqa: PLR2004  # as many as above
    elif meaning:
        own = own_words(output)
        says = f"{code}: {meaning}" + (f" The agent says: {own}" if own else "")
    else:
        says = answer.text("message") or f"azcmagent {step} failed"
    return StepResult(
        step,
        StepState.FAILED,
        says,
        hint=_hint(hosts, remedy),
        code=code,
        meaning=meaning,
        unreachable=hosts,
        output=output,
    )


def unreachable(output: str) -> tuple[str, ...]:
    """The endpoints that a `check` table or a `connect` output gives up on."""
    hosts: dict[str, None] = {}
    for reader in (agent_check.read, agent_connect.read):
        document = _document(reader, output)
        if document is not None:
            hosts.update((seen.host, None) for seen in document.attempts if not seen.reachable)
    return tuple(hosts)


def own_words(output: str) -> str:
    """What the agent prints beside its first code, on one line; empty where there is none."""
    document = _document(agent_connect.read, output)
    return document.codes[0].says if document is not None and document.codes else ""


def _document(reader: Callable[[str, str], Document | None], output: str) -> Document | None:
    """What the reader finds; nothing where it meets a surprise, which the diagnosis of the run tells."""
    return kept_apart(lambda: reader("agent", output), lambda _: None)


def meaning_of(code: str) -> tuple[str, str]:
    """What the catalogue knows about an agent's code, and its remedy; empty where it knows nothing."""
    if not code.upper().startswith("AZCM"):
        return "", ""
    try:
        known = catalog.code(code)
    except UnknownNameError:
        return "", ""
    return known.meaning, known.remedy


def _hint(hosts: tuple[str, ...], remedy: str) -> str:
    if hosts:
        return "Save the output to a file; arcferry explain FILE names the cause and who can change it."
    return remedy
