"""The live page of a run over 10,000 hosts, beside Datasette with the same hosts in one table.

Pages and memory of both, medians of requests that take turns; and how long after a line in the journal a page
that is open is sent it. Datasette comes from PyPI into an environment of its own. Run:
.venv/bin/python bench/serve.py
"""

import http.client
import re
import secrets
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from arcferry.fleet.events import Event, EventKind, journal
from arcferry.fleet.inventory import Host, Inventory
from arcferry.fleet.run_folder import RunFolder, keep_hosts, open_run

HOSTS, ROUNDS, CHANGES = 10_000, 15, 15
RUN = "0123456789ab"
STEPS = ("facts", "stage", "verify", "install", "check", "connect", "verified")
PEER_PORT = 8712


def made(state: Path) -> RunFolder:
    """A run as its journal has it: 14 or 15 lines a host."""
    hosts = tuple(
        Host(
            f"server{at:05}", f"10.0.{at >> 8}.{at & 255}", site=f"site{at % 7}", tags={"role": f"r{at % 3}"}
        )
        for at in range(HOSTS)
    )
    run = open_run(state, RUN, {"inventory": "servers.csv", "hosts": HOSTS}, datetime.now(UTC))
    keep_hosts(run, Inventory(Path("servers.csv"), hosts))
    with journal(run.journal, run.id) as see:
        see(Event("", EventKind.BEGUN))
        for host in hosts:
            for step in STEPS:
                see(Event(host.name, EventKind.STARTED, step))
                see(Event(host.name, EventKind.DONE, step, f"{step} is done", seconds=1.5))
            see(Event(host.name, EventKind.CONNECTED))
    return run


def table(path: Path) -> None:
    """The same hosts as Datasette takes them."""
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE hosts (name TEXT PRIMARY KEY, state TEXT, step TEXT, says TEXT, site TEXT)"
        )
        rows = [
            (f"server{at:05}", "connected", "verified", "verified is done", f"site{at % 7}")
            for at in range(HOSTS)
        ]
        connection.executemany("INSERT INTO hosts VALUES (?, ?, ?, ?, ?)", rows)
    connection.close()


def begun(command: list[str], says: str) -> tuple[subprocess.Popen[str], str]:
    """A server, once it says so on stderr."""
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    for line in process.stderr:
        if says in line:
            return process, line
    raise SystemExit(f"{command[0]} did not begin")


def got(port: int, path: str, cookie: str = "") -> int:
    """The length of a page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers={"Cookie": cookie})
    answer = connection.getresponse()
    assert answer.status == 200, answer.status
    size = len(answer.read())
    connection.close()
    return size


def signed_in(port: int, token: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    form = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    connection.request("POST", "/sign-in", urlencode({"token": token}), form)
    return str(connection.getresponse().headers["Set-Cookie"]).partition(";")[0]


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def megabytes(process: subprocess.Popen[str]) -> float:
    """The most that it had in memory at one time."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


def behind(run: RunFolder, port: int, cookie: str) -> list[float]:
    """Seconds from a line in the journal to the page that is open."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", f"/runs/{RUN}/events", headers={"Cookie": cookie})
    page, found = connection.getresponse(), []
    while b"event: rows" not in page.readline():
        pass
    with journal(run.journal, run.id) as see:
        for number in range(CHANGES):
            time.sleep(0.37)  # not in step with the reader
            start = time.perf_counter()
            see(Event(f"server{number:05}", EventKind.STARTED, "facts", f"change {number}."))
            while f"change {number}.".encode() not in page.readline():
                pass
            found.append(time.perf_counter() - start)
    connection.close()
    return found


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        venv.create(folder / "peer", with_pip=True)
        pip = [str(folder / "peer/bin/python"), "-m", "pip", "install", "-q", "datasette"]
        subprocess.run(pip, check=True)
        run, token = made(folder / "state"), secrets.token_urlsafe(32)
        table(folder / "hosts.db")
        (folder / "token").touch(0o600)
        (folder / "token").write_text(token)
        options = [
            "--listen-port",
            "0",
            "--state",
            str(folder / "state"),
            "--page-token",
            str(folder / "token"),
        ]
        own, line = begun([sys.executable, "-m", "arcferry", "serve", *options], "Serving on")
        peer, _ = begun(
            [str(folder / "peer/bin/datasette"), str(folder / "hosts.db"), "--port", str(PEER_PORT)],
            "running",
        )
        try:
            found = re.search(r":(\d+)/", line)
            assert found
            port = int(found[1])
            cookie = signed_in(port, token)
            first = seconds(lambda: got(port, f"/runs/{RUN}", cookie))
            theirs = "/hosts/hosts?_size=100&_facet=state&_facet=site"
            seconds(lambda: got(PEER_PORT, theirs))
            rounds = [
                (
                    seconds(lambda: got(port, f"/runs/{RUN}?site=site3", cookie)),
                    seconds(lambda: got(PEER_PORT, theirs + "&site=site3")),
                )
                for _ in range(ROUNDS)
            ]
            ours, datasette = (statistics.median(one) for one in zip(*rounds, strict=True))
            late = behind(run, port, cookie)
            print(f"first page {first * 1000:.0f} ms")
            print(
                f"100 of {HOSTS:,} hosts, by site: {ours * 1000:.0f} ms; Datasette {datasette * 1000:.0f} ms"
            )
            print(f"ratio {datasette / ours:.1f}")
            print(f"behind a change: median {statistics.median(late):.2f} s, most {max(late):.2f} s")
            print(f"memory at most: {megabytes(own):.0f} MB; Datasette {megabytes(peer):.0f} MB")
        finally:
            for process in (own, peer):
                process.terminate()
                process.communicate()
    return 0


if __name__ == "__main__":
    sys.exit(main())
