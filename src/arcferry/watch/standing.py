"""Whether the watches of a machine still take rounds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from arcferry.files import is_held, naming
from arcferry.watch.history import GAP_INTERVALS, SHORTEST_GAP, History


@dataclass(frozen=True, slots=True)
class Standing:
    """How one watch stands.

    Attributes:
        watched: cloud and location, as the history is named.
        runs: a process holds it.
        last: its last round; None before the first.
        interval: how far apart its rounds were; zero where there were too few to tell.
        late: it has taken no round for three times as long.
    """

    watched: str
    history: Path
    runs: bool
    last: datetime | None
    interval: timedelta
    late: bool

    @property
    def well(self) -> bool:
        """It runs, and takes rounds."""
        return self.runs and not self.late


def standings(folders: Iterable[Path], now: datetime) -> list[Standing]:
    """Every watch whose history lies in these state folders.

    Raises:
        FileInputError: a history cannot be read.
    """
    return [standing for folder in folders for standing in _in(folder / "watch", now)]


def _in(folder: Path, now: datetime) -> Iterator[Standing]:
    with naming(folder):
        paths = sorted(folder.glob("*.sqlite"))
    for path in paths:
        with History.open(path, existing=True) as history:
            record = history.newest()
        gap = max(record.interval * GAP_INTERVALS, SHORTEST_GAP)
        late = record.last is not None and now - record.last > gap
        runs = is_held(folder, f"{path.stem}.lock")
        yield Standing(path.stem, path, runs, record.last, record.interval, late)
