import os
import subprocess
import sys
from pathlib import Path

import pytest

from arcferry.lab import hosts


@pytest.mark.lab
@pytest.mark.hosts
def test_the_story_is_told_to_its_end_and_leaves_nothing(tmp_path: Path) -> None:
    if reason := hosts.unavailable():
        pytest.skip(f"no hosts here: {reason}")
    told = subprocess.run(
        [sys.executable, "-m", "arcferry", "lab", "demo"],
        # A setting for a real fleet must not reach the story.
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path), "ARCFERRY_PROXY": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert told.returncode == 0, told.stderr
    check, _, explained, _, green, *_ = told.stdout.split("$ arcferry ")[1:]
    assert check.count("|false      |false") == 1
    assert "agentserviceapi.guestconfiguration.azure.com  |false" in check
    assert "route/community-not-in-filter" in explained
    assert "8 of 8 required endpoints reached" in green
    assert "6 of 6 hosts connected" in told.stdout
    assert list((tmp_path / "arcferry").iterdir()) == []
