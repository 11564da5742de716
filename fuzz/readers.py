"""Coverage-guided fuzzing of every reader of files that people hand in.

Run by hand:

    python3 -m venv /tmp/fuzz && /tmp/fuzz/bin/pip install atheris . && /tmp/fuzz/bin/python fuzz/readers.py \
        -runs=1000000

Atheris (libFuzzer for Python) mutates the samples of the tests, keeps what reaches new code, and stops at
anything but a FileInputError, at an input that takes more than a second of processor time a megabyte beside
what any takes to begin with, and at 2 GiB. Options that begin with a dash go to libFuzzer; `-seed=1` repeats
a run.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["arcferry"]):
    from arcferry.catalog import cloud
    from arcferry.diagnosis import judge
    from arcferry.errors import FileInputError, InputError
    from arcferry.evidence.reading import read_document
    from arcferry.routing.azure_json import read_community_list, read_service_tags
    from arcferry.routing.circuit import read_circuit
    from arcferry.routing.route_filter import read_route_filter
    from arcferry.routing.tables import read_route_table

TESTS = Path(__file__).parents[1] / "tests"
SAMPLES = (TESTS / "cases", TESTS / "routing" / "tables" / "cases", TESTS / "evidence" / "readers")
LONGEST = 64 * 1024
A_SECOND = 1_000_000
"""Bytes that may take a second of processor time."""
TO_BEGIN = 0.25
"""Seconds that an input of any length may take, instrumented as it is."""
CLOUD = cloud("AzureCloud")


def diagnosed(name: str, data: bytes) -> None:
    """The whole way, which is slower: what the file is, and what follows from it."""
    judge(read_document(name, data))


def as_json(read: Callable[[object, str], object]) -> Callable[[str, bytes], object]:
    """A reader of parsed JSON, given bytes; what is no JSON is not its business."""

    def parsed(name: str, data: bytes) -> object:
        with suppress(ValueError, RecursionError):
            return read(json.loads(data), name)
        return None

    return parsed


TARGETS: tuple[Callable[[str, bytes], object], ...] = (
    read_document,
    read_route_table,
    diagnosed,
    as_json(read_service_tags),
    as_json(read_community_list),
    as_json(read_route_filter),
    as_json(read_circuit),
)


def one_input(data: bytes) -> None:
    """The first byte chooses the reader, the rest is the file."""
    if not data:
        return
    target = TARGETS[data[0] % len(TARGETS)]
    if _spent(target, data[1:]) > _allowed(data):
        again = min(_spent(target, data[1:]) for _ in range(3))  # an interruption is no fault of the input's
        if again > _allowed(data):
            raise TooSlowError(f"{again:.2f} s for {len(data):,} bytes")


class TooSlowError(Exception):
    """An input took more time than its length explains."""


def _allowed(data: bytes) -> float:
    return TO_BEGIN + len(data) / A_SECOND


def _spent(target: Callable[[str, bytes], object], data: bytes) -> float:
    began = time.process_time()
    with suppress(FileInputError, InputError):
        target("fuzz.txt", data)
    return time.process_time() - began


def seeds(folder: Path) -> None:
    """Every sample of the tests that is short enough, for each reader that may take its kind."""
    found = [path for place in SAMPLES for path in place.rglob("*") if path.is_file()]
    for number, path in enumerate(found):
        if path.suffix not in (".py", ".toml") and path.stat().st_size <= LONGEST:
            targets = range(len(TARGETS)) if path.suffix == ".json" else (0, 1)
            for target in targets:
                (folder / f"{number}-{target}").write_bytes(bytes([target]) + path.read_bytes())


def main() -> None:
    """Seed a corpus in a folder of its own, and run until an input fails or the runs are over."""
    with tempfile.TemporaryDirectory(prefix="arcferry-fuzz-") as place:
        seeds(Path(place))
        options = [
            f"-max_len={LONGEST}",
            "-timeout=10",
            "-rss_limit_mb=2048",
            f"-artifact_prefix={Path.cwd()}/",
        ]
        atheris.Setup([sys.argv[0], place, *options, *sys.argv[1:]], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
