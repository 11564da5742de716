"""The part of Resource Graph's query language that the twin answers; it refuses every other word.

`where` (==, =~, !=, !~, has, contains, startswith, in, in~, with `and`, `or`, `not`, isempty, isnotempty),
`project`, `extend`, `count`, `summarize count() by`, `order by`, `distinct` and `limit`.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from arcferry_lab.azure.kql_reader import QueryError, Reader

Row = dict[str, Any]
Value = Callable[[Row], Any]
_CASELESS: dict[str, Callable[[str], str]] = {"tolower": str.lower, "toupper": str.upper, "tostring": str}


def run(query: str, tables: Mapping[str, Sequence[Row]], default: str) -> list[Row]:
    """The rows that a query gives.

    Args:
        query: its text.
        tables: rows by the table's name in lower case.
        default: the table of a query that names none.

    Raises:
        QueryError: the query is wrong, or beyond what the twin knows.
    """
    reader = Reader(query)
    rows: list[Row] = list(tables[default])
    first = reader.peek()
    if first.kind == "name" and first.text.lower() not in _OPERATORS:
        name = reader.name()
        if name.lower() not in tables:
            raise QueryError(f"Table {name} was not found")
        rows = list(tables[name.lower()])
        if not reader.ended:
            reader.expect("|")
    while not reader.ended:
        word = reader.name().lower()
        if word not in _OPERATORS:
            raise QueryError(f"The operator {word} is not supported")
        rows = _OPERATORS[word](reader, rows)
        if not reader.ended:
            reader.expect("|")
    return rows


def _either(reader: Reader) -> Value:
    parts = [_both(reader)]
    while reader.at("or"):
        parts.append(_both(reader))
    return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)


def _both(reader: Reader) -> Value:
    parts = [_test(reader)]
    while reader.at("and"):
        parts.append(_test(reader))
    return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)


def _test(reader: Reader) -> Value:
    if reader.at("("):
        return _inside(reader)
    if reader.at("not"):
        reader.expect("(")
        inside = _inside(reader)
        return lambda row: not inside(row)
    left = _value(reader)
    token = reader.peek()
    if token.text.lower() in _LISTS:
        return _within(reader, left)
    if token.text.lower() not in _COMPARISONS:
        return left
    compare = _COMPARISONS[reader.take().text.lower()]
    right = _value(reader)
    return lambda row: compare(left(row), right(row))


def _inside(reader: Reader) -> Value:
    """What stands in a pair of parentheses, whose first was taken."""
    with reader.deeper():
        inside = _either(reader)
        reader.expect(")")
    return inside


def _within(reader: Reader, left: Value) -> Value:
    word = reader.take().text.lower()
    reader.expect("(")
    fold = str.lower if word.endswith("~") else str
    members = {fold(_text(_constant(reader)))}
    while reader.at(","):
        members.add(fold(_text(_constant(reader))))
    reader.expect(")")

    def test(row: Row) -> bool:
        return (fold(_text(left(row))) in members) is not word.startswith("!")

    return test


def _constant(reader: Reader) -> object:
    if reader.peek().kind not in {"text", "number"}:
        raise QueryError("A list of values takes constants alone")
    return _value(reader)({})


def _value(reader: Reader) -> Value:
    token = reader.take()
    if token.kind == "text":
        constant: Any = re.sub(r"\\(.)", r"\1", token.text[1:-1])
        return lambda _: constant
    if token.kind == "number":
        number = float(token.text)
        return lambda _: number
    if token.kind != "name":
        raise QueryError(f"Unexpected '{token.text or 'end'}'")
    if token.text.lower() in {"true", "false"}:
        truth = token.text.lower() == "true"
        return lambda _: truth
    if reader.at("("):
        return _call(reader, token.text.lower())
    return _path(reader, token.text)[1]


def _call(reader: Reader, name: str) -> Value:
    if name not in {*_CASELESS, "isempty", "isnotempty", "isnull", "isnotnull"}:
        raise QueryError(f"The function {name} is not supported")
    with reader.deeper():
        inside = _value(reader)
        reader.expect(")")
    if name in _CASELESS:
        change = _CASELESS[name]
        return lambda row: change(_text(inside(row)))
    empty = name in {"isempty", "isnull"}
    return lambda row: (_text(inside(row)) == "") is empty


def _path(reader: Reader, first: str) -> tuple[str, Value]:
    """A path into a row, and what Resource Graph calls its column, such as `properties_status`."""
    keys = [first]
    while True:
        if reader.at("."):
            keys.append(reader.name())
        elif reader.at("["):
            keys.append(reader.take().text.strip("'\""))
            reader.expect("]")
        else:
            return "_".join(keys), lambda row: _at(row, keys)


def _at(row: Row, keys: Sequence[str]) -> Any:  # noqa: ANN401 - a JSON value
    value: Any = row
    for key in keys:
        if isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        elif isinstance(value, dict):
            value = value.get(key)
        else:
            return None
    return value


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _words(value: object) -> list[str]:
    return re.findall(r"[^\W_]+", _text(value).lower())


def _has(left: object, right: object) -> bool:
    """Whether the right side stands in the left one as whole words."""
    whole, part = _words(left), _words(right)
    return any(whole[at : at + len(part)] == part for at in range(len(whole) - len(part) + 1))


_LISTS = frozenset({"in", "in~", "!in", "!in~"})
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda left, right: _text(left) == _text(right) if isinstance(right, str) else left == right,
    "!=": lambda left, right: _text(left) != _text(right) if isinstance(right, str) else left != right,
    "=~": lambda left, right: _text(left).lower() == _text(right).lower(),
    "!~": lambda left, right: _text(left).lower() != _text(right).lower(),
    "has": _has,
    "contains": lambda left, right: _text(right).lower() in _text(left).lower(),
    "startswith": lambda left, right: _text(left).lower().startswith(_text(right).lower()),
    "endswith": lambda left, right: _text(left).lower().endswith(_text(right).lower()),
}


def _where(reader: Reader, rows: list[Row]) -> list[Row]:
    test = _either(reader)
    return [row for row in rows if test(row)]


def _columns(reader: Reader) -> list[tuple[str, Value]]:
    """`name`, `name = value`, or a path, whose name is its words joined by underscores."""
    found = []
    while True:
        name = reader.name()
        if reader.at("="):
            found.append((name, _value(reader)))
        elif reader.at("("):
            found.append((f"{name}_", _call(reader, name.lower())))
        else:
            found.append(_path(reader, name))
        if not reader.at(","):
            return found


def _project(reader: Reader, rows: list[Row]) -> list[Row]:
    columns = _columns(reader)
    return [{name: value(row) for name, value in columns} for row in rows]


def _extend(reader: Reader, rows: list[Row]) -> list[Row]:
    columns = _columns(reader)
    return [row | {name: value(row) for name, value in columns} for row in rows]


def _count(reader: Reader, rows: list[Row]) -> list[Row]:
    del reader
    return [{"Count": len(rows)}]


def _summarize(reader: Reader, rows: list[Row]) -> list[Row]:
    name = reader.name()
    called = "count_"
    if reader.at("="):
        called, name = name, reader.name()
    if name.lower() != "count":
        raise QueryError(f"The aggregate {name} is not supported")
    reader.expect("(")
    reader.expect(")")
    if not reader.at("by"):
        return [{called: len(rows)}]
    columns = _columns(reader)
    counted = Counter(tuple(_text(value(row)) for _, value in columns) for row in rows)
    names = [name for name, _ in columns]
    return [dict(zip(names, key, strict=True)) | {called: number} for key, number in counted.items()]


def _distinct(reader: Reader, rows: list[Row]) -> list[Row]:
    columns = _columns(reader)
    found = {tuple(_text(value(row)) for _, value in columns): row for row in reversed(rows)}
    return [{name: value(row) for name, value in columns} for row in reversed(found.values())]


def _order(reader: Reader, rows: list[Row]) -> list[Row]:
    reader.expect("by")
    keys: list[tuple[Value, bool]] = []
    while True:
        value = _value(reader)
        keys.append((value, not reader.at("asc")))
        reader.at("desc")
        if not reader.at(","):
            break
    for value, descending in reversed(keys):
        rows = _sorted(rows, value, descending=descending)
    return rows


def _sorted(rows: list[Row], value: Value, *, descending: bool) -> list[Row]:
    def key(row: Row) -> tuple[float, str]:
        found = value(row)
        return (float(found), "") if isinstance(found, int | float) else (0.0, _text(found))

    return sorted(rows, key=key, reverse=descending)


def _limit(reader: Reader, rows: list[Row]) -> list[Row]:
    return rows[: reader.number()]


_OPERATORS: dict[str, Callable[[Reader, list[Row]], list[Row]]] = {
    "where": _where,
    "project": _project,
    "extend": _extend,
    "count": _count,
    "summarize": _summarize,
    "distinct": _distinct,
    "order": _order,
    "sort": _order,
    "limit": _limit,
    "take": _limit,
}
