"""CPython for Windows in a bundle of arcferry itself: whose it is, and what install.ps1 does with it.

python.org's installer is not to be had here: a program made and signed here stands in for it.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.bundle.authenticode import conftest as signing
from tests.powershell import PowerShell

from arcferry.bundle import SecretKey
from arcferry.bundle.authenticode import PYTHON, Roots
from arcferry.bundle.itself import Selection, WheelTarget, build_itself
from arcferry.bundle.itself.interpreter import read_interpreter
from arcferry.errors import BundleRefusedError, FileInputError

HERE = f"3.{sys.version_info.minor}"
PSF = "Python Software Foundation"
Small = Callable[..., Path]
RESOURCE = """1 VERSIONINFO
FILEVERSION 3,{minor},7150,0
BEGIN
  BLOCK "StringFileInfo" BEGIN BLOCK "040904b0" BEGIN
    VALUE "CompanyName", "Python Software Foundation"
    VALUE "ProductName", "{name}"
  END END
  BLOCK "VarFileInfo" BEGIN VALUE "Translation", 0x409, 1200 END
END
"""


def compiled(folder: Path, name: str) -> Path:
    """A program with this name in its version resource."""
    for tool in ("x86_64-w64-mingw32-gcc", "osslsigncode"):  # windres comes with the compiler
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")
    minor = str(sys.version_info.minor)
    (folder / "version.rc").write_text(RESOURCE.format(minor=minor, name=name), encoding="ascii")
    program = folder / "plain.exe"
    words = {"MINOR": f'"{HERE}"', "DIGITS": f'"3{minor}"'}
    commands = (
        ["x86_64-w64-mingw32-windres", "version.rc", "version.o"],
        ["x86_64-w64-mingw32-gcc", *(f"-D{key}={value}" for key, value in words.items()), "-include",
         "stdlib.h", "-o", str(program), str(Path(__file__).with_name("python-stand-in.c")), "version.o"],
    )  # fmt: skip
    for command in commands:
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return program


def signed(program: Path, by: "signing.Party", out: Path) -> Path:
    for name, data in (("certs", by.chain_pem), ("key", by.key_pem)):
        out.with_suffix(f".{name}").write_bytes(data)
    command = ["osslsigncode", "sign", "-h", "sha256", "-certs", str(out.with_suffix(".certs")), "-key"]
    command += [str(out.with_suffix(".key")), "-in", str(program), "-out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    return out


class Signed:
    """The stand-in, signed by the foundation of this test's making and by others."""

    def __init__(self, folder: Path) -> None:
        self.authorities = signing.authorities()
        self.roots = Roots.from_pem(self.authorities.root.pem)
        self.name = f"Python {HERE}.7 (64-bit)"
        self.plain = compiled(folder, self.name)
        self.whole = signed(
            self.plain, self.authorities.signer(organization=PSF), folder / "python-setup.exe"
        )
        self.folder = folder


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    return Signed(tmp_path_factory.mktemp("interpreter"))


def test_it_is_known_by_its_signature_and_its_version(stand_in: Signed) -> None:
    found = read_interpreter(stand_in.whole, roots=stand_in.roots)
    assert (found.python, found.version) == (HERE, f"{HERE}.7")
    assert found.file == f"python/python-{HERE}.7-amd64.exe"
    assert found.says.startswith("signed by Python Software Foundation without a timestamp")


