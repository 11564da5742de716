"""The evidence that arcferry's own documents carry (`evidence.kept`): what a command judged by.

Such a file may come from anybody. Every value enters as it would out of its own document, and what the file
says of findings is not read at all.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import TypeVar

from arcferry import typed
from arcferry.errors import BundleFault, FileInputError, InputError
from arcferry.evidence.case import (
    AgentState,
    BundleProblem,
    Case,
    CodeSeen,
    Document,
    ErrorLine,
    Kind,
)
from arcferry.evidence.kept import KEY
from arcferry.evidence.readers import arcferry_check, values
from arcferry.evidence.readers.agent_show import scope
from arcferry.probe.observation import PROBES, Attempt, DnsAnswer
from arcferry.routing.azure_json import CommunityList, ServiceTags, read_community_list, read_service_tags
from arcferry.routing.circuit import read_circuit
from arcferry.routing.prefixes import prefix_key, prefix_text
from arcferry.routing.route import Route, Routes, RouteTable, Vantage
from arcferry.routing.route_filter import RouteFilter, read_route_filter
from arcferry.routing.session import ArpEntry, Session, state_of

_MOST_DOCUMENTS = 5000
_MOST_ROWS = 5000
_MOST_ROUTES = 6000
_MOST_SERVERS = 100_000
_LONG_NAME = 300
_LONG_WORDS = 900
_LAST_AS = 2**32 - 1
_MOST_COUNTED = 10**9
_SHORTENED = {
    Kind.ROUTE_FILTER,
    Kind.CIRCUIT,
    Kind.SERVICE_TAGS,
    Kind.COMMUNITY_LIST,
    Kind.RECEIVED_ROUTES,
    Kind.AZURE_ROUTES,
}
"""Kinds of which a document without its part says nothing, and would keep what is held from counting."""

_Fields = Mapping[str, object]
_Row = TypeVar("_Row", Attempt, DnsAnswer, CodeSeen, ErrorLine, BundleProblem, Session, ArpEntry)
_Dated = TypeVar("_Dated", RouteFilter, ServiceTags, CommunityList)


def looks_right(value: object) -> bool:
    """Whether evidence stands in this document, or in a line of it."""
    return bool(_parts(value))


def _parts(value: object) -> list[_Fields]:
    found = [values.mapping(item) for item in value] if isinstance(value, list) else [values.mapping(value)]
    of_rounds = any(one.get("kind") == "watch-round" for one in found)
    found += [values.mapping(one.get(KEY)) for one in found]
    parts = [one for one in found if one.get("kind") == KEY and isinstance(one.get("documents"), list)]
    # What a watch saw in earlier rounds is no longer so.
    return parts[-1:] if of_rounds else parts


def read(name: str, value: object) -> tuple[Document, ...]:
    """The documents, called as they were when they were judged.

    Raises:
        FileInputError: the evidence is of a newer schema than this version reads, or a part of it is wrong.
    """
    found: list[Document] = []
    for part in _parts(value):
        arcferry_check.require_schema(part, name, "evidence")
        listed = (map(_name, values.texts(names, _MOST_SERVERS)) for names in _rows(part, "servers"))
        groups = [tuple(filter(None, names)) for names in listed]
        try:
            found += [
                document
                for fields in values.mappings(part["documents"], _MOST_DOCUMENTS)
                if (document := _document(fields, name, groups))
            ]
        except InputError as error:
            raise FileInputError(name, f"its evidence: {error.message}", hint=error.hint) from error
        if (missing := len(_rows(part, "left_out"))) and found:
            note = f"of {missing:,} more servers it holds no evidence, because it was too much"
            found[0] = replace(found[0], notes=(*found[0].notes, note))
    if not found:  # nothing was judged, which is no reason to call the file unknown
        return (Document(name, Kind.KEPT_EVIDENCE),)
    addresses = Case(tuple(found)).addresses
    return tuple(
        replace(
            one,
            excerpt=addresses if one.kind in _SHORTENED else None,
            file=name if one.name in PROBES else "",
        )
        for one in found
    )


def _rows(fields: _Fields, key: str) -> list[object]:
    found = fields.get(key)
    return found if isinstance(found, list) else []


def _name(value: object) -> str:
    return typed.name(values.short(value, _LONG_NAME))


def _group(value: object, groups: list[tuple[str, ...]]) -> tuple[str, ...]:
    index = _count(value)
    return () if index is None or index >= len(groups) else groups[index]


def _document(fields: _Fields, file: str, groups: list[tuple[str, ...]]) -> Document | None:
    kind = fields.get("kind")
    if kind not in list(Kind):
        return None
    name = _name(fields.get("name")) or file
    found = Document(
        name,
        Kind(str(kind)),
        values.instant(fields.get("taken")),
        attempts=_read(fields, "attempts", _attempt, name),
        answers=_read(fields, "answers", _answer, name),
        codes=_read(fields, "codes", _code, name),
        error_lines=_read(fields, "error_lines", _error_line, name),
        route_filter=_dated(fields, "route_filter", read_route_filter, name),
        service_tags=_dated(fields, "service_tags", read_service_tags, name),
        community_list=_dated(fields, "community_list", read_community_list, name),
        circuit=read_circuit(part, name) if (part := fields.get("circuit")) else None,
        route_table=_table(values.mapping(fields.get("routes")), name),
        bundle_problems=_read(fields, "bundle_problems", _problem, name),
        sessions=_read(fields, "sessions", _session, name),
        arp=_read(fields, "arp", _arp_entry, name),
        agent_state=_agent(values.mapping(fields.get("agent")), name),
        notes=tuple(
            map(values.short, values.texts(fields.get("notes") if kind == Kind.UNREADABLE else None))
        ),
        servers=_group(fields.get("servers"), groups),
        location=typed.location(fields.get("location")),
    )
    parts = (found.route_filter, found.service_tags, found.community_list, found.circuit, found.route_table)
    return None if found.kind in _SHORTENED and not any(parts) else found


def _read(
    fields: _Fields, key: str, one: Callable[[_Fields, str], _Row | None], name: str
) -> tuple[_Row, ...]:
    return tuple(found for row in values.mappings(fields.get(key), _MOST_ROWS) if (found := one(row, name)))


def _origin(row: _Fields, name: str) -> str:
    return _name(row.get("origin")) or name


def _attempt(row: _Fields, name: str) -> Attempt | None:
    told = (row.get(key) for key in ("taken", "proxy", "resolver"))
    seen = arcferry_check.attempt(row, _origin(row, name), *told)
    proxied, install = row.get("proxied") is True, row.get("install") is True
    return replace(seen, proxied=proxied, install=install) if seen else None


def _answer(row: _Fields, name: str) -> DnsAnswer | None:
    host = values.host(row.get("host"))
    if not host:
        return None
    return DnsAnswer(
        host,
        values.hosts(row.get("chain")),
        values.addresses(row.get("addresses")),
        typed.resolver(row.get("resolver")),
        values.word(row.get("rcode"), 40),
        _origin(row, name),
        values.instant(row.get("taken")),
    )


def _code(row: _Fields, name: str) -> CodeSeen | None:
    code = values.word(row.get("code"), 80)
    if not code:
        return None
    hosts = values.hosts(row.get("hosts"))
    says = values.short(row.get("says"), _LONG_WORDS)
    return CodeSeen(code, says, _origin(row, name), hosts, values.instant(row.get("taken")))


def _error_line(row: _Fields, name: str) -> ErrorLine | None:
    says = values.short(row.get("says"), _LONG_WORDS)
    taken, is_fatal = values.instant(row.get("taken")), row.get("is_fatal") is not False
    return ErrorLine(says, _origin(row, name), taken, is_fatal) if says else None


def _problem(row: _Fields, _: str) -> BundleProblem | None:
    fault = next((one for one in BundleFault if one == row.get("fault")), None)
    return BundleProblem(fault, _name(row.get("file"))) if fault else None


def _session(row: _Fields, _: str) -> Session | None:
    state, asn, received = (row.get(key) for key in ("state", "asn", "received"))
    peer = values.address(row.get("peer")) or typed.label(values.short(row.get("peer"), 60))
    if not peer or not isinstance(state, str):
        return None
    word, _, remark = state.partition(" (")
    since = typed.label(values.short(row.get("since"), 40))
    number = asn if isinstance(asn, int) and 0 <= asn <= _LAST_AS else None
    shown = state_of(word, remark.rstrip(")"))
    return Session(peer, number, shown, _count(received), since, of_azure=row.get("of_azure") is True)


def _arp_entry(row: _Fields, _: str) -> ArpEntry | None:
    side, mac = (typed.label(values.short(row.get(key), 40)) for key in ("side", "mac"))
    return ArpEntry(side, values.address(row.get("address")), mac) if side else None


def _agent(row: _Fields, name: str) -> AgentState | None:
    if not row:
        return None
    return AgentState(
        origin=_origin(row, name),
        status=values.word(row.get("status"), 40),
        version=typed.word(row.get("version")),
        location=typed.location(row.get("location")),
        cloud=typed.word(row.get("cloud")),
        error_code=values.short(row.get("error_code")),
        error=values.short(row.get("error")),
        last_heartbeat=values.instant(row.get("last_heartbeat")),
        services=tuple(
            (values.word(key, 40), values.word(item, 40)) for key, item in _pairs(row, "services")
        ),
        proxy=typed.proxy(row.get("proxy")),
        proxy_credentials=row.get("proxy_credentials") is True,
        winhttp_proxy=typed.proxy(row.get("winhttp_proxy")),
        private_link_scope=scope(values.short(row.get("private_link_scope"))),
        gateway=typed.label(values.short(row.get("gateway"))),
        properties=tuple(
            (values.short(key, 60), values.url(item)) for key, item in _pairs(row, "properties")
        ),
        taken=values.instant(row.get("taken")),
    )


def _pairs(row: _Fields, key: str) -> list[tuple[object, object]]:
    """The pairs of a list of lists."""
    rows = [item for item in _rows(row, key)[:_MOST_ROWS] if isinstance(item, list)]
    return [(item[0], item[1]) for item in rows if item[1:]]


def _dated(fields: _Fields, key: str, of_azure: Callable[[object, str], _Dated], name: str) -> _Dated | None:
    """A document of Azure's with its day as it was known: the name that told it may not have been kept."""
    if not (part := fields.get(key)):
        return None
    text = values.mapping(part).get("day")
    try:
        taken = date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        taken = None
    return replace(of_azure(part, _file(values.mapping(part), name)), taken=taken)


