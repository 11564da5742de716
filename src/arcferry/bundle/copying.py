from pathlib import Path

from arcferry import files
from arcferry.bundle import names
from arcferry.bundle.form import is_zip_name
from arcferry.bundle.opened import Bundle
from arcferry.bundle.place import put_in_place, put_zip_in_place, refuse_taken, staging


def copy_bundle(source: Bundle, out: Path, *, replace: bool = False) -> None:
    """Write an opened bundle to `out` whole or not at all: a zip where the name ends so, else a folder.

    Seal and content stay as they are, so the same bundle gives the same bytes, whoever copies it.

    Raises:
        BundleRefusedError: a file is no longer what it was when the bundle was opened.
        FileInputError: `out` is taken, or the disk full.
    """
    out = out.absolute()
    small = {names.MANIFEST: source.manifest.to_bytes(), names.SEAL: source.seal}
    contents = [source.form.located(file) for file in source.manifest.files]
    refuse_taken(out, replace=replace)
    with staging(out) as workshop:
        if is_zip_name(out):
            put_zip_in_place(contents, small, workshop, out, replace=replace)
            return
        folder = workshop / "bundle"
        for file in contents:
            target = folder.joinpath(*file.name.split("/"))
            target.parent.mkdir(parents=True, exist_ok=True)
            file.copy_to(target)
        for name, data in small.items():
            files.write_whole(folder / name, data)
        put_in_place(folder, out, replace=replace)
