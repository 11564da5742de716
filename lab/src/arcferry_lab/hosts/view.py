"""A host's own folder: everything that it sees outside of what it borrows from this computer."""

import json
import os
import uuid
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from arcferry_lab.errors import LabError
from arcferry_lab.hosts.packaging import PackageKind
from arcferry_lab.hosts.settings import HostSettings
from arcferry_lab.hosts.tools import OpenSsh, agent_python_prefix

DOMAIN = "corp.example"
_DNS_PORT = "53"
_TOP = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_FOLDERS = (
    "dev", "proc", "root", "run", "home", "mnt", "opt", "srv", "tmp", "usr",
    "sys/class/dmi/id",
    "etc/arcferry", "etc/ssh", "etc/ssl/certs", "var/cache", "var/log", "var/opt",
    "var/tmp",
)  # fmt: skip
_DATABASE_FOLDERS: dict[PackageKind, tuple[str, ...]] = {
    "deb": (
        "etc/dpkg/dpkg.cfg.d", "var/lib/dpkg/info", "var/lib/dpkg/parts", "var/lib/dpkg/triggers",
        "var/lib/dpkg/updates",
    ),
    "rpm": ("etc/rpm", "var/lib/rpm"),
}  # fmt: skip
_OS_RELEASE = 'PRETTY_NAME="Linux"\nNAME="Linux"\nID=linux\nVERSION_ID="1"\n'
_RPM_OS_RELEASE = """\
NAME="arcferry lab Linux"
VERSION="9"
ID="arcferry-lab"
ID_LIKE="rhel centos fedora"
VERSION_ID="9"
PRETTY_NAME="arcferry lab Linux 9"
"""
_RPM_MACROS = "%_dbpath /var/lib/rpm\n"  # where Red Hat has it; Debian's own rpm looks into a home folder


@dataclass(frozen=True, slots=True)
class Account:
    """Who logs in: `root`, or `admin` where this computer lends its hosts no real root."""

    name: str
    user_id: int


def lay_out(root: Path, settings: HostSettings, account: Account, ssh: OpenSsh) -> tuple[str, ...]:
    """Make the folder of a host that has nothing installed.

    Returns:
        The folders of this computer that the host borrows, for `boot.sh`.

    Raises:
        LabError: the folder cannot be made.
    """
    borrowed = _borrowed(ssh)
    folders = (*_FOLDERS, *_DATABASE_FOLDERS[settings.packages])
    try:
        for name in (*folders, *(path.lstrip("/") for path in borrowed)):
            (root / name).mkdir(parents=True, exist_ok=True, mode=0o755)
        for name in ("tmp", "var/tmp"):
            (root / name).chmod(0o1777)
        _link_top(root)
        for name, (text, mode) in _files(settings, account, ssh).items():
            path = root / name
            path.write_text(text, encoding="utf-8")
            path.chmod(mode)
        (root / "etc/ssl/certs/ca-certificates.crt").write_bytes(settings.ca_pem)
    except OSError as error:
        raise LabError(f"{error.filename}: {error.strerror}") from error
    return borrowed


def _borrowed(ssh: OpenSsh) -> tuple[str, ...]:
    own = [f"/{name}" for name in _TOP if Path("/", name).is_dir() and not Path("/", name).is_symlink()]
    more = dict.fromkeys([Path("/etc/alternatives"), agent_python_prefix(), ssh.folder])
    return ("/usr", *own, *(str(path) for path in more if path and path.is_dir()))


def _link_top(root: Path) -> None:
    for name in _TOP:
        path = Path("/", name)
        if path.is_symlink() and not (root / name).is_symlink():
            (root / name).symlink_to(path.readlink())


def _files(settings: HostSettings, account: Account, ssh: OpenSsh) -> dict[str, tuple[str, int]]:
    address, name = settings.address, settings.name
    return {
        "etc/passwd": (_passwd(account), 0o644),
        "etc/group": (f"root:x:0:\nsshd:x:74:\nnogroup:x:65534:\n{_extra(account, ':x:{0}:')}", 0o644),
        "etc/hostname": (f"{name}\n", 0o644),
        "etc/hosts": (f"127.0.0.1 localhost\n{address} {name}.{DOMAIN} {name}\n", 0o644),
        **_names(settings.resolver),
        "etc/machine-id": (f"{uuid.uuid4().hex}\n", 0o444),
        "sys/class/dmi/id/product_uuid": (f"{uuid.uuid4()}\n", 0o400),
        "etc/profile": ("PS1='# '\n", 0o644),
        "etc/arcferry/session": (_session(ssh), 0o755),
        "etc/arcferry-lab.json": (_lab_file(settings), 0o644),
        "etc/ssh/sshd_config": (_sshd_config(settings, account, ssh), 0o644),
        "var/log/commands.log": ("", 0o600),
        **_package_files(settings.packages),
    }


