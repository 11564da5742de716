"""How much memory and time it takes to judge a share of results of the largest size, beside jq.

`arcferry collect` is a fresh process over all of them. jq is asked for each host and outcome only: once one
by one, and once with --slurp over the first sixty, which holds all of them at a time.

Run: .venv/bin/python bench/collect.py [results]
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from arcferry.export.result import LARGEST

SLURPED = 60
LIMIT_MIB = 300
ROW = {
    "host": "agentserviceapi.guestconfiguration.azure.com",
    "reachable": False,
    "failure": {"stage": "tcp", "kind": "timeout", "says": "no answer within 10 s"},
}
STEPS = [{"verb": verb, "ok": True} for verb in ("verify", "facts", "install")]
CHECK = {
    "verb": "check",
    "ok": False,
    "exit": 26,
    "code": "AZCM0026",
    "message": "azcmagent check ended with exit status 26",
}


def result(rows: int) -> dict[str, object]:
    """A result that failed, with many rows in its path evidence."""
    return {
        "schema": 1,
        "kind": "host-run",
        "host": "web0000",
        "outcome": "failed",
        "ended": "2026-11-23T08:05:00Z",
        "answers": [*STEPS, CHECK],
        "path": {"schema": 1, "kind": "check", "endpoints": [ROW] * rows},
    }


def fill(folder: Path, count: int) -> None:
    """Results of just under the largest size that is read, one a host."""
    row = len(json.dumps(ROW)) + 2
    text = json.dumps(result((LARGEST - 2000) // row))
    for number in range(count):
        (folder / f"web{number:04}.json").write_text(text.replace("web0000", f"web{number:04}", 1))


def measure(line: list[str]) -> tuple[float, float]:
    """Seconds and the peak of MiB of a process of its own."""
    start = time.perf_counter()
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, 1}:
        sys.exit(f"{line[0]} ended with {process.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    jq = shutil.which("jq") or sys.exit("jq is not installed")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        fill(folder, count)
        files = [str(path) for path in sorted(folder.iterdir())]
        size = sum(Path(file).stat().st_size for file in files) / count / 2**20
        print(f"{count} results of {size:.1f} MiB")
        ours = measure([sys.executable, "-m", "arcferry", "collect", str(folder), "-o", "json"])
        each = measure([jq, "-c", "[.host, .outcome]", *files])
        slurped = measure([jq, "-c", "--slurp", "map([.host, .outcome])", *files[:SLURPED]])
        print(f"arcferry collect      {ours[0]:7.1f} s {ours[1]:8.0f} MiB")
        print(f"jq, one by one        {each[0]:7.1f} s {each[1]:8.0f} MiB")
        print(f"jq --slurp, first {len(files[:SLURPED]):3} {slurped[0]:7.1f} s {slurped[1]:8.0f} MiB")
        print(f"arcferry beside jq, one by one: {ours[0] / each[0]:.2f} times the time")
        print(f"arcferry beside jq --slurp: {ours[1] / slurped[1]:.2f} times the memory")
    if ours[1] > LIMIT_MIB:
        sys.exit(f"more than {LIMIT_MIB} MiB")


if __name__ == "__main__":
    main()
