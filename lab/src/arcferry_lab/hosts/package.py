"""The twin agent as a package, for dpkg or for rpm."""

import hashlib
import platform
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from arcferry.files import write_whole
from arcferry.text import quoted
from arcferry_lab.errors import LabError
from arcferry_lab.hosts.deb import deb_bytes
from arcferry_lab.hosts.packaged import PackagedFile, PackageKind
from arcferry_lab.hosts.rpm import RpmFields, rpm_bytes
from arcferry_lab.hosts.tools import agent_python

_VERSION = re.compile(r"^\d+(?:\.\d+){1,3}$")
_DEBIAN_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_RPM_ARCHITECTURES = ("x86_64", "aarch64")
_RELEASE = "1"
_LIBRARY = "/opt/azcmagent/lib/azcmagent"
_ENTRY = """#!{python} -IB
import sys

sys.path.insert(0, "/opt/azcmagent/lib")

from azcmagent.main import main

sys.exit(main(sys.argv[1:], "{version}"))
"""
_SUMMARY = "twin of the Azure Connected Machine agent"
_DESCRIPTION = (
    "Has azcmagent's commands, outputs and exit codes, and talks to the Azure of",
    "arcferry's lab. It is no product of Microsoft and of no use anywhere else.",
)
_CONTROL = """Package: azcmagent
Version: {version}
Architecture: {architecture}
Maintainer: arcferry lab <lab@corp.example>
Installed-Size: {kilobytes}
Section: admin
Priority: optional
Description: {summary}
 {description}
"""
_PREPARE = """\
    mkdir -p /var/opt/azcmagent/log /var/opt/azcmagent/certs /var/opt/azcmagent/tokens
    chmod 700 /var/opt/azcmagent/certs /var/opt/azcmagent/tokens
"""
_START = """\
    if [ -e /var/opt/azcmagent/agentconfig.json ]; then
        setsid /opt/azcmagent/bin/azcmagent himdsd </dev/null >/dev/null 2>&1 &
    fi
"""
_STOP = """\
    if [ -r /run/himds.pid ]; then
        kill "$(cat /run/himds.pid)" 2>/dev/null || :
        rm -f /run/himds.pid
    fi
"""
_FORGET = """\
    rm -rf /var/opt/azcmagent
"""
_DEB_SCRIPTS = {
    "postinst": f'#!/bin/sh\nset -e\nif [ "$1" = configure ]; then\n{_PREPARE}{_START}fi\n',
    "prerm": f"#!/bin/sh\nset -e\n{_STOP}",
    "postrm": f'#!/bin/sh\nset -e\nif [ "$1" = purge ]; then\n{_FORGET}fi\n',
}
# rpm counts the versions that stay. In an upgrade the new version's `post` runs before the old one's `preun`,
# so that it is `post` which ends the old service.
_RPM_SCRIPTS = {
    "post": f"set -e\n{_PREPARE}{_STOP}{_START}",
    "preun": f'set -e\nif [ "$1" = 0 ]; then\n{_STOP}fi\n',
    "postun": f'set -e\nif [ "$1" = 0 ]; then\n{_FORGET}fi\n',
}


def build_agent_package(folder: Path, *, version: str = "1.67.0", kind: PackageKind = "deb") -> Path:
    """Write the agent's package into `folder`, under the name that its kind gives it.

    The same sources, version, interpreter and SOURCE_DATE_EPOCH give the same bytes.

    Raises:
        LabError: no version number, or no interpreter for the agent.
        FileInputError: the folder cannot be written.
    """
    if not _VERSION.match(version):
        raise LabError(f"{quoted(version)} is no version of the agent")
    name, data = (_deb if kind == "deb" else _rpm)(version, _content(version))
    path = folder / name
    write_whole(path, data)
    return path


def _deb(version: str, content: Mapping[str, PackagedFile]) -> tuple[str, bytes]:
    architecture = _DEBIAN_ARCHITECTURES.get(platform.machine(), "all")
    control = _CONTROL.format(
        version=version,
        architecture=architecture,
        kilobytes=sum(len(file.data) for file in content.values()) // 1024 + 1,
        summary=_SUMMARY,
        description="\n ".join(_DESCRIPTION),
    )
    sums = "".join(f"{_md5(file.data)}  {path[1:]}\n" for path, file in sorted(content.items()))
    package = deb_bytes(
        {
            "control": PackagedFile(control.encode()),
            "md5sums": PackagedFile(sums.encode()),
            **{name: PackagedFile(text.encode(), 0o755) for name, text in _DEB_SCRIPTS.items()},
        },
        content,
    )
    return f"azcmagent_{version}_{architecture}.deb", package


def _rpm(version: str, content: Mapping[str, PackagedFile]) -> tuple[str, bytes]:
    machine = platform.machine()
    architecture = machine if machine in _RPM_ARCHITECTURES else "noarch"
    fields = RpmFields(
        name="azcmagent",
        version=version,
        release=_RELEASE,
        architecture=architecture,
        summary=_SUMMARY,
        description="\n".join(_DESCRIPTION),
        license="Apache-2.0",
    )
    return f"azcmagent-{version}-{_RELEASE}.{architecture}.rpm", rpm_bytes(fields, _RPM_SCRIPTS, content)


def _content(version: str) -> dict[str, PackagedFile]:
    entry = _ENTRY.format(python=agent_python(), version=version)
    modules = sorted(
        (
            item
            for item in resources.files(__package__).joinpath("agent").iterdir()
            if item.name.endswith(".py")
        ),
        key=lambda item: item.name,
    )
    return {
        "/opt/azcmagent/bin/azcmagent": PackagedFile(entry.encode(), 0o755),
        **{f"{_LIBRARY}/{item.name}": PackagedFile(item.read_bytes()) for item in modules},
    }


def _md5(data: bytes) -> str:
    """The digest that dpkg lists installed files with; nothing is protected by it."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
