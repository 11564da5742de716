"""The browser of the tests reaches nothing outside, and says what a page did wrong."""

from pathlib import Path

import pytest
from tests.browser import Browser

WRONG = {
    "<script>throw new Error('of its own')</script>": "of its own",
    "<script>Promise.reject(new Error('left alone'))</script>": "left alone",
    "<script>console.warn('careful')</script>": "warning: careful",
    "<img src='http://files.example/a.png'>": "net::ERR_NAME_NOT_RESOLVED (http://files.example/a.png)",
    "<img src='http://192.0.2.7/a.png'>": "net::ERR_NAME_NOT_RESOLVED (http://192.0.2.7/a.png)",
    "<img src='gone.png'>": "net::ERR_FILE_NOT_FOUND",
    '<meta http-equiv="Content-Security-Policy" content="script-src \'none\'"><p onclick="a()">':
        "violates the following Content Security Policy directive",
}  # fmt: skip
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_page_that_does_wrong_is_complained_of(tab: Browser, tmp_path: Path, wrong: str) -> None:
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html><title>A page</title>{wrong}", encoding="utf-8")
    tab.complaints.clear()
    await tab.open(page, width=800)
    assert await tab.page.title() == "A page"
    assert [WRONG[wrong] in complaint for complaint in tab.complaints] == [True]


async def test_a_page_is_shown_as_it_was_asked_for(tab: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<!doctype html><title>A page</title>", encoding="utf-8")
    await tab.ask("Browser.getVersion")
    for media, scheme in (("print", "light"), ("screen", "dark"), ("print", "dark")):
        await tab.open(page, width=801, scheme=scheme, media=media)
        asked = f"(width: 801px) and (prefers-color-scheme: {scheme})"
        assert await tab.evaluate(f"matchMedia('{media} and {asked}').matches"), (media, scheme)
