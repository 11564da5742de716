"""The document that `arcferry check --output json` or `jsonl` prints."""

from collections.abc import Mapping
from datetime import UTC, datetime

from arcferry import typed
from arcferry.catalog import When, endpoint_named
from arcferry.errors import FileInputError
from arcferry.evidence.document import Attempt, Document, Kind
from arcferry.evidence.readers import values
from arcferry.probe.observation import DnsAnswer, Failure, Stage, TlsSession

_MOST = 2000
_LINES = ("endpoint", "check", "finding", "findings")
"""What the lines of a check in `jsonl` can be; its findings are concluded anew."""


def looks_right(value: object) -> bool:
    """Whether this is a check, as one object or as one object a line."""
    if isinstance(value, list):
        kinds = [str(values.mapping(item).get("kind")) for item in value]
        return bool({"endpoint", "check"} & set(kinds)) and all(kind in _LINES for kind in kinds)
    document = values.mapping(value)
    return document.get("kind") == "check" and isinstance(document.get("endpoints"), list)


def _failure(value: object) -> Failure | None:
    fields = values.mapping(value)
    stage = values.short(fields.get("stage"), 20)
    if stage not in list(Stage):
        return None
    return Failure(Stage(stage), values.word(fields.get("kind"), 60), values.short(fields.get("says")))


def _session(value: object) -> TlsSession | None:
    fields = values.mapping(value)
    if not fields:
        return None
    return TlsSession(
        version=values.word(fields.get("version"), 20),
        cipher=values.word(fields.get("cipher"), 80),
        issuer=typed.certificate_name(values.short(fields.get("issuer"), 200)),
        subject=typed.certificate_name(values.short(fields.get("subject"), 200)),
        names=tuple(
            typed.certificate_name(values.short(text, 253)) for text in values.texts(fields.get("names"))
        ),
        not_after=values.instant(fields.get("not_after")) or datetime.max.replace(tzinfo=UTC),
        public_root=values.flag(fields.get("public_root")) is not False,
    )


def _attempt(fields: Mapping[str, object], name: str, whole: Mapping[str, object]) -> Attempt | None:
    reachable = values.flag(fields.get("reachable"))
    host = values.host(fields.get("host"))
    failure = _failure(fields.get("failure"))
    if reachable is None or not (host or failure):
        return None
    known = endpoint_named(host) if host else None
    install = known is not None and known.when is When.INSTALL
    dns = values.mapping(fields.get("dns"))
    required = values.flag(fields.get("required"))
    return Attempt(
        host=host,
        origin=name,
        reachable=reachable,
        taken=values.instant(whole.get("taken")),
        required=False if install else required,
        private=values.flag(fields.get("private")),
        proxied=fields.get("proxy") == "set",
        proxy=typed.proxy(whole.get("proxy")),
        resolver=typed.resolver(dns.get("resolver") or whole.get("resolver")),
        address=values.address(fields.get("address")),
        failure=None if reachable else failure,
        tls=_session(fields.get("tls")),
        clock_skew=values.number(fields.get("clock_skew")),
        install=install,
    )


def _answer(fields: Mapping[str, object], name: str, whole: Mapping[str, object]) -> DnsAnswer | None:
    dns = values.mapping(fields.get("dns"))
    host = values.host(fields.get("host"))
    addresses = tuple(found for text in values.texts(dns.get("addresses")) if (found := values.address(text)))
    if not host or not addresses:
        return None
    chain = tuple(link for text in values.texts(dns.get("chain")) if (link := values.host(text)))
    resolver = typed.resolver(dns.get("resolver") or whole.get("resolver"))
    return DnsAnswer(host, chain, addresses, resolver, origin=name, taken=values.instant(whole.get("taken")))


def _parts(value: object) -> tuple[Mapping[str, object], list[object]]:
    """The summary and the rows, of either form."""
    if isinstance(value, list):
        summaries = [item for item in value if values.mapping(item).get("kind") == "check"]
        rows = [item for item in value if values.mapping(item).get("kind") == "endpoint"]
        return values.mapping(summaries[-1] if summaries else {}), rows
    whole = values.mapping(value)
    found = whole.get("endpoints")
    return whole, found if isinstance(found, list) else []


def read(name: str, value: object) -> Document:
    """The rows with their DNS answers.

    Raises:
        FileInputError: the document is of a newer schema than this version reads.
    """
    whole, rows = _parts(value)
    if whole.get("schema", 1) != 1:
        found = typed.word(str(whole["schema"])) or typed.NOT_SHOWN
        raise FileInputError(name, f"a check of schema {found}; this reads 1")
    fields = [values.mapping(row) for row in rows[:_MOST]]
    return Document(
        name,
        Kind.ARCFERRY_CHECK,
        values.instant(whole.get("taken")),
        attempts=tuple(seen for row in fields if (seen := _attempt(row, name, whole))),
        answers=tuple(answer for row in fields if (answer := _answer(row, name, whole))),
    )
