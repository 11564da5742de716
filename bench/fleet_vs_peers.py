"""One command on 100 SSH hosts: arcferry's fleet transport beside pyinfra and ansible, on this machine.

Run by hand, as root: `.venv/bin/python bench/fleet_vs_peers.py [HOSTS]`. It starts one OpenSSH server for
each host, on an address of its own (127.93.0.1 and on) with a host key of its own, and lets everybody in as
root with one key and an empty home folder. pyinfra and ansible-core are installed from the package index
into a virtual environment of their own. Everything lies in a temporary folder that is removed at the end, and
every server is ended.

Each side is a whole process, from its start to its end, that runs `uname -n` on every host and must have the
answer of each; all check host keys. They take turns; the median of three runs counts, after one that does
not. ansible has pipelining on and 100 forks, once with its usual module for commands and once with `raw`,
which needs no Python there.
"""

import csv
import os
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncssh

RUNS = 3
PORT = 2222
NET = "127.93.0."
PEERS = ("pyinfra", "ansible-core")
COMMAND = ("uname", "-n")

ARCFERRY = """
import asyncio, sys
from pathlib import Path
from arcferry.fleet.inventory import Host, read_inventory
from arcferry.fleet.transport import SignIn, open_session, read_trust

inventory, known_hosts, key, *command = sys.argv[1:]
hosts = read_inventory(Path(inventory)).hosts
sign_in = SignIn(read_trust(Path(known_hosts), Path(key), "root"))

async def one(host):
    session = await open_session(host, sign_in)
    try:
        return await session.run(command)
    finally:
        await session.close()

async def main():
    results = await asyncio.gather(*(one(host) for host in hosts))
    print(sum(result.exit_status == 0 and result.stdout.strip() != b"" for result in results))

asyncio.run(main())
"""


def environment(folder: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "PYINFRA_"))}
    # Everybody may keep byte code, also where this machine is set up not to.
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept | {
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
        "HOME": str(folder / "home"),
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_LOCAL_TEMP": str(folder / "ansible"),
        "NO_COLOR": "1",
    }


def keys(folder: Path, hosts: list[str]) -> None:
    user = asyncssh.generate_private_key("ssh-ed25519")
    user.write_private_key(folder / "id")
    (folder / "id").chmod(0o600)
    user.write_public_key(folder / "id.pub")
    lines = []
    for host in hosts:
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(folder / f"key-{host}")
        (folder / f"key-{host}").chmod(0o600)
        lines.append(f"[{host}]:{PORT} {key.export_public_key().decode()}")
    (folder / "known_hosts").write_text("".join(lines))


@contextmanager
def servers(folder: Path, hosts: list[str]) -> Iterator[None]:
    program = shutil.which("sshd", path="/usr/sbin:/usr/bin:/sbin")
    if program is None:
        sys.exit("OpenSSH's server is missing: apt-get install openssh-server")
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    empty = folder / "empty"
    empty.mkdir()
    running: list[subprocess.Popen[bytes]] = []
    try:
        for host in hosts:
            config = folder / f"sshd-{host}"
            config.write_text(
                f"ListenAddress {host}\nPort {PORT}\nHostKey {folder}/key-{host}\nPidFile none\n"
                f"AuthorizedKeysFile {folder}/id.pub\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n"
                f"SetEnv HOME={empty}\nMaxStartups 500\nSubsystem sftp internal-sftp\nLogLevel ERROR\n"
            )
            running.append(subprocess.Popen([program, "-D", "-f", str(config)]))
        for host in hosts:
            wait_for(host)
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(20)


def wait_for(host: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex((host, PORT)) == 0:
                return
    sys.exit(f"the SSH server of {host} does not answer")


def peers(folder: Path) -> Path:
    print(f"installing {' and '.join(PEERS)} ...", file=sys.stderr)
    home = folder / "peers"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True, stderr=subprocess.DEVNULL)
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=freeze"], check=True, capture_output=True, text=True
    ).stdout
    versions = [line for line in listed.splitlines() if line.split("==")[0] in PEERS]
    print(f"beside {', '.join(versions)}")
    return home / "bin"


