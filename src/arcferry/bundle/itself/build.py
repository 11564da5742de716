import hashlib
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path

from arcferry import files, text
from arcferry.bundle.authenticode import PYTHON, Roots
from arcferry.bundle.itself.interpreter import read_interpreter
from arcferry.bundle.itself.lock import LockedWheel, WheelTarget, locked, to_requirements
from arcferry.bundle.itself.wheel import own_wheel
from arcferry.bundle.keys import SecretKey
from arcferry.bundle.manifest import EXPIRES_AFTER, ITSELF, Manifest, Role, new_manifest
from arcferry.bundle.packing import Packing, new_bundle
from arcferry.errors import BlockedError, FileInputError

Say = Callable[[str], None]
_MOST_SHOWN = 10
_WHEELS = "wheels"
_INSTALLER = (
    ("install.sh", Role.INSTALLER),
    ("install.ps1", Role.INSTALLER),
    ("install.py", Role.INSTALLER),
    ("INSTALL.txt", Role.GUIDE),
)


@dataclass(frozen=True, slots=True)
class Selection:
    """What to pack: arcferry for these targets.

    Attributes:
        wheels: a folder of wheels at hand; None lets pip get them.
        wheel: arcferry's own wheel; None makes it of the arcferry that is running.
        interpreters: installers of CPython for Windows, for jump hosts that have none.
        python_roots: what their signatures have to lead to.
    """

    targets: tuple[WheelTarget, ...]
    wheels: Path | None = None
    wheel: Path | None = None
    interpreters: tuple[Path, ...] = ()
    python_roots: Roots = PYTHON


def build_itself(
    out: Path,
    selection: Selection,
    key: SecretKey,
    *,
    created: datetime,
    version: int | None = None,
    expires_after: timedelta = EXPIRES_AFTER,
    replace: bool = False,
    name: str = "",
    say: Say = lambda _: None,
) -> Manifest:
    """Build a sealed bundle of arcferry itself at `out`, whole or not at all: a zip if the name ends so.

    The same arcferry, targets, key, `created`, version and life give the same bytes, wherever the wheels come
    from. `version`, if None, is the digits of `created`. `replace` says whether a bundle that lies at
    `out` may be replaced; `say` is told what goes on.

    Raises:
        BlockedError: pip could not get the wheels.
        BundleRefusedError: an interpreter is not the Python Software Foundation's, or was changed.
        InputError: a setting is out of range; among it FileInputError, naming the file: a wheel is missing or
            not the locked one, `out` is taken, or the disk full.
    """
    manifest = new_manifest(created, version, expires_after, kind=ITSELF, name=name)
    own, own_bytes = own_wheel(selection.wheel)
    with new_bundle(out, replace=replace) as packing:
        wheels = packing.folder / _WHEELS
        wheels.mkdir()
        gather(selection.targets, wheels, selection.wheels, say)
        say("sealing")
        packing.add(f"{_WHEELS}/{own.file}", Role.WHEEL, own_bytes)
        for wheel in {wheel for target in selection.targets for wheel in locked(target)}:
            # Hashed once more as it is listed: it lay in a folder of wheels, or came by pip.
            if packing.add_present(f"{_WHEELS}/{wheel.file}", Role.WHEEL).sha256 != wheel.sha256:
                raise FileInputError(wheel.file, "was changed while it was copied", hint="Start again.")
        for path in selection.interpreters:
            _add_interpreter(packing, path, selection, say)
        _add_installer(packing, selection.targets, own)
        return packing.finish(manifest, key)


def _add_interpreter(packing: Packing, path: Path, selection: Selection, say: Say) -> None:
    """Copy an installer of CPython, and verify the copy: what is packed is what was looked at."""
    say(f"verifying the signature of {path}")
    kept = packing.folder.parent / "interpreter.exe"
    with files.naming(path):
        shutil.copyfile(path, kept)
    found = read_interpreter(kept, roots=selection.python_roots, called=path)
    target = WheelTarget(found.python, "win_amd64")
    if target not in selection.targets:
        raise FileInputError(
            path,
            f"is CPython {found.version} for Windows, and this bundle is for: "
            + ", ".join(one.tag for one in selection.targets),
            hint=f"Add --python {found.python}, and --platform win_amd64 if others are named.",
        )
    packing.add_copy(kept, found.file, Role.INSTALLER)
    kept.unlink()


def _add_installer(packing: Packing, targets: Iterable[WheelTarget], own: LockedWheel) -> None:
    """The scripts that install it, and for each target the list of what is to be installed."""
    here = resources.files("arcferry").joinpath("bundle/itself/installer")
    for name, role in _INSTALLER:
        packing.add(name, role, here.joinpath(name).read_bytes())
    for target in targets:
        listed = to_requirements((own, *locked(target)))
        packing.add(f"requirements/{target.tag}.txt", Role.INSTALLER, listed.encode("ascii"))


def gather(targets: Iterable[WheelTarget], folder: Path, source: Path | None, say: Say) -> None:
    """Put every locked wheel of the targets into `folder`, each with the hash that its lock says.

    They are taken from `source`, a folder of wheels at hand under whatever names; without it pip gets them
    from the index that it is set to use.

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
