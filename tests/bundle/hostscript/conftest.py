import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

SCRIPT = Path(__file__).parents[3] / "src/arcferry/bundle/hostscripts/linux.sh"
NETWORK = SCRIPT.with_name("linux-network.sh")
SHELLS = {"dash": ["dash"], "bash": ["bash", "--posix"], "busybox": ["busybox", "sh"]}

# Prints known shapes, and does what /behave says before that.
AGENT = r"""#!/bin/sh
printf '%s\n' "$*" >>/argv
state=/var/opt/azcmagent/state
value() { sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p" "$2"; }
[ ! -f /behave ] || . /behave
case $1 in
show)
	echo "Resource Name                           : $(value resource-name $state)"
	echo "Resource Id                             : $(cat $state.id)"
	echo "Agent Version                           : 1.67.0"
	echo "Agent Status                            : $([ -f $state ] && echo Connected || echo Disconnected)"
	echo "Agent Last Heartbeat                    : 2026-11-23T08:00:00Z"
	echo "    Agent Service (himds)               : running"
	;;
connect)
	[ "$2" = --config ] || exit 12
	cp "$3" $state
	id="/subscriptions/$(value subscription-id "$3")/resourceGroups/$(value resource-group "$3")"
	echo "$id/providers/Microsoft.HybridCompute/machines/$(value resource-name "$3")" >$state.id
	echo 'INFO    Connected machine to Azure'
	;;
disconnect) rm -f $state $state.id && echo 'INFO    Disconnected machine from Azure' ;;
check) echo "ENDPOINT |REACHABLE" ;;
config)
	[ "$2" = set ] && echo "$4" >/proxy
	cat /proxy
	;;
esac 2>/dev/null
"""


def needs(shell: str) -> list[str]:
    command = SHELLS[shell]
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not on PATH")
    return command


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> list[str]:
    return needs(request.param)


@pytest.fixture
def dash() -> list[str]:
    return needs("dash")


@dataclass(frozen=True)
class Answer:
    """What one run of the script gave."""

    status: int
    document: dict[str, Any]
    raw: bytes

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - any JSON value
        return self.document[key]


def read_answer(done: subprocess.CompletedProcess[bytes]) -> Answer:
    """One line, ASCII, strict JSON with the three fields that every answer has."""
    text = done.stdout.decode("ascii")
    assert text.endswith("\n"), (done.stdout[-200:], done.stderr[-400:])
    assert text.count("\n") == 1, text
    document = json.loads(text)
    assert document["schema"] == 1
    assert done.returncode == (0 if document["ok"] else 2 if document.get("code") == "usage" else 1)
    assert document["ok"] or (document["code"] is not None and document["message"])
    return Answer(done.returncode, document, done.stdout)


@pytest.fixture
def here() -> Callable[..., Answer]:
    """Run the script on this machine, for what changes nothing."""

    def run(
        shell: Sequence[str],
        *arguments: str | bytes | Path,
        stdin: IO[bytes] | None = None,
        **options: object,
    ) -> Answer:
        """With `stdin` the script comes by that, and not by its path."""
        command = [*shell, *([SCRIPT] if stdin is None else []), *arguments]
        source = subprocess.DEVNULL if stdin is None else stdin
        done = subprocess.run(command, stdin=source, capture_output=True, check=False, **options)
        return read_answer(done)

    return run


# An ordinary user's PATH often lacks the folders that chroot is in.
ENTER = """
PATH=$PATH:/usr/sbin:/sbin
for folder in $3; do mount --rbind "/$folder" "$1/$folder" || exit 99; done
mount --bind /dev/null "$1/dev/null" || exit 99
[ -z "$2" ] || mount -t tmpfs -o "size=$2" none "$1/var/tmp" || exit 99
root=$1
shift 3
exec chroot "$root" "$@"
"""


@dataclass(frozen=True)
class PrivateRoot:
    """A file system view of its own: this machine's /usr, and everything else empty and private.

    `bound` lists the folders of this machine that show through.
    """

    path: Path
    bound: str = "usr"

    def command(self, *inside: str | Path, tmp_size: str = "") -> list[str]:
        unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Urm"]
        return [*unshare, "sh", "-c", ENTER, "sh", str(self.path), tmp_size, self.bound, *map(str, inside)]

    def run(self, shell: Sequence[str], *arguments: str | Path, **options: object) -> Answer:
        options = {"stdin": subprocess.DEVNULL} | options if "input" not in options else options
        tmp_size = options.pop("tmp_size", "")
        command = self.command(*shell, "/linux.sh", *arguments, tmp_size=tmp_size)
        answer = read_answer(subprocess.run(command, capture_output=True, check=False, **options))
        self.assert_clean()
        return answer

    def assert_clean(self) -> None:
        """No temporary file stays behind."""
        assert not [*self.path.glob("var/tmp/arcferry.*"), *self.path.glob("tmp/arcferry.*")]

    def put(self, name: str, content: str | bytes, mode: int = 0o600) -> Path:
        path = self.path / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)
        return path

    def has(self, name: str) -> bool:
        return os.path.lexists(self.path / name.lstrip("/"))

    def read(self, name: str) -> str:
        path = self.path / name.lstrip("/")
        return path.read_text() if path.exists() else ""


