"""One lab of namespaces a module, driven as a user drives it: by its command line."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arcferry_lab import background
from arcferry_lab.network.namespaces.enter import entrance

CHECKOUT = Path(__file__).parents[4]


class Lab:
    """A lab of namespaces in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def arcferry(self, *arguments: str, code: int | None = 0) -> str:
        """What a command prints; `code` None takes any exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "arcferry", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
            env=os.environ | {"NO_COLOR": "1", "ARCFERRY_LAB_FOLDER": str(self.folder)},
        )
        assert code in {None, done.returncode}, done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout if done.stdout or code == 0 else done.stderr

    def lab(self, *arguments: str, code: int | None = 0) -> str:
        return self.arcferry("lab", *arguments, code=code)

    def on(self, host: str, *command: str, code: int | None = 0) -> str:
        return self.lab("exec", host, "--", *command, code=code)

    def ask(self, method: str, path: str, **body: object) -> Any:  # noqa: ANN401 - JSON
        """The same as a lab command asks, without starting one."""
        return background.ask(self.folder, method, path, body)

    def routes(self, what: str = "all") -> str:
        return str(self.ask("GET", "/routes", what=what)["capture"])

    def here(self, host: str, *command: str) -> subprocess.CompletedProcess[str]:
        """A command on a host, as lab exec enters it, without starting that."""
        way = entrance(self.document(), host, command)
        return subprocess.run(
            way.arguments, env=dict(way.environment), capture_output=True, text=True, check=False, timeout=60
        )

    def check(self, *options: str) -> dict[str, Any]:
        """The check on a host, as its JSON says it."""
        return dict(json.loads(self.check_text(*options)))

    def check_text(self, *options: str) -> str:
        command = (sys.executable, "-m", "arcferry", "check", "--location", "eastasia")
        return self.on("host1", *command, "--output", "json", *options, code=None)

    def unreached(self) -> set[str]:
        return {str(one["host"]) for one in self.check()["endpoints"] if not one["reachable"]}

    def document(self) -> dict[str, Any]:
        return background.read_document(self.folder)


def up(folder: Path) -> Lab:
    """A lab of namespaces; skips by name where this machine cannot have one."""
    if "ARCFERRY_TOOLS" not in os.environ and (CHECKOUT / ".tools").is_dir():
        os.environ["ARCFERRY_TOOLS"] = str(CHECKOUT / ".tools")
    lab = Lab(folder)
    said = lab.lab("up", "--network", "namespaces", "--quiet", code=None)
    if "error: " in said:
        assert "not here" in said or "kernel allows no" in said, said
        pytest.skip(f"no network of namespaces here: {said}")
    return lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("routed") / "lab"
    try:
        yield up(folder)
    finally:
        background.down(folder)
