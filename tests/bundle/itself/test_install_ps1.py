"""install.ps1: by the rules of the host scripts for Windows, and by running it where there is an engine."""

import re
import subprocess
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest

pytest.importorskip("tree_sitter", reason="tree-sitter is not installed")
pytest.importorskip("tree_sitter_powershell", reason="tree-sitter-powershell is not installed")
from tests.bundle.hostscript.windows.test_rules import code_of, faults, nodes, parse, said
from tests.powershell import PowerShell, windows

SCRIPT = resources.files("arcferry").joinpath("bundle/itself/installer/install.ps1")
TEXT = SCRIPT.read_text(encoding="ascii")
# Of Windows PowerShell 5.1 as it is shipped. Source: MicrosoftDocs/PowerShell-Docs reference/5.1, where a
# command is `<module>/<command>.md`, taken 2026-11-23.
COMMANDS = frozenset(
    {
        "ConvertFrom-Json",
        "ForEach-Object",
        "Get-ChildItem",
        "Get-Command",
        "Get-FileHash",
        "Join-Path",
        "New-Object",
        "Select-Object",
        "Set-StrictMode",
        "Sort-Object",
        "Test-Path",
        "Where-Object",
    }
)
MAIN = "\nif ([Environment]::OSVersion"
Run = Callable[[str], "subprocess.CompletedProcess[str]"]
Small = Callable[..., Path]


def test_it_keeps_the_rules_of_the_host_scripts() -> None:
    assert faults(TEXT, COMMANDS) == []


def test_it_calls_what_is_listed_and_nothing_else() -> None:
    root = parse(TEXT)
    own = {
        said(next(c for c in n.children if c.type == "function_name"))
        for n in nodes(root)
        if n.type == "function_statement"
    }
    called = {said(n) for n in nodes(root) if n.type == "command_name"}
    assert called - own == COMMANDS
    assert own <= called


def test_it_opens_no_connection_and_changes_no_policy() -> None:
    banned = r"Web(Request|Client)|HttpClient|Sockets|Net\.|Set-|SetValue|Remove-|Start-Process|Unblock"
    assert re.findall(banned, code_of(TEXT).replace("Set-StrictMode", "")) == []


def test_it_hands_over_as_install_sh_does() -> None:
    assert "@('-I', '-B', (Join-Path $PSScriptRoot 'install.py'))" in TEXT
    assert '-I -B "$HERE/install.py"' in SCRIPT.parent.joinpath("install.sh").read_text()  # type: ignore[attr-defined] # a folder on disk


@pytest.fixture
def run(powershell: PowerShell, tmp_path: Path) -> Run:
    """Runs commands after the functions of install.ps1, without what it does by itself."""

    def ran(commands: str) -> "subprocess.CompletedProcess[str]":
        functions = TEXT[: TEXT.index(MAIN)]
        there = commands.replace(str(tmp_path), windows(tmp_path))
        script = tmp_path / "harness.ps1"
        script.write_text(f"{functions}\n{there}\nexit 0\n", encoding="ascii")
        done = powershell.run(script)
        out, err = (text.decode().replace("\r\n", "\n") for text in (done.stdout, done.stderr))
        err = "".join(line for line in err.splitlines(keepends=True) if not line.startswith("wine: "))
        return subprocess.CompletedProcess([], done.returncode, out, err)

    return ran


def test_a_bundle_as_sealed_passes(run: Run, small: Small, tmp_path: Path) -> None:
    done = run(f"Assert-Installer '{small('one')}'")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("install.py", b"raise SystemExit(9)", "install.py is not what the manifest says"),
        ("install.py", None, "is missing: unpack the whole bundle"),
        ("manifest.json", None, "is missing: unpack the whole bundle"),
        ("manifest.json", b"{", "is not a bundle's manifest"),
        ("manifest.json", b'{"files": []}', "install.py is not what the manifest says"),
    ],
)
def test_a_changed_bundle_is_refused(
    *, run: Run, small: Small, tmp_path: Path, name: str, content: bytes | None, says: str
) -> None:
    path = small("one") / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    done = run(f"Assert-Installer '{tmp_path / 'one'}'")
    assert done.returncode == 3
    assert says in done.stderr
    assert "nothing was changed" in done.stderr


def test_the_newest_python_of_the_bundle_is_looked_for_first(run: Run, small: Small, tmp_path: Path) -> None:
    bundle = small(
        "one", extra={"requirements/cp39-win_amd64.txt": b"", "requirements/cp313-win_amd64.txt": b""}
    )
    done = run(f"@(Get-Versions '{bundle}') -join ' '")
    assert done.stdout.split()[0] == "13"
    assert done.stdout.split()[-1] == "9"


@pytest.mark.parametrize(
    ("argument", "quoted"),
    [
        ("plain", "plain"),
        ("", '""'),
        ("C:\\Program Files\\a", '"C:\\Program Files\\a"'),
        ("a b\\", '"a b\\\\"'),
        ('say "hi"', '"say \\"hi\\""'),
    ],
)
def test_arguments_are_quoted_as_the_c_runtime_splits_them(
    run: Run, argument: str, quoted: str, tmp_path: Path
) -> None:
    done = run(f"[Console]::Out.Write((Format-Argument '{argument}'))")
    assert done.stdout == quoted


def test_a_program_that_is_no_python_has_no_name(run: Run, tmp_path: Path) -> None:
    done = run(f"[Console]::Out.Write('[' + (Get-About '{tmp_path / 'none.exe'}') + ']')")
    assert done.stdout == "[]"


def test_a_named_program_that_is_no_python_is_refused(run: Run, tmp_path: Path) -> None:
    done = run(f"Assert-Python '{tmp_path / 'none.exe'}'")
    assert done.returncode == 3
    assert "is no Python that runs" in done.stderr
