"""60 MB to one Windows host of the twin over WinRM, beside what else carries files there.

    .venv/bin/python bench/winrm_upload.py [megabytes] [runs]

Beside arcferry: pypsrp's `WinRS` as it comes, with base64 lines on standard input as its own copy sends them,
and the `winrm` connection of Ansible with its `put_file`. Each is a process of its own, signs in with NTLM on
port 5985, where every message is encrypted, and times itself from before it connects until the host's hash of
the file is there; starting Python is left out. They take turns, the median counts, after one that does not.
The content is random, as compressed as an MSI's is.
"""

import asyncio
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from arcferry_lab.hosts.windows.host import WindowsHost
from arcferry_lab.hosts.windows.settings import WindowsSettings
from arcferry_lab.hosts.windows.winrm import Account, Directory, WinRmServer, WinRmSettings
from arcferry_lab.pki import Authority

ADDRESS, USER, PASSWORD = "127.64.9.1", "Administrator", "Pa55-word!"
ATTEMPTS = 3
REMOTE = r"C:\ProgramData\bench"

ARCFERRY = """
import asyncio, hashlib
from arcferry.bundle import BundleFile
from arcferry.bundle.manifest import Role
from arcferry.fleet.inventory import Host
from arcferry.fleet.transport.upload import put
from arcferry.fleet.transport.winrm import open_winrm
from arcferry.fleet.transport.winrm_trust import WinrmTrust

source = BundleFile("agent.msi", file, file.stat().st_size, digest, next(iter(Role)))

async def carry():
    session = await open_winrm(Host("win01", address, 5985, auth="ntlm"), WinrmTrust(user, password))
    try:
        assert await put(session, source, remote + r"\\\\arcferry.msi") == source.length
    finally:
        await session.close()

def work():
    asyncio.run(carry())
"""

PYPSRP = r"""
import base64
from pypsrp.shell import Process, WinRS
from pypsrp.wsman import WSMan

SCRIPT = '''
begin {
    $file = [IO.File]::Create('TARGET')
    $algorithm = [Security.Cryptography.SHA256]::Create()
}
process {
    $bytes = [Convert]::FromBase64String($_)
    $null = $algorithm.TransformBlock($bytes, 0, $bytes.Length, $bytes, 0)
    $file.Write($bytes, 0, $bytes.Length)
}
end {
    $file.Dispose()
    $null = $algorithm.TransformFinalBlock($bytes, 0, 0)
    [BitConverter]::ToString($algorithm.Hash).Replace('-', '').ToLowerInvariant()
}
'''

def work():
    wsman = WSMan(address, ssl=False, auth="ntlm", username=user, password=password, no_proxy=True)
    script = "$input | & { " + SCRIPT.replace("TARGET", remote + r"\pypsrp.msi") + " }"
    encoded = base64.b64encode(script.encode("utf-16-le")).decode()
    with wsman, WinRS(wsman) as shell, file.open("rb") as content:
        words = ["-NoProfile", "-NonInteractive", "-EncodedCommand", encoded]
        process = Process(shell, "powershell.exe", words)
        process.begin_invoke()
        size = wsman.max_payload_size // 4 * 3 - 2
        data = content.read(size)
        while data:
            after = content.read(size)
            process.send(base64.b64encode(data) + b"\r\n", end=not after)
            data = after
        process.end_invoke()
        assert process.stdout.decode().strip() == digest, (process.stdout, process.stderr[-2000:])
"""

ANSIBLE = r"""
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader, init_plugin_loader

init_plugin_loader()

def work():
    connection = connection_loader.get("winrm", PlayContext(), None)
    connection.set_options(var_options={"_extras": {}}, direct={
        "remote_addr": address, "remote_user": user, "remote_password": password, "port": 5985,
        "transport": ["ntlm"], "scheme": "http",
    })
    connection._connect()
    try:
        connection.put_file(str(file), remote + r"\ansible.msi")
    finally:
        connection.close()
"""

AROUND = """
import json, os, sys, time
from pathlib import Path

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))

address, user, remote, digest, path = sys.argv[1:]
password, file = os.environ["BENCH_PASSWORD"], Path(path)
{side}
began, worked, before = time.perf_counter(), time.process_time(), peak()
work()
took, worked = time.perf_counter() - began, time.process_time() - worked
print(json.dumps({{"seconds": took, "processor": worked, "before": before, "peak": peak()}}))
"""
SIDES = {"arcferry": ARCFERRY, "pypsrp WinRS, base64 lines": PYPSRP, "ansible winrm put_file": ANSIBLE}


async def measured(side: str, source: Path, digest: str, attempt: int = 1) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", AROUND.format(side=SIDES[side])),
        *(ADDRESS, USER, REMOTE, digest, str(source)),
        env=os.environ | {"BENCH_PASSWORD": PASSWORD, "ANSIBLE_LOCAL_TEMP": str(source.parent / "ansible")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await process.communicate()
    if process.returncode and attempt < ATTEMPTS and b"Internal CLR error" in err:
        print(f"{side}: the engine under Wine broke down, again", file=sys.stderr)
        return await measured(side, source, digest, attempt + 1)
    if process.returncode:
        sys.exit(f"{side} failed:\n{err.decode()[-3000:]}")
    found: dict[str, float] = json.loads(out.splitlines()[-1])
    return found


async def main() -> None:
    size = int(sys.argv[1] if len(sys.argv) > 1 else 60) * 1_000_000
    runs = int(sys.argv[2] if len(sys.argv) > 2 else 3)
    authority = Authority()
    with tempfile.TemporaryDirectory(prefix="arcferry-bench-") as name:
        folder = Path(name)
        content = os.urandom(size)
        source, digest = folder / "agent.msi", hashlib.sha256(content).hexdigest()
        source.write_bytes(content)
        host = WindowsHost(
            WindowsSettings("win01", ADDRESS, "127.0.0.1:53", 443, authority.pem), folder / "win01"
        )
        await host.boot()
        service = WinRmServer(
            host,
            Directory("win01", (Account(USER, PASSWORD, built_in=True),)),
            WinRmSettings(https=False),
            authority,
        )
        await service.start()
        taken: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
        try:
            host.path(REMOTE).mkdir(parents=True)
            for run in range(runs + 1):
                for side in SIDES:
                    for old in host.path(REMOTE).iterdir():
                        old.unlink()
                    found = await measured(side, source, digest)
                    print(f"run {run or 'warm-up'}: {side} {found['seconds']:.2f} s", file=sys.stderr)
                    if run:
                        taken[side].append(found)
        finally:
            await service.stop()
            await host.stop()
    report(taken, size, runs)


def report(taken: dict[str, list[dict[str, float]]], size: int, runs: int) -> None:
    print(f"{size / 1e6:.0f} MB over WinRM, NTLM on 5985, median of {runs}, {os.cpu_count()} processors")
    own = statistics.median(one["seconds"] for one in taken["arcferry"])
    for side, found in taken.items():
        seconds, processor = (
            statistics.median(one[key] for one in found) for key in ("seconds", "processor")
        )
        peak, before = (max(one[key] for one in found) for key in ("peak", "before"))
        ratio = "" if side == "arcferry" else f"   arcferry is {seconds / own:.1f} x as fast"
        print(
            f"  {side:<28}{seconds:7.2f} s  {size / 1e6 / seconds:5.1f} MB/s  processor {processor:5.2f} s  "
            f"peak {peak:4.0f} MiB (+{peak - before:.0f}){ratio}"
        )


if __name__ == "__main__":
    asyncio.run(main())
