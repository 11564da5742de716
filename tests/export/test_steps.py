"""The pages of steps in Traditional Chinese: the same commands, and no heading left in English."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from arcferry import export
from arcferry.export import ExportOptions, Tool
from arcferry.export.steps import as_html
from arcferry.language import ENGLISH, speaking

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def _page(options: ExportOptions, tool: Tool, out: Path, language: str) -> tuple[str, str]:
    with speaking(language):
        export.export(options, tool, out)
    return tuple((out / f"STEPS.{end}").read_text(encoding="utf-8") for end in ("md", "html"))  # type: ignore[return-value]


@pytest.mark.parametrize("tool", Tool)
def test_steps_are_chinese_with_the_commands_of_the_english(
    make_options: Callable[..., ExportOptions], tmp_path: Path, tool: Tool
) -> None:
    options = make_options(sign_in=None) if tool is Tool.ANSIBLE else make_options()
    english, _html = _page(options, tool, tmp_path / "en", ENGLISH)
    steps, html = _page(options, tool, tmp_path / "zh", "zh-TW")
    assert re.findall(r"(?s)```.*?```", steps) == re.findall(r"(?s)```.*?```", english)
    headings = re.findall(r"(?m)^#+ (.*)$", steps)
    assert len(headings) == len(re.findall(r"(?m)^#+ (.*)$", english))
    assert [one for one in headings if not CHINESE.search(one) and one != "Windows"] == []
    assert '<html lang="zh-Hant-TW">' in html
    assert '"複製"' in html
    assert "<!-- of" not in steps
    assert not CHINESE.search(english)


def test_the_rest_of_an_export_is_the_same_in_every_language(
    make_options: Callable[..., ExportOptions], tmp_path: Path
) -> None:
    written = []
    for language in (ENGLISH, "zh-TW"):
        out = tmp_path / language
        _page(make_options(), Tool.GPO, out, language)
        files = (path for path in out.rglob("*") if path.is_file() and path.stem != "STEPS")
        written.append({path.relative_to(out): path.read_bytes() for path in files})
    assert written[0] == written[1]


def test_a_page_says_its_language() -> None:
    assert '<html lang="en">' in as_html("# Steps\n")
