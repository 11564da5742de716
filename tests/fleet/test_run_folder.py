"""What of the state folder is a run."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from arcferry.fleet.run_folder import open_run, runs


def test_what_else_lies_beside_the_runs_hinders_no_command(tmp_path: Path) -> None:
    run = open_run(tmp_path, "0123456789ab", {}, datetime(2026, 11, 28, tzinfo=UTC))
    shutil.copytree(run.path, run.path.with_name(f"{run.id}.bak"))
    run.path.with_name("lost+found").mkdir(mode=0)
    assert [one.id for one, _ in runs(tmp_path)] == [run.id]
