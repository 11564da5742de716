"""An export for Ansible, and the twin's hosts to run it on, in a network that leads nowhere."""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.azure.conftest import aim, principal, token_of
from tests.matrix.closed import ClosedNetwork

from arcferry import bundle as bundles
from arcferry import times
from arcferry.azure import AzureTarget, get_machine, signed_in, target
from arcferry.export.ansible import write_ansible
from arcferry.export.options import ExportOptions, read_tags
from arcferry.export.result import Reported, read_result
from arcferry_lab.hosts import LabHost, build_agent_package, unavailable
from arcferry_lab.twin import Twin, TwinSettings

EVERYTHING = ("12076:51010", "12076:51012", "12076:5060", "12076:5070")
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
ROLE = "arcferry.onboard.onboard"
TENANT = "66666666-7777-8888-9999-000000000000"


def ansible_program(name: str) -> str:
    """The path of one of ansible-core's programs; the test is skipped where it is not installed."""
    folders = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    found = shutil.which(name, path=folders)
    if found is None:
        pytest.skip(f"not installed: {name}")
    return found


@dataclass(frozen=True)
class Sealed:
    """A bundle that was opened, and so verified."""

    bundle: bundles.Bundle

    def options(
        self, *tags: str, place: AzureTarget | None = None, share: str = "", proxy: str = ""
    ) -> ExportOptions:
        place = place or target(
            cloud="AzureCloud",
            tenant_id=TENANT,
            subscription_id=SUBSCRIPTION,
            resource_group="rg-arc",
            location="eastasia",
        )
        return ExportOptions(self.bundle, place, tags=read_tags(tags), share=share, proxy=proxy)


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    folder = tmp_path_factory.mktemp("bundle")
    key = folder / "key"
    bundles.create_key_pair(key)
    contents = bundles.Contents((build_agent_package(folder),))
    bundles.build(folder / "bundle", contents, bundles.load_secret_key(key), created=times.now())
    opened = bundles.open_bundle(folder / "bundle", key.with_name("key.pub"), now=times.now())
    return Sealed(opened)


@pytest.fixture(scope="session")
def export(sealed: Sealed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export that no test changes."""
    folder = tmp_path_factory.mktemp("export") / "out"
    write_ansible(
        sealed.options("site=lab", '''odd="{{ lookup('pipe', 'id') }}"''', share=r"\\fs01\arcferry"), folder
    )
    return folder


@dataclass
class Ended:
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    def recap(self, host: str) -> dict[str, int]:
        """Ansible's own count for a server."""
        lines = self.out.partition("PLAY RECAP")[2].splitlines()
        line = next(line for line in lines if line.split(":")[0].strip() == host)
        words = (word.split("=") for word in line.split(":", 1)[1].split())
        return {name: int(count) for name, count in words}


@dataclass
class ControlNode:
    """Runs Ansible in an export's folder, with a home of its own.

    Attributes:
        folder: the export.
        home: what Ansible keeps, its log among it.
        sockets: for SSH's shared connections; a socket's path may have 108 letters at most.
    """

    folder: Path
    home: Path
    sockets: Path

    @property
    def log(self) -> Path:
        return self.home / "ansible.log"

    async def run(self, program: str, *words: str, **more: str) -> Ended:
        process = await asyncio.create_subprocess_exec(
            ansible_program(program),
            *words,
            cwd=self.folder,
            env=self._environment() | more,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode is not None
        return Ended(process.returncode, out.decode(), err.decode())

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.home}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "NO_COLOR": "1",
            "ANSIBLE_LOG_PATH": str(self.log),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.sockets),
            "ANSIBLE_SSH_RETRIES": "3",  # a shared connection ends between two slow tasks
        }


@pytest.fixture(scope="module")
def sockets() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cp-") as folder:
        yield Path(folder)


@pytest.fixture
def control(export: Path, tmp_path: Path, sockets: Path) -> ControlNode:
    """A control node on a copy of the export."""
    shutil.copytree(export, tmp_path / "out")
    (tmp_path / "home").mkdir()
    return ControlNode(tmp_path / "out", tmp_path / "home", sockets)


@dataclass(frozen=True)
class Played:
    """A play, and what is known after it.

    Attributes:
        results: the result files' text by server, and what `onboard collect` reads in them.
        puts: the machines that were written in ARM until then.
        az_calls: what the command for tokens was called with until then.
        shown: the status of each host's machine in Azure.
    """

    ran: Ended
    results: dict[str, tuple[str, Reported]]
    puts: list[str]
    az_calls: list[str]
    shown: dict[str, str]

    def result(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.results[name][0])
        return found

    def read(self, name: str) -> Reported:
        return self.results[name][1]


