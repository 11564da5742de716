"""Writes, as JSON, how much longer eight times a text takes, for each that a pattern could be busy with.

A process of its own: where the objects of thousands of tests are held, memory alone makes long texts slower.
"""

import gc
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from arcferry.errors import FileInputError
from arcferry.evidence.reading import read_document
from arcferry.redaction import mask, redact_json

SMALL, TIMES, MOST, TRIES = 8_000, 8, 12, 24
SEEDS: list[str] = json.loads(Path(__file__).with_name("seeds.json").read_text(encoding="utf-8"))
"""What a pattern may be busy with for long when it is repeated."""
SHAPES = ("{}", "<x>{}</x>", '{{"a":"{}"}}', '{{"a": [{}', "level=fatal AZCM0044: {}")
IN_DOCUMENTS = ("eyJ", "eyJ.", "eyJhbGciOiJIUzI1NiJ9", "password=", "://u:p@", "AZCM0026 ")
Make = Callable[[str], Callable[[], object]]


def spent(work: Callable[[], object]) -> float:
    """Seconds of processor time, of as many rounds as can be measured."""
    count, began = 0, time.process_time()
    while (passed := time.process_time() - began) < 0.008 or not count:
        work()
        count += 1
    return passed / count


def grows(seed: str, make: Make) -> float:
    """How much longer the long text takes; the least of some tries, because a busy machine only ever adds."""
    least = float("inf")
    short, long = (make(seed * (size // len(seed))) for size in (SMALL, SMALL * TIMES))
    for _ in range(TRIES):
        least = min(least, spent(long) / spent(short))
        if least <= MOST:
            break
    return least


def in_a_document(shape: str) -> Make:
    """Reading of a document of that shape."""

    def make(text: str) -> Callable[[], object]:
        data = shape.format(text).encode()

        def work() -> object:
            try:
                return read_document("x", data)
            except FileInputError:
                return None

        return work

    return make


def as_json(text: str) -> Callable[[], object]:
    """Redaction of a JSON text with this in it."""
    whole = json.dumps({"a": text}, ensure_ascii=False)
    return lambda: redact_json(whole)


def measured(what: str) -> Iterator[tuple[str, float]]:
    """Each text with its growth."""
    for seed in IN_DOCUMENTS if what == "documents" else SEEDS:
        if what == "documents":
            yield from ((f"{seed} in {shape}", grows(seed, in_a_document(shape))) for shape in SHAPES)
        elif what == "json":
            yield seed, grows(seed, as_json)
        else:
            yield seed, grows(seed, lambda text: lambda: mask(text))


if __name__ == "__main__":
    gc.disable()  # as timeit does
    json.dump(dict(measured(sys.argv[1])), sys.stdout)
