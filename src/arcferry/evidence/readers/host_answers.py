"""What the host script answers, one JSON object a line, and the result file that an export leaves."""

from collections.abc import Iterator, Mapping

from arcferry.evidence.case import Document, Kind
from arcferry.evidence.readers import values

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
    """The answers themselves: what was not ok, and the script's own words for it."""
    notes = []
    for one in _answers(value):
        if one.get("ok") is False:
            said = (values.word(one.get("code"), 60), values.short(one.get("message")))
            notes.append(f"{one['verb']}: {': '.join(filter(None, said)) or 'not ok'}")
    return Document(name, Kind.HOST_ANSWERS, notes=tuple(notes))


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


def _answers(value: object) -> list[Mapping[str, object]]:
    document = values.mapping(value)
    if document.get("kind") == "host-run":
        value = document.get("answers")
    elif document:
        value = [document]
    return values.mappings(value, _MOST)
