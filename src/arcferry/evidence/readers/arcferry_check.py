"""arcferry's own documents: what `check` prints as JSON or JSON lines, and `watch show` as JSON."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from arcferry import typed
from arcferry.catalog import When, endpoint_named
from arcferry.errors import FileInputError
from arcferry.evidence.case import SCOPE_UNNAMED, AgentState, Document, Kind
from arcferry.evidence.readers import values
from arcferry.evidence.readers.agent_show import scope
from arcferry.probe.observation import Attempt, DnsAnswer, Failure, OtherFamily, Stage, TlsSession

_MOST = 2000
_MOST_WATCHED = 5000
_MOST_SITES = 500
_LINES = ("endpoint", "check", "finding", "findings")
"""What the lines of a check in `jsonl` can be; its findings are concluded anew."""

_Fields = Mapping[str, object]


def looks_right(value: object) -> bool:
    """Whether this is a check, as one object or as one object a line."""
    if isinstance(value, list):
        kinds = [str(values.mapping(item).get("kind")) for item in value]
        return bool({"endpoint", "check"} & set(kinds)) and all(kind in _LINES for kind in kinds)
    document = values.mapping(value)
    return document.get("kind") == "check" and isinstance(document.get("endpoints"), list)


def is_history(value: object) -> bool:
    """Whether this is what `watch show` prints: what stood at its last round."""
    return values.mapping(value).get("kind") == "watch-history"


def is_history_of_sites(value: object) -> bool:
    """Whether this is what `watch show` prints of several sites: the history of each."""
    return values.mapping(value).get("kind") == "watch-sites"


def require_schema(document: _Fields, name: str, what: str) -> None:
    """What is written of another schema than 1, is not read.

    Raises:
        FileInputError: it is.
    """
    if document.get("schema", 1) != 1:
        found = typed.word(str(document["schema"])) or typed.NOT_SHOWN
        raise FileInputError(name, f"{what} of schema {found}; this reads 1")


def _failure(value: object) -> Failure | None:
    """Why a step failed, with its kind and its words; None if no step is named."""
    fields = values.mapping(value)
    stage = values.short(fields.get("stage"), 20)
    if stage not in list(Stage):
        return None
    return Failure(Stage(stage), values.word(fields.get("kind"), 60), values.short(fields.get("says")))


def _session(value: object) -> TlsSession | None:
    """What the server proved in the handshake; None if there was none."""
    fields = values.mapping(value)
    if not fields:
        return None

    def named(text: object, limit: int) -> str:
        return typed.name(values.short(text, limit))

    return TlsSession(
        version=values.word(fields.get("version"), 20),
        cipher=values.word(fields.get("cipher"), 80),
        issuer=named(fields.get("issuer"), 200),
        subject=named(fields.get("subject"), 200),
        names=tuple(named(text, 253) for text in values.texts(fields.get("names"))),
        not_after=values.instant(fields.get("not_after")) or datetime.max.replace(tzinfo=UTC),
        public_root=values.flag(fields.get("public_root")) is not False,
    )


def attempt(fields: _Fields, origin: str, taken: object, proxy: object, resolver: object) -> Attempt | None:
    """What a row of a check or of kept evidence says of reaching its endpoint; None if it says nothing."""
    reachable, host = values.flag(fields.get("reachable")), values.host(fields.get("host"))
    failed = _failure(fields.get("failure"))
    if reachable is None or not (host or failed):
        return None
    return Attempt(
        host=host,
        origin=origin,
        reachable=reachable,
        taken=values.instant(taken),
        required=values.flag(fields.get("required")),
        private=values.flag(fields.get("private")),
        proxy=typed.proxy(proxy),
        resolver=typed.resolver(resolver),
        address=values.address(fields.get("address")),
        failure=None if reachable else failed,
        tls=_session(fields.get("tls")),
        clock_skew=values.number(fields.get("clock_skew")),
        other_family=_other_family(fields.get("other_family")),
    )


def _other_family(value: object) -> OtherFamily | None:
    fields = values.mapping(value)
    address = values.address(fields.get("address"))
    if not address:
        return None
    return OtherFamily(address, _failure(fields.get("failure")), values.flag(fields.get("first")))


def _attempt(fields: _Fields, name: str, whole: _Fields) -> Attempt | None:
    resolver = values.mapping(fields.get("dns")).get("resolver") or whole.get("resolver")
    seen = attempt(fields, name, whole.get("taken"), whole.get("proxy"), resolver)
    if seen is None:
        return None
    known = endpoint_named(seen.host) if seen.host else None
    install = known is not None and known.when is When.INSTALL
    required = False if install else seen.required
    return replace(seen, required=required, proxied=fields.get("proxy") == "set", install=install)


def _answer(fields: _Fields, name: str, whole: _Fields) -> DnsAnswer | None:
    dns = values.mapping(fields.get("dns"))
    host, addresses = values.host(fields.get("host")), values.addresses(dns.get("addresses"))
    if not host or not addresses:
        return None
    resolver = typed.resolver(dns.get("resolver") or whole.get("resolver"))
    taken = values.instant(whole.get("taken"))
    return DnsAnswer(host, values.hosts(dns.get("chain")), addresses, resolver, origin=name, taken=taken)


def read(name: str, value: object) -> Document:
    """The rows of a check with their DNS answers.

    Raises:
        FileInputError: the document is of a newer schema than this version reads.
    """
    whole = values.mapping(value)
    fields = values.mappings(whole.get("endpoints"), _MOST)
    if isinstance(value, list):
        items = [values.mapping(item) for item in value]
        fields = [one for one in items if one.get("kind") == "endpoint"][:_MOST]
        whole = next((one for one in reversed(items) if one.get("kind") == "check"), {})
    require_schema(whole, name, "a check")
    return Document(
        name,
        Kind.ARCFERRY_CHECK,
        values.instant(whole.get("taken")),
        attempts=tuple(seen for row in fields if (seen := _attempt(row, name, whole))),
        answers=tuple(answer for row in fields if (answer := _answer(row, name, whole))),
        location=typed.location(whole.get("location")),
        agent_state=_scope(name, whole.get("private_link")),
    )


def _scope(name: str, value: object) -> AgentState | None:
    """The private link scope that a check was told of; None if it was told of none."""
    told = values.mapping(value)
    used = scope(values.short(told.get("scope")) or SCOPE_UNNAMED) if told else ""
    return AgentState(name, private_link_scope=used) if used else None


def _newest_rows(value: object) -> list[_Fields]:
    """The newest rows; the document has the oldest first."""
    return values.mappings(value[-_MOST_WATCHED:], _MOST_WATCHED) if isinstance(value, list) else []


def _watched_answer(row: _Fields, name: str) -> DnsAnswer | None:
    host, resolver = values.host(row.get("host")), typed.resolver(row.get("resolver"))
    chain, addresses = values.hosts(row.get("chain")), values.addresses(row.get("addresses"))
    taken, says = values.instant(row.get("last")), values.word(row.get("says"), 40)
    return DnsAnswer(host, chain, addresses, resolver, says, name, taken) if host else None


def _watched_attempt(row: _Fields, name: str) -> Attempt | None:
    host, reached = values.host(row.get("host")), values.flag(row.get("reached"))
    if not host or reached is None:
        return None
    stage, _, kind = values.short(row.get("says"), 60).partition(" ")
    kind = values.word(kind, 60)
    known = not reached and stage in list(Stage)
    failed = Failure(Stage(stage), kind, f"{stage} {kind}") if known else None
    return Attempt(host, name, reached, values.instant(row.get("last")), failure=failed)


def read_history(name: str, value: object) -> Document:
    """The newest answer of each resolver for each name, and the newest word on each endpoint.

    What was answered before is no longer so.

    Raises:
        FileInputError: the document is of a newer schema than this version reads.
    """
    whole = values.mapping(value)
    require_schema(whole, name, "a watch's history")
    reach, answers = _newest_rows(whole.get("reach")), _newest_rows(whole.get("answers"))
    attempts = {seen.host: seen for row in reach if (seen := _watched_attempt(row, name))}
    newest = {(one.host, one.resolver): one for row in answers if (one := _watched_answer(row, name))}
    return Document(
        name,
        Kind.WATCH_HISTORY,
        values.instant(whole.get("last")),
        attempts=tuple(attempts.values()),
        answers=tuple(newest.values()),
    )


def read_sites(name: str, value: object) -> tuple[Document, ...]:
    """The history of each site, to be judged apart: what one site reaches says nothing of another.

    Raises:
        FileInputError: one of the documents is of a newer schema than this version reads.
    """
    whole = values.mapping(value)
    require_schema(whole, name, "a watch of several sites")
    found = []
    for history in filter(is_history, values.mappings(whole.get("sites"), _MOST_SITES)):
        site = typed.name(values.short(history.get("site"), 64))
        of_site = f"site {site}" if site else "no site"
        found.append(replace(read_history(f"{name}, {of_site}", history), servers=(of_site,)))
    return tuple(found)
