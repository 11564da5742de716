"""Count the files and functions of arcferry that one command enters, in order.

    python scripts/files_entered.py check --location eastasia --resolver 127.0.0.1:5300

A file counts if any function of it ran after it was loaded: what runs while modules are imported (classes,
decorators, tables that are built once) does not count. What runs in threads counts too.
"""

import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parents[1] / "src" / "arcferry"


class Entered:
    """Which functions were entered, by file."""

    def __init__(self) -> None:
        self.files: dict[str, set[str]] = {}
        self._root = f"{ROOT}/"
        self._loading = threading.local()

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:  # noqa: ANN401, D102  # a profiler
        code = frame.f_code
        if code.co_name == "<module>":
            depth = getattr(self._loading, "depth", 0)
            self._loading.depth = depth + (event == "call") - (event == "return")
            return
        is_ours = event == "call" and code.co_filename.startswith(self._root)
        if is_ours and not getattr(self._loading, "depth", 0):
            file = code.co_filename.removeprefix(self._root)
            self.files.setdefault(file, set()).add(code.co_qualname)


def main() -> None:
    """Run the command line that was given, then print what it entered."""
    from arcferry.cli import main as run  # noqa: PLC0415  # after this script is loaded

    entered = Entered()
    code: object = 0
    threading.setprofile(entered)
    sys.setprofile(entered)
    sys.argv = ["arcferry", *sys.argv[1:]]
    try:
        run()
    except SystemExit as stop:
        code = stop.code
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    functions = sum(map(len, entered.files.values()))
    for file, names in entered.files.items():
        print(f"{len(names):4}  {file}", file=sys.stderr)
    print(f"{len(entered.files)} files, {functions} functions; exit code {code}", file=sys.stderr)


if __name__ == "__main__":
    main()
