"""The live page as a real Chromium shows it, while a run goes on; also what axe-core finds in it."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from axe_core_python.async_playwright import Axe
from tests.browser import CONTRAST, SIDEWAYS, Browser
from tests.serve import made
from tests.serve.conftest import Served, serving
from tests.serve.test_retrying import Waiting

from arcferry.fleet.control import Wish, order_for
from arcferry.fleet.events import Event, EventKind
from arcferry.fleet.run_folder import RunFolder

PICTURES = os.environ.get("ARCFERRY_PICTURES")  # a folder to look at what the browser showed
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\x1b[31m\u202e" + "x" * 1_000_000
LONG = " ".join(["a failure that takes many words, as those of a code do,"] * 4)
HERE = f"/runs/{made.RUN}"
STILL = "ba9876543210"  # a run that nothing works on
THERE = f"/runs/{STILL}"
PAGES = [
    "/", HERE, f"{HERE}/hosts/server04", f"{HERE}/pause", f"{HERE}/retry", f"{THERE}/retry", "/watches",
    "/nowhere",
]  # fmt: skip
FOCUS = "document.activeElement.textContent.trim()"
pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Desk:
    served: Served
    browser: Browser
    run: RunFolder
    waiting: Waiting

    async def open(self, path: str, *, width: int = 1280, scheme: str = "light") -> None:
        await self.browser.open(self.served.url + path, width=width, scheme=scheme)

    async def until(self, expression: str) -> None:
        async with asyncio.timeout(60):
            # Not by Playwright's waiting, which has the page evaluate a text: its policy forbids that.
            while not await self.browser.evaluate(expression):  # noqa: ASYNC110  # the browser is asked again
                await asyncio.sleep(0.05)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole(tab: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    state = tmp_path_factory.mktemp("state")
    folder = made.story(state)
    made.watched(state)
    made.judged(folder, "server04")
    made.tell(
        folder, Event("", EventKind.BEGUN), *made.failed("hostile", HOSTILE), *made.failed(HOSTILE[:80])
    )
    made.tell(made.run(state, made.hosts(2), STILL), *made.failed("server00"), *made.failed("server01", LONG))
    waiting = Waiting(state, STILL)
    async with serving(state, allow_actions=True, retry=waiting.command) as served:
        with made.at_work(folder):
            desk = Desk(served, tab, folder, waiting)
            await desk.open(f"/sign-in?link={served.sessions.link()}")
            yield desk


@pytest_asyncio.fixture(loop_scope="module")
async def desk(whole: Desk) -> AsyncIterator[Desk]:
    whole.browser.complaints.clear()
    yield whole
    complaints = [one for one in whole.browser.complaints if "404 (Not Found)" not in one]
    assert complaints == []


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_whole_at_every_width_and_in_the_dark(desk: Desk, path: str) -> None:
    for width, scheme in ((360, "light"), (1280, "dark"), (3840, "light")):
        await desk.open(path, width=width, scheme=scheme)
        assert await desk.browser.evaluate("location.pathname") == path
        assert await desk.browser.evaluate(SIDEWAYS) == 0, width
        assert await desk.browser.evaluate(CONTRAST) >= 4.5, scheme
        if PICTURES:
            name = path.strip("/").replace("/", "-") or "runs"
            path_of = Path(PICTURES) / f"serve-{name}-{width}.png"
            await desk.browser.page.screenshot(path=path_of, full_page=True)


@pytest.mark.parametrize("path", PAGES)
async def test_axe_finds_nothing(desk: Desk, path: str) -> None:
    await desk.open(path)
    found = await Axe().run(desk.browser.page, options={"resultTypes": ["violations"]})
    assert found["violations"] == []


async def test_a_server_s_name_stays_whole_beside_a_long_text(desk: Desk) -> None:
    names = "[...document.querySelectorAll('#rows td:first-child a')].map(one => one.getClientRects().length)"
    for width in (800, 1280):
        await desk.open(THERE, width=width)
        assert await desk.browser.evaluate(names) == [1, 1], width


async def test_a_change_is_seen_without_a_reload(desk: Desk) -> None:
    await desk.open(f"{HERE}?host=server05")
    await desk.browser.evaluate("window.kept = true; document.querySelector('#rows a').focus()")
    made.tell(desk.run, Event("server05", EventKind.STARTED, "install", "begins"))
    await desk.until("document.querySelector('#rows tr').textContent.includes('install')")
    made.tell(desk.run, *made.went_well("server05"))
    await desk.until("document.querySelector('#rows tr').textContent.includes('connected')")
    assert await desk.browser.evaluate("window.kept && document.activeElement.textContent") == "server05"
    assert await desk.browser.evaluate("document.querySelectorAll('#rows tr').length") == 1
    assert "5 of 6" in await desk.browser.evaluate("document.querySelector('h1').textContent")


async def test_every_time_has_the_readers_own_beside_it_also_what_comes_later(desk: Desk) -> None:
    chromium = desk.browser.page.context.browser
    assert chromium
    async with await chromium.new_context(timezone_id="Asia/Taipei") as context:
        # Playwright takes cookies of another type than it gives.
        await context.add_cookies(await desk.browser.page.context.cookies())  # type: ignore[arg-type]
        away = Desk(desk.served, Browser(await context.new_page()), desk.run, desk.waiting)
        await away.open("/")
        begun = "document.querySelector('#runs td:nth-child(3)').innerText"
        assert (await away.browser.evaluate(begun)).split("\n") == [
            "2026-11-28 00:00:00 UTC", "(08:00:00 UTC+8)",
        ]  # fmt: skip
        await away.open(f"{THERE}?host=server01")
        for says in ("once", "twice"):
            made.tell(
                RunFolder(STILL, desk.run.path.parent / STILL, desk.run.started),
                *made.failed("server01", says),
            )
            await away.until(f"document.querySelector('#rows').innerText.includes('{says}')")
            shown = await away.browser.evaluate("document.querySelector('#rows td:last-child').innerText")
            assert re.fullmatch(r"\d{4}(-\d\d){2} [\d:]{8} UTC\n\((\d\d-\d\d )?[\d:]{8} UTC\+8\)", shown), (
                says
            )
        await away.open(f"{THERE}/hosts/server01")
        bare = "document.querySelectorAll('time').length - document.querySelectorAll('time + .own').length"
        assert await away.browser.evaluate(f"[document.querySelectorAll('.steps time').length, {bare}]") == [
            1,
            0,
        ]
        assert away.browser.complaints == []


async def test_the_list_of_runs_goes_on_without_a_reload(desk: Desk) -> None:
    await desk.open("/")
    await desk.browser.evaluate("window.kept = true; document.querySelector('#runs a[href$=\"ab\"]').focus()")
    other = made.run(desk.served.state, made.hosts(2), "cdef01234567")
    await desk.until("document.querySelectorAll('#runs tbody tr').length === 3")
    made.tell(other, *made.went_well("server00"))
    await desk.until("document.querySelector('#runs').textContent.includes('1 of 2 connected')")
    (other.path / "run.json").write_text("{")
    await desk.until("document.querySelector('#runs').textContent.includes('cannot be read')")
    assert await desk.browser.evaluate("window.kept && document.activeElement.textContent") == made.RUN
    (other.path / "run.json").unlink()
    await desk.until("document.querySelectorAll('#runs tbody tr').length === 2")


async def test_what_a_host_says_runs_nothing(desk: Desk) -> None:
    await desk.open(f"{HERE}?state=failed")
    made.tell(desk.run, *made.failed("hostile", f"again {HOSTILE[:4000]}"))
    await desk.until("document.querySelector('#rows').textContent.includes('again <script>')")
    assert await desk.browser.evaluate("document.querySelectorAll('img, #rows script').length") == 0


async def test_a_run_is_paused_with_the_keyboard_alone(desk: Desk) -> None:
    await desk.open(HERE)
    for pressed in ("Pause", "Pause"):
        for _ in range(30):
            await desk.browser.page.keyboard.press("Tab")
            if await desk.browser.evaluate(FOCUS) == pressed:
                break
        assert await desk.browser.evaluate(FOCUS) == pressed
        async with desk.browser.page.expect_navigation():
            await desk.browser.page.keyboard.press("Enter")
    order = order_for(desk.run)
    assert order
    assert order.wish is Wish.PAUSE
    assert await desk.browser.evaluate("location.pathname") == HERE
    assert await desk.browser.evaluate("document.querySelector('.actions').textContent.includes('Resume')")


async def test_a_retry_is_confirmed_and_its_end_is_seen_without_a_reload(desk: Desk) -> None:
    await desk.open(f"{THERE}/retry")
    assert "2 servers" in await desk.browser.evaluate("document.querySelector('h1').textContent")
    async with desk.browser.page.expect_navigation():
        await desk.browser.page.get_by_role("button", name="Try again").press("Enter")
    await desk.browser.evaluate("window.kept = true; document.querySelector('#act-retry').focus()")
    told = "document.querySelector('#retry').textContent"
    await desk.until(f"{told}.includes('a retry is under way: 2 servers')")
    await desk.waiting.say(2)
    await desk.until(f"window.kept && {told}.includes('exit code 2')")
    assert "no <b>such</b> file" in await desk.browser.evaluate(told)
    assert await desk.browser.evaluate("document.activeElement.id") == "act-retry"
    assert (await Axe().run(desk.browser.page, options={"resultTypes": ["violations"]}))["violations"] == []
