"""How long an inventory of 50,000 hosts takes to read and check, beside csv.DictReader reading the same file.

And beside one of half the size, so that what grows faster than the file shows. Run: .venv/bin/python
bench/inventory.py
"""

import csv
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from arcferry.fleet.inventory import read_inventory

HOSTS, ROUNDS = 50_000, 5
MOST_GROWTH = 2.6


def write(path: Path, hosts: int) -> Path:
    """A table as Excel writes it, with as many hosts."""
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        stream.write("sep=;\r\nname;address;user;tags;site;location\r\n")
        for number in range(hosts):
            address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
            stream.write(f"web{number:05};{address};ops;env=prod,rack={number % 40};taipei;eastasia\r\n")
    return path


def peer(path: Path) -> int:
    """The rows as the standard library reads them, unchecked."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        next(stream)
        return len(list(csv.DictReader(stream, delimiter=";")))


def seconds(work: Callable[[], object]) -> float:
    """How long it takes once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        whole, half = (write(Path(name) / f"{hosts}.csv", hosts) for hosts in (HOSTS, HOSTS // 2))
        rounds = [
            (
                seconds(lambda: read_inventory(whole)),
                seconds(lambda: read_inventory(half)),
                seconds(lambda: peer(whole)),
            )
            for _ in range(ROUNDS)
        ]
    ours, ours_half, theirs = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"arcferry, {HOSTS:,} hosts      {ours:6.2f} s")
    print(f"arcferry, {HOSTS // 2:,} hosts      {ours_half:6.2f} s   (growth {ours / ours_half:.2f})")
    print(f"csv.DictReader, {HOSTS:,} hosts {theirs:6.2f} s   (ratio {ours / theirs:.1f})")
    return 0 if ours / ours_half < MOST_GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
