"""Installs arcferry from the bundle that this file lies in, without any network.

`install.sh` and `install.ps1` choose a Python and run this with it. It needs that Python's standard library
and nothing else. First every file is compared with the manifest; then arcferry is put into a new environment
of its own; only when it has run there does the command `arcferry` lead to it.
"""

import argparse
import hashlib
import json
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

MANIFEST, SEAL = "manifest.json", "manifest.json.minisig"
WHEELS, REQUIREMENTS = "wheels", "requirements"
BLOCK = 1024 * 1024
LARGEST_MANIFEST = 16 * 1024 * 1024
WINDOWS = os.name == "nt"
COMMAND = "arcferry.cmd" if WINDOWS else "arcferry"
PATIENCE = 900.0  # seconds for pip, on a slow disk behind a virus scanner
# glibc's 2.x of the platforms that wheels named before PEP 600.
NAMED_GLIBC = {"manylinux1": 5, "manylinux2010": 12, "manylinux2014": 17}
ENVIRONMENT = re.compile(r"[0-9a-f]{12}")
LISTED = re.compile(r"(cp\d)(\d+)-(linux_x86_64|win_amd64)\.txt")


class RefusedError(Exception):
    """Why nothing is installed: the bundle, the Python or the folder is not as it must be."""


class FailedError(Exception):
    """Why an installation that had begun was taken back."""


def say(line: str) -> None:
    """Talk goes to stderr; stdout gets the path of the installed command alone."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main() -> int:
    """0 installed, 1 failed and taken back, 2 called wrongly, 3 refused before anything was changed."""
    options = _options()
    try:
        command = install(options.bundle.resolve(), options.into)
    except RefusedError as error:
        say(f"install: {error}")
        say("install: nothing was changed")
        return 3
    except (FailedError, OSError) as error:
        say(f"install: {error}")
        if isinstance(error, PermissionError):
            say("install: run it as administrator or root, or name a folder of yours with --into")
        say("install: what had been begun was removed again")
        return 1
    except KeyboardInterrupt:
        say("install: stopped; what had been begun was removed again")
        return 130
    sys.stdout.write(f"{command}\n")
    return 0


def _options() -> argparse.Namespace:
    default = Path(os.environ.get("PROGRAMFILES", r"C:\Program Files") if WINDOWS else "/opt")
    parser = argparse.ArgumentParser(prog="install", description="Install arcferry from this bundle.")
    parser.add_argument("--bundle", type=Path, default=Path(__file__).parent, help=argparse.SUPPRESS)
    parser.add_argument(
        "--into", type=Path, default=default / "arcferry", metavar="FOLDER", help="Default: %(default)s"
    )
    return parser.parse_args()


def install(bundle: Path, into: Path) -> Path:
    """Install the bundle's arcferry under `into` and return the command that runs it.

    Raises:
        RefusedError: before anything was changed.
        FailedError: afterwards; what had been begun is removed.
        OSError: likewise, such as a full disk.
    """
    manifest_id, held = verify(bundle)
    listed = requirements_here(held)
    requirements = _read(bundle, listed, held[listed])
    if not WINDOWS:
        check_glibc(requirements)
    into = Path.cwd() / into
    old = _installed_before(into)
    new = into / manifest_id
    _explain(into, manifest_id)
    if _leads_to(into, new) and _runs(new):
        say("This bundle's arcferry is installed already.")
        return into / COMMAND
    made = [folder for folder in new.parents if not folder.exists()]
    try:
        _make_environment(new, bundle, requirements)
        _lead_to(into, new)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        for folder in made:  # innermost first
            with suppress(OSError):
                folder.rmdir()
        raise
    for name in old - {new.name}:
        _remove_old(into / name)
    return into / COMMAND


def verify(bundle: Path) -> tuple[str, dict[str, str]]:
    """Compare every file with the manifest; return the bundle's id and the SHA-256 of each file by name.

    Raises:
        RefusedError: a file is missing, changed, added, or not a plain file; it is named.
    """
    data = _whole(bundle / MANIFEST)
    digest = hashlib.sha256(data).hexdigest()
    say(f"The manifest's SHA-256: {digest}")
    held = _listed(data)
    found = dict(_found(bundle, ""))
    for name, wanted in held.items():
        if name not in found:
            raise RefusedError(f"{_quoted(name)} is missing from the bundle")
        if _hash(found[name]) != wanted:
            raise RefusedError(f"{_quoted(name)} is not what the manifest says: it was changed")
    if extra := sorted(found.keys() - held.keys() - {MANIFEST, SEAL}):
        raise RefusedError(f"{_quoted(extra[0])} is not part of the bundle")
    say(f"All {len(held)} files are what the manifest says.")
    return digest[:12], held


def _quoted(name: str) -> str:
    """A name for a person: bounded, and without what would steer a terminal."""
    return "'" + "".join(letter for letter in name[:200] if letter.isprintable()) + "'"


def _listed(data: bytes) -> dict[str, str]:
    try:
        document = json.loads(data)
        held = {str(file["name"]): str(file["sha256"]) for file in document["files"]}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RefusedError(f"{MANIFEST} is not a bundle's manifest") from error
    if not any(name.startswith(f"{WHEELS}/") for name in held):
        raise RefusedError(f"{MANIFEST} lists no wheels: this bundle does not hold arcferry itself")
    return held


def _found(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    """Every file under the folder by its name in the bundle; nothing is looked for where a link leads."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        name = f"{prefix}{entry.name}"
        mode = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode):
            yield from _found(Path(entry.path), f"{name}/")
        elif stat.S_ISREG(mode):
            yield name, Path(entry.path)
        else:
            raise RefusedError(f"{_quoted(name)} is neither a file nor a folder")


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as stream:
            yield stream
    except OSError as error:
        raise RefusedError(f"{path} cannot be read: {error.strerror}") from error


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with _opened(path) as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _whole(path: Path) -> bytes:
    with _opened(path) as stream:
        data = stream.read(LARGEST_MANIFEST + 1)
    if len(data) > LARGEST_MANIFEST:
        raise RefusedError(f"{path} is too large")
    return data


