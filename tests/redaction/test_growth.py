"""The time grows as the text does, whatever stands in it; how long it is, the fuzz run looks at."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("what", ["masked", "json", "documents"])
def test_eight_times_the_text_takes_at_most_twelve_times_as_long(what: str) -> None:
    line = [sys.executable, str(Path(__file__).with_name("growth.py")), what]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    growth: dict[str, float] = json.loads(done.stdout)
    assert len(growth) >= 30
    assert {text: times for text, times in growth.items() if times > 12} == {}
