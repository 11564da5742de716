"""Longest-prefix match over every prefix of a service-tag file: arcferry beside pytricia and py-radix.

Run by hand: `.venv/bin/python bench/prefix_match.py [FILE]`. FILE is a service-tag file of Microsoft's;
without it the one in `../shared/data` beside the checkout. The peers come from the package index into a
folder of their own that is removed at the end; they are C, and building them takes a C compiler.

Everybody holds the same prefixes, each with the first tag that has it, and is asked the same addresses as
text: three quarters inside prefixes of the file, one quarter anywhere, IPv4 and IPv6 as the file has them.
The sides take turns; medians of seven runs. Before that all answers are compared. "One by one" is a Python
loop that calls the look-up with one address, the loop included. Then the loading of the whole file: from its
JSON and from the form that arcferry prepares, each in a new process, with what memory grows by.
"""

import gc
import hashlib
import ipaddress
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from arcferry.data import prepared
from arcferry.routing.prefixes import PrefixMap
from arcferry.routing.service_tags import read_service_tags

RUNS = 7
ADDRESSES = 200_000
PEERS = ("pytricia", "py-radix")
SHARED = Path(__file__).parents[2] / "shared" / "data" / "ServiceTags_Public_20251028.json"

LOAD = """
import sys, time
from pathlib import Path

def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024

import hashlib, json
from arcferry.data import prepared
from arcferry.routing.service_tags import read_service_tags
source, form = Path(sys.argv[1]), sys.argv[2]
before, start = peak(), time.perf_counter()
data = source.read_bytes()
if form:
    tags = prepared.load(Path(form).read_bytes(), hashlib.sha256(data).hexdigest())
else:
    tags = read_service_tags(json.loads(data), source.name)
tags.matches("40.115.144.3")
print(time.perf_counter() - start, peak() - before)
"""


def peers(folder: Path) -> None:
    print(f"building {' and '.join(PEERS)} ...", file=sys.stderr)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-warn-script-location"]
    subprocess.run([*pip, "--target", folder, *PEERS], check=True, stderr=subprocess.DEVNULL)
    sys.path.insert(0, str(folder))


def addresses(prefixes: list[str]) -> list[str]:
    draw = random.Random(20251028)  # noqa: S311 - a sample, not a secret
    networks = [ipaddress.ip_network(prefix) for prefix in prefixes]
    inside = [
        network[draw.randrange(network.num_addresses)]
        for network in draw.choices(networks, k=ADDRESSES * 3 // 4)
    ]
    v6 = sum(network.version == 6 for network in networks) / len(networks)
    outside: list[Any] = [
        ipaddress.IPv6Address(draw.getrandbits(128))
        if draw.random() < v6
        else ipaddress.IPv4Address(draw.getrandbits(32))
        for _ in range(ADDRESSES - len(inside))
    ]
    found = [str(address) for address in (*inside, *outside)]
    draw.shuffle(found)
    return found


def loop(look_up: Callable[[str], Any], asked: list[str]) -> Callable[[], None]:
    def run() -> None:
        for address in asked:
            look_up(address)

    return run


def pytricia_side(held: dict[str, str]) -> Callable[[str], Any]:
    pytricia = import_module("pytricia")
    trees = {False: pytricia.PyTricia(32), True: pytricia.PyTricia(128)}
    for prefix, tag in held.items():
        trees[":" in prefix][prefix] = tag
    four, six = trees[False].get, trees[True].get
    return lambda address: six(address) if ":" in address else four(address)


def radix_side(held: dict[str, str]) -> Callable[[str], Any]:
    tree = import_module("radix").Radix()
    for prefix, tag in held.items():
        tree.add(prefix).data["tag"] = tag
    best = tree.search_best

    def look_up(address: str) -> object:
        node = best(address)
        return node.data["tag"] if node else None

    return look_up


def sides(held: dict[str, str], asked: list[str]) -> dict[str, Callable[[], Any]]:
    ours = PrefixMap(held.items())
    tricia, radix = pytricia_side(held), radix_side(held)
    expected = ours.longest_many(asked)
    assert expected == [hit[1] if (hit := ours.longest(address)) else None for address in asked]
    assert expected == [tricia(address) for address in asked], "pytricia answers otherwise"
    assert expected == [radix(address) for address in asked], "py-radix answers otherwise"
    return {
        "arcferry, in bulk": lambda: ours.longest_many(asked),
        "arcferry, one by one": loop(ours.longest, asked),
        "pytricia": loop(tricia, asked),
        "py-radix": loop(radix, asked),
    }


def matching(held: dict[str, str], family: str) -> None:
    asked = addresses(list(held))
    every = sides(held, asked)
    taken: dict[str, list[float]] = {side: [] for side in every}
    gc.disable()
    for _ in range(RUNS):
        for side, run in every.items():
            start = time.perf_counter()
            run()
            taken[side].append((time.perf_counter() - start) / len(asked) * 1e6)
    gc.enable()
    median = {side: statistics.median(times) for side, times in taken.items()}
    print(f"{family}: {len(held):,} prefixes, {len(asked):,} addresses as text, median of {RUNS}")
    for side, each in median.items():
        peers = ("pytricia", "py-radix") if side.startswith("arcferry") else ()
        ratios = "".join(f"   {median[peer] / each:5.2f} x {peer}" for peer in peers)
        print(f"  {side:<22}{each:6.3f} us each   {1 / each:5.2f} million/s{ratios}")


def loading(source: Path, folder: Path) -> None:
    data = source.read_bytes()
    form = folder / "form"
    tags = read_service_tags(json.loads(data), source.name)
    form.write_bytes(prepared.prepare(tags, hashlib.sha256(data).hexdigest()))
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    print(f"{source.name}, {len(data):,} bytes, to the first answer, in a new process, imports not counted")
    for title, path in (("from its JSON", ""), ("from the prepared form", str(form))):
        command = [sys.executable, "-c", LOAD, str(source), path]
        runs = []
        for _ in range(RUNS + 1):
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
            runs.append([float(part) for part in done.stdout.split()])
        seconds = statistics.median(one[0] for one in runs[1:])
        memory = statistics.median(one[1] for one in runs[1:])
        print(f"  {title:<24}{seconds * 1000:6.1f} ms   {memory:5.1f} MB more at the peak")


def main() -> None:
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED
    if not source.is_file():
        sys.exit(f"no service-tag file at {source}: name one")
    tags = read_service_tags(json.loads(source.read_bytes()), source.name)
    print(f"{sum(1 for _ in tags.prefixes.items()):,} entries, {os.cpu_count()} processors")
    held: dict[str, str] = {}
    for prefix, (tag, _) in tags.prefixes.items():
        held.setdefault(prefix, tag)
    with tempfile.TemporaryDirectory(prefix="arcferry-bench-") as name:
        peers(Path(name) / "peers")
        for family, six in (("IPv4", False), ("IPv6", True)):
            matching({prefix: tag for prefix, tag in held.items() if (":" in prefix) == six}, family)
        matching(held, "both, as the file has them")
        loading(source, Path(name))


if __name__ == "__main__":
    main()
