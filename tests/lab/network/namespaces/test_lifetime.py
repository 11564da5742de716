"""Start-up, and that nothing outlives a lab: no namespace, no process, no file, no route of this machine."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.lab.network.namespaces.conftest import Lab, up

from arcferry_lab import background

pytestmark = [pytest.mark.lab, pytest.mark.hosts, pytest.mark.xdist_group("namespaces")]
_GONE_SECONDS = 20.0


@dataclass(frozen=True)
class Living:
    """A process, with the moment it began at, because numbers are used again."""

    pid: int
    began: str

    def is_alive(self) -> bool:
        return _began(self.pid) == self.began


def _began(pid: int) -> str:
    """When a process began, in the kernel's count; empty where it has ended."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return ""
    return "" if after_name[0] == "Z" else after_name[19]


def family(pid: int) -> set[Living]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = int(entry.read_text().rpartition(") ")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.parent.name))
    found, open_ = set(), [pid]
    while open_:
        one = open_.pop()
        found.add(Living(one, _began(one)))
        open_ += children.get(one, [])
    return found


def network_namespaces(processes: set[Living]) -> set[str]:
    return {str(Path(f"/proc/{one.pid}/ns/net").readlink()) for one in processes}


def machine() -> tuple[list[str], list[str], list[str]]:
    """What a lab could leave on this machine: links, named namespaces, mounts that keep one."""
    named = Path("/run/netns")
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    return (
        sorted(path.name for path in Path("/sys/class/net").iterdir()),
        sorted(path.name for path in named.iterdir()) if named.is_dir() else [],
        [line for line in mounts if " - nsfs " in line],
    )


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Lab]:
    try:
        yield up(tmp_path / "lab")
    finally:
        background.down(tmp_path / "lab")


def assert_all_end(processes: set[Living], lab: Lab) -> None:
    """The kernel ends them after the daemon's own end."""
    deadline = time.monotonic() + _GONE_SECONDS
    while any(one.is_alive() for one in processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [one for one in processes if one.is_alive()] == []
    assert not lab.folder.exists()


def test_down_leaves_nothing(own: Lab) -> None:
    before = machine()
    processes = family(own.document()["pid"])
    assert len(network_namespaces(processes)) > 6
    assert machine() == before
    own.lab("down")
    assert_all_end(processes, own)
    assert machine() == before


def test_a_killed_lab_takes_everything_along(own: Lab) -> None:
    before = machine()
    environment = os.environ | {"ARCFERRY_LAB_FOLDER": str(own.folder)}
    command = ["-m", "arcferry", "lab", "exec", "host2", "--", "sh", "-c", "echo in; exec sleep 600"]
    with subprocess.Popen(
        [sys.executable, *command], env=environment, stdout=subprocess.PIPE, text=True
    ) as guest:
        assert guest.stdout
        assert guest.stdout.readline() == "in\n"
        processes = family(own.document()["pid"]) | family(guest.pid)
        os.kill(own.document()["pid"], signal.SIGKILL)
        assert guest.wait(_GONE_SECONDS) != 0
    assert "was killed" in own.lab("status", code=1)
    own.lab("down")
    assert_all_end(processes, own)
    assert machine() == before


def test_start_and_change_are_quick(own: Lab) -> None:
    """Generous bounds, because the machine may be busy; docs/lab.md says what is measured on an idle one."""
    own.lab("down")
    began = time.monotonic()
    up(own.folder)
    assert time.monotonic() - began < 15
    began = time.monotonic()
    background.ask(own.folder, "POST", "/filter", {"add": ["12076:51012"]})
    assert time.monotonic() - began < 3
