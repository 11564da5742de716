"""The page as a real Chromium shows it, also what axe-core finds in it."""

import os
import re
from pathlib import Path

import pytest
from axe_core_python.async_playwright import Axe
from tests.browser import CONTRAST, SIDEWAYS, Browser
from tests.report.page import samples

from arcferry.report import page as pages

PICTURES = os.environ.get("ARCFERRY_PICTURES")  # a folder to look at what the browser showed
FOCUS = (
    "(() => { const one = document.activeElement; return one.tagName + '#' + (one.dataset.copies || ''); })()"
)
# Parts of a name, between its dots, that stand on two lines; and names that nothing keeps whole.
BROKEN = """
(() => {
  const found = [], range = document.createRange();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let at; at = texts.nextNode();) {
    if (at.parentElement.closest("script, svg") || !at.parentElement.getClientRects().length) continue;
    range.selectNodeContents(at);
    const lines = new Set([...range.getClientRects()].map(one => Math.round(one.top)));
    const whole = at.parentElement.closest(".n");
    if (whole ? lines.size > 1 : /[a-z]\\.[a-z]+\\.(com|net)/.test(at.data)) found.push(at.data);
  }
  return found;
})()
"""
SHEET = re.compile(rb"/Type\s*/Page\b")
PAGES = {
    "all": list(samples.ALL.values()),
    "large": [samples.run(300, varied=True)],
    "hostile": [samples.hostile(one) for one in samples.ALL.values()],
    "well": [samples.check(), samples.verification("connected")],
}
pytestmark = pytest.mark.asyncio(loop_scope="module")


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
        await browser.page.screenshot(path=Path(PICTURES) / f"report-{name}-{width}.png", full_page=True)


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
        await browser.page.keyboard.press("Tab")
        visited.append(await browser.evaluate(FOCUS))
        if visited[-1] == "BUTTON#cause1-letter":
            break
    assert visited[-1] == "BUTTON#cause1-letter"
    await browser.page.keyboard.press("Enter")
    assert await browser.evaluate("document.activeElement.textContent") == "Copied"
    assert await browser.evaluate("getSelection().toString()") == samples.LETTER
    await browser.page.keyboard.press("Tab")
    assert await browser.evaluate(FOCUS) == "SUMMARY#"
    await browser.page.keyboard.press("Enter")
    assert await browser.evaluate("document.activeElement.parentElement.open") is True


async def test_paper_has_the_letters_and_no_buttons_and_the_rest_if_it_is_unfolded(
    browser: Browser, folder: Path
) -> None:
    async def shown(selector: str) -> int:
        return await browser.page.locator(selector).filter(visible=True).count()

    await browser.open(folder / "all.html", width=800, media="print")
    folded = await browser.page.pdf()
    assert await shown(".letter pre") == 1  # the first letter, which is open anyway
    await browser.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert await shown(".letter pre") == await browser.page.locator(".letter pre").count() > 1
    assert await shown("button, .more, .timelines") == 0
    assert await shown(".cause, svg.path, .heat, .tiles, .paper") >= 5
    await browser.evaluate("dispatchEvent(new Event('afterprint'))")
    await browser.page.emulate_media(media="screen")
    await browser.page.get_by_role("button", name="Unfold everything").click()
    await browser.page.emulate_media(media="print")
    whole = await browser.page.pdf()
    assert await shown(".more, .timelines") == await browser.page.locator(".more, .timelines").count() > 1
    assert await shown(".paper") == 0
    assert len(SHEET.findall(folded)) < len(SHEET.findall(whole))


async def test_no_label_of_a_name_is_broken_on_a_telephone(browser: Browser, folder: Path) -> None:
    await browser.open(folder / "all.html", width=360)
    await browser.page.get_by_role("button", name="Unfold everything").click()
    assert await browser.evaluate(BROKEN) == []
    assert await browser.evaluate("document.querySelectorAll('.n').length") > 100


@pytest.mark.parametrize(
    ("zone", "beside"),
    [
        ("Asia/Taipei", "2026-11-19 00:10 UTC (08:10 UTC+8)"),
        ("America/Los_Angeles", "2026-11-19 00:10 UTC (11-18 16:10 UTC\u22128)"),
        ("Asia/Kolkata", "2026-11-19 00:10 UTC (05:40 UTC+5:30)"),
        ("UTC", "2026-11-19 00:10 UTC"),
    ],
)
async def test_a_time_has_the_readers_own_beside_it_and_not_on_paper(
    browser: Browser, folder: Path, zone: str, beside: str
) -> None:
    chromium = browser.page.context.browser
    assert chromium
    async with await chromium.new_context(timezone_id=zone) as context:
        away = Browser(await context.new_page())
        await away.open(folder / "all.html", width=1280)
        told = away.page.locator(".facts > span").filter(has_text="out of reach since").first
        assert await told.inner_text() == f"out of reach since {beside}"
        await away.page.emulate_media(media="print")
        assert (await told.inner_text()).strip() == "out of reach since 2026-11-19 00:10 UTC"


async def test_a_server_is_found_among_many(browser: Browser, folder: Path) -> None:
    await browser.open(folder / "large.html", width=1280)
    rows = browser.page.locator("#heat-rows tbody tr").filter(visible=True)
    assert await rows.count() == 300
    await browser.page.get_by_label("Find a server:").first.fill("Server00017.")
    assert await rows.count() == 1
    assert "server00017.site3" in await rows.first.inner_text()


@pytest.mark.parametrize("name", ["all", "well", "hostile"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(browser: Browser, folder: Path, name: str, scheme: str) -> None:
    await browser.open(folder / f"{name}.html", width=1280, scheme=scheme)
    found = await Axe().run(browser.page, options={"resultTypes": ["violations"]})
    assert [(one["id"], node["html"]) for one in found["violations"] for node in one["nodes"]] == []
