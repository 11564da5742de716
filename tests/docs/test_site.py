"""The documents as a site: it is built without a warning, holds the whole reference, and fetches nothing."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import typer

from arcferry.cli.app import app
from arcferry.diagnosis.causes import CAUSES

ROOT = Path(__file__).parents[2]
LOADS = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}


class Loaded(HTMLParser):
    """What a page makes a browser fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if (address := given.get(LOADS.get(tag, ""))) and given.get("rel") != "canonical":
            self.found.append(address)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    built = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


def test_no_page_fetches_anything_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 40
    found = {
        f"{page.relative_to(site)}: {address}"
        for page in pages
        for address in Loaded(page.read_text(encoding="utf-8")).found
        if re.match(r"(?:[a-z]+:)?//", address)
    }
    assert not found


def test_the_reference_holds_every_command_and_every_cause(site: Path) -> None:
    def headings(name: str) -> set[str]:
        text = (site / "reference" / name).read_text(encoding="utf-8")
        return set(re.findall(r"<h2 [^>]*>([^<]+)<", text))

    top = [name for name, one in typer.main.get_command(app).commands.items() if not one.hidden]  # type: ignore[attr-defined]
    assert {heading.split()[1] for heading in headings("commands.html")} == set(top)
    assert headings("causes.html") == set(CAUSES)
