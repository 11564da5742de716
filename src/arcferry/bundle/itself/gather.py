import hashlib
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from arcferry import files, text
from arcferry.bundle.itself.lock import LockedWheel, WheelTarget, locked, to_requirements
from arcferry.errors import BlockedError, FileInputError

Say = Callable[[str], None]
_MOST_SHOWN = 10


def gather(targets: Iterable[WheelTarget], folder: Path, source: Path | None, say: Say) -> None:
    """Put every locked wheel of the targets into `folder`, each with the hash that its lock says.

    Args:
        targets: whose wheels.
        folder: an empty folder.
        source: a folder of wheels at hand, under whatever names; without it pip gets them from the index that
            it is set to use.
        say: is told what goes on.

    Raises:
        BlockedError: pip is missing, or could not get them all; what pip said is in the message.
        FileInputError: `source` lacks some of them, or cannot be read.
        OSError: `folder` cannot be written.
    """
    lists = {target: locked(target) for target in targets}
    wanted = {wheel for wheels in lists.values() for wheel in wheels}
    if source:
        say(f"hashing the wheels in {source}")
        _take(source, wanted, folder)
        return
    if importlib.util.find_spec("pip") is None:
        raise BlockedError(
            "this Python has no pip, which gets the wheels",
            hint=f"{sys.executable} -m ensurepip, or name a folder that holds the wheels with --wheels.",
        )
    downloads = folder.with_name("downloads")
    downloads.mkdir()
    for target, wheels in lists.items():
        say(f"getting {len(wheels)} wheels for {target.tag} with pip")
        _download(target, wheels, downloads)
    _take(downloads, wanted, folder)
    shutil.rmtree(downloads)


def _take(source: Path, wanted: set[LockedWheel], folder: Path) -> None:
    """Copy what is wanted, told by its hash alone: a wheel may have been renamed on its way."""
    held: dict[str, Path] = {}
    with files.naming(source):
        for path in sorted(source.iterdir()):
            if path.suffix == ".whl" and path.is_file():
                with path.open("rb") as stream:
                    held[hashlib.file_digest(stream, "sha256").hexdigest()] = path
    if missing := sorted(wheel for wheel in wanted if wheel.sha256 not in held):
        named = ", ".join(wheel.file for wheel in missing[:_MOST_SHOWN])
        more = f" and {len(missing) - _MOST_SHOWN} more" if len(missing) > _MOST_SHOWN else ""
        raise FileInputError(
            source,
            f"lacks {len(missing)} of {len(wanted)} wheels with the hashes they are locked to: {named}{more}",
            hint="Without --wheels, pip gets them from its index.",
        )
    for wheel in wanted:
        shutil.copyfile(held[wheel.sha256], folder / wheel.file)


def _download(target: WheelTarget, wheels: tuple[LockedWheel, ...], folder: Path) -> None:
    """Let pip get them, with the index, proxy and certificates of its own configuration."""
    requirements = folder.with_name(f"{target.tag}.txt")
    requirements.write_text(to_requirements(wheels), encoding="ascii")
    # -P: a file named pip.py where the user happens to stand must not be run.
    command = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--require-hashes", "--only-binary=:all:", "--implementation=cp", f"--abi={target.abi}"]
    command += [f"--python-version={target.python}", f"--dest={folder}", f"--requirement={requirements}"]
    command += [f"--platform={platform}" for platform in target.wheel_platforms]
    pip = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    requirements.unlink()
    if pip.returncode:
        said = text.clean(pip.stdout[-4096:]).strip().splitlines()[-_MOST_SHOWN:]
        raise BlockedError(
            f"pip could not get the wheels for {target.tag}:\n" + "\n".join(f"  {line}" for line in said),
            hint="Which index pip uses: python -m pip config list. Or give a folder of wheels with --wheels.",
        )
