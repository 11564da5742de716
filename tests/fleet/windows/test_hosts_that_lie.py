"""Servers that answer as something else than they are: `plan` says of each what it is, and of no other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import asyncssh
import pytest
from tests.fleet.conftest import Fleet, free_port

from arcferry.fleet.transport.login_shell import WHICH_SHELL

from .conftest import Answers, Anybody

WINDOWS, LINUX, BITVISE = "OpenSSH_for_Windows_9.5", "OpenSSH_9.2p1", "8.48 FlowSsh: Bitvise SSH Server"
CMD_SAYS = rb"C:\Windows\system32\cmd.exe $PSHOME" + b"\r\n"
ROOT = b"arcferry-user: root\n"


def facts(system: str) -> bytes:
    return b'{"schema":1,"verb":"facts","ok":true,"os":"%s","root":true}\n' % system.encode()


def windows(
    out: bytes = b"", err: bytes = b"", page: bytes = b"437", times: int = 1, code: int = 1
) -> Answers:
    known = {WHICH_SHELL: CMD_SAYS, "chcp": b": " + page, "whoami /groups": b"S-1-16-12288"}
    return lambda line: (known[line], b"", 0) if line in known else (out * times, err * times, 1)


MANY = 100_000_000
LIARS: dict[str, tuple[str, Answers, str]] = {
    "linux-that-says-windows": (
        WINDOWS, lambda _: (b"%ComSpec% \n", b"", 0), "neither cmd.exe nor PowerShell",
    ),
    "windows-that-says-no-word-of-it": (BITVISE, windows(), "is a Windows server, and its SSH server is not"),
    "linux-behind-windows": (
        WINDOWS, windows(facts("linux")), "commands as windows does, and says that it is linux",
    ),
    "windows-behind-linux": (
        LINUX, lambda _: (facts("windows"), ROOT, 0), "commands as linux does, and says that it is windows",
    ),
    "hundred-megabytes": (WINDOWS, windows(b"{", times=MANY), "printed more than"),
    "hundred-megabytes-of-errors": (WINDOWS, windows(err=b"x", times=MANY), "printed more than"),
    "errors-in-950": (WINDOWS, windows(err="\x1b[31m找不到。\r\n".encode("cp950"), page=b"950"), "找不到。"),
    "errors-in-932": (WINDOWS, windows(err="ありません".encode("cp932"), page=b"932"), "ありません"),
    "errors-in-utf-16": (WINDOWS, windows(err="Größe \x1b[2J nötig".encode("utf-16")), "Größe nötig"),
    "says-nothing": (WINDOWS, windows(), "`facts` was ended before it answered (exit 1)"),
    "says-something-else": (WINDOWS, windows(b"Good morning"), "no answer to `facts` that can be read"),
}  # fmt: skip


@pytest.fixture
async def liars(azure_only: Fleet) -> AsyncIterator[Fleet]:
    """An inventory of them, and a host that does not answer at all."""
    rows, known = [f"silent,127.0.0.1,{free_port()}"], []
    async with AsyncExitStack() as stack:
        for name, (version, answers, _) in LIARS.items():

            def serve(process: asyncssh.SSHServerProcess[bytes], answers: Answers = answers) -> None:
                out, err, code = answers(process.command or "")
                process.stdout.write(out)
                process.stderr.write(err)
                process.exit(code)

            key = asyncssh.generate_private_key("ssh-ed25519")
            listening = await asyncssh.listen(
                "127.0.0.1", 0, server_factory=Anybody, server_host_keys=[key], server_version=version,
                process_factory=serve, encoding=None,
            )  # fmt: skip
            await stack.enter_async_context(listening)
            rows.append(f"{name.replace('windows', 'win')},127.0.0.1,{listening.get_port()}")
            known.append(f"[127.0.0.1]:{listening.get_port()} {key.export_public_key().decode()}")
        azure_only.twin.paths.inventory.write_text("\n".join(["name,address,port", *rows, ""]))
        file = Path(azure_only.folder) / "known_hosts"
        file.write_text("".join(known))
        azure_only.extra["ARCFERRY_KNOWN_HOSTS"] = str(file)
        yield azure_only


async def test_plan_says_what_each_of_them_is(liars: Fleet) -> None:
    ended = await asyncio.wait_for(liars.run("plan"), 120)
    said = {host["name"]: str(host) for host in ended.document["hosts"]}
    for name, (_, _, says) in LIARS.items():
        assert says in said[name.replace("windows", "win")]
    assert "neither SSH nor WinRM answers at its address" in said["silent"]
    assert "�" not in ended.out
    assert "\x1b" not in ended.out
