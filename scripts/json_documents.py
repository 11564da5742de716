"""Which fields each JSON document has, and of which type: for the reference of the site.

The fields are read from the code that makes the document. Their types lie in `json_types.toml`: most values
are copied by the names of attributes, whose types only a type checker could read, while whoever prints a
document sees them. `tests/json_documents.py` holds every value that a test prints to them.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"
PLACES = (SOURCE / "arcferry/report", SOURCE / "arcferry/cli")
TYPES = Path(__file__).with_name("json_types.toml")
_OF_EVERY = "every"
"""The part of the types that holds for every document which has such a field."""

_OF_KIND = re.compile(r" of kind (\S+)")
_DEEPEST = 8
_WHOLE = ("judged_document", "document")
_WITH_FINDINGS = ("bundle", "watch-history")
"""Kinds to which their commands add what was judged."""


@dataclass
class Fields:
    """What is known of a value: the fields of an object, or of each object of a list.

    Attributes:
        of: the fields by their names.
        open: whether more may be there, or names that are data.
        type: what the value is, in plain words; empty until it is known which document has it.
    """

    of: dict[str, "Fields"] = field(default_factory=dict)
    open: bool = False
    type: str = ""

    @property
    def kind(self) -> str:
        """The kind of the document that the value, or each of the list, is by itself; or empty."""
        found = _OF_KIND.search(self.type)
        return found[1] if found else ""

    def __or__(self, other: "Fields") -> "Fields":
        names = dict.fromkeys((*self.of, *other.of))
        nothing = Fields()
        both = {name: self.of.get(name, nothing) | other.of.get(name, nothing) for name in names}
        return Fields(both, self.open or other.open)


@dataclass(frozen=True)
class JsonDocument:
    """A kind of document, and where it is made."""

    kind: str
    about: str
    fields: Fields


class Module:
    """One file: its functions, its constants and what it imports."""

    def __init__(self, path: Path) -> None:
        """Read the file."""
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.functions: dict[str, ast.FunctionDef] = {}
        self.constants: dict[str, ast.expr] = {}
        self.imported: dict[str, tuple[str, str]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef):
                self.functions.setdefault(node.name, node)
            elif isinstance(node, ast.ImportFrom) and node.module:
                for one in node.names:
                    self.imported[one.asname or one.name] = (node.module, one.name)
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self.constants[node.targets[0].id] = node.value

    @property
    def about(self) -> str:
        """What the file is about, in the first sentence of its docstring."""
        return (ast.get_docstring(self.tree) or "").partition("\n")[0].partition(":")[0].rstrip(".")


@cache
def module(path: Path) -> Module:
    """The file, read once."""
    return Module(path)


def documents() -> list[JsonDocument]:
    """Every kind that a command prints, by its name."""
    found: dict[str, JsonDocument] = {}
    for path in (path for place in PLACES for path in sorted(place.glob("*.py"))):
        here = module(path)
        for scope, made in _made(here):
            for kind, given in _kinds(here, scope, made):
                reader, whole = _Reader(here, scope, given=given), _whole(here, scope)
                is_whole = whole is scope and scope.name not in _WHOLE
                fields = reader.fields(made) if is_whole else reader.returned(here, whole)
                before = found.get(kind)
                merged = before.fields | fields if before else fields
                if kind in _WITH_FINDINGS:
                    shared = module(PLACES[0] / "as_json.py")
                    merged |= reader.returned(shared, shared.functions["fields"])
                found[kind] = JsonDocument(kind, before.about if before else here.about, merged)
    all_types = types()
    return [
        JsonDocument(kind, one.about, _typed(one.fields, all_types[_OF_EVERY] | all_types.get(kind, {})))
        for kind, one in sorted(found.items())
    ]


@cache
def types() -> dict[str, dict[str, str]]:
    """What each field is, by the kind of its document and its place in it."""
    return tomllib.loads(TYPES.read_text(encoding="utf-8"))


def _typed(fields: Fields, known: dict[str, str], place: str = "") -> Fields:
    """The fields with their types; where more may be there, also those that the types alone name."""
    above = f"{place}." if place else ""
    found = Fields({}, fields.open, known.get(place, ""))
    if found.kind:  # whose fields stand elsewhere
        return found
    told = (path.removeprefix(above) for path in known if path.startswith(above)) if fields.open else ()
    for name in dict.fromkeys((*fields.of, *(path for path in told if path and "." not in path))):
        inner = fields.of.get(name, Fields(open=True))
        found.of[name] = _typed(inner, known, f"{above}{name}")
    return found


def _made(here: Module) -> Iterator[tuple[ast.FunctionDef, ast.Dict]]:
    """The objects with a schema and a kind of their own that are no lines of another document."""
    for scope in here.functions.values():
        yields = [one for node in ast.walk(scope) if isinstance(node, ast.Yield) for one in ast.walk(node)]
        rows = [
            one for node in ast.walk(scope) if isinstance(node, ast.GeneratorExp) for one in ast.walk(node)
        ]
        for node in ast.walk(scope):
            if isinstance(node, ast.Dict) and node not in (*yields, *rows):
                yield from [(scope, node)] if {"schema", "kind"} <= set(map(_text, node.keys)) else []


def _kinds(here: Module, scope: ast.FunctionDef, made: ast.Dict) -> Iterator[tuple[str, dict[str, ast.expr]]]:
    """The kinds that an object may be of; where its function is told, with what it is told beside."""
    node = next(value for key, value in zip(made.keys, made.values, strict=True) if _text(key) == "kind")
    match node:
        case ast.Constant():
            yield _text(node), {}
        case ast.JoinedStr(values=[ast.Constant() as start, ast.FormattedValue(value=ast.IfExp() as either)]):
            yield from ((_text(start) + _text(end), {}) for end in (either.body, either.orelse))
        case ast.Name():
            names = [one.arg for one in scope.args.args]
            for call in ast.walk(here.tree):
                if isinstance(call, ast.Call) and getattr(call.func, "id", "") == scope.name:
                    given = dict(zip(names, call.args, strict=False))
                    yield from [(kind, given)] if (kind := _text(given.get(node.id))) else []


def _whole(here: Module, scope: ast.FunctionDef) -> ast.FunctionDef:
    """The function that gives the whole document, which others may begin."""
    above = (here.functions[name] for name in _WHOLE if name in here.functions)
    found = next((one for one in above if one is not scope and _calls(one, scope)), None)
    return _whole(here, found) if found else scope


def _calls(one: ast.FunctionDef, other: ast.FunctionDef) -> bool:
    return any(isinstance(node, ast.Name) and node.id == other.name for node in ast.walk(one))


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


class _Reader:
    """What an expression within a function gives."""

    def __init__(
        self, here: Module, scope: ast.FunctionDef, depth: int = 0, given: dict[str, ast.expr] | None = None
    ) -> None:
        self.here, self.scope, self.depth = here, scope, depth
        self.given = given or {}

    def fields(self, node: ast.expr) -> Fields:  # noqa: PLR0911  # a line a form
        """What is known of the value of an expression."""
        match node:
            case ast.Dict():
                return self._object(node)
            case ast.Call():
                return self._call(node)
            case ast.ListComp() | ast.GeneratorExp():
                return self.fields(node.elt)
            case ast.List() | ast.Tuple():
                return self.either(node.elts)
            case ast.DictComp():
                return self._comprehended(node)
            case ast.IfExp():
                return self.fields(node.body) | self.fields(node.orelse)
            case ast.BinOp(op=ast.BitOr()):
                return self.fields(node.left) | self.fields(node.right)
            case ast.BoolOp():
                return self.either(node.values)
            case ast.Name():
                return self._named(node.id)
        return Fields(open=not isinstance(node, ast.Constant))

    def _object(self, node: ast.Dict) -> Fields:
        found = Fields()
        for key, value in zip(node.keys, node.values, strict=True):
            inner = self.fields(value)
            if key is None:
                found |= inner
            else:
                found |= (
                    Fields({name: inner}) if (name := self._key(key)) else Fields({"NAME": inner}, open=True)
                )
        return found

    def _comprehended(self, node: ast.DictComp) -> Fields:
        """The fields of a comprehension: listed names, those of a dataclass, or names that are data."""
        over, value = node.generators[0].iter, self.fields(node.value)
        if isinstance(over, ast.Tuple):
            return Fields({name: value for one in over.elts if (name := _text(one))})
        return Fields(open=True) if "asdict(" in ast.unparse(over) else Fields({"NAME": value}, open=True)

    def _key(self, node: ast.expr) -> str:
        """A field's name, also where it is told, or another module's constant."""
        node = self.given.get(node.id, node) if isinstance(node, ast.Name) else node
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            place, inner = self.here.imported.get(node.value.id, ("", ""))
            path = SOURCE / f"{place}.{inner}".replace(".", "/")
            return _text(module(path.with_suffix(".py")).constants.get(node.attr)) if place else ""
        return _text(node)

    def either(self, nodes: list[ast.expr]) -> Fields:
        """Any of these."""
        found = Fields()
        for one in nodes:
            found |= self.fields(one)
        return found

    def _named(self, name: str) -> Fields:
        given = [
            node.value
            for node in ast.walk(self.scope)
            if isinstance(node, ast.Assign) and any(getattr(one, "id", "") == name for one in node.targets)
        ]
        given += [
            ast.List(node.args)
            for node in ast.walk(self.scope)
            if isinstance(node, ast.Call) and ast.unparse(node.func) == f"{name}.append"
        ]
        constant = self.here.constants.get(name)
        return self.either(given) if given else self.fields(constant) if constant else Fields(open=True)

    def _call(self, node: ast.Call) -> Fields:
        called = node.func.id if isinstance(node.func, ast.Name) else ""
        if called == "picked":
            return Fields({name: Fields(open=True) for name in self._names(node.args[1:])})
        if called in ("list", "tuple", "sorted", "dict", "filter") and node.args:
            found = self.fields(node.args[-1])
            return Fields(found.of, found.open or called == "dict")
        if called == "map" and isinstance(node.args[0], ast.Name):
            return self._of_function(node.args[0].id)
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            return self._of_module(node.func.value.id, node.func.attr)
        return self._of_function(called)

    def _names(self, nodes: list[ast.expr]) -> Iterator[str]:
        for one in nodes:
            inner = one.value if isinstance(one, ast.Starred) else one
            if isinstance(inner, ast.Name):
                known = self.here.constants.get(inner.id)
                local = [
                    node.value
                    for node in ast.walk(self.scope)
                    if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == inner.id
                ]
                inner = local[0] if local else known or inner
            parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            yield from filter(None, map(_text, parts))

    def _of_function(self, name: str) -> Fields:
        if scope := self.here.functions.get(name):
            return self.returned(self.here, scope)
        place, inner = self.here.imported.get(name, ("", ""))
        return self._elsewhere(place, inner)

    def _of_module(self, name: str, function: str) -> Fields:
        place, inner = self.here.imported.get(name, ("", ""))
        return self._elsewhere(f"{place}.{inner}", function)

    def _elsewhere(self, place: str, function: str) -> Fields:
        path = SOURCE / f"{place.replace('.', '/')}.py"
        scope = (
            module(path).functions.get(function) if place.startswith("arcferry.") and path.exists() else None
        )
        return self.returned(module(path), scope) if scope else Fields(open=True)

    def returned(self, here: Module, scope: ast.FunctionDef) -> Fields:
        """What a function gives."""
        if self.depth >= _DEEPEST:
            return Fields(open=True)
        reader = _Reader(here, scope, self.depth + 1)
        nodes = [one.value for one in ast.walk(scope) if isinstance(one, ast.Return) and one.value]
        return reader.either(nodes)
