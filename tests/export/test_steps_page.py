"""STEPS.html in a real browser: commands wrap, a button copies each, and nothing else runs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.browser import SIDEWAYS, Browser

from arcferry import export
from arcferry.export import ExportOptions, Tool
from arcferry.export.steps import as_html

pytestmark = pytest.mark.asyncio(loop_scope="module")
LONG = "arcferry export gpo " + "--an-option-of-some-length its-value " * 12


@pytest.mark.parametrize("width", [360, 1280])
async def test_a_long_command_wraps_and_has_a_button(browser: Browser, tmp_path: Path, width: int) -> None:
    page = tmp_path / "STEPS.html"
    page.write_text(as_html(f"# Steps\n\n```sh\n{LONG}\n```\n"), encoding="utf-8")
    await browser.open(page, width=width)
    assert await browser.evaluate("document.querySelector('pre').scrollWidth <= innerWidth")
    assert await browser.evaluate(SIDEWAYS) == 0
    await browser.page.get_by_role("button").click()  # there is but one
    await browser.page.get_by_role("button", name="Copied").wait_for()


async def test_an_export_has_a_button_for_each_command(
    browser: Browser, make_options: Callable[[], ExportOptions], tmp_path: Path
) -> None:
    export.export(make_options(), Tool.GPO, tmp_path / "out")
    await browser.open(tmp_path / "out" / "STEPS.html", width=800)
    counts = [await browser.page.locator(tag).count() for tag in ("pre", "button")]
    assert counts[0] == counts[1] > 0
