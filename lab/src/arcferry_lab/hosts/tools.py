"""What this computer has for running hosts: OpenSSH, Linux namespaces and a Python for the agent."""

import functools
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from arcferry_lab.errors import LabError
from arcferry_lab.hosts.packaging import PackageKind
from arcferry_lab.system import SYSTEM_FOLDERS, program, tools_folder, unpacked_libraries

_NEEDED = ("unshare", "setpriv", "mount", "umount", "pivot_root", "hostname")
_PACKAGE_PROGRAMS: dict[PackageKind, tuple[str, str]] = {
    "deb": ("dpkg", "dpkg-deb"),
    "rpm": ("rpm", "rpmbuild"),
}
_SFTP_FOLDERS = ("lib/openssh", "libexec/openssh", "lib/ssh", "libexec", "lib")
_NAMESPACES = ("--mount", "--pid", "--uts", "--fork", "--kill-child")
_AS_ROOT_OF_OWN = ("--user", "--map-root-user")
_SYSTEM_PYTHON = Path("/usr/bin/python3")
_SSH_USER_ID = 1000
_PROBE_SECONDS = 20


@dataclass(frozen=True, slots=True)
class OpenSsh:
    """An SSH server's programs.

    Attributes:
        folder: an unpacked package that they lie in, None where they belong to the system.
        version: such as (9, 2).
    """

    sshd: Path
    sftp_server: Path
    folder: Path | None
    version: tuple[int, int]

    @property
    def libraries(self) -> str:
        """A value for LD_LIBRARY_PATH, empty where the system's libraries serve."""
        if self.folder is None:
            return ""
        return unpacked_libraries(self.folder)


@functools.cache
def open_ssh() -> OpenSsh | None:
    """The SSH server to use: from the folder of tools, else the system's."""
    folder = tools_folder()
    if folder and (folder / "usr/sbin/sshd").is_file():
        sshd, root = folder / "usr/sbin/sshd", folder / "usr"
    else:
        found = program("sshd")
        sshd, root, folder = Path(found or ""), Path("/usr"), None
        if not found:
            return None
    servers = (root / part / "sftp-server" for part in _SFTP_FOLDERS)
    sftp_server = next((path for path in servers if path.is_file()), None)
    if sftp_server is None:
        return None
    tools = OpenSsh(sshd, sftp_server, folder, (0, 0))
    return OpenSsh(sshd, sftp_server, folder, _version(tools))


def namespaces(*, rootless: bool = False) -> tuple[str, ...] | None:
    """The options of `unshare` that make a host's namespaces here; None where the kernel allows none.

    Args:
        rootless: in a user namespace, also where this process could do without.
    """
    own = (*_AS_ROOT_OF_OWN, *_NAMESPACES)
    return next(
        (options for options in ((own,) if rootless else (_NAMESPACES, own)) if _works(options)), None
    )


def without_root(options: tuple[str, ...]) -> tuple[str, ...]:
    """What makes `root` of an ordinary user's namespaces a user that sshd can serve; empty for real root.

    An SSH server that runs as root drops its groups before it serves anybody, which an ordinary user's
    namespaces forbid. So there it runs one level further down, as somebody else.
    """
    if "--user" not in options:
        return ()
    return (
        str(program("unshare")),
        "--user",
        f"--map-user={_SSH_USER_ID}",
        f"--map-group={_SSH_USER_ID}",
    )


@functools.cache
def unavailable(packages: PackageKind = "deb") -> str | None:
    """Why no host with dpkg, or none with rpm, can run on this computer; None where one can."""
    if sys.platform != "linux":
        return "hosts of the twin need Linux"
    missing = [name for name in (*_NEEDED, *_PACKAGE_PROGRAMS[packages]) if program(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    if open_ssh() is None:
        return (
            "no OpenSSH server: run make tools in arcferry's checkout, which unpacks one, or install "
            "openssh-server, or unpack it and name the folder in ARCFERRY_TOOLS"
        )
    if namespaces() is None:
        return "the kernel allows no mount namespaces here: neither as this user nor in a user namespace"
    try:
        agent_python()
    except LabError as error:
        return error.message
    return None


@functools.cache
def agent_python() -> Path:
    """The interpreter that the agent runs with on a host: the system's where it is new enough, else ours.

    Raises:
        LabError: neither can be used.
    """
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    ours = Path(sys.base_prefix).resolve() / "bin" / name
    question = "import ssl, http.client, sys; sys.exit(sys.version_info < (3, 11))"
    for path in (_SYSTEM_PYTHON, ours):
        if path.is_file() and _succeeds([str(path), "-I", "-c", question]):
            return path
    raise LabError(f"no Python 3.11 or later with TLS for the agent: neither {_SYSTEM_PYTHON} nor {ours}")


def agent_python_prefix() -> Path | None:
    """The folder that a host needs for that interpreter; None where /usr has it."""
    prefix = Path(sys.base_prefix).resolve()
    return None if agent_python().is_relative_to("/usr") else prefix


@functools.cache
def _works(options: tuple[str, ...]) -> bool:
    with tempfile.TemporaryDirectory(prefix="arcferry-") as folder:
        script = 'mount -t tmpfs tmpfs "$1" && shift && exec "$@"'
        inner = [*without_root(options), "true"]
        unshare, path = str(program("unshare")), f"PATH={SYSTEM_FOLDERS}"
        return _succeeds(["env", path, unshare, *options, "sh", "-c", script, "sh", folder, *inner])


def _succeeds(command: list[str]) -> bool:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_PROBE_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _version(tools: OpenSsh) -> tuple[int, int]:
    """Every version of sshd names itself when asked for `-V`, older ones in a complaint."""
    environment = {"PATH": SYSTEM_FOLDERS} | ({"LD_LIBRARY_PATH": tools.libraries} if tools.libraries else {})
    done = subprocess.run(
        [str(tools.sshd), "-V"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        env=environment,
        timeout=_PROBE_SECONDS,
    )
    match = re.search(rb"OpenSSH_(\d+)\.(\d+)", done.stderr + done.stdout)
    return (int(match[1]), int(match[2])) if match else (0, 0)