class Site:
    """A twin with hosts in a network of its own, and a control node beside them."""

    def __init__(
        self, closed: ClosedNetwork, folder: Path, sealed: Sealed, sockets: Path, hosts: int
    ) -> None:
        self.closed = closed
        self._stack = AsyncExitStack()
        settings = TwinSettings(folder / "twin", hosts=hosts, communities=EVERYTHING)
        self.twin = closed.run(self._stack.enter_async_context(Twin.start(settings)))
        self.token = closed.run(token_of(self.twin))
        tags = ("site=lab", 'owner="O\'Neill, Ann"')
        write_ansible(sealed.options(*tags, place=aim(self.twin)), folder / "out")
        (folder / "home/bin").mkdir(parents=True)
        self.control = ControlNode(folder / "out", folder / "home", sockets)
        self.write_inventory()
        self._write_az()

    def stop(self) -> None:
        self.closed.run(self._stack.aclose())

    @property
    def hosts(self) -> list[LabHost]:
        return self.twin.servers.hosts

    @property
    def az_calls(self) -> list[str]:
        path = self.control.home / "az.log"
        return path.read_text().splitlines() if path.exists() else []

    def play(self, *words: str, playbook: str = "onboard.yml", **more: str) -> Played:
        """Run Ansible, and keep what is known right after it."""
        ran = self.closed.run(self.control.run("ansible-playbook", playbook, *words, **more))
        files = (self.control.folder / "results").iterdir()
        results = {path.stem: (path.read_text(encoding="utf-8"), read_result(path)) for path in files}
        return Played(ran, results, self.puts(), self.az_calls, self.shown_by_azure())

    def play_at_once(self, settings: dict[str, dict[str, Any]], *also: dict[str, Any]) -> Played:
        """Play on these servers in one batch, each with settings of its own, and then further plays."""
        self.write_settings(settings)
        play = {
            "hosts": ",".join(settings), "gather_facts": False, "roles": [{"role": ROLE}],
        }  # fmt: skip
        (self.control.folder / "at_once.yml").write_text(yaml.safe_dump([play, *also]))
        return self.play(playbook="at_once.yml")

    def write_settings(self, settings: dict[str, dict[str, Any]]) -> None:
        """Give servers settings of their own, in place of what each had."""
        folder = self.control.folder / "host_vars"
        folder.mkdir(exist_ok=True)
        for name, own in settings.items():
            (folder / f"{name}.yml").write_text(yaml.safe_dump(own))

    def on(self, host: LabHost, command: str) -> str:
        return self.closed.run(host.run(command)).stdout

    def shown_by_azure(self) -> dict[str, str]:
        """The status of each host's machine, as ARM tells the official client."""
        return self.closed.run(self._statuses())

    def puts(self) -> list[str]:
        """The machines that were written in ARM, by name, one each time."""
        calls = [call for call in self.twin.azure.journal if call.method == "PUT"]
        return [call.path.split("/")[-1].split("?")[0] for call in calls if "/machines/" in call.path.lower()]

    async def _statuses(self) -> dict[str, str]:
        async with signed_in(aim(self.twin), principal(self.twin)) as azure:
            found = [await get_machine(azure, host.name) for host in self.hosts]
        return {machine.name: machine.status for machine in found if machine}

    def write_inventory(self, *others: str) -> None:
        """The hosts, and servers that no play gets as far as."""
        common = f"-o UserKnownHostsFile={self.twin.paths.known_hosts} -o StrictHostKeyChecking=yes"
        servers = {
            host.name: {
                "ansible_host": host.address,
                "ansible_port": host.port,
                "ansible_user": host.user,
                "ansible_ssh_private_key_file": str(self.twin.paths.key),
                "ansible_ssh_common_args": common,
            }
            for host in self.hosts
        }
        text = yaml.safe_dump({"all": {"hosts": {name: {} for name in others} | servers}})
        (self.control.folder / "inventory.yml").write_text(text)

    def _write_az(self) -> None:
        """Answers as `az account get-access-token` does, with a token that the twin's Entra signed."""
        home = self.control.home
        (home / "token").write_text(f"{self.token}\n")
        az = home / "bin/az"
        az.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>{home}/az.log\ncat {home}/token\n')
        az.chmod(0o755)


@pytest.fixture(scope="module")
def closed() -> Iterator[ClosedNetwork]:
    with ClosedNetwork() as loop:
        if not loop.isolated:
            pytest.skip("needs a network namespace: Linux and root")
        yield loop


@pytest.fixture(scope="module")
def site(
    closed: ClosedNetwork, sealed: Sealed, sockets: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The module's own, with five hosts: a server costs Ansible many seconds of processor time a play."""
    ansible_program("ansible-playbook")
    if reason := unavailable():
        pytest.skip(f"no hosts here: {reason}")
    running = Site(closed, tmp_path_factory.mktemp("site"), sealed, sockets, 5)
    yield running
    running.stop()
