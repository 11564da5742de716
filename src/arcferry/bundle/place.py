import glob
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from arcferry import files
from arcferry.bundle import archive, manifest
from arcferry.bundle.file import BundleFile
from arcferry.bundle.form import is_zip_name
from arcferry.bundle.verify import Bundle, unlisted
from arcferry.errors import BlockedError, BundleRefusedError, FileInputError
from arcferry.files import only_one

_STAGING = ".arcferry"
_ASIDE = ".old"
# Seconds. A build that has made its folder and not yet taken the lock must not lose it to another.
_DEAD_AFTER = 3600.0
FOLDER = "bundle"
"""The folder of a staging folder in which a bundle is put together."""
_FOLDER_MODE = 0o755
_FILE_MODE = 0o644


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """A folder beside `out`, on the same file system, gone again at the end whatever happens.

    What a build left that a power loss or a kill cut short is cleared away by the next one.

    Raises:
        FileInputError: the disk is full or cannot be written, also if the body raises OSError for it.
    """
    with files.naming(out, "cannot be written"):
        out.parent.mkdir(parents=True, exist_ok=True)
        _clear_after_others(out)
        folder = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}.", suffix=_STAGING))
        try:
            with only_one(folder, "build", hint=""):
                yield folder
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
    """Check that a new bundle may take the name `out`.

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
        extra = unlisted(out)
    except BundleRefusedError as error:
        raise FileInputError(out, f"exists and holds something other than a bundle ({error})") from error
    if extra:
        raise FileInputError(
            out, f"holds {extra[0]}, which is not part of the bundle there; it is not deleted"
        )
    if not replace:
        raise FileInputError(out, "a bundle exists there", hint="Give another name, or --replace.")


def put_in_place(
    listed: Iterable[BundleFile], small: Mapping[str, bytes], workshop: Path, out: Path, *, replace: bool
) -> None:
    """Give a bundle the name `out` in one step: as a zip if the name ends so, else as a folder.

    Args:
        listed: what the manifest lists; a file that lies in the `FOLDER` of `workshop` already is not copied.
        small: the manifest and the seal, by name.
        workshop: a folder on the file system of `out`.
        out: the name; a bundle that has it is deleted only afterwards.
        replace: whether a bundle that is there may be replaced.

    Raises:
        BundleRefusedError: a file of the bundle is not what its manifest says.
        FileInputError: `out` was taken meanwhile.
        OSError: the disk.
    """
    if is_zip_name(out):
        whole = workshop / "bundle.zip"
        with whole.open("xb") as target:
            archive.write_archive(target, listed, small)
        whole.chmod(_FILE_MODE)
        refuse_taken(out, replace=replace)
        whole.replace(out)
        _flush_folder(out.parent)
        return
    folder = workshop / FOLDER
    for file in listed:
        path = folder.joinpath(*file.name.split("/"))
        if file.path != path:
            file.copy_to(path)
    for name, data in small.items():
        files.write_whole(folder / name, data)
    _settle(folder)
    refuse_taken(out, replace=replace)
    # Beside the staging folder, which is deleted at the end whatever happens.
    aside = out.with_name(f"{workshop.name}{_ASIDE}")
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


def copy_bundle(source: Bundle, out: Path, *, replace: bool = False) -> None:
    """Write an opened bundle to `out` whole or not at all: a zip if the name ends so, else a folder.

    Seal and content stay as they are, so the same bundle gives the same bytes, whoever copies it.

    Raises:
        BundleRefusedError: a file is no longer what it was when the bundle was opened.
        FileInputError: `out` is taken, or the disk full.
    """
    out = out.absolute()
    small = {manifest.MANIFEST: source.manifest.to_bytes(), manifest.SEAL: source.seal}
    contents = [source.form.located(file) for file in source.manifest.files]
    refuse_taken(out, replace=replace)
    with staging(out) as workshop:
        put_in_place(contents, small, workshop, out, replace=replace)


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
