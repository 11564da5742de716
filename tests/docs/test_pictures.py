"""The pictures of the documents, taken by `make pictures`: small, shown, and of what is typed there."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.docs.pictured import DRAWN_FROM, lines, no_longer_there, stale
from typer.testing import CliRunner

from arcferry import catalog, times
from arcferry.cli.app import app
from arcferry.report.watch import HistoryView
from arcferry.report.watch_svg import svg
from arcferry.routing.coverage import Verdict
from arcferry.watch.changes import AnswerRegion
from arcferry.watch.history import AnswerSpan, ReachSpan, Record

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


def printed(*words: str) -> str:
    return CliRunner().invoke(app, words, env={"ARCFERRY_DATA": "/nowhere", "COLUMNS": "148"}).stdout


def test_the_picture_of_an_audit_is_what_an_audit_prints(tmp_path: Path) -> None:
    # It holds all that was handed in, of which the check alone was in a file of another name.
    check = shutil.copy(DRAWN_FROM / "audit.json", tmp_path / "check.json")
    now = printed("routes", "audit", "--location", "eastasia", str(check))
    assert stale(ROOT / "docs/images/audit.svg", now) == []


def test_the_picture_of_a_watch_is_what_a_watch_draws(tmp_path: Path) -> None:
    drawn = tmp_path / "watch.svg"
    drawn.write_text(
        svg(history(json.loads((DRAWN_FROM / "watch.json").read_text(encoding="utf-8")))), encoding="utf-8"
    )
    assert stale(ROOT / "docs/images/watch.svg", "\n".join(lines(drawn))) == []


def history(document: dict[str, Any]) -> HistoryView:
    """The view that such a document was made of."""
    verdicts = {"yes": Verdict.CARRIED, "no": Verdict.NOT_IN_FILTER}

    def seen(row: dict[str, Any]) -> dict[str, Any]:
        return {
            "first": times.from_text(row["first"]),
            "last": times.from_text(row["last"]),
            "rounds": row["rounds"],
        }

    found = {
        AnswerSpan(
            row["host"],
            row["resolver"],
            tuple(row["chain"]),
            tuple(row["addresses"]),
            row["says"],
            **seen(row),
        ): AnswerRegion(row["region"], verdicts.get(row["carried"], Verdict.UNKNOWN), "", row["community"])
        for row in document["answers"]
    }
    reach = tuple(ReachSpan(row["host"], row["says"], **seen(row)) for row in document["reach"])
    cloud = catalog.cloud(document["cloud"])
    region = catalog.region(document["location"], cloud)
    return HistoryView(cloud, region, Record(tuple(found), reach, ()), found, tuple(document["sources"]))


@pytest.fixture(scope="module")
def page() -> str:
    return printed("report", *(str(DRAWN_FROM / name) for name in ("explain.json", "run.json")))


@pytest.mark.parametrize("name", ["report", "report-fleet"])
def test_what_a_photograph_of_the_page_shows_stands_on_the_page(page: str, name: str) -> None:
    assert no_longer_there(DRAWN_FROM / f"{name}.txt", page) == []


def test_a_photograph_of_words_that_are_no_longer_there_is_stale(page: str) -> None:
    renamed = page.replace("The path</h2>", "The way</h2>")
    assert "The path" in no_longer_there(DRAWN_FROM / "report-fleet.txt", renamed)
