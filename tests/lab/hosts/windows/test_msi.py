import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.lab.hosts.windows.conftest import Build

from arcferry.bundle.authenticode import Roots, verify_msi
from arcferry.bundle.packages import inspect, msi
from arcferry.errors import BundleRefusedError
from arcferry_lab.errors import LabError
from arcferry_lab.hosts.windows import CodeSigning, build_agent_msi, tools
from arcferry_lab.system import run_tool

CURRENT = "1.67.3421.1187"
pytestmark = pytest.mark.xdist_group("wine")


def test_arcferry_reads_what_the_msi_tools_read(build: Build) -> None:
    if shutil.which("msiinfo") is None:
        pytest.skip("needs msiinfo (Debian: msitools)")
    path = build(CURRENT)
    exported = subprocess.run(
        ["msiinfo", "export", path, "Property"], capture_output=True, check=True, text=True
    )
    stated = dict(line.split("\t") for line in exported.stdout.splitlines()[3:])
    with path.open("rb") as stream:
        assert msi.stated(stream, path.stat().st_size) == (stated, "x64")
    package_format, facts = inspect(path)
    assert (package_format, facts.version, facts.architecture) == ("msi", CURRENT, "x64")


def test_the_signature_holds_under_the_labs_root_and_under_no_other(build: Build, ca: CodeSigning) -> None:
    path = build(CURRENT)
    signature = verify_msi(path, roots=Roots.from_pem(ca.root_pem))
    assert signature.says.startswith("signed by Microsoft Corporation ")
    assert signature.says.endswith("certified by arcferry twin code-signing CA")
    with pytest.raises(BundleRefusedError):
        verify_msi(path)
    with pytest.raises(BundleRefusedError):
        verify_msi(path, roots=Roots.from_pem(CodeSigning().root_pem))


def test_another_publisher_is_refused(build: Build, tmp_path: Path) -> None:
    other = CodeSigning("Contoso Ltd")
    other.sign(build(CURRENT), tmp_path / "other.msi")
    with pytest.raises(BundleRefusedError, match="Contoso"):
        verify_msi(tmp_path / "other.msi", roots=Roots.from_pem(other.root_pem))


def test_a_version_is_always_the_same_product(build: Build, needs_tools: None, tmp_path: Path) -> None:
    again = build_agent_msi(tmp_path, version=CURRENT)
    codes = set()
    for path in (build(CURRENT), again):
        with path.open("rb") as stream:
            codes.add(msi.stated(stream, path.stat().st_size)[0]["ProductCode"])
    assert len(codes) == 1
    with pytest.raises(BundleRefusedError, match="not signed"):
        verify_msi(again)


@pytest.mark.parametrize(
    "version",
    ["", "latest", "1.67", "1.67.3421.1187.1", "1.256.0", "1.2.70000", '1.2.3" Name="x', "../1.0.0"],
)
def test_what_is_no_version_is_refused(tmp_path: Path, version: str) -> None:
    with pytest.raises(LabError, match="no version"):
        build_agent_msi(tmp_path, version=version)
    assert not list(tmp_path.iterdir())


def test_a_missing_tool_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda _name, **_: None)
    assert re.search(r"wixl \(Debian: wixl\)", tools.cannot_build() or "")
    assert re.search(r"wine \(Debian: wine\)", tools.cannot_host.__wrapped__() or "")
    with pytest.raises(LabError, match="wixl is not installed"):
        run_tool("wixl")