def _names(resolver: str) -> dict[str, tuple[str, int]]:
    """Where the host's programs look names up; at a port that is not DNS's own none of them can ask."""
    address, _, port = resolver.rpartition(":")
    asked = port == _DNS_PORT
    switch = f"passwd: files\ngroup: files\nhosts: files{' dns' if asked else ''}\n"
    return {
        "etc/nsswitch.conf": (switch, 0o644),
        **({"etc/resolv.conf": (f"nameserver {address}\n", 0o644)} if asked else {}),
    }


def _package_files(packages: PackageKind) -> dict[str, tuple[str, int]]:
    """What tells a host's package manager what it is and that nothing is installed."""
    if packages == "rpm":
        return {"etc/os-release": (_RPM_OS_RELEASE, 0o644), "etc/rpm/macros": (_RPM_MACROS, 0o644)}
    release = Path("/etc/os-release")
    own = release.read_text(encoding="utf-8", errors="replace") if release.is_file() else _OS_RELEASE
    return {
        "etc/os-release": (own, 0o644),
        "var/lib/dpkg/status": ("", 0o644),
        "var/lib/dpkg/available": ("", 0o644),
    }


def _passwd(account: Account) -> str:
    fixed = "root:*:0:0:root:/root:/bin/sh\nsshd:*:74:74:sshd:/run/sshd:/usr/sbin/nologin\n"
    nobody = "nobody:*:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    return fixed + nobody + _extra(account, ":*:{0}:{0}:admin:/root:/bin/sh")


def _extra(account: Account, rest: str) -> str:
    return f"{account.name}{rest.format(account.user_id)}\n" if account.user_id else ""


def _session(ssh: OpenSsh) -> str:
    text = resources.files(__package__).joinpath("session.sh").read_text(encoding="utf-8")
    return text.replace("@SFTP_SERVER@", str(ssh.sftp_server)).replace("@LIBRARIES@", ssh.libraries)


def _lab_file(settings: HostSettings) -> str:
    document = {
        "schema": 1,
        "resolver": settings.resolver,
        "service_port": settings.service_port,
        "ca_file": "/etc/ssl/certs/ca-certificates.crt",
        "address": settings.address,
        "location": settings.location,
        "heartbeat_seconds": settings.heartbeat_seconds,
        "blocked": [],
    }
    return json.dumps(document, indent=2) + "\n"


def _sshd_config(settings: HostSettings, account: Account, ssh: OpenSsh) -> str:
    lines = [
        f"ListenAddress {settings.address}",
        f"Port {settings.port}",
        "HostKey /etc/ssh/ssh_host_ed25519_key",
        "AuthorizedKeysFile /etc/ssh/authorized_keys",
        f"AllowUsers {account.name}",
        "PermitRootLogin prohibit-password",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "UsePAM no",
        "UseDNS no",
        "StrictModes no",  # the folder's owner is whoever runs the lab, which is not what this would check
        "PrintMotd no",
        "PidFile none",
        "MaxStartups 200:30:400",
        "MaxSessions 100",
        "LoginGraceTime 30",
        f"Subsystem sftp {ssh.sftp_server}",
        "ForceCommand /etc/arcferry/session",
    ]
    if ssh.version >= (9, 8):
        lines.append("PerSourcePenalties no")  # tests fail to log in on purpose
    lines += _moved_helpers(ssh)
    return "\n".join(lines) + "\n"


def _moved_helpers(ssh: OpenSsh) -> list[str]:
    """Where an unpacked sshd finds the programs that it is split into since 9.8."""
    if ssh.folder is None:
        return []
    helpers = {"SshdSessionPath": "sshd-session", "SshdAuthPath": "sshd-auth"}
    folder = ssh.sftp_server.parent
    return [f"{key} {folder / name}" for key, name in helpers.items() if os.access(folder / name, os.X_OK)]
