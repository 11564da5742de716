"""How long commands take to start, beside `python -c 'import typer'`, which none of ours can do without.

Run by hand: `.venv/bin/python bench/startup.py`. Medians of runs that take turns, so that other work on the
machine strikes all alike.
"""

import statistics
import subprocess
import sys
import time

RUNS = 21
GOAL = 2.0
COMMANDS = {
    "python -c 'import typer'": ["-c", "import typer"],
    "arcferry --version": ["-m", "arcferry", "--version"],
    "arcferry check --help": ["-m", "arcferry", "check", "--help"],
    "arcferry onboard apply --help": ["-m", "arcferry", "onboard", "apply", "--help"],
    "arcferry --help": ["-m", "arcferry", "--help"],
}


def main() -> None:
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(RUNS):
        for name, words in COMMANDS.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, *words], check=True, capture_output=True)
            taken[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
    typer = medians["python -c 'import typer'"]
    for name, median in medians.items():
        print(f"{name:<30} {median:.3f} s  {median / typer:.2f} x")
    ratio = medians["arcferry --version"] / typer
    print(f"arcferry --version: {ratio:.2f} x, the goal is at most {GOAL} x")
    sys.exit(ratio > GOAL)


if __name__ == "__main__":
    main()
