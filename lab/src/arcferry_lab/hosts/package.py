"""The twin agent as a package, for dpkg or for rpm."""

import platform
import re
from importlib import resources
from pathlib import Path

from arcferry.text import quoted
from arcferry_lab.errors import LabError
from arcferry_lab.hosts.packaging import PackagedFile, PackageFields, PackageKind, build_package
from arcferry_lab.hosts.tools import agent_python

_VERSION = re.compile(r"^\d+(?:\.\d+){1,3}$")
_DEBIAN_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_ENTRY = """#!{python} -IB
import sys

sys.path.insert(0, "/opt/azcmagent/lib")

from azcmagent.main import main

sys.exit(main(sys.argv[1:], "{version}"))
"""
_SUMMARY = "twin of the Azure Connected Machine agent"
_DESCRIPTION = """\
Has azcmagent's commands, outputs and exit codes, and talks to the Azure of
arcferry's lab. It is no product of Microsoft and of no use anywhere else."""
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
_SCRIPTS: dict[PackageKind, dict[str, str]] = {
    "deb": {
        "postinst": f'set -e\nif [ "$1" = configure ]; then\n{_PREPARE}{_START}fi\n',
        "prerm": f"set -e\n{_STOP}",
        "postrm": f'set -e\nif [ "$1" = purge ]; then\n{_FORGET}fi\n',
    },
    # rpm counts the versions that stay. In an upgrade the new version's `post` runs before the old one's
    # `preun`, so that it is `post` which ends the old service.
    "rpm": {
        "post": f"set -e\n{_PREPARE}{_STOP}{_START}",
        "preun": f'set -e\nif [ "$1" = 0 ]; then\n{_STOP}fi\n',
        "postun": f'set -e\nif [ "$1" = 0 ]; then\n{_FORGET}fi\n',
    },
}


def build_agent_package(folder: Path, *, version: str = "1.67.0", kind: PackageKind = "deb") -> Path:
    """Write the agent's package into `folder`, under the name that its kind gives it.

    The same sources, version, interpreter and SOURCE_DATE_EPOCH give the same bytes.

    Raises:
        LabError: no version number, no interpreter for the agent, or dpkg-deb or rpmbuild is missing.
        FileInputError: the folder cannot be written.
    """
    if not _VERSION.match(version):
        raise LabError(f"{quoted(version)} is no version of the agent")
    architecture = _DEBIAN_ARCHITECTURES.get(platform.machine(), "all")
    names = {
        "deb": f"azcmagent_{version}_{architecture}.deb",
        "rpm": f"azcmagent-{version}-1.{platform.machine()}.rpm",
    }
    fields = PackageFields("azcmagent", version, _SUMMARY, _DESCRIPTION, architecture)
    path = folder / names[kind]
    build_package(kind, path, fields, _SCRIPTS[kind], _content(version))
    return path


def _content(version: str) -> dict[str, PackagedFile]:
    entry = _ENTRY.format(python=agent_python(), version=version)
    modules = resources.files(__package__).joinpath("agent").iterdir()
    return {
        "/opt/azcmagent/bin/azcmagent": PackagedFile(entry.encode(), 0o755),
        **{
            f"/opt/azcmagent/lib/azcmagent/{item.name}": PackagedFile(item.read_bytes())
            for item in modules
            if item.name.endswith(".py")
        },
    }
