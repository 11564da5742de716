"""Junos: `show route` and `show route receive-protocol bgp`, as text of any detail, as JSON and as XML."""

import re
from collections.abc import Iterator
from xml.parsers import expat

from arcferry.errors import FileInputError
from arcferry.routing.route import Route, Vantage
from arcferry.routing.tables import values
from arcferry.routing.tables.json_stream import Steps, TruncatedError
from arcferry.routing.tables.reading import Reading, Rows, TextFormat, TreeFormat, json_format
from arcferry.routing.tables.source import Line

_NET = r"(?P<net>(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]{0,4}:[0-9a-fA-F:.]*)/\d{1,3})"
_TABLE = re.compile(r"(?P<name>[\w.-]{0,80}?\.\d+|inet6?\.\d+): \d+ destinations, \d+ routes")
_IP_TABLE = re.compile(r"(?:.*\.)?inet6?\.\d+")
_RECEIVE_HEADER = re.compile(r"\s+Prefix\s+Nexthop\s+MED\s+Lclpref\s+AS path")
_TERSE_HEADER = re.compile(r"A\s+(?:V\s+)?Destination\s+P\s+Prf\s+Metric")
_RECEIVE_ROW = re.compile(rf"(?P<active>[* ]) {_NET}\s+(?P<hop>\S+)(?P<rest>.*)$")
_ENTRY = re.compile(rf"(?P<active>[* ]?)\s?{_NET} \(\d+ entr(?:y|ies)")
_BRIEF = re.compile(rf"(?:{_NET})?\s*(?P<flag>[*+-])?\[(?P<protocol>[A-Za-z0-9-]+)/\d+")
_PROTOCOL = re.compile(
    r"\s+(?P<flag>[*+-]?)(?P<protocol>BGP|Static|Direct|Local|OSPF\d?|IS-IS|RIP|Aggregate)\s+Preference:"
)
_TERSE = re.compile(
    rf"(?P<active>[*?+ -]{1, 4}?)\s*(?:[VNUI?]\s+)?{_NET}\s+(?P<protocol>[A-Z])\s+\d+\s+(?P<rest>.*)$"
)
_HOP = re.compile(r"\s+>?\s*(?:to|Next hop:|Nexthop:|Protocol next hop:)\s+(?P<hop>[0-9a-fA-F.:]+)")
_MARKED_HOP = re.compile(r".{0,80}>(?P<hop>[0-9a-fA-F.:]+)")
_DETAIL = re.compile(r"\s+(?:Communities:|Next hop type|Nexthop:|State:|RouteFile:|Accepted)")
_AS_PATH = re.compile(r"\s+AS path: (?P<path>[^,]*)")
_COMMUNITIES = re.compile(r"\s+Communities: (?P<list>.*)$")
_HIDDEN = re.compile(
    r"\s+(?:State: <[^>]*\bHidden\b|Hidden reason: (?:rejected by import policy|[Rr]ejected))"
)
_SIGN = re.compile(rf"{_TABLE.pattern}|{_RECEIVE_HEADER.pattern}")


_OWN = ("Static", "Direct", "Local", "Aggregate")


