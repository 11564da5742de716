"""The page as a browser shows it."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.bundle.guide.browser import Browser, browsing, program

from arcferry.bundle.guide import BundleFacts, guide_files

PICTURES = os.environ.get("ARCFERRY_PICTURES")  # a folder to look at what the browser showed
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SHOWN = """
Array.from(document.querySelectorAll("{selector}")).filter(one => one.getClientRects().length > 0).length
"""
WIDER = """
Array.from(document.querySelectorAll("body *"))
  .filter(one => one.clientWidth > 0 && one.scrollWidth > one.clientWidth + 1 && !one.closest("thead"))
  .map(one => one.outerHTML.slice(0, 80))
"""
# The least contrast of a text with what is behind it, as WCAG 2.2 counts it.
CONTRAST = """
(() => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const linear = v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const behind = one => {
    for (let at = one; at; at = at.parentElement) {
      const found = parse(getComputedStyle(at).backgroundColor);
      if (found.length < 4 || found[3] > 0) return light(found);
    }
    return 1;
  };
  const texts = "p, li, a, code, h1, h2, td, th, caption, label, legend, strong, .tag";
  let least = 21;
  for (const one of document.querySelectorAll(texts)) {
    if (!one.getClientRects().length || !one.innerText.trim()) continue;
    const [a, b] = [light(parse(getComputedStyle(one).color)), behind(one)].sort((x, y) => y - x);
    least = Math.min(least, (a + 0.05) / (b + 0.05));
  }
  return least;
})()
"""
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tab() -> AsyncIterator[Browser]:
    if program() is None:
        pytest.skip("no Chromium on PATH")
    async with browsing() as one:
        yield one


@pytest_asyncio.fixture(loop_scope="module")
async def browser(tab: Browser) -> AsyncIterator[Browser]:
    yield tab
    assert tab.complaints == []


@pytest.fixture
def page(tmp_path: Path, facts: BundleFacts, page_name: str) -> Path:
    for name, data in guide_files(facts).items():
        (tmp_path / name).write_bytes(data)
    return tmp_path / page_name


def keep(name: str, picture: bytes) -> None:
    (Path(str(PICTURES)) / name).write_bytes(picture)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
async def test_nobody_has_to_scroll_sideways(browser: Browser, page: Path, width: int, scheme: str) -> None:
    await browser.open(page, width=width, scheme=scheme)
    assert await browser.evaluate("innerWidth") == width
    assert await browser.evaluate(SIDEWAYS) == 0
    assert await browser.evaluate(WIDER) == []
    assert await browser.evaluate("document.title.length") > 5
    if PICTURES:
        keep(f"{page.stem}-{width}-{scheme}.png", await browser.picture())


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
        await browser.evaluate(f"document.getElementById('show-{choice}').click()")
        counts[choice] = [
            await browser.evaluate(SHOWN.format(selector=f".for-{system}")) for system in ("windows", "linux")
        ]
    windows, linux = counts["both"]
    assert windows > 8
    assert linux > 8
    assert counts["windows"] == [windows, 0]
    assert counts["linux"] == [0, linux]


async def test_a_command_is_selected_whole_by_a_click(browser: Browser, page: Path) -> None:
    await browser.open(page, width=1280)
    place = await browser.evaluate(
        "(() => { const one = document.querySelector('#verify pre code'); one.scrollIntoView();"
        "const box = one.getBoundingClientRect(); return [box.x + 20, box.y + box.height / 2]; })()"
    )
    for kind in ("mousePressed", "mouseReleased"):
        await browser.ask(
            "Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1
        )
    selected = await browser.evaluate("getSelection().toString()")
    assert selected == r"Get-FileHash .\manifest.json | Format-List"


async def test_on_paper_the_steps_alone_remain(browser: Browser, page: Path) -> None:
    await browser.open(page, width=800, scheme="light", media="print")
    assert await browser.evaluate(SHOWN.format(selector="nav, fieldset, .forms")) == 0
    assert await browser.evaluate(SHOWN.format(selector="pre")) > 20
    assert await browser.evaluate(SIDEWAYS) == 0
    pdf = await browser.ask("Page.printToPDF")
    assert pdf["data"].startswith("JVBERi")  # %PDF
