"""Packages for a host's own package manager, made by that package manager's own builder."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from arcferry.files import write_whole
from arcferry_lab.errors import LabError
from arcferry_lab.system import SYSTEM_FOLDERS, run_tool

PackageKind = Literal["deb", "rpm"]
_TOP = 2  # "/" and one name
_EARLIEST = "1767225600"  # 2026-01-01, where SOURCE_DATE_EPOCH says nothing
_CONTROL = """\
Package: {name}
Version: {version}
Architecture: {architecture}
Maintainer: arcferry lab <lab@corp.example>
Installed-Size: {kilobytes}
Section: admin
Priority: optional
Description: {summary}
{indented}
"""
# Without AutoReqProv: no, rpmbuild would require a package for the interpreter of every file. That of the
# scripts it requires always, and on a host of the twin, whose database is empty, nobody else provides it.
_SPEC = """\
Name: {name}
Version: {version}
Release: 1
Summary: {summary}
License: Apache-2.0
AutoReqProv: no
Provides: /bin/sh
%description
{description}
%install
cp -a '{root}/.' %{{buildroot}}
{scripts}
%files
%defattr(-,root,root)
{files}
"""
_RPM_MACROS = {
    "_buildhost": "localhost",
    "use_source_date_epoch_as_buildtime": "1",
    # rpm's own work on installed files: it would compile the agent's modules, and look for debug data.
    "__spec_install_post": "%{nil}",
    "debug_package": "%{nil}",
    "_binary_payload": "w9.gzdio",
    "_rpmfilename": "built",
}


@dataclass(frozen=True, slots=True)
class PackageFields:
    """What a package says of itself; `architecture` is Debian's word, as rpmbuild knows its own."""

    name: str
    version: str
    summary: str
    description: str
    architecture: str = "all"


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """A file's content and mode."""

    data: bytes
    mode: int = 0o644


def build_package(
    kind: PackageKind,
    path: Path,
    fields: PackageFields,
    scripts: Mapping[str, str],
    content: Mapping[str, PackagedFile],
) -> None:
    """Write a package to `path`; the same fields, scripts, content and SOURCE_DATE_EPOCH give the same bytes.

    Args:
        kind: for dpkg or for rpm.
        path: where to.
        fields: what it says of itself.
        scripts: the lines of shell scripts, by the package manager's own name for their moment: `postinst`
            for dpkg, `post` for rpm.
        content: what is installed, by absolute path. Folders on the way are the package's own, but for the
            first, which belongs to the system.

    Raises:
        LabError: the builder is missing, or refused it.
        FileInputError: the file cannot be written.
    """
    moment = os.environ.get("SOURCE_DATE_EPOCH", _EARLIEST)
    with tempfile.TemporaryDirectory(prefix="arcferry-") as name:
        folder = Path(name)
        environment = {"PATH": SYSTEM_FOLDERS, "HOME": name, "LC_ALL": "C", "SOURCE_DATE_EPOCH": moment}
        prepare = _for_dpkg_deb if kind == "deb" else _for_rpmbuild
        try:
            _lay_out(folder / "root", content, int(moment))
            run_tool(*prepare(folder, fields, scripts, content), env=environment)
            write_whole(path, (folder / "built").read_bytes())
        except OSError as error:
            raise LabError(f"{error.filename}: {error.strerror}") from error


def _lay_out(root: Path, content: Mapping[str, PackagedFile], moment: int) -> None:
    for name, file in content.items():
        target = root / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.data)
        target.chmod(file.mode)
    for target in (root, *root.rglob("*")):
        if target.is_dir():
            target.chmod(0o755)
        os.utime(target, (moment, moment))


def _for_dpkg_deb(
    folder: Path, fields: PackageFields, scripts: Mapping[str, str], content: Mapping[str, PackagedFile]
) -> list[str]:
    """Write what dpkg-deb needs beside the files, and return the command that builds the package."""
    control = folder / "root/DEBIAN"
    control.mkdir()
    control.chmod(0o755)  # dpkg-deb refuses what a strict umask would leave
    text = _CONTROL.format(
        name=fields.name,
        version=fields.version,
        architecture=fields.architecture,
        kilobytes=sum(len(file.data) for file in content.values()) // 1024 + 1,
        summary=fields.summary,
        indented="\n".join(f" {line}" for line in fields.description.splitlines()),
    )
    files = {"control": (text, 0o644)}
    files |= {name: (f"#!/bin/sh\n{lines}\n", 0o755) for name, lines in scripts.items()}
    for name, (data, mode) in files.items():
        (control / name).write_text(data, encoding="utf-8")
        (control / name).chmod(mode)
    root, built = str(folder / "root"), str(folder / "built")
    # gzip, because what Debian and Ubuntu take by default is not the same
    return ["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", root, built]


def _for_rpmbuild(
    folder: Path, fields: PackageFields, scripts: Mapping[str, str], content: Mapping[str, PackagedFile]
) -> list[str]:
    """Write the spec, and return the command that builds the package from it."""
    folders = {one for path in content for one in PurePosixPath(path).parents if len(one.parts) > _TOP}
    text = _SPEC.format(
        name=fields.name,
        version=fields.version,
        summary=fields.summary,
        description=fields.description,
        root=folder / "root",
        scripts="\n".join(f"%{name}\n{lines.replace('%', '%%')}" for name, lines in scripts.items()),
        files="\n".join([*(f"%dir {one}" for one in sorted(folders)), *sorted(content)]),
    )
    (folder / "spec").write_text(text, encoding="utf-8")
    macros = {**_RPM_MACROS, "_topdir": str(folder), "_rpmdir": str(folder), "_tmppath": str(folder)}
    defined = [word for name, value in macros.items() for word in ("--define", f"{name} {value}")]
    return ["rpmbuild", "--quiet", "--nodeps", "-bb", *defined, str(folder / "spec")]
