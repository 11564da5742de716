import ast
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from arcferry import __version__
from arcferry.bundle import SecretKey
from arcferry.bundle.itself import Selection, WheelTarget, build_itself
from arcferry.bundle.itself.installer import install as installer

SCRIPTS = Path(installer.__file__).parent
Install = Callable[..., "subprocess.CompletedProcess[str]"]
Small = Callable[..., Path]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="install.sh is for Linux")


def contents(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not on PATH")
def test_shellcheck_finds_nothing() -> None:
    command = ["shellcheck", "-s", "sh", str(SCRIPTS / "install.sh")]
    assert subprocess.run(command, capture_output=True, text=True, check=False).stdout == ""


def test_the_installer_imports_the_standard_library_alone() -> None:
    tree = ast.parse((SCRIPTS / "install.py").read_text())
    plain = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    named = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    found = {name.split(".")[0] for name in plain + named}
    assert "json" in found
    assert found <= sys.stdlib_module_names


@pytest.mark.timeout(400)
def test_arcferry_installs_and_runs_without_any_network(
    *,
    wheels: Path,
    here: tuple[WheelTarget, ...],
    key: SecretKey,
    now: datetime,
    tmp_path: Path,
    install: Install,
) -> None:
    build_itself(tmp_path / "self", Selection(here, wheels), key, created=now)
    into = tmp_path / "in to"
    done = install(tmp_path / "self", "--into", into)
    assert done.returncode == 0, done.stderr
    command = done.stdout.strip()
    assert command == str(into / "arcferry")

    def run(*arguments: str) -> str:
        ended = subprocess.run([command, *arguments], capture_output=True, text=True, check=False, cwd="/")
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    assert run("--version") == f"arcferry {__version__}\n"
    assert "Usage: arcferry explain" in run("explain", "--help")
    assert "route/community-not-in-filter" in run("explain", "route/community-not-in-filter")
    environment = Path(command).resolve().parents[1]
    checked = subprocess.run(
        [environment / "bin/python", "-m", "pip", "check"], capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.timeout(400)
def test_one_bundle_after_another(small: Small, tmp_path: Path, install: Install) -> None:
    into, bundle = tmp_path / "into", small("one", "first")
    manifest_id = hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()[:12]
    # As a power loss left it: an environment that no command leads to.
    (into / manifest_id / "bin").mkdir(parents=True)
    (into / manifest_id / "bin/arcferry").write_text("")
    # Settings of the user's that would break pip or Python, did they reach them.
    config = tmp_path / "pip.conf"
    config.write_text("[global]\ntarget = /nowhere\n")
    own = {"PIP_CONFIG_FILE": str(config), "PIP_TARGET": "/nowhere", "PYTHONHOME": "/nowhere"}

    assert (done := install(bundle, "--into", into, **own)).returncode == 0, done.stderr
    assert says(into) == "first"

    before = {path: path.lstat().st_mtime_ns for path in into.iterdir()}
    done = install(bundle, "--into", into)
    assert (done.returncode, done.stdout) == (0, f"{into / 'arcferry'}\n")
    assert "installed already" in done.stderr
    assert {path: path.lstat().st_mtime_ns for path in into.iterdir()} == before

    done = install(small("two", "no wheel"), "--into", into)
    assert done.returncode == 1
    assert "what had been begun was removed again" in done.stderr
    assert set(contents(into)) == {manifest_id, "arcferry"}
    assert says(into) == "first"

    assert install(small("three", "second"), "--into", into).returncode == 0
    assert says(into) == "second"
    assert len(contents(into)) == 2


def says(into: Path) -> str:
    return subprocess.check_output([into / "arcferry"], text=True).strip()


def test_a_failed_first_installation_leaves_no_folder(small: Small, install: Install, tmp_path: Path) -> None:
    done = install(small("one", "broken"), "--into", tmp_path / "deep/into")
    assert done.returncode == 1
    assert "the installed arcferry does not run" in done.stderr
    assert contents(tmp_path) == ["one"]


WHEEL = "wheels/arcferry-1-py3-none-any.whl"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        (WHEEL, b"x", f"'{WHEEL}' is not what the manifest says"),
        (WHEEL, None, f"'{WHEEL}' is missing"),
        ("wheels/evil-1-py3-none-any.whl", b"", "'wheels/evil-1-py3-none-any.whl' is not part of the bundle"),
        ("wheels/deep/er", b"", "'wheels/deep/er' is not part of the bundle"),
        ("pip.py", b"raise SystemExit(9)", "'pip.py' is not part of the bundle"),
        ("json.py", b"raise SystemExit(9)", "'json.py' is not part of the bundle"),
        ("install.py", b"raise SystemExit(9)", "install.py is not what the manifest says"),
        ("install.py", None, "install.py cannot be read"),
        ("install.ps1", b"exit 0", "'install.ps1' is not what the manifest says"),
        ("manifest.json", None, "manifest.json is missing"),
        ("manifest.json", b"{}", "install.py is not what the manifest says"),
    ],
)
def test_a_bundle_that_is_not_as_sealed_is_refused(
    *, small: Small, install: Install, tmp_path: Path, name: str, content: bytes | None, says: str
) -> None:
    path = small("one") / name
    if content is None:
        path.unlink()
    else:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    done = install(tmp_path / "one", "--into", tmp_path / "into")
    assert (done.returncode, done.stdout) == (3, "")
    assert says in done.stderr
    assert "nothing was changed" in done.stderr
    assert contents(tmp_path) == ["one"]


