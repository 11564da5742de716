"""`arcferry` in a process that is forked instead of begun: for tests that run many commands to their end."""

import atexit
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

_FORKING = Path(__file__).parent / "forking"


@cache
def arcferry() -> tuple[str, ...]:
    """What begins a command line in place of `python -m arcferry`: it does the same, and sooner.

    Not where the command gets a signal or a network of its own, or where its start is what matters.
    """
    name = f"arcferry-tests-{os.getpid()}"
    words = [sys.executable, str(_FORKING / "server.py"), name]
    server = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    atexit.register(server.communicate)  # the server ends when its input does
    assert server.stdout
    assert server.stdout.readline() == b"ready\n"
    return sys.executable, "-IS", str(_FORKING / "client.py"), name