def _read(bundle: Path, name: str, sha256: str) -> bytes:
    """A small file once more; what was verified may have been changed since."""
    data = _whole(bundle.joinpath(*name.split("/")))
    if hashlib.sha256(data).hexdigest() != sha256:
        raise RefusedError(f"{name} was changed while it was read")
    return data


def requirements_here(held: dict[str, str]) -> str:
    """The name of the list of wheels for this Python on this machine.

    Raises:
        RefusedError: the bundle has none; what this is and what the bundle is for are named.
    """
    version = f"{sys.version_info.major}{sys.version_info.minor}"
    system = sysconfig.get_platform().replace("-", "_")
    name = f"{REQUIREMENTS}/cp{version}-{system}.txt"
    threaded = " without the global lock" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    if name not in held or threaded or platform.python_implementation() != "CPython":
        this = f"{platform.python_implementation()} {platform.python_version()}{threaded} for {system}"
        raise RefusedError(f"this Python is {this}, and the bundle is for: {_made_for(held)}")
    return name


def _made_for(held: dict[str, str]) -> str:
    found = (LISTED.fullmatch(name.removeprefix(f"{REQUIREMENTS}/")) for name in sorted(held))
    said = [f"CPython {match[1][2:]}.{match[2]} for {match[3]}" for match in found if match]
    return ", ".join(said) or "no Python at all"


def check_glibc(requirements: bytes) -> None:
    """Return where the C library is new enough for every wheel in the list.

    Raises:
        RefusedError: it is older, or another one than glibc, such as Alpine's.
    """
    found = re.findall(rb"-(manylinux\d{0,4})(?:_2_(\d{1,4}))?_x86_64\.whl", requirements)
    needed = max((int(minor or NAMED_GLIBC[name.decode()]) for name, minor in found), default=0)
    library = ""
    if sys.platform != "win32":
        with suppress(ValueError, OSError):
            library = os.confstr("CS_GNU_LIBC_VERSION") or ""
    match = re.fullmatch(r"glibc 2\.(\d{1,4})(?!\d).*", library)
    if not match or int(match[1]) < needed:
        known = library or "not glibc"
        raise RefusedError(f"this system's C library is {known}; glibc 2.{needed} or newer is needed")


