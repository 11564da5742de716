import hashlib
import platform
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from arcferry.bundle.packages import inspect
from arcferry_lab import hosts
from arcferry_lab.hosts import LabHost, build_agent_package, tools
from arcferry_lab.hosts.faults import lay
from arcferry_lab.hosts.packaging import PackagedFile, PackageFields, build_package

StartHost = Callable[..., Awaitable[LabHost]]
needs_rpm = pytest.mark.skipif(shutil.which("rpm") is None, reason="rpm is not installed")
FIELDS = PackageFields("thing", "1.2", "a thing", "More of\nit.")


@pytest.fixture
def needs_rpm_hosts() -> None:
    reason = hosts.unavailable("rpm")
    if reason:
        pytest.skip(f"no hosts with rpm here: {reason}")


def rpm(*words: str | Path) -> str:
    done = subprocess.run(["rpm", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


@needs_rpm
def test_every_digest_of_the_package_is_right(tmp_path: Path) -> None:
    checked = rpm("-Kv", "--nosignature", build_agent_package(tmp_path, kind="rpm"))
    assert [line.strip() for line in checked.splitlines()[1:]] == [
        "Header SHA256 digest: OK",
        "Header SHA1 digest: OK",
        "Payload SHA256 digest: OK",
        "MD5 digest: OK",
    ]


@needs_rpm
def test_rpm_reads_the_fields_and_files_that_were_given(tmp_path: Path) -> None:
    content = {
        "/opt/thing/z": PackagedFile(b"z" * 5),
        "/opt/thing/a/run": PackagedFile(b"#!/bin/sh\n", 0o755),
        "/opt/thing-b/x": PackagedFile(b""),
    }
    package = tmp_path / "thing.rpm"
    build_package("rpm", package, FIELDS, {"post": "echo 100%", "preun": "echo preun"}, content)
    machine = platform.machine()
    query = "%{NEVRA}|%{ARCH}|%{SUMMARY}|%{DESCRIPTION}|%{LICENSE}|%{POSTIN}|%{PREUN}|%{SIZE}"
    assert rpm("-qp", "--nosignature", "--qf", query, package) == (
        f"thing-1.2-1.{machine}|{machine}|a thing|More of\nit.|Apache-2.0|echo 100%|echo preun|15"
    )
    query = "[%{FILENAMES} %{FILEMODES:perms} %{FILEUSERNAME}:%{FILEGROUPNAME} %{FILEDIGESTS}\n]"
    listed = rpm("-qp", "--nosignature", "--qf", query, package)
    assert sorted(listed.splitlines()) == sorted(
        [
            "/opt/thing drwxr-xr-x root:root ",
            "/opt/thing/a drwxr-xr-x root:root ",
            "/opt/thing-b drwxr-xr-x root:root ",
            f"/opt/thing/z -rw-r--r-- root:root {sha256(b'z' * 5)}",
            f"/opt/thing/a/run -rwxr-xr-x root:root {sha256(b'#!/bin/sh' + bytes([10]))}",
            f"/opt/thing-b/x -rw-r--r-- root:root {sha256(b'')}",
        ]
    )


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_the_same_sources_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build_agent_package(tmp_path / "a", kind="rpm").read_bytes()
    assert build_agent_package(tmp_path / "b", kind="rpm").read_bytes() == first
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert build_agent_package(tmp_path / "c", kind="rpm").read_bytes() != first


def test_a_bundle_knows_it_for_the_agent(tmp_path: Path) -> None:
    package_format, facts = inspect(build_agent_package(tmp_path, version="1.68.0", kind="rpm"))
    assert (package_format, facts.version) == ("rpm", "1.68.0-1")
    assert facts.architecture == platform.machine()


@pytest.mark.hosts
@pytest.mark.usefixtures("needs_rpm_hosts")
@pytest.mark.parametrize("rootless", [False, True])
async def test_rpm_installs_upgrades_and_erases_on_a_host_of_its_own(
    start: StartHost, tmp_path: Path, *, rootless: bool
) -> None:
    if rootless and tools.namespaces(rootless=True) is None:
        pytest.skip("user namespaces are not allowed here")
    host = await start(packages="rpm", rootless=rootless)
    for version in ("1.67.0", "1.68.0"):
        data = build_agent_package(tmp_path, version=version, kind="rpm").read_bytes()
        (host.root / f"tmp/{version}.rpm").write_bytes(data)
        done = await host.run(f"rpm -U /tmp/{version}.rpm && rpm -q azcmagent && rpm -V azcmagent")
        assert (done.exit_code, done.stdout.split("-")[1:2]) == (0, [version]), done
        assert (await host.run("/opt/azcmagent/bin/azcmagent version")).stdout.split()[-1] == version
    owner = await host.run("rpm -qf /opt/azcmagent /opt/azcmagent/lib/azcmagent/himds.py")
    assert len(set(owner.stdout.splitlines())) == 1
    assert (await host.run("rpm -e azcmagent && ls /opt /var/opt")).stdout.split() == ["/opt:", "/var/opt:"]


@pytest.mark.hosts
@pytest.mark.usefixtures("needs_rpm_hosts")
async def test_an_older_agent_is_there_already(start: StartHost) -> None:
    host = await start(packages="rpm")
    await lay("host/agent-already-installed", host)
    assert (await host.run("rpm -q azcmagent")).stdout.startswith("azcmagent-1.40.0-1")