def _file(part: _Fields, name: str) -> str:
    """What the file was called that this is out of; the document's name where nothing else was kept."""
    return _name(part.get("file")) or name


def _table(part: _Fields, name: str) -> RouteTable | None:
    vantage, size = part.get("vantage"), _count(part.get("size"))
    if vantage not in list(Vantage) or size is None:
        return None
    counted = {
        value: count
        for key, item in values.mapping(part.get("values")).items()
        if (value := typed.community(key)) and (count := _count(item))
    }
    return RouteTable(
        _file(part, name),
        values.word(part.get("format"), 40),
        Vantage(str(vantage)),
        values.instant(part.get("taken")),
        size,
        shows_communities=part.get("shows_communities") is True,
        complete=part.get("complete") is True,
        asked=values.addresses(part.get("asked")),
        values=counted,
        routes=Routes(
            route for row in values.mappings(part.get("routes"), _MOST_ROUTES) if (route := _route(row))
        ),
    )


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _MOST_COUNTED else None


def _route(row: _Fields) -> Route | None:
    prefix = row.get("prefix")
    try:
        text = prefix_text(prefix_key(prefix)) if isinstance(prefix, str) else ""
    except ValueError:
        text = ""
    if not text:
        return None
    numbers = [one for one in _rows(row, "as_path") if isinstance(one, int) and 0 <= one <= _LAST_AS]
    return Route(
        text,
        tuple(value for item in values.texts(row.get("communities")) if (value := typed.community(item))),
        values.address(row.get("next_hop")),
        tuple(map(int, numbers[:256])),
        values.flag(row.get("best")),
        row.get("filtered") is True,
        row.get("own") is True,
    )
