import glob
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from arcferry.bundle import archive, verify
from arcferry.bundle.archive_write import write_archive
from arcferry.bundle.file import BundleFile
from arcferry.bundle.form import is_zip_name
from arcferry.errors import BlockedError, BundleRefusedError, FileInputError
from arcferry.lock import only_one

_STAGING = ".arcferry"
_ASIDE = ".old"
_DEAD_AFTER = 3600.0
_FOLDER_MODE = 0o755
_FILE_MODE = 0o644


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """A folder beside `out`, on the same file system, gone again at the end whatever happens.

    What a build left that a power loss or a kill cut short is cleared away by the next one.

    Raises:
        FileInputError: the disk is full or cannot be written, also where the body raises OSError for it.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _clear_after_others(out)
        folder = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}.", suffix=_STAGING))
    except OSError as error:
        raise FileInputError(out, error.strerror or "cannot be written") from error
    try:
        with only_one(folder, "build", hint=""):
            yield folder
    except OSError as error:
        raise FileInputError(out, error.strerror or "cannot be written") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _clear_after_others(out: Path) -> None:
    """Remove the staging folders of builds that are no more, and finish their last step.

    A folder whose lock nobody holds is a dead build's, or that of one which began this very moment; hence
    the age.
    """
    name = glob.escape(out.name)
    for aside in out.parent.glob(f".{name}.*{_STAGING}{_ASIDE}"):
        if out.exists():
            shutil.rmtree(aside, ignore_errors=True)
        else:  # cut short between its two renames: the bundle that was there comes back
            aside.rename(out)
    for folder in out.parent.glob(f".{name}.*{_STAGING}"):
        with suppress(BlockedError, FileInputError, OSError):
            if time.time() - folder.lstat().st_mtime > _DEAD_AFTER:
                with only_one(folder, "build", hint=""):
                    shutil.rmtree(folder, ignore_errors=True)


def refuse_taken(out: Path, *, replace: bool) -> None:
    """Return where a new bundle may take the name `out`.

    Raises:
        FileInputError: something lies there: a bundle that is not to be replaced, or anything that is
            not a bundle and nothing but a bundle, which is never deleted.
    """
    if not out.exists() and not out.is_symlink():
        return
    wanted = "file" if is_zip_name(out) else "folder"
    if out.is_symlink() or not (out.is_file() if wanted == "file" else out.is_dir()):
        raise FileInputError(out, f"exists and is not a {wanted}", hint="Give another name.")
    if wanted == "folder" and not any(out.iterdir()):
        return
    try:
        extra = verify.unlisted(out)
    except BundleRefusedError as error:
        raise FileInputError(out, f"exists and holds something other than a bundle ({error})") from error
    if extra:
        raise FileInputError(
            out, f"holds {extra[0]}, which is not part of the bundle there; it is not deleted"
        )
    if not replace:
        raise FileInputError(out, "a bundle exists there", hint="Give another name, or --replace.")


def put_zip_in_place(
    files: Iterable[BundleFile], small: Mapping[str, bytes], workshop: Path, out: Path, *, replace: bool
) -> None:
    """Write a bundle as a zip into the folder `workshop`, then give it the name `out` in one step.

    Args:
        files: what the manifest lists.
        small: the manifest and the seal, by name.
        workshop: a folder on the file system of `out`.
        out: the zip.
        replace: whether a bundle that is there may be replaced.

    Raises:
        BundleRefusedError: a file of the bundle is not what its manifest says.
        FileInputError: `out` was taken meanwhile.
        OSError: the disk.
    """
    whole = workshop / "bundle.zip"
    with whole.open("xb") as target:
        write_archive(target, files, small)
    whole.chmod(_FILE_MODE)
    refuse_taken(out, replace=replace)
    whole.replace(out)
    _flush_folder(out.parent)


def put_in_place(folder: Path, out: Path, *, replace: bool) -> None:
    """Give the finished `folder` the name `out`; a bundle of that name is deleted only afterwards.

    Raises:
        FileInputError: `out` was taken meanwhile.
        OSError: the disk.
    """
    _settle(folder)
    refuse_taken(out, replace=replace)
    # Beside the staging folder, which is deleted at the end whatever happens.
    aside = out.with_name(f"{folder.parent.name}{_ASIDE}")
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
            (Path(parent) / name).chmod(archive.mode(name))
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
