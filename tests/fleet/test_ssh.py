import asyncio
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest

from arcferry.errors import (
    FileInputError,
    HostCommandError,
    HostKeyError,
    HostSignInError,
    HostUnreachableError,
    InputError,
)
from arcferry.fleet.inventory import Host
from arcferry.fleet.transport.ssh import LinuxSession
from arcferry.fleet.transport.trust import read_trust

from .conftest import Sshd, connected, free_port

HOSTILE = ["", "a b", "$(touch /tmp/x)", "; reboot", "`id`", "'", '"', "\n", "-rf", "*", "é", "\\"]


async def test_words_reach_the_command_as_they_are(session: LinuxSession) -> None:
    result = await session.run(["printf", "%s\\0", *HOSTILE])
    assert result.stdout.decode().split("\0")[:-1] == HOSTILE


async def test_input_output_and_exit_status(session: LinuxSession) -> None:
    result = await session.run(["sh", "-c", "cat; echo oops >&2; exit 7"], stdin=b"x" * 300_000)
    assert (len(result.stdout), result.stderr, result.exit_status) == (300_000, b"oops\n", 7)


async def test_a_command_that_reads_nothing_is_not_waited_for(session: LinuxSession) -> None:
    result = await session.run(["true"], stdin=b"x" * 3_000_000, deadline=20)
    assert result.exit_status == 0


async def test_a_hundred_megabytes_are_cut_and_the_command_is_ended(session: LinuxSession) -> None:
    started = time.monotonic()
    mark = "arcferry-flood"
    with pytest.raises(HostCommandError, match="printed more than 524,288 bytes and was ended"):
        await session.run(["sh", "-c", f": {mark}; head -c 104857600 /dev/zero; sleep 60"])
    assert time.monotonic() - started < 10
    assert (await session.run(["echo", "still here"])).stdout == b"still here\n"


async def test_terminal_sequences_are_not_passed_on(session: LinuxSession) -> None:
    result = await session.run(["printf", "\\033]0;owned\\007\\033[31mred\\033[0m\\r\\nlast\\b"])
    assert result.says == "last"


async def test_a_command_that_does_not_end(session: LinuxSession) -> None:
    with pytest.raises(HostCommandError, match="did not end within 1 s"):
        await session.run(["sleep", "60"], deadline=1)


async def test_unknown_host_key_is_refused_with_its_fingerprint(sshd: Sshd, tmp_path: Path) -> None:
    empty = tmp_path / "known_hosts"
    empty.write_text("")
    with pytest.raises(HostKeyError) as caught:
        async with connected(sshd.host, sshd.trust(known_hosts=empty)):
            pass
    fingerprint = asyncssh.read_public_key(sshd.folder / "host_key.pub").get_fingerprint()
    assert fingerprint in caught.value.message
    assert f"ssh-keyscan -p {sshd.port} 127.0.0.1 >> {empty}" in caught.value.hint
    assert empty.read_text() == "", "an unknown key is never recorded by itself"


async def test_wrong_host_key_is_refused_with_both_fingerprints(sshd: Sshd, tmp_path: Path) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519")
    records = tmp_path / "known_hosts"
    records.write_text(f"[127.0.0.1]:{sshd.port} {other.export_public_key().decode()}")
    with pytest.raises(HostKeyError) as caught:
        async with connected(sshd.host, sshd.trust(known_hosts=records)):
            pass
    presented = asyncssh.read_public_key(sshd.folder / "host_key.pub").get_fingerprint()
    assert presented in caught.value.message
    assert other.get_fingerprint() in caught.value.message
    assert f"ssh-keygen -R '[127.0.0.1]:{sshd.port}'" in caught.value.hint


async def test_host_key_of_another_kind_on_record(sshd: Sshd, tmp_path: Path) -> None:
    other = asyncssh.generate_private_key("ecdsa-sha2-nistp256")
    records = tmp_path / "known_hosts"
    records.write_text(f"[127.0.0.1]:{sshd.port} {other.export_public_key().decode()}")
    with pytest.raises(HostKeyError, match=r"presents ssh-ed25519 .*, on record is ecdsa"):
        async with connected(sshd.host, sshd.trust(known_hosts=records)):
            pass


async def test_wrong_user_key(sshd: Sshd, tmp_path: Path) -> None:
    key = tmp_path / "key"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(key)
    with pytest.raises(HostSignInError, match="refused the user or the key"):
        async with connected(sshd.host, sshd.trust(key_file=key)):
            pass


