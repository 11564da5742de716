"""Numbers that nobody vouches for: of any length, in any script, at every place where one is read."""

import ast
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry import catalog, times
from arcferry.data import catalogue, store
from arcferry.errors import ArcferryError
from arcferry.evidence.reading import read_claimed, read_document
from arcferry.fleet.script import read_answer
from arcferry.probe.https import his_host
from arcferry.probe.step import ProbeSettings
from arcferry.routing.prefixes import prefix_key
from arcferry.routing.tables import values
from arcferry.text import NumberError, from_json, json_decoder, whole

SOURCE = Path(catalog.__file__).parents[1]
LONG = "9" * 5000
STANDALONE = ("bundle/itself/installer/", "export/ansible_collection/")
"""What runs without the rest of arcferry."""
BOUNDED = {
    "azure/preflight/policy/expression.py": "at most 15 digits by its pattern",
    "bundle/manifest.py": "a date that arcferry formats",
    "bundle/packages/__init__.py": "unpacked from 32 or 64 bits",
    "bundle/packages/msi.py": "fields of a structure, of 32 or 64 bits",
    "bundle/versions.py": "at most 16 digits by its pattern",
    "catalog/asked.py": "at most 10 digits by its patterns, and the catalogue's own",
    "catalog/exit_codes.py": "at most 5 digits by its patterns",
    "catalog/ahead.py": "at most 4 digits by its pattern",
    "catalog/requirements.py": "arcferry's own catalogue, or one that was checked when it was taken in",
    "cli/bundle_shared.py": "the operator's environment, mapped",
    "cli/site.py": "a line of the file, by tomllib",
    "cli/watch_options.py": "at most 6 digits by its pattern",
    "evidence/kept.py": "a truth value, which Azure writes as 0 or 1",
    "evidence/readers/azure_objects.py": "a finite number, of at most 12 digits",
    "evidence/readers/codes.py": "4 digits by its pattern",
    "evidence/readers/download_error.py": "at most 3 digits by its pattern",
    "evidence/readers/http_heads.py": "3 digits by its pattern",
    "evidence/readers/install_log.py": "at most 5 digits by its pattern",
    "evidence/readers/onboarding_script.py": "at most 4 digits by its pattern",
    "evidence/readers/records.py": "at most 14 digits, by what is asked before",
    "evidence/readers/values.py": "a number below 1e12",
    "fetch/transfer.py": "at most 15 digits by its patterns",
    "fetch/yum.py": "at most 11 digits by its pattern",
    "fleet/inventory/ansible_groups.py": "at most 6 digits by its pattern",
    "fleet/host_state.py": "at most 9 digits by its pattern",
    "fleet/records.py": "arcferry's own record",
    "fleet/transport/ssh_windows.py": "at most 6 digits by its pattern",
    "fleet/transport/windows_text.py": "at most 5 digits by its patterns",
    "fleet/inventory/yaml_nodes.py": "a line's number, by PyYAML",
    "probe/step.py": "at most 5 digits by its pattern",
    "redaction/words.py": "4 digits by its pattern",
    "redaction/lines.py": "at most 3 digits by its pattern",
    "report/runs.py": "arcferry's own record",
    "report/watch_message.py": "a time that arcferry took",
    "routing/azure_json.py": "two to four digits by its pattern, and a prefix that was checked",
    "routing/prefixes.py": "an address of the standard library",
    "routing/reception.py": "a prefix that was checked",
    "watch/history.py": "arcferry's own database",
}
"""Where int, float or json.loads stands besides, and why it cannot surprise."""


@given(st.integers(0, 10**30), st.integers(0, 10**30))
def test_every_number_up_to_the_bound_is_read_and_none_above(number: int, most: int) -> None:
    found = whole(str(number), most=most)
    assert found == (number if number <= most else None)
    assert whole(str(number).encode(), most=most) == found
    assert whole(f"000{number}", most=most) == found


@given(st.text(max_size=30) | st.binary(max_size=30), st.integers(0, 10**30))
def test_any_text_is_a_number_or_none(text: str | bytes, most: int) -> None:
    found = whole(text, most=most)
    assert found is None or 0 <= found <= most


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1.0", "1e3", "²", "٣", "\uff11", " 1", "1_000", LONG, LONG.encode()]
)
def test_what_is_no_plain_number(text: str | bytes) -> None:
    assert whole(text, most=2**64) is None


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_json_is_read_as_json_reads_it(value: object) -> None:
    assert from_json(json.dumps(value)) == value


@pytest.mark.parametrize(
    "number", [LONG, f"-{LONG}", f"{LONG}.5", "1e999", "-1e999", "NaN", "Infinity", "-Infinity"]
)
@pytest.mark.parametrize("around", ["{}", "[1, {}]", '{{"a": {}}}'])
def test_a_number_that_no_tool_writes_is_an_error_of_json(number: str, around: str) -> None:
    with pytest.raises(NumberError):
        from_json(around.format(number))
    with pytest.raises(NumberError):
        json_decoder().raw_decode(around.format(number))