def test_a_name_from_the_bundle_cannot_steer_a_terminal(
    small: Small, install: Install, tmp_path: Path
) -> None:
    (small("one") / "\x1b[2J\u202e").write_text("")
    done = install(tmp_path / "one", "--into", tmp_path / "into")
    assert "'[2J' is not part of the bundle" in done.stderr
    assert not {"\x1b", "\u202e"} & set(done.stderr)


def test_a_link_in_the_bundle_is_refused(small: Small, install: Install, tmp_path: Path) -> None:
    bundle = small("one")
    (bundle / "wheels/link").symlink_to(bundle / "install.py")
    done = install(bundle, "--into", tmp_path / "into")
    assert done.returncode == 3
    assert "'wheels/link' is neither a file nor a folder" in done.stderr


def test_a_manifest_of_servers_alone_is_not_installed(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"files": []}))
    with pytest.raises(installer.RefusedError, match="does not hold arcferry itself"):
        installer.verify(tmp_path)


def pretend(folder: Path, name: str, prints: str) -> str:
    """A PATH on which the program `name` only prints."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\necho '{prints}'\n")
    (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_another_processor_is_refused_by_name(small: Small, install: Install, tmp_path: Path) -> None:
    path = pretend(tmp_path / "bin", "uname", "Linux aarch64")
    done = install(small("one"), "--into", tmp_path / "into", PATH=path)
    assert done.returncode == 3
    assert "this is Linux aarch64, and install.sh is for Linux on x86_64" in done.stderr


def test_a_python_that_does_not_run_is_refused_by_name(
    small: Small, install: Install, tmp_path: Path
) -> None:
    done = install(small("one"), "--into", tmp_path / "into", "--python", "/nowhere/python3")
    assert done.returncode == 3
    assert "/nowhere/python3 does not run" in done.stderr


def test_an_old_python_is_refused_by_name(small: Small, install: Install, tmp_path: Path) -> None:
    old = tmp_path / "bin/old"
    pretend(old.parent, old.name, "Python 3.9.2")
    old.write_text(
        '#!/bin/sh\n[ "$1" != -V ] || echo Python 3.9.2\ncase $* in *version_info*) exit 1; esac\n'
    )
    done = install(small("one"), "--into", tmp_path / "into", "--python", old)
    assert done.returncode == 3
    assert f"{old} is Python 3.9.2, and arcferry needs CPython 3.11 or newer" in done.stderr


def test_the_python_is_found_by_its_name(small: Small, tmp_path: Path) -> None:
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / name).symlink_to(sys.executable)
    # Refused for the folder, the last thing that is looked at before anything is changed.
    (tmp_path / "into").write_text("")
    command = ["sh", str(small("one") / "install.sh"), "--into", str(tmp_path / "into")]
    environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}:/bin"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert f"{tmp_path / 'into'} is not a folder" in done.stderr


@pytest.mark.parametrize(
    ("version", "platform", "says"),
    [
        (
            "3.11",
            "linux-aarch64",
            r"is CPython .* for linux_aarch64, and the bundle is for: CPython 3\.11 for",
        ),
        ("3.99", "linux-x86_64", r"for linux_x86_64, and the bundle is for: CPython 3\.11 for linux_x86_64"),
        ("3.11", "win32", "for win32, and"),
    ],
)
def test_a_python_without_wheels_is_told_what_the_bundle_is_for(
    version: str, platform: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    major, minor = (int(part) for part in version.split("."))
    monkeypatch.setattr(sys, "version_info", type("Version", (), {"major": major, "minor": minor}))
    monkeypatch.setattr(sysconfig, "get_platform", lambda: platform)
    held = {"requirements/cp311-linux_x86_64.txt": "", "requirements/cp311-win_amd64.txt": "", "wheels/a": ""}
    with pytest.raises(installer.RefusedError, match=says):
        installer.requirements_here(held)


@pytest.mark.parametrize("library", ["glibc 2.23", "", None])
def test_a_c_library_too_old_is_refused(library: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "confstr", lambda _: library)
    listed = b"x # a-1-cp311-cp311-manylinux1_x86_64.whl\ny # b-1-cp311-abi3-manylinux_2_24_x86_64.whl\n"
    with pytest.raises(installer.RefusedError, match=r"glibc 2\.24 or newer is needed"):
        installer.check_glibc(listed)
    monkeypatch.setattr(os, "confstr", lambda _: "glibc 2.24")
    installer.check_glibc(listed)


def test_a_folder_with_anything_else_in_it_is_refused(small: Small, install: Install, tmp_path: Path) -> None:
    into = tmp_path / "into"
    into.mkdir()
    (into / "letters").write_text("dear")
    done = install(small("one"), "--into", into)
    assert done.returncode == 3
    assert "holds 'letters', which is not arcferry's" in done.stderr
    assert contents(into) == ["letters"]


def test_a_link_in_the_folders_place_is_refused(small: Small, install: Install, tmp_path: Path) -> None:
    (tmp_path / "into").symlink_to("/")
    done = install(small("one"), "--into", tmp_path / "into")
    assert done.returncode == 3
    assert "is not a folder" in done.stderr


@pytest.mark.parametrize("arguments", [["--into"], ["--into", ""], ["--elsewhere", "x"], ["here"]])
def test_a_wrong_call_is_told_apart_from_a_refusal(small: Small, arguments: list[str]) -> None:
    command = ["sh", str(small("one") / "install.sh"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "install: nothing was changed" in done.stderr


def test_on_windows_a_batch_file_leads_to_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installer, "WINDOWS", True)
    monkeypatch.setattr(installer, "COMMAND", "arcferry.cmd")
    new = tmp_path / "into/0123456789ab"
    new.mkdir(parents=True)
    assert not installer._leads_to(new.parent, new)
    installer._lead_to(new.parent, new)
    batch = b'@"%~dp00123456789ab\\Scripts\\arcferry.exe" %*\r\n'
    assert (new.parent / "arcferry.cmd").read_bytes() == batch
    assert installer._leads_to(new.parent, new)
    assert not installer._leads_to(new.parent, tmp_path / "into/ba9876543210")
    assert installer._installed_before(new.parent) == {new.name}


def test_a_folder_that_cannot_be_written_is_told_the_way_out(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = small("one")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / "into"))

    monkeypatch.setattr(Path, "mkdir", refuse)
    monkeypatch.setattr(
        sys, "argv", ["install.py", "--bundle", str(bundle), "--into", str(tmp_path / "into")]
    )
    assert installer.main() == 1
    assert "run it as administrator or root, or name a folder of yours with --into" in capsys.readouterr().err
