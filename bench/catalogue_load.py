"""How long the whole catalogue takes to load, beside tomllib parsing the same bytes once.

Each round is a fresh process, so that nothing is cached. Run: .venv/bin/python bench/catalogue_load.py
"""

import statistics
import subprocess
import sys

ROUNDS = 15
LIMIT_MS = 20.0

LOAD = """
import time
from arcferry import catalog
from arcferry.catalog import store
start = time.perf_counter()
for name in store.FILES:
    store.load(name)
cloud = catalog.cloud("AzureCloud")
catalog.regions(), catalog.codes(), catalog.communities(), catalog.dated()
catalog.endpoints(cloud, catalog.region("eastasia"), optional=True)
catalog.endpoint_named("ea.his.arc.azure.com")
print((time.perf_counter() - start) * 1000)
"""

PEER = """
import time
import tomllib
from pathlib import Path
import arcferry.catalog
files = sorted(Path(arcferry.catalog.__file__).with_name("data").glob("*.toml"))
start = time.perf_counter()
for file in files:
    tomllib.loads(file.read_text(encoding="utf-8"))
print((time.perf_counter() - start) * 1000)
"""


def once(program: str) -> float:
    """Milliseconds that one fresh process measured."""
    return float(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout)


def main() -> int:
    pairs = [(once(LOAD), once(PEER)) for _ in range(ROUNDS)]
    ours, peer = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"catalogue, loaded whole     {ours:6.2f} ms   (limit {LIMIT_MS:.0f} ms)")
    print(f"tomllib, the same bytes     {peer:6.2f} ms")
    print(f"ratio                       {ours / peer:6.2f}")
    return 0 if ours < LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
