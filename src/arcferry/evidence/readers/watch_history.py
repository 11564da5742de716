"""The document that `arcferry watch show --output json` prints: what stood at its last round."""

from collections.abc import Mapping

from arcferry import typed
from arcferry.errors import FileInputError
from arcferry.evidence.document import Attempt, Document, Kind
from arcferry.evidence.readers import values
from arcferry.probe.observation import DnsAnswer, Failure, Stage

_MOST = 5000


def looks_right(value: object) -> bool:
    """Whether this is a watch's history."""
    return values.mapping(value).get("kind") == "watch-history"


def _rows(value: object) -> list[Mapping[str, object]]:
    """The newest rows; the document has the oldest first."""
    return [values.mapping(item) for item in value[-_MOST:]] if isinstance(value, list) else []


def _answers(rows: list[Mapping[str, object]], name: str) -> dict[tuple[str, str], DnsAnswer]:
    """The last answer of each resolver for each name: what was answered before is no longer so."""
    newest: dict[tuple[str, str], DnsAnswer] = {}
    for row in rows:
        host, resolver = values.host(row.get("host")), typed.resolver(row.get("resolver"))
        if host:
            addresses = [
                found for text in values.texts(row.get("addresses")) if (found := values.address(text))
            ]
            chain = [link for text in values.texts(row.get("chain")) if (link := values.host(text))]
            taken, says = values.instant(row.get("last")), values.word(row.get("says"), 40)
            newest[host, resolver] = DnsAnswer(
                host, tuple(chain), tuple(addresses), resolver, says, name, taken
            )
    return newest


def _attempt(row: Mapping[str, object], name: str) -> Attempt | None:
    host, reached = values.host(row.get("host")), values.flag(row.get("reached"))
    if not host or reached is None:
        return None
    stage, _, kind = values.short(row.get("says"), 60).partition(" ")
    kind = values.word(kind, 60)
    known = not reached and stage in list(Stage)
    failure = Failure(Stage(stage), kind, f"{stage} {kind}") if known else None
    return Attempt(host, name, reached, values.instant(row.get("last")), failure=failure)


def read(name: str, value: object) -> Document:
    """The newest answers and the newest word on each endpoint.

    Raises:
        FileInputError: the document is of a newer schema than this version reads.
    """
    whole = values.mapping(value)
    if whole.get("schema", 1) != 1:
        found = typed.word(str(whole["schema"])) or typed.NOT_SHOWN
        raise FileInputError(name, f"a watch's history of schema {found}; this reads 1")
    newest: dict[str, Attempt] = {}
    for row in _rows(whole.get("reach")):
        if seen := _attempt(row, name):
            newest[seen.host] = seen
    return Document(
        name,
        Kind.WATCH_HISTORY,
        values.instant(whole.get("last")),
        attempts=tuple(newest.values()),
        answers=tuple(_answers(_rows(whole.get("answers")), name).values()),
    )
