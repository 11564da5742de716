"""Each cause has a fault that leads to it, or a reason why none does."""

from fnmatch import fnmatch

import pytest

from arcferry.diagnosis.causes import CAUSES
from arcferry_lab.faults import FAULTS
from arcferry_lab.unproduced import UNPRODUCED

PRODUCED = {fault.cause for fault in FAULTS if fault.cause}


def test_every_fault_is_for_a_cause_that_there_is() -> None:
    assert set(CAUSES) >= PRODUCED
    assert len(PRODUCED) >= 35


@pytest.mark.parametrize("slug", CAUSES)
def test_a_cause_is_produced_or_says_why_not(slug: str) -> None:
    reasons = [reason for pattern, reason in UNPRODUCED.items() if fnmatch(slug, pattern)]
    assert len(reasons) == (0 if slug in PRODUCED else 1), reasons


@pytest.mark.parametrize("pattern", UNPRODUCED)
def test_a_reason_is_for_a_cause_that_there_is(pattern: str) -> None:
    assert [slug for slug in CAUSES if fnmatch(slug, pattern)]
