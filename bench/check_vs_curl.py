"""`arcferry check` beside a sequential `curl` loop, over the same local TLS endpoints, each 50 ms slow.

Run by hand: `.venv/bin/python bench/check_vs_curl.py`. Both sides trust one CA and go to one port of
127.0.0.1. curl is told the addresses (`--resolve`); arcferry asks a DNS server for A and AAAA of every name.

Two things are measured, each as the median of five runs that take turns:
(a) whole commands, with what starting an interpreter costs: `arcferry check --all`, which also makes the
    discovery call, beside a shell loop that starts curl once for each of the same names;
(b) the probing alone, as a longer-lived process sees it: `probe()` of 20 endpoints, timed inside its process,
    beside the loop over the same 20 names.

What is left of (a) beside the probing is mostly the loading of modules, told by package.
"""

import asyncio
import os
import re
import shlex
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

from arcferry import catalog
from arcferry_lab.pki import Authority

RUNS = 5
DELAY = 0.05
ENDPOINTS = 20
HIS = "ea.his.arc.azure.com"
STANDARD = {name.lstrip("_") for name in sys.stdlib_module_names}

PROBE = """
import asyncio, sys, time
from pathlib import Path
from arcferry import catalog
from arcferry.probe.https import observe, prepare
from arcferry.probe.step import ProbeSettings
resolver, ca_file, port, *hosts = sys.argv[1:]
endpoints = [catalog.endpoint_named(host) for host in hosts]
settings = ProbeSettings(resolver=resolver, ca_file=Path(ca_file), port=int(port))

async def probe():
    context = prepare(settings)
    return await asyncio.gather(*(observe(one, context) for one in endpoints))

began = time.perf_counter()
seen = asyncio.run(probe())
took = time.perf_counter() - began
assert all(one.reachable for one in seen), [one.failure for one in seen]
print(took)
"""


class Names(asyncio.DatagramProtocol):
    """Every name is 127.0.0.1, at next to no cost: the server shares the cores with what is measured."""

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        end = data.index(b"\0", 12) + 5
        is_a = data[end - 4 : end - 2] == b"\0\x01"
        record = b"\xc0\x0c\0\x01\0\x01\0\0\0\x1e\0\x04\x7f\0\0\x01" if is_a else b""
        head = data[:2] + b"\x81\x80\0\x01" + bytes([0, is_a]) + b"\0\0\0\0"
        self.transport.sendto(head + data[12:end] + record, addr)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(DELAY)
    body = f'"https://{HIS}"'.encode() if b"/discovery" in head else b""
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    await writer.drain()
    writer.close()


async def output(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    if process.returncode:
        sys.exit(f"{shlex.join(command)[:200]} … ended with {process.returncode}:\n{(err or out).decode()}")
    return out.decode()


async def seconds(*command: str) -> float:
    began = time.perf_counter()
    await output(*command)
    return time.perf_counter() - began


def curl_loop(hosts: list[str], port: int, ca_file: Path) -> tuple[str, ...]:
    names = " ".join(map(shlex.quote, hosts))
    curl = (
        f"curl --silent --show-error --output /dev/null --cacert {shlex.quote(str(ca_file))} "
        f'--resolve "$host:{port}:127.0.0.1" "https://$host:{port}/" || exit 1'
    )
    return "sh", "-c", f"for host in {names}; do {curl}; done"


async def loading(*words: str) -> dict[str, float]:
    """Seconds that loading takes in one run, by package, the longest first; telling it makes it slower."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-X",
        "importtime",
        *words,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await process.communicate()
    found: Counter[str] = Counter()
    for own, module in re.findall(r"^import time: +(\d+) \| +\d+ \| +(\w+)", told.decode(), re.MULTILINE):
        found["the standard library" if module.lstrip("_") in STANDARD else module] += int(own)
    return {package: spent / 1e6 for package, spent in found.most_common()}


async def compare(
    what: str, ours: Callable[[], Awaitable[float]], theirs: Callable[[], Awaitable[float]]
) -> None:
    await ours(), await theirs()  # neither is charged for a cold disk
    rounds = [(await ours(), await theirs()) for _ in range(RUNS)]
    mine, curls = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"{what}: arcferry {mine:.3f} s, curl loop {curls:.3f} s, ratio {curls / mine:.1f}")


async def measure(folder: Path) -> None:
    cloud = catalog.cloud("AzureCloud")
    every = catalog.endpoints(cloud, catalog.region("eastasia", cloud), optional=True)
    hosts = [endpoint.host or HIS for endpoint in every]
    authority = Authority()
    ca_file = folder / "ca.pem"
    ca_file.write_bytes(authority.pem)
    loop = asyncio.get_running_loop()
    dns, _ = await loop.create_datagram_endpoint(Names, ("127.0.0.1", 0))
    resolver = f"127.0.0.1:{dns.get_extra_info('sockname')[1]}"
    server = await asyncio.start_server(
        answer, "127.0.0.1", 0, ssl=authority.server_context(hosts), backlog=100
    )
    port = int(server.sockets[0].getsockname()[1])

    arcferry = shutil.which("arcferry", path=str(Path(sys.executable).parent)) or "arcferry"
    check = (arcferry, "check", "--location", "eastasia", "--all", "--output", "json")
    reach = ("--resolver", resolver, "--ca-file", str(ca_file), "--port", str(port))
    few = hosts[:ENDPOINTS]

    async def probing() -> float:
        return float(await output(sys.executable, "-c", PROBE, resolver, str(ca_file), str(port), *few))

    interpreter = await seconds(sys.executable, "-c", "")
    print(
        f"{DELAY * 1000:.0f} ms before each answer; medians of {RUNS} runs; the server shares this machine's"
    )
    print(f"{os.cpu_count()} cores; an interpreter alone starts in {interpreter:.3f} s here")
    await compare(
        f"(a) whole commands, {len(hosts)} endpoints",
        lambda: seconds(*check, *reach),
        lambda: seconds(*curl_loop(hosts, port, ca_file)),
    )
    await compare(
        f"(b) probing alone,  {len(few)} endpoints", probing, lambda: seconds(*curl_loop(few, port, ca_file))
    )
    loaded = await loading("-m", *("arcferry", *check[1:]), *reach)
    print(f"loading modules: {sum(loaded.values()):.3f} s, of which", end=" ")
    print(", ".join(f"{package} {spent:.3f}" for package, spent in list(loaded.items())[:6]))
    server.close()
    dns.close()


def main() -> None:
    if not shutil.which("curl"):
        sys.exit("curl is not installed")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder)))


if __name__ == "__main__":
    main()