class _JunosReader:
    """Junos names its attributes, so that one walk reads every form but the two tables."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._prefix = ""
        self._lists = False
        self._skipped = self._own = False
        self._detailed = self._rows = False
        self._start()

    def _start(self, *, best: bool | None = None) -> None:
        self._open = False
        self._best = best
        self._filtered = False
        self._hop = self._path = self._communities = ""

    def routes(self, lines: Iterator[Line]) -> Iterator[Route]:
        for number, line in lines:
            if not line.strip() or line.startswith("{"):
                continue
            if line[0].isspace() and self._open and self._attribute(line):
                continue
            yield from self._first_line(number, line)
        yield from self._end()
        if self._rows and not self._detailed and not self._reading.communities:
            self._reading.shows_communities = False

    def _first_line(self, number: int, line: str) -> Iterator[Route]:
        if table := _TABLE.match(line):
            yield from self._end()
            self._prefix = ""
            self._skipped = _IP_TABLE.fullmatch(table["name"]) is None
        elif _RECEIVE_HEADER.match(line):
            self._reading.vantage = Vantage.RECEIVED
        elif self._skipped or _TERSE_HEADER.match(line):
            return
        elif match := _ENTRY.match(line) or _PROTOCOL.match(line) or _BRIEF.match(line):
            yield from self._end()
            self._begin(match)
        elif match := _RECEIVE_ROW.match(line) or _TERSE.match(line):
            yield from self._end()
            self._row(match)
        elif re.match(r"[* ]?\s?[0-9a-fA-F.:]+/\d", line):
            self._reading.leave_out(number, line)

    def _begin(self, match: "re.Match[str]") -> None:
        groups = match.groupdict()
        if groups.get("net"):
            self._prefix = values.prefix(groups["net"]) or ""
        flag = groups.get("flag")
        active = groups.get("active")
        self._start(best=flag in ("*", "+") if flag is not None or "flag" in groups else active == "*")
        # An entry of `show route detail` holds protocols; one of `receive-protocol` is the route itself.
        protocol = groups.get("protocol", "BGP")
        # Of a whole table Microsoft's routes matter; to a question for one address, whatever answers it.
        self._open = bool(self._prefix) and (protocol == "BGP" or bool(self._reading.asked))
        self._own = protocol in _OWN

    def _row(self, match: "re.Match[str]") -> None:
        """Open the route of a table's row; a terse one may have its next hop on the line below."""
        groups = match.groupdict()
        self._start(best=groups["active"].strip().startswith(("*", "+")))
        self._prefix = values.prefix(groups["net"]) or ""
        self._open, self._own = bool(self._prefix) and groups.get("protocol", "B") == "B", False
        rest = groups["rest"].rstrip()
        self._path = rest.rpartition("  ")[2]
        self._hop = groups.get("hop") or ""
        if hop := _MARKED_HOP.search(rest):
            self._hop, self._path = hop["hop"], rest[hop.end() :]

    def _attribute(self, line: str) -> bool:
        """Take an attribute of the route that is open; whether the line was one."""
        if self._lists and values.is_community_list(line):
            self._communities += f" {line}"
            return True
        self._lists = False
        self._detailed = self._detailed or _DETAIL.match(line) is not None
        if match := _HOP.match(line) or _MARKED_HOP.match(line):
            self._hop = self._hop or match["hop"]
            if "Nexthop:" in line:
                self._reading.vantage = Vantage.RECEIVED
        elif match := _AS_PATH.match(line):
            self._path = match["path"]
        elif match := _COMMUNITIES.match(line):
            self._communities = match["list"]
            self._lists = True
        elif _HIDDEN.match(line):
            self._filtered = True
        else:
            begins = (_PROTOCOL, _BRIEF, _ENTRY, _RECEIVE_ROW, _TERSE)
            return not any(pattern.match(line) for pattern in begins)
        return True

    def _end(self) -> Iterator[Route]:
        if self._open and (self._hop or self._path or self._communities or self._own):
            self._rows = True
            yield self._reading.route(
                self._prefix,
                self._communities,
                self._hop,
                self._path,
                best=self._best,
                filtered=self._filtered,
                own=self._own,
            )
        self._start()


TEXT_FORMAT = TextFormat(
    "junos", _SIGN, lambda *_: True, lambda reading, lines: _JunosReader(reading).routes(lines)
)


# `display json` and `display xml` hold the same tree.

_JSON_SIGN = r'"route-information"\s*:\s*\['
_XML_SIGN = re.compile(r"<route-information[\s>]")
_PART_LIMIT = 1 << 20


def _data(tree: dict[str, object], name: str) -> str:
    """The text of a field, which Junos writes as `[{"data": "…"}]`."""
    found = next(iter(values.several(tree.get(name))), None)
    inner = values.mapping(found).get("data") if isinstance(found, dict) else found
    return values.text(next(iter(values.several(inner)), None))


def _tree(parent: dict[str, object], name: str) -> dict[str, object]:
    return next(values.objects(parent.get(name)), {})


def _descends(steps: Steps, _: str) -> bool:
    last = [step for step in steps if step != "[]"][-1:]
    return (
        last in ([], ["route-information"], ["route-table"])
        or (last == ["rt"] and steps[-1] == "rt")
        or (len(steps) == 1 and last != ["rt"])
    )


def _read_json(reading: Reading, rows: Rows) -> Iterator[Route]:
    table = ""
    for steps, value in rows:
        if steps[-1] == "table-name":
            table = _data({"table-name": value}, "table-name")
        elif "rt" in steps and (not table or _IP_TABLE.fullmatch(table)):
            yield from _routes(values.mapping(value), reading)


