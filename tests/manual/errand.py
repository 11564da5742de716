"""One server, by hand: what an administrator does with a bundle, done as START-HERE.txt says.

Runs in a network namespace of its own with nothing but loopback in it, and writes down all that happened.

    unshare --net python -m tests.manual.errand FOLDER
"""

import asyncio
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
from tests.bundle.guide.typed import Typed, typed

from arcferry import azure, times
from arcferry import bundle as bundles
from arcferry_lab.hosts import LabHost
from arcferry_lab.twin import RESOURCE_GROUP, Twin, TwinSettings

NAME = "web01"
LACKING = "12076:51012"  # where the story's answer lies, and what its route filter lacks
ELSEWHERE = "198.51.100.7"  # of the addresses for examples (RFC 5737)


@dataclass
class Step:
    """A command of the guide and what came of it."""

    heading: str
    text: str
    status: int
    out: str
    err: str


@dataclass
class Record:
    """All that happened."""

    steps: list[Step] = field(default_factory=list)
    blocked: list[Step] = field(default_factory=list)
    undone: list[Step] = field(default_factory=list)
    unreachable: dict[str, str] = field(default_factory=dict)
    machine: dict[str, str] = field(default_factory=dict)
    explained: dict[str, Any] = field(default_factory=dict)
    explained_before: dict[str, Any] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    manifest_sha256: str = ""
    token: str = field(default="", repr=False)


def _for_this_server(text: bytes) -> list[Typed]:
    """The commands for Linux. Which certificates to trust is its administrator's choice: here, none."""
    absent = [] if shutil.which("minisign") else ["minisign "]
    left_out = ("certificates", *absent)
    return [
        one for one in typed(text) if one.where == "linux" and not any(word in one.text for word in left_out)
    ]


class Shell:
    """Root's shell on the server: it remembers its folder and its variables, as a window does."""

    def __init__(self, connection: asyncssh.SSHClientConnection) -> None:
        self._connection = connection
        self._folder = "/root"
        self._set: dict[str, str] = {}
        self._pasted = ""

    async def type(self, command: str, *, pasted: str = "") -> tuple[int, str, str]:
        # No terminal is here whose echo could be turned off: the guide's own tests have one.
        command = re.sub(r"^stty -echo; (.*); stty echo$", r"\1", command)
        if "read -r token" in command:
            self._set["token"], self._pasted = command, pasted
        elif command.startswith("settings="):
            self._set["settings"] = command
        before = "".join(f"{one}\n" for one in self._set.values() if one != command)
        line = f"cd {shlex.quote(self._folder)} && {{ {before}{command}\n}}"
        done = await self._connection.run(line, check=False, input=pasted or self._pasted)
        if command.startswith("unset "):
            self._set, self._pasted = {}, ""
        if command.startswith("cd ") and done.exit_status == 0:
            self._folder = command.removeprefix("cd ")
        return done.exit_status or 0, str(done.stdout), str(done.stderr)


