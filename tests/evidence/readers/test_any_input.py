"""Whatever the bytes are: recognised, left aside, or refused with the file's name; never a traceback."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console

from arcferry.diagnosis import judge
from arcferry.errors import FileInputError
from arcferry.evidence import reading
from arcferry.evidence.case import Document, Kind
from arcferry.evidence.readers.values import TEXT_LIMIT
from arcferry.evidence.reading import read_document
from arcferry.report import as_json, findings

_KEYS = st.sampled_from(
    [
        "access", "addressPrefixes", "addresses", "answers", "bgpCommunities", "chain", "changeNumber",
        "check", "clock_skew", "cloud", "communities", "communityPrefixes", "communityValue", "dns",
        "endpoint", "endpoints", "entries", "failure", "host", "id", "kind", "name", "private",
        "properties", "provisioningState", "proxy", "rcode", "reachable", "region", "required",
        "resolver", "routeFilterRuleType", "rules", "schema", "stage", "taken", "tls", "value",
        "values", "gbl.his.arc.azure.com", "agentserviceapi.guestconfiguration.azure.com",
    ]
)  # fmt: skip
_WORDS = st.sampled_from(
    [
        "Allow", "Deny", "check", "endpoint", "12076:51010", "12076:5060", "10.0.0.1",
        "203.0.113.0/24", "::1", "::/0", "fe80::1%eth0", "2026-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59", "tcp", "dns", "timeout", "eastasia", "gbl.his.arc.azure.com",
        "AzureCloud", "\ud800", "\u202e", "\x00\x1b[31m", "set",
    ]
)  # fmt: skip
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | _WORDS
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(_KEYS | st.text(max_size=8), inner, max_size=6)
    ),
    max_leaves=40,
)
_KEPT = st.fixed_dictionaries(
    {"kind": st.sampled_from(list(Kind))},
    optional={
        "name": _SCALARS,
        "taken": _SCALARS,
        "servers": _SCALARS,
        "notes": st.lists(_SCALARS, max_size=3),
        "agent": st.dictionaries(_KEYS, _VALUES, max_size=6),
        **{
            key: st.lists(st.dictionaries(_KEYS, _VALUES, max_size=8), max_size=3)
            for key in ("attempts", "answers", "codes", "error_lines", "bundle_problems")
        },
        **{
            key: st.dictionaries(_KEYS, _VALUES, max_size=8)
            for key in ("route_filter", "circuit", "service_tags", "community_list")
        },
        "routes": st.fixed_dictionaries(
            {"vantage": st.sampled_from(["router", "received", "azure"]), "size": st.integers(0, 9)},
            optional={
                "complete": st.booleans(),
                "values": st.dictionaries(_WORDS, _SCALARS, max_size=3),
                "routes": st.lists(
                    st.fixed_dictionaries(
                        {"prefix": _WORDS},
                        optional={
                            "as_path": st.lists(_SCALARS, max_size=3),
                            "next_hop": _SCALARS,
                            "communities": st.lists(_WORDS, max_size=2),
                        },
                    ),
                    max_size=4,
                ),
            },
        ),
    },
)
"""A document of kept evidence, whose parts are of the right shape and hold anything."""
_LINES = st.lists(
    st.sampled_from(
        [
            "ENDPOINT |REACHABLE |PRIVATE |TLS |PROXY",
            "https://gbl.his.arc.azure.com |false |true |unknown |set",
            "Use Case |Endpoint |Reachable", "|", "||||",
            "Endpoint properties hostname=a.b reachable=false", "Endpoint properties",
            "FATAL   required: https://pas.windows.net", "INFO Exit Code:  AZCM0026: Network",
            "AZCM0000", "AZCM9999", "FullyQualifiedErrorId : WebException", "curl: (6)",
            "curl: (28) x", "(404)", "+ iwr https://aka.ms/x ...", "Failed to connect to a.b.c",
            "https://", "https://...", "{", "[",
        ]
    )
    | st.text(max_size=60),
    max_size=12,
)  # fmt: skip


def _survives(data: bytes) -> None:
    try:
        documents = read_document("handed-in.bin", data)
    except FileInputError as error:
        refused = error.message
    else:
        refused = ""
        _can_be_shown(documents)
    assert not refused or refused.startswith("handed-in.bin")


def _can_be_shown(documents: tuple[Document, ...]) -> None:
    assert documents
    diagnosis = judge(documents)
    assert json.loads(json.dumps(as_json.findings(diagnosis)))["kind"] == "findings"
    console = Console(file=StringIO(), force_terminal=True, width=40)
    findings.draw(diagnosis, console)
    out = console.file.getvalue()  # type: ignore[attr-defined] # the StringIO given above
    out.encode("utf-8")
    assert "\x00" not in out
    assert "\u202e" not in out


@given(st.binary(max_size=400))
@example(b"\xff\xfe")
@example(b"\xff\xfe\x00")
@example(b"\xef\xbb\xbf{}")
@example(b"\x00" * 64)
def test_any_bytes(data: bytes) -> None:
    _survives(data)


@given(_LINES, st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-8-sig", "cp932", "latin-1"]))
def test_any_lines(lines: list[str], encoding: str) -> None:
    _survives("\r\n".join(lines).encode(encoding, errors="replace"))


@given(_VALUES)
def test_any_json(value: object) -> None:
    _survives(json.dumps(value).encode())


@given(
    st.one_of(
        st.fixed_dictionaries({"answers": st.dictionaries(_WORDS | _KEYS, _VALUES, max_size=3)}),
        st.fixed_dictionaries(
            {
                "kind": st.just("check"),
                "endpoints": st.lists(st.dictionaries(_KEYS, _VALUES, max_size=12), max_size=4),
            }
        ),
        st.fixed_dictionaries({"kind": st.just("evidence"), "documents": st.lists(_KEPT, max_size=4)}),
        st.fixed_dictionaries({"rules": st.lists(st.dictionaries(_KEYS, _VALUES), max_size=3)}),
        st.fixed_dictionaries({"values": st.lists(st.dictionaries(_KEYS, _VALUES), max_size=3)}),
        st.fixed_dictionaries({"value": st.lists(st.dictionaries(_KEYS, _VALUES), max_size=3)}),
    )
)
def test_nearly_right_json(value: object) -> None:
    _survives(json.dumps(value).encode())


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        '{"a":' * 200_000,
        '{"answers": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"answers": NaN}',
        '{"answers": {"a.b": {"addresses": [Infinity]}}}',
        '{"a": ' + "9" * 10_000 + "}",
        '{"schema": {}, "kind": "check", "endpoints": []}',
        "|" * 300_000,
        "https://" * 100_000,
        "AZCM0026" * 50_000,
        "\x1b]" * 100_000,
        '="' * 50_000 + "Endpoint properties " + 'a="' * 50_000,
    ],
)
def test_extremes_end_soon_and_without_a_traceback(text: str) -> None:
    _survives(text.encode())


def test_binary_is_named_and_refused() -> None:
    with pytest.raises(FileInputError, match=r"core\.dump: a binary file"):
        read_document("core.dump", b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 8)


def test_of_a_long_log_the_end_is_read_and_it_is_said() -> None:
    end = "INFO    Exit Code:  AZCM0044: Resource Already Exists\nFATAL   srv-01 is there already\n"
    line = b"Oct 12 08:01:02 srv-01 systemd[1]: Started Session 4711 of user root, nothing of note\n"
    log = line * (TEXT_LIMIT * 6 // 5 // len(line)) + end.encode()
    (document,) = read_document("huge.log", log)
    assert [code.code for code in document.codes] == ["AZCM0044"]
    assert "the newest stands at the end" in document.notes[0]


_SAMPLES = sorted(Path(__file__).with_name("samples").glob("*/*"))
_FRAGMENTS = st.lists(
    st.sampled_from(
        [line for path in _SAMPLES for line in path.read_text(errors="replace").splitlines() if line]
    )
    | st.text(max_size=80),
    max_size=15,
)


@pytest.mark.parametrize(
    "read",
    reading._TEXT_READERS,
    ids=lambda read: f"{read.__module__.rpartition('.')[2]}.{read.__name__}",
)
@given(_FRAGMENTS)
def test_each_reader_takes_any_text(read: Callable[[str, str], Document | None], lines: list[str]) -> None:
    document = read("handed-in", "\n".join(lines))
    assert document is None or document.name == "handed-in"


@given(st.sampled_from(_SAMPLES), st.data())
def test_a_damaged_sample(path: Path, data: st.DataObject) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    start = data.draw(st.integers(0, len(content)))
    _survives(bytes(content[start:]))


@pytest.mark.parametrize(
    ("first", "second"),
    [("utf-8", "utf-16-le"), ("utf-16", "utf-8"), ("utf-16-le", "utf-8"), ("utf-8", "cp1252")],
)
def test_a_file_of_two_encodings(first: str, second: str) -> None:
    before = "INFO    Connecting machine to Azure... This might take a few minutes.\r\n"
    after = "INFO    Exit Code:  AZCM0044: Resource Already Exists\r\nFATAL   srv-01 is there already\r\n"
    (document,) = read_document("appended.txt", before.encode(first) + after.encode(second))
    assert [code.code for code in document.codes] == ["AZCM0044"]


def test_deeply_nested_json_is_refused() -> None:
    with pytest.raises(FileInputError, match="nested too deeply"):
        read_document("deep.json", b"[" * 200_000 + b"]" * 200_000)
