"""What the host script answers, one JSON object a line, and the result file that an export leaves."""

from collections.abc import Iterator, Mapping

from arcferry.evidence.case import HEARD_FROM, AgentState, Document, Kind
from arcferry.evidence.readers import agent_show, values

_VERBS = {"facts", "verify", "install", "check", "connect", "show", "disconnect", "uninstall", "usage"}
_MOST = 200


def looks_right(value: object) -> bool:
    """Whether this is one answer, several as one object a line, or a host's result file."""
    answers = _answers(value)
    return bool(answers) and all(
        one.get("schema") == 1 and one.get("verb") in _VERBS and isinstance(one.get("ok"), bool)
        for one in answers
    )


def read(name: str, value: object) -> Document:
    """The answers themselves: what was not ok, in the script's own words, and how the agent was last."""
    notes = []
    for one in _answers(value):
        if one.get("ok") is False:
            said = (values.word(one.get("code"), 60), values.short(one.get("message")))
            notes.append(f"{one['verb']}: {': '.join(filter(None, said)) or 'not ok'}")
    return Document(name, Kind.HOST_ANSWERS, notes=tuple(notes), agent_state=_state(name, value))


def printed(value: object) -> Iterator[tuple[str, str]]:
    """What programs printed that the script ran: the verb, and the text."""
    for one in _answers(value):
        output = one.get("output")
        if isinstance(output, str) and output.strip():
            yield str(one["verb"]), output


def paths(value: object) -> Iterator[object]:
    """The path evidence among the answers and beside them, each in the form of `arcferry check`."""
    found = [one.get("path") for one in (values.mapping(value), *_answers(value))]
    yield from (path for path in found if isinstance(path, dict))


def _state(name: str, value: object) -> AgentState | None:
    """What `show` or `connect` said last; None before, and after a disconnect.

    A machine that was made and of which Azure has had no heartbeat since has the property `heard from`.
    """
    pairs: list[tuple[str, str]] = []
    made: list[tuple[str, str]] = []
    for one in _answers(value):
        if one.get("ok") is not True:
            continue
        if one["verb"] in ("disconnect", "uninstall"):
            pairs, made = [], []
        elif one["verb"] == "connect" and isinstance(one.get("heard_from"), bool):
            made = [] if one["heard_from"] else [(HEARD_FROM, "no")]
            pairs = [("agent status", values.short(one.get("status")))]
        elif one["verb"] == "show":
            said = values.mapping(one.get("agent"))
            pairs = [(key.replace("_", " "), str(item)) for key, item in said.items() if key != "installed"]
            pairs = [("agent status", values.short(said.get("status"))), *pairs[:_MOST]]
    found = agent_show.of_pairs(name, [*made, *pairs])
    return found.agent_state if found else None


def _answers(value: object) -> list[Mapping[str, object]]:
    document = values.mapping(value)
    if document.get("kind") == "host-run":
        value = document.get("answers")
    elif document:
        value = [document]
    return values.mappings(value, _MOST)
