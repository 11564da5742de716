"""Every sample in the folder of its kind: taken for itself and nothing else, however it is written."""

from pathlib import Path

import pytest

from arcferry.evidence.case import Document, Kind
from arcferry.evidence.reading import read_document

_SAMPLES = sorted(Path(__file__).with_name("samples").glob("*/*"))
_RESOLVED = ("his.trafficmanager.net", "his-ea.eastasia.cloudapp.azure.com")


def _kinds(documents: tuple[Document, ...]) -> list[str]:
    return [document.kind.value for document in documents]


def _id(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


def _text(path: Path) -> str:
    data = path.read_bytes()
    if data.startswith(b"\xff\xfe"):
        return data.decode("utf-16")
    return data.decode("utf-16-le") if data[1:2] == b"\x00" else data.decode()


@pytest.mark.parametrize("path", _SAMPLES, ids=_id)
def test_a_sample_is_taken_for_itself(path: Path) -> None:
    # Words that say more than a code may stand in any of them.
    kinds = _kinds(read_document("handed-in", path.read_bytes()))
    assert [kind for kind in kinds if kind == path.parent.name or kind != "program-output"] == [
        path.parent.name
    ]


@pytest.mark.parametrize(
    ("encoding", "ending"),
    [("utf-8", "\r\n"), ("utf-16", "\r\n"), ("utf-16-le", "\n"), ("utf-16-be", "\r\n"), ("utf-8-sig", "\r")],
)
@pytest.mark.parametrize("path", _SAMPLES, ids=_id)
def test_a_sample_in_another_encoding_is_the_same(path: Path, encoding: str, ending: str) -> None:
    text = _text(path).replace("\r\n", "\n")
    again = text.replace("\n", ending).encode(encoding)
    assert read_document("handed-in", again) == read_document("handed-in", text.encode())


@pytest.mark.parametrize(
    "kind", [kind for kind in Kind if kind.value not in ("unrecognised", "unreadable", "agent-logs-zip")]
)
def test_every_kind_has_a_sample(kind: Kind) -> None:
    routing = {"received-routes", "azure-routes", "circuit"}
    elsewhere = routing | {"watch-history", "kept-evidence", "bundle-check"}
    assert kind.value in elsewhere or any(path.parent.name == kind.value for path in _SAMPLES)


_ANSWERED = [
    path for path in _SAMPLES if path.parent.name == "dns-answers" and "trafficmanager" in path.read_text()
]


@pytest.mark.parametrize("path", [path for path in _ANSWERED if path.suffix == ".txt"], ids=_id)
def test_every_tool_tells_the_same_answer(path: Path) -> None:
    (document,) = read_document("handed-in", path.read_bytes())
    (answer,) = document.answers
    assert (answer.host, answer.chain) == ("gbl.his.arc.azure.com", _RESOLVED)
    assert answer.addresses == ("203.0.113.9",)
    assert answer.resolver == ("" if "resolve" in path.name else "10.0.0.53")


@pytest.mark.parametrize(
    "path",
    [path for path in _SAMPLES if path.parent.name == "download-error" and "linux" not in path.name],
    ids=_id,
)
def test_a_failed_download_in_every_language(path: Path) -> None:
    (document,) = read_document("handed-in", path.read_bytes())
    (seen,) = document.attempts
    assert (seen.host, seen.reachable, seen.install) == ("aka.ms", False, True)
    # PowerShell 7 leaves the reason to the system's words, which are localised.
    assert (seen.failure.kind if seen.failure else "") == ("" if "-7" in path.name else "nxdomain")
