import os
import shutil
from pathlib import Path

from arcferry.bundle import verify
from arcferry.errors import BundleRefusedError, FileInputError

_FOLDER_MODE = 0o755
_FILE_MODE = 0o644
_SCRIPT_MODE = 0o755


def refuse_taken(out: Path, *, replace: bool) -> None:
    """Return where a new bundle may take the name `out`.

    Raises:
        FileInputError: something lies there: a bundle that is not to be replaced, or anything that is
            not a bundle and nothing but a bundle, which is never deleted.
    """
    if not out.exists() and not out.is_symlink():
        return
    if out.is_symlink() or not out.is_dir():
        raise FileInputError(out, "exists and is not a folder")
    if not any(out.iterdir()):
        return
    try:
        extra = verify.unlisted(out, verify.read_unverified(out))
    except BundleRefusedError as error:
        raise FileInputError(out, f"exists and holds something other than a bundle ({error})") from error
    if extra:
        raise FileInputError(
            out, f"holds {extra[0]}, which is not part of the bundle there; it is not deleted"
        )
    if not replace:
        raise FileInputError(out, "a bundle exists there", hint="Give another folder, or --replace.")


def put_in_place(folder: Path, out: Path, *, replace: bool) -> None:
    """Give the finished `folder` the name `out`; a bundle of that name is deleted only afterwards.

    Raises:
        FileInputError: `out` was taken meanwhile.
        OSError: the disk.
    """
    _settle(folder)
    refuse_taken(out, replace=replace)
    aside = folder.with_name(f"{folder.name}.old")
    had = out.exists()
    if had:
        out.rename(aside)
    try:
        folder.rename(out)
    except BaseException:
        if had:
            aside.rename(out)
        raise
    _flush_folder(out.parent)
    if had:
        shutil.rmtree(aside, ignore_errors=True)


def _settle(folder: Path) -> None:
    """Modes that let others read the bundle, and every folder's entries on the disk."""
    for parent, _, file_names in os.walk(folder):
        for name in file_names:
            mode = _SCRIPT_MODE if name.endswith(".sh") else _FILE_MODE
            (Path(parent) / name).chmod(mode)
        Path(parent).chmod(_FOLDER_MODE)
        _flush_folder(Path(parent))


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
