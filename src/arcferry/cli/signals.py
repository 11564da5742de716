"""Ctrl-C and SIGTERM from the first moment on: what `stopping` builds on, and imported before all else.

Nothing is imported here that takes time, not even `typing`: until `listen`, a signal has its way with us.
"""

import atexit
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

EXIT_CODE = 130
_SIGNALS = [signal.SIGINT, signal.SIGTERM]
if sys.platform == "win32":
    _SIGNALS.append(signal.SIGBREAK)  # Ctrl-Break, and the closing of a console's window
_SHOW_CURSOR = b"\x1b[?25h"


class Stopped(BaseException):
    """A signal came. Not KeyboardInterrupt, which click turns into "Aborted!" and exit code 1."""


class _Signals:
    """How many have come, and who takes the next one."""

    def __init__(self) -> None:
        self.count = 0
        self.taker: Callable[[], bool] | None = None

    def come(self, number: int, frame: "FrameType | None") -> None:
        """Hand a signal on; one that nobody takes ends the process."""
        del number, frame
        self.count += 1
        if self.taker is not None and self.taker():
            return
        if self.count == 1:
            raise Stopped
        leave()


came = _Signals()


def listen() -> None:
    """Take Ctrl-C and SIGTERM from here on; what was ignored when the process began stays ignored."""
    heard = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    for number in heard:
        signal.signal(number, came.come)

    def be_deaf() -> None:
        # The interpreter's last deed would be to give them back to the system, by which a process dies.
        for number in heard:
            signal.signal(number, signal.SIG_IGN)

    atexit.register(be_deaf)  # registered first, so that it runs last


def end() -> None:
    """The command has said its last: from here on a signal ends the process at once."""
    came.taker = leave


def leave() -> bool:
    """End the process at once; a terminal gets its cursor back."""
    # An older Windows console would print it; there, the shell shows its cursor again by itself.
    if sys.platform != "win32" and sys.stderr is not None and sys.stderr.isatty():
        os.write(2, _SHOW_CURSOR)
    os._exit(EXIT_CODE)


def asked() -> bool:
    """Whether a signal has come."""
    return came.count > 0
