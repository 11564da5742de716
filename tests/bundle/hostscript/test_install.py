"""Installing for real: dpkg and rpm in a root of their own."""

import fcntl
import hashlib
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import PrivateRoot

Build = Callable[..., str]
DPKG = pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="dpkg-deb is not on PATH")


@pytest.fixture
def build_deb(root: "PrivateRoot", tmp_path: Path, agent_script: str) -> Build:
    """Put a real deb into the root; gives its SHA-256."""

    def build(name: str, *, version: str = "1.67.0", package: str = "azcmagent", postinst: str = "") -> str:
        tree = tmp_path / f"tree-{name}"
        control = tree / "DEBIAN" / "control"
        control.parent.mkdir(parents=True)
        control.write_text(
            f"Package: {package}\nVersion: {version}\nArchitecture: all\n"
            "Maintainer: a <a@b>\nDescription: x\n"
        )
        agent = tree / "opt" / "azcmagent" / "bin" / "azcmagent"
        agent.parent.mkdir(parents=True)
        agent.write_text(agent_script)
        agent.chmod(0o755)
        if postinst:
            (tree / "DEBIAN" / "postinst").write_text(f"#!/bin/sh\n{postinst}\n")
            (tree / "DEBIAN" / "postinst").chmod(0o755)
        path = root.path / name
        command = ["dpkg-deb", "--root-owner-group", "-b", tree, path]
        subprocess.run(command, check=True, capture_output=True)
        return hashlib.sha256(path.read_bytes()).hexdigest()

    return build


def dpkg_state(root: "PrivateRoot") -> str:
    return root.read("var/lib/dpkg/status")


@DPKG
def test_a_deb_is_installed_once(shell: list[str], root: "PrivateRoot", build_deb: Build) -> None:
    sha256 = build_deb("agent.deb")
    first = root.run(shell, "install", "/agent.deb", sha256)
    assert (first["ok"], first["changed"], first["version"], first["exit"]) == (True, True, "1.67.0", 0)
    assert "Setting up azcmagent (1.67.0)" in first["output"]
    assert "Status: install ok installed" in dpkg_state(root)
    again = root.run(shell, "install", "/agent.deb", sha256)
    assert (again["ok"], again["changed"], again["version"]) == (True, False, "1.67.0")
    facts = root.run(shell, "facts")
    assert facts["package_format"] == "deb"
    assert facts["agent"]["installed"] is True
    assert facts["agent"]["version"] == "1.67.0"
    assert facts["agent"]["status"] == "Disconnected"


@DPKG
def test_an_upgrade_goes_and_a_downgrade_does_not(
    shell: list[str], root: "PrivateRoot", build_deb: Build
) -> None:
    old, new = build_deb("old.deb", version="1.9.0"), build_deb("new.deb", version="1.10.0~rc1")
    assert root.run(shell, "install", "/old.deb", old)["version"] == "1.9.0"
    assert root.run(shell, "install", "/new.deb", new)["version"] == "1.10.0~rc1"
    back = root.run(shell, "install", "/old.deb", old)
    assert (back["ok"], back["code"], back["version"]) == (False, "downgrade-refused", "1.10.0~rc1")
    assert "Version: 1.10.0~rc1" in dpkg_state(root)


@DPKG
def test_a_wrong_hash_installs_nothing(shell: list[str], root: "PrivateRoot", build_deb: Build) -> None:
    build_deb("agent.deb")
    answer = root.run(shell, "install", "/agent.deb", "0" * 64)
    assert answer["code"] == "hash-mismatch"
    assert "nothing was installed" in answer["message"]
    assert dpkg_state(root) == ""
    assert not root.has("opt/azcmagent")


@DPKG
def test_another_package_is_not_the_agent(dash: list[str], root: "PrivateRoot", build_deb: Build) -> None:
    sha256 = build_deb("cowsay.deb", package="cowsay")
    assert root.run(dash, "install", "/cowsay.deb", sha256)["code"] == "not-the-agent"
    assert dpkg_state(root) == ""


@DPKG
def test_a_virtual_machine_of_azure_gets_no_agent(
    dash: list[str], root: "PrivateRoot", build_deb: Build
) -> None:
    sha256 = build_deb("agent.deb")
    root.put("sys/class/dmi/id/chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77\n")
    assert root.run(dash, "install", "/agent.deb", sha256)["code"] == "azure-vm"
    assert dpkg_state(root) == ""


def test_what_is_no_package_is_refused(shell: list[str], root: "PrivateRoot") -> None:
    root.put("page.deb", "<html>")
    sha256 = hashlib.sha256(b"<html>").hexdigest()
    assert root.run(shell, "install", "/page.deb", sha256)["code"] == "not-a-package"
    assert root.run(shell, "install", "/gone.deb", sha256)["code"] == "no-package"
    assert root.run(shell, "install", "/etc", sha256)["code"] == "no-package"


@DPKG
def test_a_failing_installer_is_reported_with_its_words(
    shell: list[str], root: "PrivateRoot", build_deb: Build
) -> None:
    sha256 = build_deb("agent.deb", postinst="echo the reason '\"\\033[31m\"' >&2; exit 7")
    answer = root.run(shell, "install", "/agent.deb", sha256)
    assert (answer["ok"], answer["code"], answer["exit"]) == (False, "install-failed", 1)
    assert "the reason" in answer["output"]
    assert answer["version"] == ""
    # Half installed is not installed: the next run tries again.
    assert root.run(shell, "install", "/agent.deb", sha256)["code"] == "install-failed"


