"""Users see values as they gave them: Python's own notation doubles every backslash."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import arcferry
import arcferry_lab

SOURCES = sorted(
    path for package in (arcferry, arcferry_lab) for path in Path(package.__path__[0]).rglob("*.py")
)
CONVERSIONS = {ord("r"), ord("a")}
FORMATS = re.compile(r"%[-#0-9. ]*[ra](?![a-z])|![ra][:}]")


def reprs(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The lines that turn a value into Python's notation, and how."""
    for node in ast.walk(tree):
        match node:
            case ast.FormattedValue(conversion=conversion) if conversion in CONVERSIONS:
                yield node.lineno, f"!{chr(conversion)}"
            case ast.Call(func=ast.Name(id="repr" | "ascii" as name)):
                yield node.lineno, f"{name}()"
            case ast.Attribute(attr="__repr__"):
                yield node.lineno, "__repr__"
            case ast.Constant(value=str(text)) if FORMATS.search(text):
                yield node.lineno, "a format"
            case ast.keyword(arg="key" | "default", value=ast.Name(id="repr" | "ascii")):
                yield node.value.lineno, "repr"


def test_the_finder_finds() -> None:
    code = """f"{a!r}"; f"{a!a:>4}"; repr(a); ascii(a); "%r" % a; "{!r}".format(a); a.__repr__()"""
    assert len(list(reprs(ast.parse(code)))) == 7
    assert not list(reprs(ast.parse("""f"{a}"; "100% real"; "what!"; report(a)""")))


def test_no_output_holds_a_repr() -> None:
    found = [
        f"{path}:{line}: {how}"
        for path in SOURCES
        for line, how in reprs(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not found, "use arcferry.text.quoted"
