"""How long route dumps of a million routes take to read, and how much memory, beside the libraries there are.

Each measurement is a fresh process that reads one file. mrtparse and ntc-templates only make rows; arcferry's
figures include the table that answers which routes hold an address. ntc-templates is given 20,000 routes,
because a million would take it many minutes.

Run: .venv/bin/python bench/route_dumps.py [routes]
"""

import json
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

LIMIT_SECONDS = 60.0
LIMIT_MIB = 1024
PEER_ROUTES = 20_000
VALUES = [51_002 + number for number in range(43)]

READ = """
import resource, sys, time
from pathlib import Path
from arcferry.routing.tables import read_route_file
seen = []
start = time.perf_counter()
table = read_route_file(Path(sys.argv[1]), progress=seen.append)
seconds = time.perf_counter() - start
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, table.size, table.format)
assert seen[-1] == Path(sys.argv[1]).stat().st_size
assert table.covering(sys.argv[2])
"""

MRTPARSE = """
import resource, sys, time
from mrtparse import Reader
start = time.perf_counter()
count = sum(1 for entry in Reader(sys.argv[1]) if entry.data["subtype"] != {1: "PEER_INDEX_TABLE"})
seconds = time.perf_counter() - start
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, count, "mrtparse")
"""

NTC = """
import resource, sys, time
from pathlib import Path
from ntc_templates.parse import parse_output
start = time.perf_counter()
rows = parse_output("cisco_ios", "show ip bgp", Path(sys.argv[1]).read_text())
seconds = time.perf_counter() - start
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, len(rows), "ntc-templates")
"""


def routes(count: int) -> Iterator[tuple[str, int, int]]:
    """Prefix, community number and a second AS of `count` routes."""
    for number in range(count):
        network = (1 << 16) + number * 2
        yield (
            f"{network >> 16 & 255}.{network >> 8 & 255}.{network & 255}.0/24",
            VALUES[number % len(VALUES)],
            64_600 + number % 300,
        )


def ios(count: int) -> Iterator[str]:
    yield "ce1#show ip bgp\nBGP table version is 9, local router ID is 192.0.2.9\n"
    yield "     Network          Next Hop            Metric LocPrf Weight Path\n"
    for prefix, _, second in routes(count):
        yield f" *>  {prefix:<16} {'192.0.2.1':<20}                   0 12076 {second} ?\n"


def ios_detail(count: int) -> Iterator[str]:
    for prefix, value, second in routes(count):
        yield (
            f"BGP routing table entry for {prefix}, version 22\n"
            "Paths: (1 available, best #1, table default)\n  Not advertised to any peer\n  Refresh Epoch 1\n"
            f"  12076 {second}\n    192.0.2.1 from 192.0.2.1 (192.0.2.1)\n"
            "      Origin incomplete, localpref 100, valid, external, best\n"
            f"      Community: 12076:{value}\n      rx pathid: 0, tx pathid: 0x0\n"
        )


def frr_json(count: int) -> Iterator[str]:
    yield '{"vrfId": 0, "vrfName": "default", "routerId": "192.0.2.9", "localAS": 65001, "routes": {'
    for number, (prefix, value, second) in enumerate(routes(count)):
        path = {
            "valid": True,
            "aspath": {"string": f"12076 {second}", "length": 2},
            "origin": "incomplete",
            "bestpath": {"overall": True},
            "community": {"string": f"12076:{value}", "list": [f"12076:{value}"]},
            "nexthops": [{"ip": "192.0.2.1", "afi": "ipv4", "used": True}],
        }
        yield f'{"," if number else ""}\n"{prefix}": {json.dumps([path])}'
    yield "}}\n"


def bird(count: int) -> Iterator[str]:
    yield "BIRD 2.0.12 ready.\nTable master4:\n"
    for prefix, value, second in routes(count):
        yield (
            f"{prefix:<20} unicast [msee1 2026-11-23] * (100) [AS{second}?]\n\tvia 192.0.2.1 on eth0\n"
            f"\tType: BGP univ\n\tBGP.origin: Incomplete\n\tBGP.as_path: 12076 {second}\n"
            f"\tBGP.next_hop: 192.0.2.1\n\tBGP.local_pref: 100\n\tBGP.community: (12076,{value})\n"
        )


def mrt(count: int) -> Iterator[bytes]:
    stamp = 1_795_000_000
    index = struct.pack(">IHHB4s4sI", 0xC0000209, 0, 1, 2, b"\xc0\0\2\1", b"\xc0\0\2\1", 12_076)
    yield struct.pack(">IHHI", stamp, 13, 1, len(index)) + index
    for number, (prefix, value, second) in enumerate(routes(count)):
        attributes = (
            b"\x40\1\1\2"
            b"\x40\2\x0a"
            + struct.pack(">BBII", 2, 2, 12_076, second)
            + b"\x40\3\4\xc0\0\2\1"
            + b"\xc0\x08\4"
            + struct.pack(">HH", 12_076, value)
        )
        packed = bytes(map(int, prefix.split("/")[0].split(".")[:3]))
        body = struct.pack(">IB3sH", number, 24, packed, 1)
        body += struct.pack(">HIH", 0, stamp, len(attributes)) + attributes
        yield struct.pack(">IHHI", stamp, 13, 2, len(body)) + body


def write(path: Path, parts: Iterator[str] | Iterator[bytes]) -> Path:
    with path.open("wb") as stream:
        for part in parts:
            stream.write(part if isinstance(part, bytes) else part.encode())
    return path


def measured(program: str, path: Path) -> tuple[float, float, int, str]:
    """Seconds, peak MiB, routes and the reader, of a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", program, str(path), "1.0.0.9"], check=True, capture_output=True, text=True
    )
    seconds, memory, count, reader = done.stdout.split()
    return float(seconds), float(memory), int(count), reader


def main() -> int:
    count = int(sys.argv[1]) if sys.argv[1:] else 1_000_000
    dumps: dict[str, Callable[[int], Iterator[str] | Iterator[bytes]]] = {
        "IOS table": ios,
        "IOS detail": ios_detail,
        "FRR JSON": frr_json,
        "BIRD, all": bird,
        "MRT": mrt,
    }
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for name, dump in dumps.items():
            path = write(Path(folder) / "dump", dump(count))
            seconds, memory, size, reader = measured(READ, path)
            good = good and size == count and seconds <= LIMIT_SECONDS and memory <= LIMIT_MIB
            length = path.stat().st_size / 1e6
            print(f"{name:12} {length:6.0f} MB  {seconds:6.1f} s  {memory:5.0f} MiB  {reader}")
            if dump is mrt:
                other, memory, _, reader = measured(MRTPARSE, path)
                print(f"{'':24}{other:6.1f} s  {memory:5.0f} MiB  {reader}, {other / seconds:.1f} times")
        path = write(Path(folder) / "dump", ios(PEER_ROUTES))
        seconds, *_ = measured(READ, path)
        other, _, _, reader = measured(NTC, path)
        times = other / seconds
        print(
            f"IOS table, {PEER_ROUTES:,} routes: {seconds:.2f} s, {reader} {other:.2f} s, {times:.0f} times"
        )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
