"""The texts of errors as templates, read from the source: `{path} cannot be read: {why}`.

Whatever reaches the message or the hint of an error is followed to where it is written: through variables,
parameters, constants of modules, what other functions give back, and fields such as `hint`.
What is no text of the source is a blank, named after its variable.

    python scripts/error_texts.py           every template, with the place where it was found
"""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import product
from math import prod

from python_source import ROOT, Function, Source, called, name_of, own, parameters
from unread_texts import LIBRARY, UNREAD

FIELDS = {
    "hint",
    "needs",
    "lock_hint",
    "no_answer",
    "says",
    "why",
    "waits",
    "because",
    "refusal",
    "title",
    "what",
    "notes",
    "way",
}
"""Fields in which results of hosts, decisions and tables of faults carry what an error says."""
SENTENCES = {"says", "doubt", "unsettled", "hint", "Past.__str__"}
"""Methods that give such a text."""
DECISIONS = {"run", "skip", "block"}
"""Functions that make a decision of its reason and its hint, by names that others have too."""
TOLD = {"tell", "waits", "refuse", "translated"}
"""Functions that are given such a text first, whatever they are of."""
LABELS = ("error", "hint", "warning", "note")
"""Words before a text on stderr."""
STANDING_IN = ("unknown", "none", "nothing", "empty", "not set")
"""Words in the place of a value that there is none of."""
_VALUES = {"quoted", "len", "sorted"}
_THROUGH = {"one_line", "str", "clean", "glued"}
_TRIMMED = {"strip", "rstrip", "lstrip", "replace"}
LEAVING = "leave/words.toml"
_READERS = "evidence/readers/"
"""What these keep is what other programs said."""
_DEEPEST = 14
_MOST = 8
_SHORT = 25


class Blank(str):
    """Where a value stands in a template, by the name of what fills it."""

    __slots__ = ()


Text = tuple[str, ...]
"""Literal parts and blanks in their order."""


def blank_for(node: ast.AST) -> Text:
    """The blank that a value which is no text of the source fills."""
    while isinstance(node, ast.Call | ast.Subscript):
        if isinstance(node, ast.Subscript):
            node = node.value
        elif node.args and not name_of(node.args[0]).isupper():
            node = node.args[0]
        elif isinstance(node.func, ast.Attribute):
            node = node.func.value
        else:
            break
    return (Blank(name_of(node).strip("_")),)


def written(text: Text) -> str:
    """The template as a translator reads it; a second blank of a name is numbered."""
    names: Counter[str] = Counter()
    parts = []
    for part in text:
        if isinstance(part, Blank):
            name = part or "value"
            names[name] += 1
            parts.append(f"{{{name}}}" if names[name] == 1 else f"{{{name}_{names[name]}}}")
        else:
            parts.append(part.replace("{", "{{").replace("}", "}}"))
    return "".join(parts).strip()


def words(text: Text) -> str:
    """What of a template is not blank."""
    return "".join(part for part in text if not isinstance(part, Blank))


