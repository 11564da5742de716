"""The pictures of the documents, taken by `make pictures`: small, shown, and of what is typed there."""

import re
from pathlib import Path

import pytest
from tests.docs.pictured import lines, stale

ROOT = Path(__file__).parents[2]
PICTURES = sorted((ROOT / "docs/images").iterdir())
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MOST = {".svg": 40_000, ".png": 200_000}
TALLEST = {".svg": 1_900, ".png": 1_200}
SHOWN = {
    (document.parent / to).resolve(): words
    for document in DOCUMENTS
    for words, to in re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", document.read_text(encoding="utf-8"))
}


def height(picture: Path) -> float:
    if picture.suffix == ".png":
        return int.from_bytes(picture.read_bytes()[20:24])
    found = re.search(r'viewBox="0 0 [\d.]+ ([\d.]+)"', picture.read_text(encoding="utf-8"))
    assert found
    return float(found[1])


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.name)
def test_it_is_small_and_shown(picture: Path) -> None:
    assert picture in SHOWN
    assert picture.stat().st_size < MOST[picture.suffix]
    assert height(picture) < TALLEST[picture.suffix]


@pytest.mark.parametrize(
    "picture", [one for one in PICTURES if one.suffix == ".svg"], ids=lambda path: path.name
)
def test_it_says_nothing_of_the_twin_s_own_ca_and_cuts_no_line(picture: Path) -> None:
    text = "\n".join(lines(picture))
    assert "twin CA" not in text
    assert "judged by" not in text or re.search(r"judged by .*\.json$", text, re.MULTILINE)


@pytest.mark.parametrize("name", ["check", "explain", "audit", "apply"])
def test_a_terminal_shows_a_command_of_the_documents(name: str) -> None:
    first = next(one for one in lines(ROOT / f"docs/images/{name}.svg") if one.startswith("$"))
    shown = "\n".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    assert " ".join(first.removeprefix("$").split()[:4]) in shown


def test_a_picture_of_words_that_are_no_longer_printed_is_stale() -> None:
    picture = ROOT / "docs/images/apply.svg"
    printed = "\n".join(lines(picture)).replace("server01", "server99")
    assert stale(picture, printed) == []
    assert stale(picture, printed.replace("MACHINE IN AZURE", "MACHINE")) == [
        one for one in lines(picture) if one.startswith("HOST")
    ]