def test_others_are_refused(stand_in: Signed, tmp_path: Path) -> None:
    by = stand_in.authorities
    changed = bytearray(stand_in.whole.read_bytes())
    changed[changed.index(b"/quiet")] ^= 1
    (tmp_path / "changed.exe").write_bytes(changed)
    (tmp_path / "short.exe").write_bytes(stand_in.whole.read_bytes()[:-100])
    (tmp_path / "text.exe").write_text("no program", encoding="ascii")
    cases = {
        stand_in.plain: "it is no signed program",
        signed(
            stand_in.plain, by.signer(), tmp_path / "microsoft.exe"
        ): "it is by Microsoft Corporation, not by",
        tmp_path / "changed.exe": "the file was changed after it was signed",
        tmp_path / "short.exe": "it is no signed program",
        tmp_path / "text.exe": "it is no signed program",
    }
    for path, says in cases.items():
        with pytest.raises(BundleRefusedError, match=says):
            read_interpreter(path, roots=stand_in.roots)
    with pytest.raises(BundleRefusedError, match="none of the trusted roots"):
        read_interpreter(stand_in.whole, roots=PYTHON)
    (tmp_path / "other").mkdir()
    program = compiled(tmp_path / "other", "Python Launcher")
    other = signed(program, by.signer(organization=PSF), tmp_path / "launcher.exe")
    with pytest.raises(FileInputError, match="is not the installer of CPython"):
        read_interpreter(other, roots=stand_in.roots)


def test_it_is_packed_with_its_hash_where_its_version_is(
    stand_in: Signed, wheels: Path, key: SecretKey, tmp_path: Path
) -> None:
    target = WheelTarget(HERE, "win_amd64")
    selection = Selection((target,), wheels, None, (stand_in.whole,), stand_in.roots)
    manifest = build_itself(tmp_path / "b", selection, key, created=signing.NOW)
    packed = f"python/python-{HERE}.7-amd64.exe"
    assert [one.role.value for one in manifest.files if one.name == packed] == ["installer"]
    assert (tmp_path / "b" / packed).read_bytes() == stand_in.whole.read_bytes()
    linux = Selection((WheelTarget(HERE, "linux_x86_64"),), wheels, None, (stand_in.whole,), stand_in.roots)
    with pytest.raises(FileInputError, match=f"is CPython {HERE}.7 for Windows, and this bundle is for"):
        build_itself(tmp_path / "c", linux, key, created=signing.NOW)
    assert not (tmp_path / "c").exists()


def test_install_ps1_uses_it_where_there_is_no_python(
    powershell: PowerShell, small: Small, stand_in: Signed
) -> None:
    """Silently, for everybody as an administrator, as Wine's user always is; then install.py runs."""
    name = f"python/python-{HERE}.7-amd64.exe"
    bundle = small("安裝 包", extra={name: stand_in.whole.read_bytes()})
    failed = powershell.run(bundle / "install.ps1", variables={"STAND_IN_ENDS": "67"})
    assert failed.returncode == 3
    assert b"the installer of CPython ended with 67" in failed.stderr
    done = powershell.run(bundle / "install.ps1", "-Into", r"C:\ar c")
    assert done.returncode == 0, done.stderr
    words = [line.strip() for line in done.stdout.decode().splitlines()]
    assert (words[:2], words[3:]) == (["-I", "-B"], ["--into", r"C:\ar c"])
    assert words[2].endswith(r"\install.py")  # the stand-in's C library prints no Chinese
    asked = powershell.path(r"C:\stand-in\asked.txt").read_text(encoding="ascii").split()
    assert asked[:2] == ["/quiet", "InstallAllUsers=1"]
    assert {"PrependPath=0", "Include_launcher=0", "AssociateFiles=0"} <= set(asked)
    powershell.path(r"C:\stand-in\asked.txt").unlink()
    again = powershell.run(bundle / "install.ps1")
    assert (again.returncode, powershell.path(r"C:\stand-in\asked.txt").exists()) == (0, False)


def test_install_ps1_runs_no_installer_that_was_changed(
    powershell: PowerShell, small: Small, stand_in: Signed
) -> None:
    name = "python/python-3.13.7-amd64.exe"
    bundle = small("one", extra={name: stand_in.whole.read_bytes(), "requirements/cp313-win_amd64.txt": b""})
    for listed in bundle.glob("requirements/*"):
        if "cp313" not in listed.name:
            listed.unlink()
    (bundle / name).write_bytes(stand_in.plain.read_bytes())
    done = powershell.run(bundle / "install.ps1")
    assert done.returncode == 3
    assert f"{name} is not what the manifest says".encode() in done.stderr
