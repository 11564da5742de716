"""The twin agent as a Debian package."""

import hashlib
import platform
import re
from importlib import resources
from pathlib import Path

from arcferry.errors import LabError
from arcferry.files import write_whole
from arcferry.lab.hosts.deb import PackagedFile, deb_bytes
from arcferry.lab.hosts.tools import agent_python

_VERSION = re.compile(r"^\d+(?:\.\d+){1,3}$")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_LIBRARY = "/opt/azcmagent/lib/azcmagent"
_ENTRY = """#!{python} -IB
import sys

sys.path.insert(0, "/opt/azcmagent/lib")

from azcmagent.main import main

sys.exit(main(sys.argv[1:], "{version}"))
"""
_CONTROL = """Package: azcmagent
Version: {version}
Architecture: {architecture}
Maintainer: arcferry lab <lab@corp.example>
Installed-Size: {kilobytes}
Section: admin
Priority: optional
Description: twin of the Azure Connected Machine agent
 Has azcmagent's commands, outputs and exit codes, and talks to the Azure of
 arcferry's lab. It is no product of Microsoft and of no use anywhere else.
"""
_POSTINST = """#!/bin/sh
set -e
if [ "$1" = configure ]; then
    mkdir -p /var/opt/azcmagent/log /var/opt/azcmagent/certs /var/opt/azcmagent/tokens
    chmod 700 /var/opt/azcmagent/certs /var/opt/azcmagent/tokens
    if [ -e /var/opt/azcmagent/agentconfig.json ]; then
        setsid /opt/azcmagent/bin/azcmagent himdsd </dev/null >/dev/null 2>&1 &
    fi
fi
"""
_PRERM = """#!/bin/sh
set -e
if [ -r /run/himds.pid ]; then
    kill "$(cat /run/himds.pid)" 2>/dev/null || :
    rm -f /run/himds.pid
fi
"""
_POSTRM = """#!/bin/sh
set -e
if [ "$1" = purge ]; then
    rm -rf /var/opt/azcmagent
fi
"""


def build_agent_package(folder: Path, *, version: str = "1.67.0") -> Path:
    """Write `azcmagent_VERSION_ARCH.deb` into `folder`.

    The same sources, version, interpreter and SOURCE_DATE_EPOCH give the same bytes.

    Raises:
        LabError: no version number, or no interpreter for the agent.
        FileInputError: the folder cannot be written.
    """
    if not _VERSION.match(version):
        raise LabError(f"{version!r} is no version of the agent")
    architecture = _ARCHITECTURES.get(platform.machine(), "all")
    content = _content(version)
    kilobytes = sum(len(file.data) for file in content.values()) // 1024 + 1
    control = _CONTROL.format(version=version, architecture=architecture, kilobytes=kilobytes)
    sums = "".join(f"{_md5(file.data)}  {path[1:]}\n" for path, file in sorted(content.items()))
    scripts = {"postinst": _POSTINST, "prerm": _PRERM, "postrm": _POSTRM}
    package = deb_bytes(
        {
            "control": PackagedFile(control.encode()),
            "md5sums": PackagedFile(sums.encode()),
            **{name: PackagedFile(text.encode(), 0o755) for name, text in scripts.items()},
        },
        content,
    )
    path = folder / f"azcmagent_{version}_{architecture}.deb"
    write_whole(path, package)
    return path


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
