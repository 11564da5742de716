"""The page as a browser shows it."""

import os
from pathlib import Path

import pytest
from tests.browser import CONTRAST, SIDEWAYS, Browser

from arcferry.bundle.guide import BundleFacts, guide_files

PICTURES = os.environ.get("ARCFERRY_PICTURES")  # a folder to look at what the browser showed
WIDER = """
Array.from(document.querySelectorAll("body *"))
  .filter(one => one.clientWidth > 0 && one.scrollWidth > one.clientWidth + 1 && !one.closest("thead"))
  .map(one => one.outerHTML.slice(0, 80))
"""
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def page(tmp_path: Path, facts: BundleFacts, page_name: str) -> Path:
    for name, data in guide_files(facts).items():
        (tmp_path / name).write_bytes(data)
    return tmp_path / page_name


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
async def test_nobody_has_to_scroll_sideways(browser: Browser, page: Path, width: int, scheme: str) -> None:
    await browser.open(page, width=width, scheme=scheme)
    assert await browser.evaluate("innerWidth") == width
    assert await browser.evaluate(SIDEWAYS) == 0
    assert await browser.evaluate(WIDER) == []
    assert await browser.evaluate("document.title.length") > 5
    if PICTURES:
        name = f"{page.stem}-{width}-{scheme}.png"
        await browser.page.screenshot(path=Path(PICTURES) / name, full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_stands_out_from_what_is_behind_it(
    browser: Browser, page: Path, scheme: str
) -> None:
    await browser.open(page, width=1280, scheme=scheme)
    assert await browser.evaluate(CONTRAST) >= 4.5  # WCAG 2.2, 1.4.3


async def test_one_system_is_shown_alone_without_a_script(browser: Browser, page: Path) -> None:
    await browser.open(page, width=1280)
    counts = {}
    for choice in ("both", "windows", "linux"):
        await browser.page.locator(f"#show-{choice}").check()
        counts[choice] = [await shown(browser, f".for-{system}") for system in ("windows", "linux")]
    windows, linux = counts["both"]
    assert windows > 8
    assert linux > 8
    assert counts["windows"] == [windows, 0]
    assert counts["linux"] == [0, linux]


async def shown(browser: Browser, selector: str) -> int:
    return await browser.page.locator(selector).filter(visible=True).count()


async def test_a_command_is_selected_whole_by_a_click(browser: Browser, page: Path) -> None:
    await browser.open(page, width=1280)
    await browser.page.locator("#verify pre code").first.click()
    selected = await browser.evaluate("getSelection().toString()")
    assert selected == r"Get-FileHash .\manifest.json | Format-List"


async def test_on_paper_the_steps_alone_remain(browser: Browser, page: Path) -> None:
    await browser.open(page, width=800, scheme="light", media="print")
    assert await shown(browser, "nav, fieldset, .forms") == 0
    assert await shown(browser, "pre") > 20
    assert await browser.evaluate(SIDEWAYS) == 0
    assert (await browser.page.pdf()).startswith(b"%PDF")
