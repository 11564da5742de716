"""SSH sessions with Windows: the twin's with a real engine, and servers that lie."""

import base64
import time
from collections.abc import AsyncIterator

import pytest

from arcferry.errors import HostCommandError, HostSignInError, HostUnreachableError
from arcferry.fleet.transport.login_shell import WHICH_SHELL
from arcferry.fleet.transport.session import Session
from arcferry_lab.hosts.windows import WindowsHost
from arcferry_lab.hosts.windows.ssh import CMD, POWERSHELL, Shell, WindowsSsh

from .conftest import Answers, Keys, answered, reached

lab = [pytest.mark.lab, pytest.mark.xdist_group("windows")]
WINDOWS, LINUX = "OpenSSH_for_Windows_9.5", "OpenSSH_9.2p1"
CMD_SAYS = rb"C:\Windows\system32\cmd.exe $PSHOME" + b"\r\n"
ADMINISTRATOR = b"BUILTIN\\Administrators Alias S-1-5-32-544\r\nMandatory Label\\High Label S-1-16-12288\r\n"
FILTERED = b"BUILTIN\\Administrators Alias S-1-5-32-544 deny only\r\nLabel S-1-16-8192\r\n"


def powershell(script: str) -> list[str]:
    text = base64.b64encode(script.encode("utf-16-le")).decode()
    return ["powershell.exe", "-NoProfile", "-NonInteractive", "-EncodedCommand", text]


@pytest.fixture(params=[CMD, POWERSHELL], ids=["cmd", "powershell"])
async def both(
    request: pytest.FixtureRequest, windows: WindowsHost, keys: Keys
) -> AsyncIterator[tuple[Session, WindowsSsh]]:
    shell: Shell = request.param
    async with reached(windows, keys, shell) as pair:
        yield pair


class TestWithAnEngine:
    pytestmark = lab

    async def test_what_a_session_does(self, both: tuple[Session, WindowsSsh]) -> None:
        session, server = both
        assert session.system == "windows"
        script = (
            "$n = [Console]::OpenStandardInput(); $m = New-Object IO.MemoryStream; $n.CopyTo($m)\n"
            "[Console]::Error.Write('bad'); \"$($m.Length)\"; exit 75"
        )
        given = bytes(range(256)) * 4000
        result = await session.run(powershell(script), stdin=given)
        assert (result.stdout.strip(), result.stderr, result.exit_status) == (b"1024000", b"bad", 75)
        with pytest.raises(HostCommandError, match="printed more than 1,000 bytes and was ended"):
            await session.run(powershell("'x' * 100000"), limit=1000)
        with pytest.raises(HostCommandError, match="did not end within 1 s"):
            await session.run(powershell("Start-Sleep 60"), deadline=1)
        assert (await session.run(powershell("exit 0"))).exit_status == 0
        assert len(server.commands) == 4 + 3, "what is asked first is asked once"

    async def test_a_code_page_of_the_host(self, both: tuple[Session, WindowsSsh]) -> None:
        script = (
            "$b = [Text.Encoding]::UTF8.GetBytes('\u627e\u4e0d\u5230'); [Console]::Out.Flush()\n"
            "$e = [Console]::OpenStandardError(); $e.Write($b, 0, $b.Length); exit 1"
        )
        assert (await both[0].run(powershell(script))).says == "找不到"


