"""A real Chromium, driven by Playwright, and what every page is asked in it."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ctypes.util import find_library
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import ConsoleMessage, Error, Page, async_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ("--disable-gpu", "--disable-quic", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
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


def program() -> str | None:
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Browser:
    """One tab: Playwright's `page`, and all that was said against what it showed."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", self._failed)

    async def open(
        self, page: Path | str, *, width: int, scheme: str = "light", media: str = "screen"
    ) -> None:
        """Show a file, or what an address answers."""
        await self.page.set_viewport_size({"width": width, "height": 900})
        await self.page.emulate_media(color_scheme=scheme, media=media)
        await self.page.goto(page.as_uri() if isinstance(page, Path) else page)

    async def evaluate(self, expression: str) -> Any:  # noqa: ANN401 - any JSON
        return await self.page.evaluate(expression)

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        """What the DevTools protocol answers, where Playwright has no word for the question."""
        # Not kept: while a second session is open, Chromium forgets at the next page which media it shows.
        devtools = await self.page.context.new_cdp_session(self.page)
        answer: dict[str, Any] = await devtools.send(method, parameters)
        await devtools.detach()
        return answer

    def _said(self, message: ConsoleMessage) -> None:
        self.complaints.append(f"{message.type}: {message.text} ({message.location['url']})")

    def _failed(self, error: Error) -> None:
        self.complaints.append(f"exception: {error.stack}")


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """A browser that reaches files and 127.0.0.1 alone, and leaves nothing behind."""
    async with (
        async_playwright() as playwright,
        await playwright.chromium.launch(executable_path=program(), args=OPTIONS) as chromium,
    ):
        yield Browser(await chromium.new_page())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tab() -> AsyncIterator[Browser]:
    """A module's own; skipped by name where there is no Chromium, or none that Playwright can drive."""
    if program() is None:
        pytest.skip("no Chromium on PATH")
    if find_library("atomic") is None:
        pytest.skip("no libatomic, which Playwright's Node needs")
    async with browsing() as one:
        yield one


@pytest_asyncio.fixture(loop_scope="module")
async def browser(tab: Browser) -> AsyncIterator[Browser]:
    """The module's tab, which may hold nothing against the pages of a test."""
    tab.complaints.clear()
    yield tab
    assert tab.complaints == []
