"""The live page's HTML: every text that a host, a file or a user chose is escaped."""

from collections.abc import Mapping, Sequence
from typing import Any

from arcferry import __version__, times
from arcferry.fleet.control import Wish
from arcferry.report.page.html import templates
from arcferry.report.page.words import Words, load
from arcferry.serve.listing import Choice, HostRow, Listing, RunView, level_of
from arcferry.serve.live_runs import RunsView
from arcferry.translation import translated

_PACKAGE = "arcferry.serve"
_PAGES = ("runs", "run", "host", "watches", "confirm", "retry", "confirm_retry", "sign_in", "message")


class Renderer:
    """Writes pages in one language: the one that is spoken where it is made."""

    def __init__(self) -> None:
        self.words: Words = load(_PACKAGE)
        self._templates = templates(_PACKAGE)
        self._templates.filters["translated"] = translated
        self._shared = {"words": self.words, "version": __version__, "level_of": level_of}
        for name in _PAGES:  # so that nobody waits for a first one
            self._templates.get_template(f"{name}.html.jinja")
        module = self._templates.get_template("pieces.html.jinja").make_module(self._shared)
        self._pieces: Any = module

    def page(self, name: str, csrf: str, values: Mapping[str, object]) -> str:
        """A whole page; with `csrf`, that of somebody who is signed in."""
        template = self._templates.get_template(f"{name}.html.jinja")
        return template.render(self._shared, now=times.now(), csrf=csrf, **values)

    def counts(self, view: RunView, choice: Choice) -> str:
        """How a run stands, and its hosts by state."""
        return str(self._pieces.counts(view, choice))

    def found(self, view: RunView, found: Listing) -> str:
        """How many hosts are chosen."""
        return str(self._pieces.found(view, found)).strip()

    def row(self, view: RunView, row: HostRow, *, oob: bool = False) -> str:
        """A host's row; `oob` where it takes the place of the one that is there."""
        return str(self._pieces.row(view, row, oob))

    def runs(self, view: RunsView) -> str:
        """The list of runs, or what to do where there is none."""
        return str(self._pieces.runs(view))

    def run_row(self, run: RunView, *, oob: bool = False) -> str:
        """A run's row; `oob` as above."""
        return str(self._pieces.run_row(run, oob))

    def acts(self, view: RunView, choice: Choice, wishes: Sequence[Wish]) -> str:
        """What can be asked of a run."""
        return str(self._pieces.acts(view, choice, wishes)).strip()

    def retry(self, view: RunView) -> str:
        """How its newest retry stands; empty where a page never began one."""
        return str(self._pieces.retry(view)).strip()
