"""The page as a real Chromium shows it, also what axe-core finds in it."""

import os
from collections.abc import AsyncIterator
from importlib import resources, util
from pathlib import Path

import pytest
import pytest_asyncio
from tests.bundle.guide.browser import Browser, browsing, program
from tests.bundle.guide.test_browser import CONTRAST, SIDEWAYS
from tests.report.page import samples

from arcferry.report import page as pages

PICTURES = os.environ.get("ARCFERRY_PICTURES")  # a folder to look at what the browser showed
FOCUS = (
    "(() => { const one = document.activeElement; return one.tagName + '#' + (one.dataset.copies || ''); })()"
)
VIOLATIONS = """
axe.run(document, {resultTypes: ["violations"]}).then(found => JSON.stringify(
  found.violations.flatMap(one => one.nodes.map(node => one.id + ": " + node.html.slice(0, 160)))))
"""
PAGES = {
    "all": list(samples.ALL.values()),
    "large": [samples.run(300, varied=True)],
    "hostile": [samples.hostile(one) for one in samples.ALL.values()],
    "well": [samples.check(), samples.verification("connected")],
}
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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("pages")
    for name, documents in PAGES.items():
        read = [pages.read(one, f"{one['kind']}.json") for one in documents]
        (found / f"{name}.html").write_text(pages.written(read), encoding="utf-8")
    return found


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [360, 768, 1280, 3840])
async def test_nobody_has_to_scroll_sideways(browser: Browser, folder: Path, name: str, width: int) -> None:
    await browser.open(folder / f"{name}.html", width=width)
    assert await browser.evaluate("innerWidth") == width
    assert await browser.evaluate(SIDEWAYS) == 0
    if PICTURES:
        (Path(PICTURES) / f"report-{name}-{width}.png").write_bytes(await browser.picture())


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_stands_out_from_what_is_behind_it(
    browser: Browser, folder: Path, scheme: str
) -> None:
    await browser.open(folder / "all.html", width=1280, scheme=scheme)
    assert await browser.evaluate(CONTRAST) >= 4.5  # WCAG 2.2, 1.4.3
    assert (await browser.evaluate("getComputedStyle(document.body).backgroundColor")) == {
        "light": "rgb(255, 255, 255)",
        "dark": "rgb(21, 23, 26)",
    }[scheme]


async def test_the_letter_is_copied_with_the_keyboard_alone(browser: Browser, folder: Path) -> None:
    await browser.open(folder / "all.html", width=1280)
    visited = []
    for _ in range(20):
        await browser.press("Tab")
        visited.append(await browser.evaluate(FOCUS))
        if visited[-1] == "BUTTON#cause1-letter":
            break
    assert visited[-1] == "BUTTON#cause1-letter"
    await browser.press("Enter")
    assert await browser.evaluate("document.activeElement.textContent") == "Copied"
    assert await browser.evaluate("getSelection().toString()") == samples.LETTER
    await browser.press("Tab")
    assert await browser.evaluate(FOCUS) == "SUMMARY#"
    await browser.press("Enter")
    assert await browser.evaluate("document.activeElement.parentElement.open") is True


async def test_paper_shows_what_is_folded_and_no_buttons(browser: Browser, folder: Path) -> None:
    await browser.open(folder / "all.html", width=800, media="print")
    await browser.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert await browser.evaluate("document.querySelectorAll('details:not([open])').length") == 0
    shown = (
        "Array.from(document.querySelectorAll('button')).filter(one => one.getClientRects().length).length"
    )
    assert await browser.evaluate(shown) == 0
    await browser.evaluate("dispatchEvent(new Event('afterprint'))")
    assert await browser.evaluate("document.querySelectorAll('details:not([open])').length") > 0
    assert (await browser.ask("Page.printToPDF"))["data"].startswith("JVBERi")  # %PDF


@pytest.mark.parametrize("name", ["all", "well", "hostile"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(browser: Browser, folder: Path, name: str, scheme: str) -> None:
    if util.find_spec("axe_core_python") is None:
        pytest.skip("axe-core-python is not installed")
    await browser.open(folder / f"{name}.html", width=1280, scheme=scheme)
    axe = resources.files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    await browser.evaluate(f"{axe}; 0")
    answer = await browser.ask(
        "Runtime.evaluate", expression=VIOLATIONS, awaitPromise=True, returnByValue=True
    )
    assert answer["result"]["value"] == "[]"