class Reader:
    """Reads templates out of expressions."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._under_way: list[ast.AST] = []
        self.found: dict[str, str] = {}

    def keep(self, texts: Iterable[Text], node: ast.AST) -> None:
        """Take in the templates that are sentences, with where they come from."""
        for text in texts:
            said = words(text).strip()
            if " " in said and re.search(r"[A-Za-z]{2}", said):
                self.found.setdefault(written(text), self._source.place(node))

    def read(self, node: ast.AST) -> list[Text]:
        """Every text that this expression may be."""
        if node in self._under_way or len(self._under_way) > _DEEPEST:
            return [blank_for(node)]
        self._under_way.append(node)
        try:
            method = getattr(self, f"_{type(node).__name__}", None)
            return list(dict.fromkeys(method(node) if method else ())) or [blank_for(node)]
        finally:
            self._under_way.pop()

    def _all(self, nodes: Iterable[ast.AST]) -> list[Text]:
        return [text for node in nodes for text in self.read(node)]

    def _Constant(self, node: ast.Constant) -> list[Text]:
        if node.value is None:
            return []
        parts = re.split(r"\{(\w+)\}", str(node.value))
        return [tuple(Blank(one) if number % 2 else one for number, one in enumerate(parts))]

    def _JoinedStr(self, node: ast.JoinedStr) -> list[Text]:
        pieces = [self._piece(one) for one in node.values]
        if prod(map(len, pieces)) > _MOST:
            for number, (one, texts) in enumerate(zip(node.values, pieces, strict=True)):
                if len(texts) > 1 and isinstance(one, ast.FormattedValue):
                    self.keep(texts, node)
                    pieces[number] = [blank_for(one.value)]
        return [sum(texts, ()) for texts in product(*pieces)]

    def _piece(self, node: ast.expr) -> list[Text]:
        """A part of an f-string: its few short forms, or a blank whose texts are templates of their own."""
        if not isinstance(node, ast.FormattedValue):
            return self.read(node)
        if node.format_spec:
            return [blank_for(node.value)]
        texts = self.read(node.value)
        few = len(texts) <= 4 if isinstance(node.value, ast.IfExp) else len(texts) <= 3  # noqa: PLR2004  # few enough to be templates each
        short = isinstance(node.value, ast.IfExp) or all(len(words(text)) < _SHORT for text in texts)
        if len(texts) == 1 or (few and short):
            return texts
        self.keep(texts, node)
        return [blank_for(node.value)]

    def _BinOp(self, node: ast.BinOp) -> list[Text]:
        if not isinstance(node.op, ast.Add):
            return []
        both = product(self.read(node.left), self.read(node.right))
        return [one + other for one, other in both if words(one + other)][:_MOST]

    def _IfExp(self, node: ast.IfExp) -> list[Text]:
        return self._all([node.body, node.orelse])

    def _BoolOp(self, node: ast.BoolOp) -> list[Text]:
        return self._all(node.values)

    def _value(self, node: ast.NamedExpr | ast.Await | ast.Starred) -> list[Text]:
        return self.read(node.value)

    _NamedExpr = _Await = _Starred = _value

    def _several(self, node: ast.Tuple | ast.List | ast.Set) -> list[Text]:
        return self._all(node.elts)

    _Tuple = _List = _Set = _several

    def _Dict(self, node: ast.Dict) -> list[Text]:
        return self._all(node.values)

    def _comprehended(self, node: ast.GeneratorExp | ast.ListComp) -> list[Text]:
        return self.read(node.elt)

    _GeneratorExp = _ListComp = _comprehended

    def _Subscript(self, node: ast.Subscript) -> list[Text]:
        return self.read(node.value) if self._source.is_table(node.value) else []

    def _Attribute(self, node: ast.Attribute) -> list[Text]:
        return self._all(self._source.constants_anywhere(node.attr))

    def _Name(self, node: ast.Name) -> list[Text]:
        for function in self._source.functions_around(node):
            given = list(self._source.assigned(function, node.id))
            if given:
                texts = [text for value, item in given for text in self._item(value, item)]
                return texts or [blank_for(node)]
            if node.id in parameters(function):
                return self._all(self._source.arguments(function, node.id))
        return self._all(self._source.constants(node))

    def _item(self, node: ast.AST, item: int | None) -> list[Text]:  # noqa: PLR0911  # one for each form
        """A value, or one of the several that it is taken apart to."""
        if item is None:
            return self.read(node)
        if isinstance(node, ast.Await | ast.Subscript):
            return self._item(node.value, item)
        if isinstance(node, ast.IfExp):
            return [*self._item(node.body, item), *self._item(node.orelse, item)]
        if isinstance(node, ast.Tuple):
            return self.read(node.elts[item]) if item < len(node.elts) else []
        if isinstance(node, ast.Dict):
            return [text for one in node.values for text in self._item(one, item)]
        if isinstance(node, ast.Name):
            return [text for one in self._source.constants(node) for text in self._item(one, item)]
        if isinstance(node, ast.Call) and node not in self._under_way:
            self._under_way.append(node)
            try:
                several = [
                    one for function in self._source.defined(node)[:2] for one in own(function, ast.Return)
                ]
                return [text for one in several if one.value for text in self._item(one.value, item)]
            finally:
                self._under_way.pop()
        return []

    def _Call(self, node: ast.Call) -> list[Text]:  # noqa: PLR0911  # one for each form
        name = called(node)
        method = node.func if isinstance(node.func, ast.Attribute) else None
        if name in _VALUES:
            return []
        if name in _THROUGH and node.args:
            return self.read(node.args[0])
        if method and name in _TRIMMED:
            return self.read(method.value)
        if method and name in {"removeprefix", "removesuffix"}:
            return [self._without(text, name, node.args[0]) for text in self.read(method.value)]
        if name == "join" and node.args:
            return self._joined(node)
        if name == "filter":
            return self.read(node.args[-1])
        if method and name == "get" and self._source.is_table(method.value):
            return self._all([method.value, *node.args[1:]])
        return self._all(
            one.value
            for function in self._source.defined(node)
            if _gives_text(function)
            for one in (*own(function, ast.Return), *own(function, ast.Yield))
            if one.value
        )

    def _joined(self, node: ast.Call) -> list[Text]:
        """Names to choose from are shown as one, two and three; else each joined text is one of its own."""
        between = getattr(getattr(node.func, "value", None), "value", "")
        texts = self.read(node.args[0])
        if between == " or " and not any(map(words, texts)):
            blank = blank_for(node.args[0])
            return [blank, (*blank, between, *blank), (*blank, between, *blank, between, *blank)]
        self.keep(texts, node)
        return [blank_for(node)] if not isinstance(node.args[0], ast.GeneratorExp) else [(Blank("value"),)]

    @staticmethod
    def _without(text: Text, name: str, end: ast.AST) -> Text:
        what = end.value if isinstance(end, ast.Constant) else ""
        at = 0 if name == "removeprefix" else -1
        if not what or isinstance(text[at], Blank):
            return text
        parts = list(text)
        parts[at] = getattr(parts[at], name)(what)
        return tuple(parts)


def _gives_text(function: Function) -> bool:
    kind = ast.unparse(function.returns) if function.returns else ""
    return "str" in kind and "tuple" not in kind and "dict" not in kind.lower()


def templates(source: Source | None = None) -> dict[str, str]:
    """Each template, with the file and the line where it is found first."""
    source = source or Source()
    reader = Reader(source)
    for read in (_read_errors, _read_fields, _read_methods, _read_calls):
        read(reader, source)
    reader.found |= dict.fromkeys(_steps_of_leaving(), f"{LEAVING}:1")
    rest = dict.fromkeys((*LABELS, *STANDING_IN, *UNREAD, *LIBRARY), "translation.py")
    return dict(sorted(reader.found.items())) | rest


def _steps_of_leaving() -> Iterator[str]:
    """How what arcferry left behind is taken away, which stands in a file of its own."""
    for entry in tomllib.loads((ROOT / LEAVING).read_text(encoding="utf-8")).values():
        yield from (step.replace("{{", "{").replace("}}", "}") for step in entry["steps"] if " " in step)


def _read_errors(reader: Reader, source: Source) -> None:
    errors = source.kinds_of("ArcferryError", "ValueError", "Exception")
    for name in sorted(errors):
        for call in source.calls(name):
            _read_error(reader, call, name)
    for name in ("ArcferryError", *sorted(errors)):
        for call in source.first_calls_of(name):
            _read_error(reader, call, "")


def _read_fields(reader: Reader, source: Source) -> None:
    for value in source.put_into({"message", "hint"}):
        reader.keep(reader.read(value), value)
    for name, fields in source.classes_with(FIELDS):
        for call in source.calls(name):
            for field, value in (*zip(fields, call.args, strict=False), *_keywords(call)):
                if field in FIELDS and (field == "hint" or not source.place(call).startswith(_READERS)):
                    reader.keep(reader.read(value), value)


def _read_methods(reader: Reader, source: Source) -> None:
    for function in source.methods(SENTENCES):
        for one in own(function, ast.Return):
            if isinstance(one, ast.Return) and one.value:
                reader.keep(reader.read(one.value), one.value)


def _read_calls(reader: Reader, source: Source) -> None:
    """What is said on stderr, what decisions are made of, and what is told while a step waits."""
    for call in source.calls("say"):
        reader.keep(map(_without_label, reader.read(call.args[0])), call)
    for call in (one for name in sorted(DECISIONS) for one in source.calls(name)):
        for value in call.args[:2] if isinstance(call.func, ast.Name) else ():
            reader.keep(reader.read(value), value)

    for call in (one for name in sorted(TOLD) for one in source.calls(name) if one.args):
        reader.keep(reader.read(call.args[0]), call)
    for call in source.calls("replace"):
        for field, value in _keywords(call):
            if field in FIELDS:
                reader.keep(reader.read(value), value)


def _without_label(text: Text) -> Text:
    first, *rest = text
    label, colon, after = first.partition(": ")
    return (after, *rest) if colon and label in LABELS and not isinstance(first, Blank) else text


def _keywords(call: ast.Call) -> Iterator[tuple[str, ast.AST]]:
    return ((one.arg, one.value) for one in call.keywords if one.arg)


def _read_error(reader: Reader, call: ast.Call, name: str) -> None:
    """The message comes first, after the path where a file is named; of a name, its kind makes it."""
    if name == "UnknownNameError":
        kinds = reader.read(call.args[0])
        reader.keep([("unknown ", *kind, " ", Blank("name")) for kind in kinds], call)
    else:
        for value in call.args[1:2] if name == "FileInputError" else call.args[:1]:
            reader.keep(reader.read(value), value)
    for field, value in _keywords(call):
        if field in {"hint", "message", "problem"}:
            reader.keep(reader.read(value), value)


if __name__ == "__main__":
    for template, place in templates().items():
        print(f"{place}  {template}")