@pytest.fixture(scope="session")
def namespaces() -> None:
    unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Urm"]
    if not shutil.which("unshare") or subprocess.run([*unshare, "true"], check=False).returncode:
        pytest.skip("this machine does not allow private mount namespaces (unshare)")


@pytest.fixture
def root(tmp_path: Path, namespaces: None) -> PrivateRoot:
    path = tmp_path / "root"
    for folder in ("usr", "dev", "etc", "opt", "proc", "run", "tmp", "var/tmp", "var/lib/dpkg/info"):
        (path / folder).mkdir(parents=True)
    for folder in ("var/lib/dpkg/updates", "var/lib/rpm", "var/log", "var/opt/azcmagent", "sys/class/dmi/id"):
        (path / folder).mkdir(parents=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        (path / name).symlink_to(f"usr/{name}")
    if Path("/etc/alternatives").is_dir():
        shutil.copytree("/etc/alternatives", path / "etc/alternatives", symlinks=True)
    made = PrivateRoot(path)
    for name in ("dev/null", "var/lib/dpkg/status", "var/lib/dpkg/available"):
        made.put(name, "", 0o644)
    made.put("etc/os-release", 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n', 0o644)
    made.put("linux.sh", SCRIPT.read_bytes(), 0o755)
    made.put("linux-network.sh", NETWORK.read_bytes(), 0o755)
    return made


@pytest.fixture
def busybox_root(root: PrivateRoot) -> PrivateRoot:
    """A root whose only programs are those of busybox."""
    (command,) = needs("busybox")[:1]
    programs = root.path / "usr/bin"
    for folder in (programs, root.path / "usr/sbin", root.path / "usr/lib", root.path / "usr/lib64"):
        folder.mkdir()
    shutil.copy(shutil.which(command) or command, programs / "busybox")
    listed = subprocess.run([command, "--list"], capture_output=True, text=True, check=True).stdout.split()
    for name in listed:
        if name != "busybox":
            (programs / name).symlink_to("busybox")
    bound = [name for name in ("usr/lib", "usr/lib64", "proc") if Path("/", name).is_dir()]
    return PrivateRoot(root.path, " ".join(bound))


@pytest.fixture
def connected_root(root: PrivateRoot) -> PrivateRoot:
    """A root with the agent in place, without a package."""
    root.put("opt/azcmagent/bin/azcmagent", AGENT, 0o755)
    return root


@dataclass
class ClosedNetwork:
    """A network of its own around a private root: names, servers and a proxy, of which Azure's are all there.

    `hosts` says what each does (`closed_network.py` reads it), `seen` holds every request that reached one.
    """

    root: PrivateRoot
    folder: Path
    hosts: dict[str, dict[str, object]]
    proxy: str = ""
    ports: tuple[int, ...] = ()

    def run(self, shell: Sequence[str], *arguments: str, **options: object) -> Answer:
        done = subprocess.run(self.command(shell, *arguments), capture_output=True, check=False, **options)  # type: ignore[call-overload]
        answer = read_answer(done)
        self.root.assert_clean()
        return answer

    def command(self, shell: Sequence[str], *arguments: str, hidden: str = "") -> list[str]:
        """The script's command line; `hidden` programs cannot be found by it."""
        spec = {"hosts": self.hosts, "proxy": self.proxy, "ports": self.ports, "seen": str(self._seen)}
        spec["ca"] = str(self.root.path / "etc/ssl/certs/ca-certificates.crt")
        (self.folder / "spec.json").write_text(json.dumps(spec))
        unshare = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-Urn"]
        driver = [sys.executable, str(Path(__file__).with_name("closed_network.py"))]
        hide = f'for name in {hidden}; do mount --bind /dev/null /usr/bin/$name; done; exec "$@"'
        inside = self.root.command("sh", "-c", hide, "sh", *shell, "/linux.sh", *arguments)
        return [*unshare, *driver, str(self.folder / "spec.json"), "--", *inside]

    @property
    def _seen(self) -> Path:
        return self.folder / "seen"

    @property
    def seen(self) -> str:
        return self._seen.read_text() if self._seen.exists() else ""


AZURE = (
    "agentserviceapi.guestconfiguration.azure.com",
    "ea.his.arc.azure.com",
    "eastasia-gas.guestconfiguration.azure.com",
    "gbl.his.arc.azure.com",
    "login.microsoftonline.com",
    "login.windows.net",
    "management.azure.com",
    "pas.windows.net",
)


@pytest.fixture
def closed(root: PrivateRoot, tmp_path: Path) -> ClosedNetwork:
    for tool in ("ip", "openssl"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not on PATH")
    root.put("etc/resolv.conf", "nameserver 127.0.0.53\noptions timeout:1 attempts:1\n", 0o644)
    root.put("etc/nsswitch.conf", "hosts: files dns\n", 0o644)
    root.put("linux-network.sh", NETWORK.read_text().replace("PATIENCE=10 ", "PATIENCE=4 "), 0o755)
    (root.path / "etc/ssl/certs").mkdir(parents=True)
    hosts: dict[str, dict[str, object]] = {
        name: {
            "address": f"127.0.1.{number}",
            "chain": [f"{number}.trafficmanager.net", f"{number}.eastasia.cloudapp.azure.com"],
        }
        for number, name in enumerate(AZURE, 1)
    }
    return ClosedNetwork(PrivateRoot(root.path, "usr proc"), tmp_path, hosts)


@pytest.fixture
def agent_script() -> str:
    return AGENT
