"""The time grows as the text does, whatever stands in it; how long it is, the fuzz run looks at."""

import gc
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from arcferry.diagnosis.readers import read_document
from arcferry.errors import FileInputError
from arcferry.redaction import mask, redact_json

SMALL, TIMES = 8_000, 8
SEEDS: list[str] = json.loads(Path(__file__).with_name("seeds.json").read_text(encoding="utf-8"))
"""What a pattern may be busy with for long when it is repeated."""


def _spent(work: Callable[[], object]) -> float:
    """Seconds of processor time of the quickest of a few tries, each long enough to be measured.

    As timeit does, without the collector, whose time is that of everything else that the tests hold.
    """
    best = float("inf")
    gc.disable()
    for _ in range(4):
        count, began = 0, time.process_time()
        while (spent := time.process_time() - began) < 0.008 or not count:
            work()
            count += 1
        best = min(best, spent / count)
    gc.enable()
    return best


def _grows(make: Callable[[int], Callable[[], object]]) -> float:
    """How much longer the long text takes; the least of some tries, because a busy machine only ever adds."""
    least = float("inf")
    for _ in range(12):
        least = min(least, _spent(make(SMALL * TIMES)) / _spent(make(SMALL)))
        if least <= 12:
            break
    return least


def _json(seed: str, size: int) -> str:
    return json.dumps({"a": seed * (size // len(seed))}, ensure_ascii=False)


@pytest.mark.parametrize("seed", SEEDS, ids=repr)
def test_eight_times_the_text_takes_at_most_twelve_times_as_long(seed: str) -> None:
    def masked(size: int) -> Callable[[], object]:
        text = seed * (size // len(seed))
        return lambda: mask(text)

    def structured(size: int) -> Callable[[], object]:
        text = _json(seed, size)
        return lambda: redact_json(text)

    assert _grows(masked) <= 12
    assert _grows(structured) <= 12


@pytest.mark.parametrize(
    "shape", ["{}", "<x>{}</x>", '{{"a":"{}"}}', '{{"a": [{}', "level=fatal AZCM0044: {}"]
)
@pytest.mark.parametrize("seed", ["eyJ", "eyJ.", "eyJhbGciOiJIUzI1NiJ9", "password=", "://u:p@", "AZCM0026 "])
def test_a_document_in_any_structure(shape: str, seed: str) -> None:
    def read(size: int) -> Callable[[], object]:
        data = shape.format(seed * (size // len(seed))).encode()

        def work() -> object:
            try:
                return read_document("x", data)
            except FileInputError:
                return None

        return work

    assert _grows(read) <= 12
