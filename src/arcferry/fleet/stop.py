"""How a run is told to stop."""

from collections.abc import Callable


class Stop:
    """Asked once, a run ends what is at work and begins nothing; asked twice, it leaves that too."""

    def __init__(self) -> None:
        self.asked = 0
        self._listeners: list[Callable[[], object]] = []

    def ask(self) -> None:
        """Ask once more."""
        self.asked += 1
        for listener in self._listeners:
            listener()

    def listen(self, listener: Callable[[], object]) -> None:
        """Be called at every asking."""
        self._listeners.append(listener)
