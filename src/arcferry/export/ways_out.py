"""The way out of what a host script or a wrapper script refuses, by its code."""

import tomllib
from functools import cache
from importlib import resources

from arcferry import catalog
from arcferry.errors import UnknownNameError
from arcferry.fleet.facts import Answer


@cache
def _hints() -> dict[str, str]:
    text = resources.files("arcferry.export").joinpath("ways_out.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def way_out(answer: Answer) -> tuple[str, str]:
    """What the catalogue knows about a failed answer's code, and what to do; empty where nothing is known."""
    code = answer.text("code", limit=40)
    status = answer.number("exit")
    if code in {"install-failed", "uninstall-failed"} and status is not None and answer.text("log"):
        try:
            known = catalog.code(f"msiexec {status}")
        except UnknownNameError:
            return "", f"Read the log on the server: {answer.text('log')}"
        return known.meaning, known.remedy
    return "", _hints().get(code, "")