@dataclass
class Errand:
    """The bundle, the twin, and what has happened so far."""

    folder: Path
    twin: Twin
    record: Record = field(default_factory=Record)

    @property
    def host(self) -> LabHost:
        return self.twin.servers.hosts[0]

    async def run(self) -> None:
        await asyncio.to_thread(self._pack)
        await asyncio.to_thread(self._furnish)
        async with await self._log_in() as connection:
            shell = Shell(connection)
            await self._look_elsewhere(shell)
            text = await self._unpack(shell)
            *commands, disconnect, uninstall = _for_this_server(text)
            check = next(at for at, one in enumerate(commands) if "linux.sh check " in one.text)
            self.record.blocked = [await self._type(shell, one) for one in commands[: check + 1]]
            self.record.explained_before = await self._send_back("before")
            await self.twin.allow(*self.twin.azure.communities, LACKING)
            await shell.type("rm ~/arcferry-result/*")
            for one in commands:
                pasted = await self._token() if "read -r token" in one.text else ""
                self.record.steps.append(await self._type(shell, one, pasted))
            await self._ask_azure()
            self.record.explained = await self._send_back("after")
            await self._look_for_leftovers(shell)
            self.record.undone = [await self._type(shell, one) for one in (disconnect, uninstall)]

    def _pack(self) -> None:
        """On a computer with a connection; then the zip goes onto the server's disk, as from a stick."""
        package = self.twin.servers.package
        assert package
        key = bundles.new_secret_key()
        (self.folder / "key.pub").write_bytes(key.public().to_bytes())
        contents = bundles.Contents((package,), location=self.twin.azure.location)
        made = bundles.build(self.folder / "bundle.zip", contents, key, created=times.now())
        self.record.manifest_sha256 = made.sha256
        stick = self.host.root / "mnt"
        (stick / "bundle.zip").write_bytes((self.folder / "bundle.zip").read_bytes())

    def _furnish(self) -> None:
        """The site's own resolver, as its servers have it. The host knew of names in its files only."""
        address = self.twin.network.resolver.removesuffix(":53")
        assert ":" not in address, "the twin's resolver must be where programs look for one"
        (self.host.root / "etc/resolv.conf").write_text(f"nameserver {address}\n")
        (self.host.root / "etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")

    async def _log_in(self) -> asyncssh.SSHClientConnection:
        return await asyncssh.connect(
            self.host.address,
            self.host.port,
            username=self.host.user,
            client_keys=[str(self.twin.paths.key)],
            known_hosts=str(self.twin.paths.known_hosts),
            config=None,
            agent_path=None,
        )

    async def _look_elsewhere(self, shell: Shell) -> None:
        """From the server itself: no route to anywhere, and the twin's Azure is there."""
        probe = f"python3 -Ic \"import socket; socket.create_connection(('{ELSEWHERE}', 443), 5)\""
        _, _, self.record.unreachable["elsewhere"] = await shell.type(probe)
        _, self.record.unreachable["interfaces"], _ = await shell.type("ls /sys/class/net; ip -brief link")
        _, self.record.unreachable["routes"], _ = await shell.type("ip route show table main")

    async def _unpack(self, shell: Shell) -> bytes:
        status, _, problem = await shell.type("unzip -q /mnt/bundle.zip -d /mnt/bundle")
        assert status == 0, problem
        return (self.host.root / "mnt/bundle/START-HERE.txt").read_bytes()

    async def _type(self, shell: Shell, command: Typed, pasted: str = "") -> Step:
        key = (self.folder / "key.pub").read_text().splitlines()[1]
        values = {  # what others told the administrator
            "PUBLIC-KEY": key,
            "SUBSCRIPTION-ID": self.twin.azure.subscription_id,
            "RESOURCE-GROUP": RESOURCE_GROUP,
            "TENANT-ID": self.twin.azure.tenant_id,
            "SERVER-NAME": NAME,
        }
        line = command.text
        for word, value in values.items():
            line = line.replace(word, value)
        status, out, err = await shell.type(line, pasted=pasted)
        return Step(command.heading, command.text, status, out, err)

    async def _token(self) -> str:
        async with azure.signed_in(self._target(), self._principal()) as session:
            token = await session.token()
        self.record.token = token.text
        return f"{token.text}\n"

    async def _ask_azure(self) -> None:
        async with azure.signed_in(self._target(), self._principal()) as session:
            machine = await azure.get_machine(session, NAME)
        assert machine
        self.record.machine = {"status": machine.status, "id": machine.id, "agent": machine.agent_version}

    async def _send_back(self, when: str) -> dict[str, Any]:
        """The two files, and nothing else of the server, into `arcferry explain`."""
        folder = self.folder / when
        folder.mkdir()
        for name in ("path.json", "answers.txt"):
            (folder / name).write_bytes((self.host.root / "root/arcferry-result" / name).read_bytes())
        known = (self.twin.paths.route_filter, self.twin.paths.service_tags, self.twin.paths.communities)
        done = await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                "-m",
                "arcferry",
                "explain",
                "path.json",
                "answers.txt",
                *known,
                "--output",
                "json",
            ),
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"ARCFERRY_DATA": str(self.folder / "data")},
        )
        out, err = await done.communicate()
        return {"status": done.returncode, "err": err.decode(), "document": json.loads(out or b"{}")}

    async def _look_for_leftovers(self, shell: Shell) -> None:
        places = "/root /run /tmp /var /mnt /etc /opt"
        search = f"grep -rlF -f - {places} 2>/dev/null"  # by standard input: a journal keeps every command
        _, self.record.left["token"], _ = await shell.type(search, pasted=self.record.token[-40:])

    def _target(self) -> azure.AzureTarget:
        return azure.target(
            cloud="AzureCloud",
            tenant_id=self.twin.azure.tenant_id,
            subscription_id=self.twin.azure.subscription_id,
            resource_group=RESOURCE_GROUP,
            location=self.twin.azure.location,
            arm_url=self.twin.azure.arm_url,
            authority=self.twin.azure.authority,
            ca_file=self.twin.paths.ca,
        )

    def _principal(self) -> azure.ServicePrincipal:
        return azure.with_secret(self.twin.client.client_id, self.twin.client.secret)


async def main(folder: Path) -> None:
    async with Twin.start(TwinSettings(folder / "twin", hosts=1, port=443)) as twin:
        errand = Errand(folder, twin)
        try:
            await errand.run()
        finally:
            text = json.dumps(asdict(errand.record), indent=1)
            await asyncio.to_thread((folder / "record.json").write_text, text)


if __name__ == "__main__":
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    # As on any server: without an address of its own, getaddrinfo takes IPv4 for absent (AI_ADDRCONFIG).
    subprocess.run(["ip", "address", "add", "192.0.2.10/32", "dev", "lo"], check=True)
    asyncio.run(main(Path(sys.argv[1])))