@DPKG
def test_endless_output_is_bounded_to_its_end(dash: list[str], root: "PrivateRoot", build_deb: Build) -> None:
    noise = "i=0; while [ $i -lt 3000 ]; do echo 'é \\033[2J noise noise'; i=$((i+1)); done; echo the end"
    answer = root.run(dash, "install", "/agent.deb", build_deb("agent.deb", postinst=noise))
    assert answer["ok"] is True
    assert len(answer["output"].encode()) <= 16384
    assert answer["output"].endswith("the end\n")


@DPKG
def test_a_daemon_that_keeps_the_output_open_does_not_hang_the_script(
    dash: list[str], root: "PrivateRoot", build_deb: Build
) -> None:
    sha256 = build_deb("agent.deb", postinst="sleep 8 &")
    began = time.monotonic()
    assert root.run(dash, "install", "/agent.deb", sha256)["ok"] is True
    assert time.monotonic() - began < 7


@DPKG
def test_it_waits_for_the_lock_of_dpkg(dash: list[str], root: "PrivateRoot", build_deb: Build) -> None:
    sha256 = build_deb("agent.deb")
    with root.put("var/lib/dpkg/lock-frontend", "", 0o640).open("r+") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        command = root.command(*dash, "/linux.sh", "install", "/agent.deb", sha256)
        with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as running:
            deadline = time.monotonic() + 30
            while not any("locked" in file.read_text() for file in root.path.glob("var/tmp/*/output")):
                assert time.monotonic() < deadline, "dpkg never met the lock"
                time.sleep(0.05)
            fcntl.lockf(lock, fcntl.LOCK_UN)
            out, _ = running.communicate(timeout=30)
    assert b'"ok":true,"changed":true,"version":"1.67.0"' in out


@DPKG
def test_a_full_disk_is_named_and_installs_nothing(
    shell: list[str], root: "PrivateRoot", build_deb: Build
) -> None:
    path = root.path / "agent.deb"
    build_deb("agent.deb")
    with path.open("ab") as stream:
        stream.write(bytes(512 * 1024))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    answer = root.run(shell, "install", "/agent.deb", sha256, tmp_size="64k")
    assert answer["code"] == "no-copy"
    assert "No space left on device" in answer["output"]
    assert dpkg_state(root) == ""


@DPKG
def test_uninstall_removes_what_is_not_connected(
    shell: list[str], root: "PrivateRoot", build_deb: Build
) -> None:
    assert root.run(shell, "uninstall")["changed"] is False
    root.run(shell, "install", "/agent.deb", build_deb("agent.deb"))
    root.put("var/opt/azcmagent/state.id", "/subscriptions/s/…/machines/m\n")
    assert root.run(shell, "uninstall")["code"] == "still-connected"
    assert root.has("opt/azcmagent/bin/azcmagent")
    (root.path / "var/opt/azcmagent/state.id").unlink()
    assert root.run(shell, "uninstall")["changed"] is True
    assert not root.has("opt/azcmagent/bin/azcmagent")
    assert "Status: install" not in dpkg_state(root)


@pytest.mark.skipif(not shutil.which("rpmbuild"), reason="rpmbuild is not on PATH")
def test_an_rpm_is_installed_upgraded_and_removed(
    shell: list[str], root: "PrivateRoot", tmp_path: Path, agent_script: str
) -> None:
    root.put(
        "etc/os-release", "ID=rocky\nID_LIKE='rhel centos fedora'\nVERSION_ID=9\nPRETTY_NAME=Rocky\n", 0o644
    )
    hashes = {version: build_rpm(root, tmp_path, version, agent_script) for version in ("1.9.0", "1.10.0")}
    assert root.run(shell, "facts")["package_format"] == "rpm"
    first = root.run(shell, "install", "/1.9.0.rpm", hashes["1.9.0"])
    assert (first["ok"], first["changed"], first["version"]) == (True, True, "1.9.0-1")
    assert root.run(shell, "install", "/1.9.0.rpm", hashes["1.9.0"])["changed"] is False
    assert root.run(shell, "install", "/1.10.0.rpm", hashes["1.10.0"])["version"] == "1.10.0-1"
    assert root.run(shell, "install", "/1.9.0.rpm", hashes["1.9.0"])["code"] == "downgrade-refused"
    assert root.has("opt/azcmagent/bin/azcmagent")
    assert root.run(shell, "uninstall")["changed"] is True
    assert not root.has("opt/azcmagent/bin/azcmagent")


def build_rpm(root: "PrivateRoot", tmp_path: Path, version: str, agent: str) -> str:
    top = tmp_path / f"rpm-{version}"
    top.mkdir()
    (top / "agent").write_text(agent)
    (top / "azcmagent.spec").write_text(
        f"Name: azcmagent\nVersion: {version}\nRelease: 1\nSummary: x\nLicense: x\nAutoReqProv: no\n"
        "%description\nx\n%install\n"
        f"install -D -m 755 {top}/agent %{{buildroot}}/opt/azcmagent/bin/azcmagent\n"
        "%files\n/opt/azcmagent/bin/azcmagent\n"
    )
    define = ["--define", f"_topdir {top}", "--define", "_binary_payload w6.gzdio"]
    command = ["rpmbuild", "-bb", *define, top / "azcmagent.spec"]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = top.rglob("RPMS/**/*.rpm")
    shutil.copy(built, root.path / f"{version}.rpm")
    return hashlib.sha256(built.read_bytes()).hexdigest()
