"""How fast a bundle of 1 GiB is hashed and built, beside sha256sum, zip, tar and cp.

Everything is read from the page cache, once before it is measured. Each figure is the median of several fresh
processes, without the start of Python; building includes flushing to the disk, for which the peers' are
followed by `sync FILE`. Memory is what arcferry's process held at most.

Run: .venv/bin/python bench/bundle.py [mebibytes] [runs] [folder]
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from arcferry import bundle

LEAST_HASHING = 0.8
MOST_MIB = 50

HEAD = """
import resource, sys, time
from pathlib import Path
from arcferry import bundle, times
key = bundle.load_secret_key(Path("key"))
start = time.perf_counter()
"""
TAIL = """
seconds = time.perf_counter() - start
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
BUILD = f"""{HEAD}
contents = bundle.Contents((Path("azcmagent_1.0_amd64.deb"),))
bundle.build(Path(sys.argv[1]), contents, key, created=times.now(), replace=True)
{TAIL}"""
OPEN = f"""{HEAD}
bundle.open_bundle(Path(sys.argv[1]), key.public(), now=times.now())
{TAIL}"""


def member(name: str, length: int) -> bytes:
    """The header of a file in an `ar` archive."""
    return f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{length:<10}`\n".encode()


def write_package(path: Path, size: int) -> None:
    """A Debian package whose control data cannot be read here, with a payload that does not compress."""
    block = os.urandom(1 << 20)
    with path.open("wb") as stream:
        stream.write(b"!<arch>\n" + member("debian-binary", 4) + b"2.0\n")
        stream.write(member("control.tar.zst", 4) + b"\x28\xb5\x2f\xfd")
        stream.write(member("data.tar.zst", size))
        for _ in range(size >> 20):
            stream.write(block)


def timed(command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds and MiB; both as the command itself prints them where it is arcferry's."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if command[0] != sys.executable:
        return seconds, 0.0
    inside, held = map(float, done.stdout.split())
    # Without the start of Python, which a peer does not have and a bundle's size does not change.
    return inside, held


def median(command: list[str], folder: Path, runs: int, *, tidy: Callable[[], object]) -> tuple[float, float]:
    """The median time of a command, and the most memory that any run held."""
    measured = []
    for _ in range(runs + 1):
        tidy()
        measured.append(timed(command, folder))
    seconds = statistics.median(one for one, _ in measured[1:])
    return seconds, max(held for _, held in measured)


def main() -> int:
    """Measure, print, and say whether the limits hold."""
    mebibytes, runs = (int(text) for text in (*sys.argv[1:3], "1024", "5")[:2])
    folder = Path(tempfile.mkdtemp(dir=sys.argv[3] if len(sys.argv) > 3 else None))
    try:
        return measure(folder, mebibytes, runs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(folder: Path, mebibytes: int, runs: int) -> int:
    """All rows of the table, in a folder that the caller deletes."""
    bundle.create_key_pair(folder / "key")
    package = "azcmagent_1.0_amd64.deb"
    write_package(folder / package, mebibytes << 20)
    (folder / "peer").mkdir()

    def clear() -> None:
        for path in (folder / "peer").iterdir():
            path.unlink()

    def row(name: str, command: list[str]) -> tuple[float, float]:
        seconds, held = median(command, folder, runs, tidy=clear)
        memory = f"{held:6.0f} MiB" if held else ""
        print(f"{name:<34}{seconds:8.2f} s{mebibytes / seconds:10.0f} MiB/s  {memory}", flush=True)
        return seconds, held

    print(f"{mebibytes} MiB, median of {runs}")
    ours = {}
    for name in ("folder", "b.zip"):
        ours[f"build {name}"] = row(f"arcferry bundle build, {name}", [sys.executable, "-c", BUILD, name])
        ours[f"open {name}"] = row(f"arcferry bundle verify, {name}", [sys.executable, "-c", OPEN, name])
    shell = ["sh", "-ec"]
    sums = row("sha256sum", ["sha256sum", package])[0]
    peers = {
        "cp": row("cp", [*shell, f"cp {package} peer/p; sync peer/p"])[0],
        "tar": row("tar cf", [*shell, f"tar cf peer/p.tar {package}; sync peer/p.tar"])[0],
        "zip": row("zip -0", [*shell, f"zip -q0 peer/p.zip {package}; sync peer/p.zip"])[0]
        if shutil.which("zip")
        else 0.0,
    }
    return verdict(ours, sums, peers)


def verdict(ours: dict[str, tuple[float, float]], sums: float, peers: dict[str, float]) -> int:
    """Print the ratios; 1 where a limit is broken."""
    hashing = {name: sums / ours[f"open {name}"][0] for name in ("folder", "b.zip")}
    most = max(held for _, held in ours.values())
    for name, ratio in hashing.items():
        print(f"hashing, {name}: {ratio:.2f} of sha256sum's speed (at least {LEAST_HASHING})")
    for name in ("folder", "b.zip"):
        seconds = ours[f"build {name}"][0]
        times = ", ".join(f"{seconds / took:.2f} of {peer}'s time" for peer, took in peers.items() if took)
        print(f"building, {name}, which also hashes and reads twice: {times}")
    print(f"memory: {most:.0f} MiB at most (limit {MOST_MIB})")
    return 0 if min(hashing.values()) >= LEAST_HASHING and most <= MOST_MIB else 1


if __name__ == "__main__":
    sys.exit(main())
