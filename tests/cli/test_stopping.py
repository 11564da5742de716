"""Ctrl-C and SIGTERM at moments that are known: the process signals itself as it comes to import a module."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
SIGNALS = {"Ctrl-C": [signal.SIGINT], "SIGTERM": [signal.SIGTERM], "two": [signal.SIGTERM, signal.SIGINT]}
BUILD = ("bundle", "build", "--out", "b", "--key", "k", "--agent", "a.deb")
APPLY = (
    "onboard",
    "apply",
    "hosts.csv",
    "--bundle",
    "b",
    "--bundle-key",
    "k",
    "--known-hosts",
    "h",
    "-l",
    "x",
)
APPLY += ("--tenant-id", "t", "--subscription-id", "s", "--resource-group", "g", "--client-id", "c")
NOBODY = ("--location", "eastasia", "--resolver", "127.0.0.1:9")
MOMENTS = {
    "before the command line is known": (("explain", "AZCM0026"), "typer"),
    "while commands are loaded": (("explain", "AZCM0026"), "arcferry.cli.explain"),
    "explain": (("explain", "AZCM0026"), "arcferry.diagnosis.judge"),
    "routes plan": (("routes", "plan", "--location", "eastasia"), "arcferry.routing.plan"),
    "bundle build": (BUILD, "arcferry.bundle.build"),
    "collect": (("collect", "."), "arcferry.export.collect"),
    "check": (("check", *NOBODY), "arcferry.probe"),
    "check, in its loop": (("check", *NOBODY), "encodings.idna"),
    "watch": (("watch", *NOBODY), "arcferry.watch"),
    "apply, loading": (APPLY, "arcferry.fleet.inventory"),
    "apply, loading more": (APPLY, "asyncssh"),
    "plan": (("onboard", "plan", *APPLY[2:]), "arcferry.fleet.plan"),
    "at the very end": (("--version",), "the last moment"),
}
HOOK = """
import atexit, os, signal, sys
module, numbers = sys.argv[1], [int(word) for word in sys.argv[2].split(",")]
def strike():
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    for number in numbers:
        os.kill(os.getpid(), number)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            strike()
sys.meta_path.insert(0, Finder())
sys.argv[:] = ["arcferry", *sys.argv[3:]]
from arcferry.cli import main
try:
    main()
finally:
    if module == "the last moment":
        strike()
"""


@pytest.mark.parametrize("signals", SIGNALS.values(), ids=SIGNALS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_every_command_ends_with_130(moment: str, signals: list[signal.Signals], tmp_path: Path) -> None:
    arguments, module = MOMENTS[moment]
    numbers = ",".join(str(int(number)) for number in signals)
    done = subprocess.run(
        [sys.executable, "-c", HOOK, module, numbers, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr
    assert "Aborted" not in done.stderr


def test_what_is_ignored_at_the_start_stays_ignored(tmp_path: Path) -> None:
    """As under nohup, or in the background of a script."""
    quiet = "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    words = [sys.executable, "-c", quiet + HOOK, "arcferry.cli.app", str(int(signal.SIGINT)), "--version"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("arcferry ")
