"""STEPS.html in a real browser: commands wrap, a button copies each, and nothing else runs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.bundle.guide.browser import browsing, program

from arcferry import export
from arcferry.export import ExportOptions, Tool
from arcferry.export.steps import as_html

pytestmark = pytest.mark.skipif(program() is None, reason="no Chromium here")
LONG = "arcferry export gpo " + "--an-option-of-some-length its-value " * 12


@pytest.mark.parametrize("width", [360, 1280])
async def test_a_long_command_wraps_and_has_a_button(tmp_path: Path, width: int) -> None:
    page = tmp_path / "STEPS.html"
    page.write_text(as_html(f"# Steps\n\n```sh\n{LONG}\n```\n"), encoding="utf-8")
    async with browsing() as browser:
        await browser.open(page, width=width)
        assert await browser.evaluate("document.querySelector('pre').scrollWidth <= innerWidth")
        assert await browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert await browser.evaluate("document.querySelectorAll('button').length") == 1
        await browser.evaluate("document.querySelector('button').click()")
        assert not browser.complaints


async def test_an_export_has_a_button_for_each_command(
    make_options: Callable[[], ExportOptions], tmp_path: Path
) -> None:
    export.export(make_options(), Tool.GPO, tmp_path / "out")
    async with browsing() as browser:
        await browser.open(tmp_path / "out" / "STEPS.html", width=800)
        counts = [
            await browser.evaluate(f"document.querySelectorAll('{tag}').length") for tag in ("pre", "button")
        ]
        assert counts[0] == counts[1] > 0
        assert not browser.complaints