def settings(folder: Path, hosts: list[str]) -> None:
    with (folder / "fleet.csv").open("w") as stream:
        rows = csv.writer(stream)
        rows.writerow(["name", "address", "port"])
        rows.writerows([f"host{number:03}", host, PORT] for number, host in enumerate(hosts, 1))
    data = {
        "ssh_user": "root",
        "ssh_port": PORT,
        "ssh_key": str(folder / "id"),
        "ssh_known_hosts_file": str(folder / "known_hosts"),
        "ssh_strict_host_key_checking": "yes",
        "ssh_look_for_keys": False,
        "ssh_allow_agent": False,
    }
    (folder / "inventory.py").write_text(f"hosts = ({hosts!r}, {data!r})\n")
    arguments = f"-o UserKnownHostsFile={folder}/known_hosts -o StrictHostKeyChecking=yes"
    (folder / "hosts.ini").write_text(
        "".join(f"{host}\n" for host in hosts)
        + f"[all:vars]\nansible_user=root\nansible_port={PORT}\nansible_ssh_private_key_file={folder}/id\n"
        f"ansible_python_interpreter=/usr/bin/python3\nansible_ssh_common_args='{arguments}'\n"
    )
    (folder / "ansible.cfg").write_text(
        f"[defaults]\nforks = {len(hosts)}\ntimeout = 60\n[ssh_connection]\npipelining = True\n"
        f"control_path_dir = {folder}/control\n"
    )


def commands(folder: Path, tools: Path, count: int) -> dict[str, list[str]]:
    arcferry = [
        sys.executable, "-c", ARCFERRY, str(folder / "fleet.csv"), str(folder / "known_hosts"),
        str(folder / "id"), *COMMAND,
    ]  # fmt: skip
    pyinfra = [
        str(tools / "pyinfra"), str(folder / "inventory.py"), "--parallel", str(count), "-y", "exec", "--",
        *COMMAND,
    ]  # fmt: skip
    ansible = [str(tools / "ansible"), "all", "-i", str(folder / "hosts.ini"), "-a", shlex.join(COMMAND)]
    return {
        "arcferry": arcferry,
        "pyinfra": pyinfra,
        "ansible (command)": [*ansible, "-m", "command"],
        "ansible (raw)": [*ansible, "-m", "raw"],
    }


def seconds(name: str, command: list[str], folder: Path, count: int) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        command, env=environment(folder), capture_output=True, text=True, cwd=folder, check=False
    )
    took = time.perf_counter() - began
    answers = answered(name, done.stdout + done.stderr)
    if done.returncode or answers != count:
        sys.exit(
            f"{name}: {answers} of {count} hosts answered, exit {done.returncode}\n{done.stderr[-2000:]}"
        )
    end_masters(folder)
    return took


def answered(name: str, output: str) -> int:
    if name == "arcferry":
        return int(output.split(maxsplit=1)[0]) if output.split() else 0
    here = socket.gethostname()
    if name == "pyinfra":
        return sum(line.startswith("[") and line.split()[-1] == here for line in output.splitlines())
    return sum(line.strip() == here for line in output.splitlines())


def end_masters(folder: Path) -> None:
    """ansible leaves its connections open for a minute; each run has to make its own."""
    for path in (folder / "control").glob("*"):
        subprocess.run(
            ["ssh", "-O", "exit", "-o", f"ControlPath={path}", "x"], capture_output=True, check=False
        )


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    if os.getuid() != 0:
        sys.exit("run this as root: its SSH servers let root in")
    if shutil.which("ssh") is None:
        sys.exit("ansible needs OpenSSH's client: apt-get install openssh-client")
    hosts = [f"{NET}{number}" for number in range(1, count + 1)]
    with tempfile.TemporaryDirectory(prefix="arcferry-bench-") as name:
        folder = Path(name)
        for part in ("home", "control"):
            (folder / part).mkdir()
        keys(folder, hosts)
        settings(folder, hosts)
        asked = commands(folder, peers(folder), count)
        with servers(folder, hosts):
            taken: dict[str, list[float]] = {side: [] for side in asked}
            for run in range(RUNS + 1):
                for side, command in asked.items():
                    took = seconds(side, command, folder, count)
                    print(f"run {run or 'warm-up'}: {side} {took:.2f} s", file=sys.stderr)
                    if run:
                        taken[side].append(took)
    report(taken, count)


def report(taken: dict[str, list[float]], count: int) -> None:
    medians = {side: statistics.median(times) for side, times in taken.items()}
    print(f"`{shlex.join(COMMAND)}` on {count} SSH hosts, median of {RUNS}, {os.cpu_count()} processors")
    for side, median in medians.items():
        ratio = "" if side == "arcferry" else f"   arcferry is {median / medians['arcferry']:.1f} x faster"
        print(f"  {side:<18}{median:7.2f} s{ratio}")


if __name__ == "__main__":
    main()