def _routes(tree: dict[str, object], reading: Reading) -> Iterator[Route]:
    network, length = _data(tree, "rt-destination"), _data(tree, "rt-prefix-length")
    prefix = values.prefix(network if "/" in network else f"{network}/{length}")
    if prefix is None:
        reading.leave_out(0, network)
        return
    for entry in values.objects(tree.get("rt-entry")):
        if _data(entry, "protocol-name") in ("", "BGP"):
            yield _route(prefix, entry, reading)


def _route(prefix: str, entry: dict[str, object], reading: Reading) -> Route:
    if not _data(entry, "protocol-name"):
        reading.vantage = Vantage.RECEIVED
    words = values.words(_tree(entry, "communities").get("community"))
    if words or "bgp-rt-flag" in entry or "rt-entry-state" in entry:
        reading.shows_communities = True
    hop = _data(_tree(entry, "nh"), "to") or _data(_tree(entry, "protocol-nh"), "to")
    # Some releases keep the AS path in a block of its own.
    path = _data(entry, "as-path") or _data(_tree(entry, "bgp-path-attributes"), "attr-as-path-effective")
    hidden = "Hidden" in _data(entry, "rt-entry-state") or "rejected" in _data(entry, "hidden-reason").lower()
    return reading.route(
        prefix,
        words,
        hop or _data(entry, "gateway"),
        path.removeprefix("AS path:").partition("\n")[0],
        best=_data(entry, "active-tag").startswith(("*", "+")),
        filtered=hidden,
    )


def _read_xml(reading: Reading, texts: Iterator[str]) -> Iterator[Route]:
    """The routes of an XML document, one `rt` element held at a time.

    Raises:
        FileInputError: it is no XML, or declares a document type, which Junos never does.
        TruncatedError: it ends before its end.
    """
    builder = _Builder(reading)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = builder.doctype
    begun = False
    try:
        for text in texts:
            parser.Parse(text if begun else text.lstrip("\ufeff \r\n\t"), False)
            begun = begun or bool(text.strip())
            yield from builder.taken()
        parser.Parse("", True)
    except expat.ExpatError as error:
        yield from builder.taken()
        if builder.closed:
            return
        problem = expat.ErrorString(error.code)
        if problem in _ENDED:
            raise TruncatedError from None
        raise FileInputError(reading.name, f"no valid XML: {problem}", line=error.lineno) from None


_ENDED = (
    expat.errors.XML_ERROR_NO_ELEMENTS,
    expat.errors.XML_ERROR_UNCLOSED_TOKEN,
    expat.errors.XML_ERROR_PARTIAL_CHAR,
    expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
)


class _Builder:
    """Makes the tree of JSON from the elements of XML, so that both are read alike."""

    def __init__(self, reading: Reading) -> None:
        self.closed = False
        self._reading = reading
        self._open: list[tuple[str, dict[str, object]]] = []
        self._text = ""
        self._table = ""
        self._done: list[dict[str, object]] = []
        self._size = self._depth = 0

    def doctype(self, *_: object) -> None:
        raise FileInputError(self._reading.name, "XML with a document type, which is not read")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        del attributes
        self._depth += 1
        local = name.rpartition(" ")[2]
        self._text = ""
        if local == "rt" or self._open:
            self._open.append((local, {}))
            self._size = 0 if local == "rt" else self._size

    def data(self, text: str) -> None:
        self._size += len(text)
        if self._size > _PART_LIMIT:
            raise FileInputError(self._reading.name, f"one route of more than {_PART_LIMIT:,} characters")
        self._text += text

    def end(self, name: str) -> None:
        self._depth -= 1
        self.closed = self._depth == 0
        local = name.rpartition(" ")[2]
        self._size = 0 if not self._open else self._size
        if local == "table-name":
            self._table = self._text.strip()
        if not self._open:
            return
        opened, tree = self._open.pop()
        if self._text.strip():
            tree["data"] = self._text.strip()
        self._text = ""
        if self._open:
            siblings = self._open[-1][1].setdefault(opened, [])
            if isinstance(siblings, list):
                siblings.append(tree)
        elif not self._table or _IP_TABLE.fullmatch(self._table):
            self._done.append(tree)

    def taken(self) -> Iterator[Route]:
        done, self._done = self._done, []
        for tree in done:
            yield from _routes(tree, self._reading)


JSON_FORMAT = json_format("junos-json", [_JSON_SIGN], _descends, _read_json)
XML_FORMAT = TreeFormat("junos-xml", lambda head: _XML_SIGN.search(head) is not None, _read_xml)
