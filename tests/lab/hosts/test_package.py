import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from arcferry_lab.errors import LabError
from arcferry_lab.hosts import build_agent_package, package
from arcferry_lab.hosts.tools import agent_python

needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not installed")


@needs_dpkg
def test_dpkg_reads_the_packages_fields_and_files(tmp_path: Path) -> None:
    package = build_agent_package(tmp_path, version="1.68.0")
    assert package.name.startswith("azcmagent_1.68.0_")
    fields = subprocess.run(
        ["dpkg-deb", "-f", package, "Package", "Version"], capture_output=True, check=True
    )
    assert fields.stdout == b"Package: azcmagent\nVersion: 1.68.0\n"
    subprocess.run(["dpkg-deb", "-x", package, tmp_path / "out"], check=True)
    agent = tmp_path / "out/opt/azcmagent/bin/azcmagent"
    assert stat.S_IMODE(agent.stat().st_mode) == 0o755
    assert agent.read_text().splitlines()[0] == f"#!{agent_python()} -IB"


@needs_dpkg
def test_every_entry_belongs_to_root(tmp_path: Path) -> None:
    listed = subprocess.run(
        ["dpkg-deb", "-c", build_agent_package(tmp_path)], capture_output=True, check=True
    )
    lines = listed.stdout.decode().splitlines()
    assert len(lines) > 12
    assert all("root/root" in line for line in lines)


def test_the_same_sources_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build_agent_package(tmp_path / "a").read_bytes()
    assert build_agent_package(tmp_path / "b").read_bytes() == first
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert build_agent_package(tmp_path / "c").read_bytes() != first


@pytest.mark.parametrize("version", ["", "latest", "1.67\nDepends: x", "1.2.3.4.5", "../1.0"])
def test_what_is_no_version_is_refused(tmp_path: Path, version: str) -> None:
    with pytest.raises(LabError, match="no version"):
        build_agent_package(tmp_path, version=version)
    assert not list(tmp_path.iterdir())


def test_the_agent_needs_nothing_but_the_standard_library(tmp_path: Path) -> None:
    """It is started as a host starts it: by its interpreter alone, with no package of ours in reach."""
    source = Path(package.__file__).with_name("agent")
    shutil.copytree(source, tmp_path / "azcmagent")
    code = (
        f"import sys; sys.path += [{str(tmp_path)!r}]; from azcmagent.main import main; main(['help'], '1')"
    )
    done = subprocess.run([sys.executable, "-ISB", "-c", code], capture_output=True, check=False)
    assert b"disconnect" in done.stdout, done.stderr