async def test_nothing_listens(sshd: Sshd) -> None:
    with pytest.raises(HostUnreachableError, match=r"web01 \(127\.0\.0\.1:\d+\): refused"):
        async with connected(Host("web01", "127.0.0.1", free_port()), sshd.trust()):
            pass


async def test_a_host_that_never_speaks(sshd: Sshd) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        host = Host("mute", "127.0.0.1", silent.getsockname()[1])
        with pytest.raises(HostUnreachableError, match="no answer in time"):
            async with connected(host, sshd.trust(), deadline=1):
                pass


async def test_a_name_that_is_not_known(sshd: Sshd) -> None:
    with pytest.raises(HostUnreachableError, match="not known here"):
        async with connected(Host("x", "no-such-host.invalid"), sshd.trust()):
            pass


async def test_a_port_that_is_not_ssh(sshd: Sshd) -> None:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 3000)
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        host = Host("web", "127.0.0.1", server.sockets[0].getsockname()[1])
        with pytest.raises(HostUnreachableError):
            async with connected(host, sshd.trust(), deadline=5):
                pass


async def test_a_session_that_is_cut_mid_command(sshd: Sshd) -> None:
    # Whether a shell stands between depends on which shell it is.
    up = "p=$(cut -d' ' -f4 /proc/$p/stat)"
    cut = f"p=$PPID; while [ $(cat /proc/$p/comm) != sshd ]; do {up}; done; kill -9 $p"
    async with connected(sshd.host, sshd.trust()) as session:
        with pytest.raises(HostUnreachableError):
            await session.run(["sh", "-c", f"{cut}; sleep 30"])


def test_trust_names_what_is_wrong(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileInputError, match="no such file"):
        read_trust(tmp_path / "none", sshd.key_file, "root")
    with pytest.raises(FileInputError, match="is not a private key"):
        read_trust(sshd.known_hosts, sshd.known_hosts, "root")
    locked = tmp_path / "locked"
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(locked, "pkcs8-pem", passphrase="longer")
    with pytest.raises(FileInputError, match="has a passphrase"):
        read_trust(sshd.known_hosts, locked, "root")
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with pytest.raises(InputError, match="no key to sign in"):
        read_trust(sshd.known_hosts, None, "root")
    assert "PRIVATE" not in repr(replace(sshd.trust(), user="x"))


def enter_by(host: Sshd, script: str) -> None:
    (host.folder / "enter").write_text(f"#!/bin/sh\n{script}\n")
    (host.folder / "enter").chmod(0o755)


NOBODY = 'exec /usr/bin/setpriv --reuid 65534 --regid 65534 --clear-groups /bin/sh -c "$SSH_ORIGINAL_COMMAND"'


@contextmanager
def programs(sudo: str | None) -> Iterator[str]:
    """A folder for PATH that anybody may read: a shell, and a sudo where one is given."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "sh").symlink_to("/bin/sh")
        if sudo:
            (Path(folder) / "sudo").write_text(f"#!/bin/sh\n{sudo}\n")
            (Path(folder) / "sudo").chmod(0o755)
        yield folder


@pytest.mark.parametrize(
    ("sudo", "says"),
    [("exit 1", "sudo asks for a password"), (None, "sudo is missing")],
    ids=["asks", "missing"],
)
async def test_a_user_who_cannot_become_root(entered: Sshd, sudo: str | None, says: str) -> None:
    with programs(sudo) as folder:
        enter_by(entered, f"PATH={folder}; export PATH; {NOBODY}")
        async with connected(entered.host, entered.trust()) as session:
            with pytest.raises(HostSignInError, match=says) as caught:
                await session.run(["true"])
    assert "NOPASSWD" in caught.value.hint


async def test_a_user_with_sudo_runs_everything_by_it(entered: Sshd) -> None:
    with programs('shift\n[ "$1" != -- ] || shift\nWITH_SUDO=yes exec "$@"') as folder:
        enter_by(entered, f"PATH={folder}:/usr/bin:/bin; export PATH; {NOBODY}")
        async with connected(entered.host, entered.trust()) as session:
            first = await session.run(["sh", "-c", 'cat; echo "$WITH_SUDO $1"', "sh", "$(x)"], stdin=b"in ")
            second = await session.run(["printenv", "WITH_SUDO"])
            assert session.root is False
    assert (first.stdout, first.stderr, second.stdout) == (b"in yes $(x)\n", b"", b"yes\n")


async def test_a_shell_that_runs_nothing(entered: Sshd) -> None:
    enter_by(entered, "echo This account is not available.; exit 1")
    async with connected(entered.host, entered.trust()) as session:
        with pytest.raises(HostCommandError, match="not run commands: This account is not available"):
            await session.run(["true"])
