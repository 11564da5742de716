"""Traditional Chinese of the words that stand in code: whole, of today's English, and of the right width."""

import importlib.util
import io
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog
from rich.console import Console

from arcferry.language import ENGLISH, _, ngettext, speaking
from arcferry.report.columns import columns, labelled, laid_out, named, padded, without_middle
from arcferry.report.console import print_table
from arcferry.text import width

ROOT = Path(__file__).parents[1]
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("words", ROOT / "scripts/words.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def chinese() -> Iterator[None]:
    with speaking("zh-TW"):
        yield


def test_every_text_is_translated(script: ModuleType) -> None:
    assert list(script.problems(script.gathered(), script.translated())) == []


def test_what_is_read_is_what_was_translated(script: ModuleType) -> None:
    assert script.MO.read_bytes() == script.compiled(script.translated())


@pytest.mark.parametrize(
    ("text", "given", "fuzzy", "problem"),
    [
        ("{count} hosts", "{count} 台", False, []),
        ("{count} hosts", "", False, ["not translated: {count} hosts"]),
        ("{count} hosts", "幾台", False, ["other placeholders: {count} hosts"]),
        ("{count} hosts", "{count} 台", True, ["fuzzy: {count} hosts"]),
        ("gone", "沒了", False, ["missing: {count} hosts", "left over: gone"]),
    ],
)
def test_what_is_wrong_with_a_translation_is_found(
    script: ModuleType, text: str, given: str, fuzzy: bool, problem: list[str]
) -> None:
    catalog = Catalog(locale="zh_TW")
    catalog.add(text, given, flags=["fuzzy"] if fuzzy else [])
    assert list(script.problems({"{count} hosts": ["a.py"]}, catalog)) == problem


def test_every_text_passes_as_a_literal(script: ModuleType) -> None:
    """An f-string would never be found in the catalogue."""
    assert script.not_literal() == []


def test_no_translation_is_english(script: ModuleType) -> None:
    names = {"SHA-256", "TLS", "PROXY", "Azure "}
    said = {"".join(message.string) for message in script.translated() if message.id}
    words = {text: re.sub(r"\{[^}]*\}", "", text) for text in said - names}
    assert [
        text for text, left in words.items() if re.search("[A-Za-z]", left) and not CHINESE.search(left)
    ] == []


def test_english_is_as_it_stands_in_the_code() -> None:
    with speaking(ENGLISH):
        assert _("{good} of {hosts} hosts connected", good=1, hosts=2) == "1 of 2 hosts connected"
        assert ngettext("{count} host", "{count} hosts", 1) == "1 host"
        assert ngettext("{count} host", "{count} hosts", 2) == "2 hosts"


def test_what_is_no_text_of_ours_stays_as_it_is() -> None:
    assert _("") == ""
    assert _("what {another} program said") == "what {another} program said"
    assert _("hint: {hint}", hint="{0.__class__} %s") == "提示：{0.__class__} %s"  # Chinese


def test_columns_of_wide_letters_stand_beneath_each_other() -> None:
    lines = list(columns([("伺服器", "結果"), ("web-01", "ok"), ("資料庫", "失敗")]))
    assert {width(line.split("  ")[0] + "  ") for line in lines[:1]} == {8}
    assert [line.index(cell) for line, cell in zip(lines, ("結果", "ok", "失敗"), strict=True)] == [5, 8, 5]
    assert [
        width(line[: line.index(cell)]) for line, cell in zip(lines, ("結果", "ok", "失敗"), strict=True)
    ] == [8] * 3


def test_a_table_of_chinese_fits_its_window_and_breaks_no_name() -> None:
    rows = [("web-01.corp.example", "失敗", "到 management.azure.com 的連線在 443 被防火牆重設，" * 4)]
    headings = ("伺服器", "結果", "原因")
    for room in (40, 60, 80):
        table = [line for row in laid_out(headings, rows, room) for line in row]
        lines = ["".join(piece for piece, _cell in line) for line in table]
        assert max(map(width, lines)) <= room
        assert "management.azure.com" in "\n".join(lines)


def test_labels_of_wide_letters_have_their_texts_beneath_each_other() -> None:
    lines = list(labelled([("原因", "a"), ("cause of it", "b")], 80))
    assert {width(label) for label, _text in lines} == {13}


def test_a_wide_cell_loses_its_middle_by_columns() -> None:
    for text in ("資料庫伺服器之一在臺北的機房", "web-01-資料庫-example-0001"):
        for room in range(4, 30):
            assert width(without_middle(text, room)) <= max(room, 1)
    assert padded("伺服器", 8) == "伺服器  "
    assert padded("伺服器", 8, right=True) == "  伺服器"


def test_the_headings_of_a_table_are_chinese() -> None:
    drawn = io.StringIO()
    console = Console(file=drawn, width=80, highlight=False, emoji=False, markup=False)
    print_table(console, ("HOST", "RESULT"), [(("web-01", "FAIL"), "")])
    assert drawn.getvalue().splitlines()[0].split() == ["主機", "結果"]


def test_the_first_few_names_are_told() -> None:
    assert named(("a", "b", "c"), most=2) == "a, b 等，另有 1 個"


def test_every_page_of_steps_is_translated_from_the_english_of_now(script: ModuleType) -> None:
    assert list(script.page_problems()) == []


def test_a_page_that_is_missing_or_stale_is_found(script: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "zh-TW").mkdir()
    for name in ("a.md", "b.md", "words.toml"):
        (tmp_path / name).write_text("Run `this`\n")
    stamp = script.stamp("Run `this`\n")
    (tmp_path / "zh-TW/a.md").write_text(f"<!-- of {stamp} -->\n執行 `that`\n", encoding="utf-8")
    (tmp_path / "zh-TW/words.toml").write_text("# of 00000000\n`this`\n", encoding="utf-8")
    (tmp_path / "zh-TW/c.md").write_text("", encoding="utf-8")
    assert list(script.page_problems(tmp_path)) == [
        "a.md: not alike: ['`that`', '`this`']",
        "b.md: missing",
        "words.toml: of another English text",
        "c.md: left over",
    ]