def _installed_before(into: Path) -> set[str]:
    """The environments of earlier installations in the folder.

    Raises:
        RefusedError: something lies there that no installation put there, so that deleting the folder, which
            is how arcferry is uninstalled, would take more than arcferry away.
    """
    if into.is_symlink() or (into.exists() and not into.is_dir()):
        raise RefusedError(f"{into} is not a folder; name another one with --into")
    entries = {entry.name for entry in into.iterdir()} if into.exists() else set()
    environments = {name for name in entries if ENVIRONMENT.fullmatch(name)}
    if foreign := sorted(entries - environments - {COMMAND}):
        raise RefusedError(
            f"{into} holds {_quoted(foreign[0])}, which is not arcferry's; name another folder with --into"
        )
    return environments


def _explain(into: Path, manifest_id: str) -> None:
    say(f"Python: {sys.executable} ({platform.python_version()})")
    say(f"This makes {into / manifest_id} and the command {into / COMMAND}, and changes nothing else:")
    say("no service, no setting, no PATH, and no network is used.")
    say(f"To uninstall, delete {into}.")


def _make_environment(new: Path, bundle: Path, requirements: bytes) -> None:
    say("Installing; this takes a minute or two.")
    # Left behind by an installation that lost its power; no command leads to it.
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    _run(
        [sys.executable, "-I", "-m", "venv", str(new)],
        "this Python cannot make an environment with pip in it. Debian and Ubuntu keep what is missing in "
        f"the package python{version}-venv, which can be carried over as this bundle was",
    )
    listed = new / "requirements.txt"
    listed.write_bytes(requirements)
    python = new / ("Scripts/python.exe" if WINDOWS else "bin/python")
    pip = [str(python), "-I", "-m", "pip", "--isolated", "--disable-pip-version-check", "--no-input"]
    offline = ["--no-index", "--no-cache-dir", "--only-binary=:all:", f"--find-links={bundle / WHEELS}"]
    _run([*pip, "install", "--quiet", *offline, "--require-hashes", f"--requirement={listed}"], "pip failed")
    if not _runs(new):
        raise FailedError("the installed arcferry does not run")


def _run(command: list[str], problem: str) -> None:
    ended = _ended(command)
    if ended.returncode:
        said = "\n".join(ended.stdout.decode(errors="replace").splitlines()[-10:])
        raise FailedError(f"{problem}\n{said}")


def _ended(command: list[str]) -> "subprocess.CompletedProcess[bytes]":
    # Without the user's settings of pip and Python, which could name an index or other packages.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    try:
        return subprocess.run(
            command,
            env={**kept, "PIP_CONFIG_FILE": os.devnull},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FailedError(f"{command[0]} did not end within {PATIENCE:.0f} seconds") from error


def _runs(environment: Path) -> bool:
    """Whether the arcferry in the environment tells its version, as the last step of its installation."""
    program = environment / ("Scripts/arcferry.exe" if WINDOWS else "bin/arcferry")
    return program.exists() and _ended([str(program), "--version"]).returncode == 0


def _lead_to(into: Path, new: Path) -> None:
    """Let the command lead to the new environment, in one step."""
    beside = new / f"{COMMAND}.new"
    if WINDOWS:
        beside.write_text(_batch(new), encoding="ascii", newline="")
    else:
        beside.symlink_to(_link(new))
    beside.replace(into / COMMAND)


def _leads_to(into: Path, new: Path) -> bool:
    """Whether the last step of this environment's installation was done."""
    command = into / COMMAND
    if WINDOWS:
        return command.is_file() and command.read_bytes() == _batch(new).encode("ascii")
    return command.is_symlink() and str(command.readlink()) == _link(new)


def _batch(environment: Path) -> str:
    return f'@"%~dp0{environment.name}\\Scripts\\arcferry.exe" %*\r\n'


def _link(environment: Path) -> str:
    return f"{environment.name}/bin/arcferry"


def _remove_old(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    say(
        f"{folder} is still in use: delete it later."
        if folder.exists()
        else f"{folder}, the older one, was removed."
    )


if __name__ == "__main__":
    sys.exit(main())
