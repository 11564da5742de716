"""Junos, JSON and XML: `show route … | display json` and `| display xml`, which hold the same tree."""

import re
from collections.abc import Iterator
from xml.parsers import expat

from arcferry.errors import FileInputError
from arcferry.routing.route import Route, Vantage
from arcferry.routing.tables import trees, values
from arcferry.routing.tables.json_stream import Steps, TruncatedError
from arcferry.routing.tables.reading import Reading, Rows, TreeFormat, json_format

_JSON_SIGN = r'"route-information"\s*:\s*\['
_XML_SIGN = re.compile(r"<route-information[\s>]")
_IP_TABLE = re.compile(r"(?:.*\.)?inet6?\.\d+")
_PART_LIMIT = 1 << 20


def _data(tree: dict[str, object], name: str) -> str:
    """The text of a field, which Junos writes as `[{"data": "…"}]`."""
    found = next(iter(trees.several(tree.get(name))), None)
    inner = trees.mapping(found).get("data") if isinstance(found, dict) else found
    return trees.text(next(iter(trees.several(inner)), None))


def _tree(parent: dict[str, object], name: str) -> dict[str, object]:
    return next(trees.objects(parent.get(name)), {})


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
            yield from _routes(trees.mapping(value), reading)


def _routes(tree: dict[str, object], reading: Reading) -> Iterator[Route]:
    network, length = _data(tree, "rt-destination"), _data(tree, "rt-prefix-length")
    prefix = values.prefix(network if "/" in network else f"{network}/{length}")
    if prefix is None:
        reading.leave_out(0, network)
        return
    for entry in trees.objects(tree.get("rt-entry")):
        if _data(entry, "protocol-name") in ("", "BGP"):
            yield _route(prefix, entry, reading)


def _route(prefix: str, entry: dict[str, object], reading: Reading) -> Route:
    if not _data(entry, "protocol-name"):
        reading.vantage = Vantage.RECEIVED
    words = trees.words(_tree(entry, "communities").get("community"))
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