@pytest.mark.parametrize(
    "text",
    [
        f"Mon, 23 Nov {LONG} 08:00:00 GMT",
        f"Mon, 23 Nov {'9' * 30} 08:00:00 GMT",
        f"Mon, 23 Nov 2026 {'9' * 30}:00:00 GMT",
        "Mon, 23 Nov 99999 08:00:00 GMT",
        "",
        "²",
    ],
)
def test_a_header_that_is_no_date(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        times.from_http(text)


def test_a_header_that_is_a_date() -> None:
    assert times.from_http("Mon, 23 Nov 2026 08:00:00 GMT") == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert times.from_http("Mon, 23 Nov 2026 09:00:00 +0100") == datetime(2026, 11, 23, 8, tzinfo=UTC)


def test_an_as_number_of_any_length_leaves_the_rest_of_the_path() -> None:
    assert values.as_path(f"8075 {LONG} 12076") == (8075, 12076)
    assert values.as_path("4294967295 4294967296 1.10 99999.1") == (4294967295, 65546)
    assert values.communities(f"12076:51012 {LONG}:1 1:{LONG} {LONG} ({LONG}, 1) 00000791463748") == (
        "12076:51012",
    )
    assert values.prefix(f"10.0.0.0/{LONG}") is None
    assert values.prefix(f"{LONG}.0.0.0", classful=True) is None
    assert values.prefix("10.0.0.0/008") == "10.0.0.0/8"
    with pytest.raises(ValueError, match="not a prefix"):
        prefix_key(f"10.0.0.0/{LONG}")


_REFUSED: dict[str, Callable[[], object]] = {
    "a check": lambda: read_document("x", f'{{"schema": 1, "kind": "check", "n": {LONG}}}'.encode()),
    "JSON lines": lambda: read_document("x", f'{{"n": {LONG}}}\n{{"n": 1}}\n'.encode()),
    "a number alone in a list": lambda: read_document("x", f"[{LONG}]".encode()),
    "routes of a router": lambda: read_document(
        "x", f'{{"vrfId": 0, "routerId": "192.0.2.1", "routes": {{"n": {LONG}}}}}'.encode()
    ),
    "a held document": lambda: store.parse("x", f'{{"changeNumber": {LONG}}}'.encode()),
    "a catalogue": lambda: catalogue.read_catalogue("x", f"schema = {LONG}\n".encode()),
    "a code": lambda: catalog.code(f"AZCM{LONG}"),
    "another code": lambda: catalog.code(f"msiexec {LONG}"),
    "a resolver's port": lambda: ProbeSettings(resolver=f"192.0.2.1:{LONG}"),
    "a proxy's port": lambda: ProbeSettings(proxy=f"http://proxy.example:{LONG}"),
}


@pytest.mark.parametrize("name", _REFUSED)
def test_what_cannot_be_used_for_its_number_is_refused_in_words(name: str) -> None:
    with pytest.raises(ArcferryError) as refused:
        _REFUSED[name]()
    assert LONG[:400] not in f"{refused.value.message} {refused.value.hint}"
    assert "set_int_max_str_digits" not in refused.value.message


def test_what_a_host_says_with_such_a_number_is_no_answer() -> None:
    assert read_answer("facts", f'{{"schema": 1, "verb": "facts", "ok": true, "disk_free": {LONG}}}') is None
    assert his_host(f'"https://x.his.arc.azure.com:{LONG}"'.encode(), ".his.arc.azure.com") is None
    with pytest.raises(ValueError, match="digits"):
        store.from_json(f'{{"schema": {LONG}}}'.encode(), Path())
    (found,) = read_claimed("web01: path.json", f'{{"a": {LONG}}}'.encode())
    assert (found.kind, found.notes) == (
        "unreadable",
        ("could not be read: JSON that holds a number of 5,000 digits",),
    )


def _calls() -> Iterator[tuple[str, str]]:
    """Every call that reads a number out of something, by its file."""
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if name == "text.py" or name.startswith(STANDALONE):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and (called := ast.unparse(node.func)) in _READ:
                yield name, called


_READ = {
    "int",
    "float",
    "json.loads",
    "json.load",
    "json.JSONDecoder",
    "complex",
    "Decimal",
    "parsedate_to_datetime",
}
_OWN = {"times.py": "from_http itself"}


def test_numbers_are_read_in_one_place_or_the_reason_stands_here() -> None:
    files = {name for name, _ in _calls()}
    assert files - set(BOUNDED) - set(_OWN) == set()
    assert set(BOUNDED) - files == set(), "a reason that is no longer needed"
