"""YAML of strangers, as nodes with their lines: without aliases, bounded, each value as written."""

from collections.abc import Iterator
from pathlib import Path

import yaml

from arcferry.errors import FileInputError
from arcferry.text import one_line, quoted, said, without_reprs

_MOST_NODES = 2_000_000
_DEEPEST = 24


def composed(path: Path, text: str, *, hint: str = "") -> yaml.Node | None:
    """The document's top; None where the file is empty.

    Args:
        path: the file.
        text: what it holds.
        hint: the way out for what is YAML and not read here.

    Raises:
        FileInputError: naming the line: not YAML, an alias, too many values or too deep ones.
    """
    try:
        return yaml.compose(text, Loader=_Loader)
    except _RefusedError as error:
        says, line = error.args
        raise FileInputError(path, says, line=line, hint=hint) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = str(error.problem or error.context).replace(r"character '\t'", "a tab")
        says = f"is not YAML: {one_line(without_reprs(problem))}"
        raise FileInputError(path, says, line=mark.line + 1 if mark else None) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise FileInputError(path, f"is not YAML: {said(error)}") from None


def line_of(node: yaml.Node) -> int:
    """The line that a node begins on."""
    return int(node.start_mark.line) + 1


def is_empty(node: yaml.Node) -> bool:
    """Whether a node is a value that was left out."""
    return node.tag == "tag:yaml.org,2002:null" and getattr(node, "style", None) is None


def scalar(path: Path, what: str, node: yaml.Node) -> str:
    """A plain value as it was written: YAML would read a host named `no` as False and a port 022 as 18.

    Raises:
        FileInputError: it is a list or a mapping.
    """
    if not isinstance(node, yaml.ScalarNode):
        raise FileInputError(path, f"{what} is not a plain value", line=line_of(node))
    return "" if is_empty(node) else str(node.value).strip()


def pairs(path: Path, node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node]]:
    """The keys of a mapping with their values, in the file's order.

    Raises:
        FileInputError: a key is no plain word, or is given twice.
    """
    seen: set[str] = set()
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise FileInputError(path, "a key is not a plain word", line=line_of(key))
        if key.value in seen:
            raise FileInputError(path, f"{quoted(key.value)} is given twice", line=line_of(key))
        seen.add(key.value)
        yield key.value, value


class _RefusedError(Exception):
    """What the loader does not read, and its line."""


class _Loader(yaml.SafeLoader):
    """The safe loader without aliases, which could multiply a small file, and with bounds."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._nodes = 0
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # types-PyYAML leaves it untyped
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            raise _RefusedError("uses an alias (*name), which is not read here", line)
        self._nodes += 1
        self._depth += 1
        if self._nodes > _MOST_NODES or self._depth > _DEEPEST:
            raise _RefusedError("holds too many values, or too deep ones", line)
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1