def server(**said: bytes) -> Answers:
    def answer(line: str) -> tuple[bytes, bytes, int]:
        if line == WHICH_SHELL:
            return said.get("which", CMD_SAYS), said.get("complaint", b""), 0
        if line == "chcp":
            return said.get("page", b"Active code page: 437\r\n"), b"", 0
        if line.startswith("whoami"):
            return said.get("groups", ADMINISTRATOR), b"", 0
        return said.get("out", b""), said.get("err", b""), 1

    return answer


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        (server(groups=FILTERED), "the user is no administrator of the server"),
        (server(which=b"%ComSpec% \n"), "neither cmd.exe nor PowerShell: %ComSpec%"),
        (
            server(which=b"", complaint="見つかりません".encode("cp932"), page=b"932"),
            "PowerShell: 見つかりません",
        ),
        (server(which=b"\xff\xfe\x00\x1b[31m"), "neither cmd.exe nor PowerShell"),
        (server(which=b"This account is not available.\n"), "PowerShell: This account is not available"),
        (server(page=b"x" * 200_000), "printed more than 65,536 bytes"),
    ],
)
async def test_what_is_refused_at_the_first_command(keys: Keys, answers: Answers, says: str) -> None:
    async with answered(keys, WINDOWS, answers) as session:
        with pytest.raises((HostCommandError, HostSignInError), match=says) as caught:
            await session.run(powershell("exit 0"))
    assert caught.value.hint


@pytest.mark.parametrize(
    "answers",
    [
        server(),
        server(groups=b""),
        server(page=b"chcp: command not found"),
        server(which=b"Welcome!\r\n" + CMD_SAYS + b"bye"),
        server(which=b"hello\r\n%ComSpec%\r\nC:\\Program Files\\PowerShell\\7\r\n"),
        server(groups=ADMINISTRATOR.replace(b"12288", b"16384")),
    ],
    ids=["plain", "no-whoami", "no-chcp", "talkative", "powershell-7", "system"],
)
async def test_what_is_taken(keys: Keys, answers: Answers) -> None:
    async with answered(keys, WINDOWS, answers) as session:
        assert (await session.run(powershell("exit 1"))).says == "exit 1"


@pytest.mark.parametrize(
    ("page", "name"), [(b"950", "cp950"), (b"932", "cp932"), (b"936", "gbk"), (b"65001", "utf-8")]
)
async def test_errors_in_the_hosts_code_page(keys: Keys, page: bytes, name: str) -> None:
    text = "路徑不存在" if page != b"932" else "パスが見つかりません"
    if page == b"936":
        text = "路径不存在"
    async with answered(
        keys, WINDOWS, server(page=b": " + page, err=f"\x1b[31m{text}\r\n".encode(name))
    ) as session:
        assert (await session.run(powershell("exit 1"))).says == text


async def test_a_hundred_megabytes(keys: Keys) -> None:
    started = time.monotonic()
    async with answered(keys, WINDOWS, server(out=b"x" * 100_000_000)) as session:
        with pytest.raises(HostCommandError, match="printed more than 524,288 bytes and was ended"):
            await session.run(powershell("exit 0"))
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("word", ["a b", "a&b", "%x%", 'a"b', "$x", "a;b", "", "a\nb", "'a'", "路"])
async def test_words_that_a_shell_would_read_never_leave(keys: Keys, word: str) -> None:
    async with answered(keys, WINDOWS, server()) as session:
        with pytest.raises(ValueError, match="would not hand on"):
            await session.run(["powershell.exe", word])


async def test_windows_behind_a_server_that_does_not_say_so(keys: Keys) -> None:
    def answer(line: str) -> tuple[bytes, bytes, int]:
        return (CMD_SAYS, b"", 0) if line == WHICH_SHELL else (b"", "找不到命令".encode("cp950"), 1)

    async with answered(keys, "8.48 FlowSsh: Bitvise SSH Server", answer) as session:
        assert session.system == "linux"
        with pytest.raises(
            HostCommandError, match="is a Windows server, and its SSH server is not"
        ) as caught:
            await session.run(["true"])
    assert "transport winrm" in caught.value.hint


async def test_a_session_that_is_cut(keys: Keys) -> None:
    async with answered(keys, WINDOWS, server()) as session:
        await session.run(powershell("exit 0"))
        await session.close()
        assert session.closed
        with pytest.raises(HostUnreachableError):
            await session.run(powershell("exit 0"))
