"""install.ps1 in PowerShell for Windows, up to the choice of Python, in whose place is a stand-in."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from tests.powershell import Done, PowerShell, windows

from arcferry_lab.hosts.windows import cannot_build
from arcferry_lab.hosts.windows.compiler import compile_program

pytestmark = pytest.mark.xdist_group("powershell")
# Says what it is where it is asked (-c), else what it was called with.
STAND_IN = r"""
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <wchar.h>

int wmain(int count, wchar_t **words)
{
    _setmode(_fileno(stdout), _O_U8TEXT);
    if (count > 3 && !wcscmp(words[2], L"-c")) {
        wprintf(L"NAMED\n");
        return 0;
    }
    for (int at = 1; at < count; at++)
        wprintf(L"%ls|", words[at]);
    return 42;
}
"""
KEY = r"HKEY_LOCAL_MACHINE\SOFTWARE\Python\PythonCore\3.12\InstallPath"


@pytest.fixture(scope="module")
def pythons(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Stand-ins by what they call themselves."""
    if reason := cannot_build():
        pytest.skip(f"no program for Windows can be made here: {reason}")
    folder = tmp_path_factory.mktemp("pythons")
    made = {}
    for name in ("cp310", "cp312"):
        source = folder / f"{name}.c"
        source.write_text(STAND_IN.replace("NAMED", name))
        made[name] = folder / name / "python.exe"
        made[name].parent.mkdir()
        compile_program(source, made[name])
    return made


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """As much of a bundle as install.ps1 looks at, in a folder with a space and Chinese letters."""
    folder = tmp_path / "從 隨身碟"
    (folder / "requirements").mkdir(parents=True)
    for version in ("cp312", "cp313"):
        (folder / f"requirements/{version}-win_amd64.txt").write_text("")
    with resources.as_file(resources.files("arcferry.bundle.itself") / "installer/install.ps1") as script:
        shutil.copy(script, folder)
    (folder / "install.py").write_text("print('never run here')")
    digest = hashlib.sha256((folder / "install.py").read_bytes()).hexdigest()
    manifest = {"files": [{"name": "install.py", "sha256": digest}]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def registered(powershell: PowerShell, pythons: dict[str, Path]) -> Iterator[Path]:
    """A Python as its installer writes itself down."""
    path = pythons["cp312"]
    value = f"[Microsoft.Win32.Registry]::SetValue('{KEY}', 'ExecutablePath', '{windows(path)}')"
    assert powershell.engine("-Command", value).returncode == 0
    yield path
    powershell.engine("-Command", r"Remove-Item HKLM:\SOFTWARE\Python -Recurse")


def run(powershell: PowerShell, bundle: Path, *words: str) -> Done:
    return powershell.run(bundle / "install.ps1", *words)


def problems(done: Done) -> list[str]:
    """But for what Wine itself has to say of a drive."""
    return [
        one for one in done.stderr.decode("utf-8", "replace").splitlines() if not one.startswith("wine: ")
    ]


def assert_refused(done: Done, says: str) -> None:
    lines = problems(done)
    assert (done.returncode, len(lines)) == (3, 2), done.stderr
    assert lines[0].startswith("install: ")
    assert says in lines[0]
    assert lines[1] == "install: nothing was changed"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("manifest.json", None, "manifest.json is missing: unpack the whole bundle"),
        ("manifest.json", "[", "manifest.json is not a bundle's manifest"),
        ("install.py", None, "install.py is missing: unpack the whole bundle"),
        ("install.py", "print('changed')", "install.py is not what the manifest says: it was changed"),
    ],
)
def test_a_bundle_that_is_not_whole_is_refused(
    powershell: PowerShell, bundle: Path, name: str, content: str | None, says: str
) -> None:
    path = bundle / name
    path.unlink() if content is None else path.write_text(content)
    assert_refused(run(powershell, bundle), says)


def test_a_bundle_for_another_system_is_refused(powershell: PowerShell, bundle: Path) -> None:
    shutil.rmtree(bundle / "requirements")
    (bundle / "requirements").mkdir()
    assert_refused(run(powershell, bundle), "this bundle is not for Windows")


def test_without_a_python_it_says_which_and_how(powershell: PowerShell, bundle: Path) -> None:
    says = "no CPython 3.13 or 3.12 for 64-bit Windows was found: "
    assert_refused(run(powershell, bundle), f"{says}install it, or name its python.exe with -Python")


def test_a_python_that_is_named_has_to_be_one(
    powershell: PowerShell, bundle: Path, pythons: dict[str, Path]
) -> None:
    absent = r"C:\no such\python.exe"
    assert_refused(run(powershell, bundle, "-Python", absent), f"{absent} is no Python that runs")
    old = windows(pythons["cp310"])
    says = f"{old} is cp310, and arcferry needs CPython 3.11 or newer"
    assert_refused(run(powershell, bundle, "-Python", old), says)


def test_a_python_that_is_registered_is_found_and_runs_install_py(
    powershell: PowerShell, bundle: Path, registered: Path
) -> None:
    done = run(powershell, bundle, "-Into", r"C:\Program Files\arcferry")
    assert (done.returncode, problems(done)) == (42, [])
    words = done.stdout.decode("utf-8", "replace").split("|")
    assert (words[:2], words[3:]) == (["-I", "-B"], ["--into", r"C:\Program Files\arcferry", ""])
    assert words[2] == windows(bundle / "install.py")
