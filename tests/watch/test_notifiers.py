"""Everybody that a watch can tell, each as a real program, socket or server."""

import asyncio
import json
import os
import re
import socket
import stat
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web
from tests.watch.mail_server import MailServer

from arcferry.errors import ArcferryError, FileInputError, InputError, NotifyError
from arcferry.watch.changes import Level
from arcferry.watch.notifiers.eventlog import bounded
from arcferry.watch.notifiers.message import Message, Notifier
from arcferry.watch.notifiers.named import Besides, notifier
from arcferry_lab.pki import Authority

TOLD = Message(
    Level.FAIL,
    "FAIL gas.example: not reached; the route filter lacks Japan East \u2013 \u65e5\u672c",
    "FAIL gas.example\n\n.\nThe request:\n\nPlease add 12076:51012.\n",
    {
        "kind": "watch-notice",
        "cause": "route/community-not-in-filter",
        "owner": "network",
        "location": "eastasia",
    },
)
FRAME = re.compile(
    r"<27>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (?P<host>\S+) arcferry \d+ watch - \ufeff(?P<says>.*)",
    re.DOTALL,
)
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("a test's own CA")


@pytest.fixture
def ca_file(tmp_path: Path, authority: Authority) -> Path:
    path = tmp_path / "ca.pem"
    path.write_bytes(authority.pem)
    return path


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], Notifier]:
    def made(script: str) -> Notifier:
        path = tmp_path / "page"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return notifier(f"command:{path}", Besides())

    return made


@posix
async def test_a_program_gets_the_message_on_its_standard_input(
    program: Callable[[str], Notifier], tmp_path: Path
) -> None:
    await program(f'cat > "{tmp_path}/got"; echo to nobody').send(TOLD)
    assert json.loads((tmp_path / "got").read_text()) == TOLD.document


@posix
async def test_a_program_that_ends_with_an_error_is_quoted(program: Callable[[str], Notifier]) -> None:
    with pytest.raises(ArcferryError, match=r"ended with 3: no pager today$"):
        await program(r"printf 'no pager\033[31m today\n' >&2; exit 3").send(TOLD)
    await program("exit 0").send(TOLD)


@posix
async def test_a_program_that_hangs_is_killed(program: Callable[[str], Notifier], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "never")
    os.mkfifo(tmp_path / "began")
    began = os.open(tmp_path / "began", os.O_RDONLY | os.O_NONBLOCK)
    sending = asyncio.create_task(
        program(f'echo $$ > "{tmp_path}/began"; exec cat "{tmp_path}/never"').send(TOLD)
    )
    loop, there = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(began, there.set)
    await there.wait()
    loop.remove_reader(began)
    number = int(os.read(began, 100))
    os.close(began)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


@pytest.mark.parametrize(("text", "mark"), [(TOLD, "\ufeff"), (Message(Level.FAIL, "plain", "", {}), "")])
async def test_a_log_server_gets_one_datagram_of_rfc_5424(text: Message, mark: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.setblocking(False)
        await notifier(f"syslog:udp://127.0.0.1:{server.getsockname()[1]}", Besides()).send(text)
        got = (await asyncio.get_running_loop().sock_recv(server, 4096)).decode()
    assert (found := FRAME.fullmatch(got if mark else got.replace("watch - ", "watch - \ufeff")))
    assert found["host"] == socket.gethostname()
    assert found["says"].startswith(text.subject)
    if mark:
        assert found["says"].endswith("location=eastasia; cause=route/community-not-in-filter; owner=network")


async def test_a_long_text_is_cut_between_two_letters() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.setblocking(False)
        to = notifier(f"syslog:udp://127.0.0.1:{server.getsockname()[1]}", Besides())
        await to.send(Message(Level.WARN, "\u65e5" * 3000, "", {}))
        got = await asyncio.get_running_loop().sock_recv(server, 8192)
    assert 2040 < len(got) <= 2048
    assert got.decode().endswith("\u65e5")


@posix
async def test_the_machine_s_own_log_gets_the_form_of_the_c_library(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "log"))
        to = notifier(f"syslog:{tmp_path}/log", Besides())
        await to.send(TOLD)
        got = server.recv(4096).decode()
        assert re.match(rf"<27>[A-Z][a-z]{{2}} [ 123]\d \d\d:\d\d:\d\d arcferry\[{os.getpid()}\]: FAIL", got)
        with pytest.raises(OSError, match="temporarily unavailable"):
            await _again_and_again(to)


@pytest.mark.parametrize(
    ("text", "kept"),
    [("a\0b 台北", "ab 台北"), ("x" * 40_000, "x" * 31_839), ("x" * 31_838 + "\U0001f6a2", "x" * 31_838)],
    ids=["short", "long", "cut at a pair"],
)
def test_an_event_holds_what_windows_takes_of_a_text(text: str, kept: str) -> None:
    assert bounded(text) == kept


@pytest.mark.skipif(sys.platform != "win32", reason="needs Windows")
async def test_windows_takes_an_event() -> None:
    await notifier("eventlog", Besides()).send(TOLD)


async def _again_and_again(to: Notifier) -> None:
    """Nobody reads: it says so, and does not wait."""
    for _ in range(10_000):
        await to.send(TOLD)


@pytest.fixture
async def hook(authority: Authority) -> AsyncIterator[tuple[str, list[object]]]:
    got: list[object] = []

    async def answer(request: web.Request) -> web.Response:
        got.append(await request.json())
        status = int(request.path.rpartition("/")[2])
        return web.Response(status=status, headers={"Location": "/elsewhere/200"})

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=authority.server_context(["127.0.0.1"])).start()
    yield f"https://127.0.0.1:{runner.addresses[0][1]}", got
    await runner.cleanup()


async def test_a_web_server_gets_json_and_its_certificate_is_verified(
    hook: tuple[str, list[object]], ca_file: Path
) -> None:
    url, got = hook
    await notifier(f"{url}/canary/202", Besides(ca_file=ca_file)).send(TOLD)
    assert got == [TOLD.document]
    with pytest.raises(ArcferryError, match="TLS failed"):
        await notifier(f"{url}/canary/202", Besides()).send(TOLD)
    assert len(got) == 1


@pytest.mark.parametrize("status", [302, 307, 400, 404, 429, 503])
async def test_what_a_web_server_does_not_take_is_said_without_the_path(
    hook: tuple[str, list[object]], ca_file: Path, status: int
) -> None:
    url, got = hook
    to = notifier(f"{url}/canary/{status}", Besides(ca_file=ca_file))
    with pytest.raises(ArcferryError, match=f"answered {status}") as caught:
        await to.send(TOLD)
    assert len(got) == 1
    assert "canary" not in f"{caught.value.message}{to.name}{to!r}"


def mail(ca_file: Path | None) -> Besides:
    return Besides("arcferry@corp.example", ["network@corp.example", "night@corp.example"], ca_file)


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_a_mail_goes_over_verified_tls(authority: Authority, ca_file: Path, scheme: str) -> None:
    context = authority.server_context(["127.0.0.1"])
    server = MailServer(tls=context if scheme == "smtp" else None)
    async with server.listening(context if scheme == "smtps" else None):
        await notifier(f"{scheme}://127.0.0.1:{server.port}?tls=required", mail(ca_file)).send(TOLD)
    assert server.encrypted == [True]
    (got,) = server.mails
    assert got["Subject"] == f"arcferry: {TOLD.subject}"
    assert got["From"] == "arcferry@corp.example"
    assert got["To"] == "network@corp.example, night@corp.example"
    assert got["Auto-Submitted"] == "auto-generated"
    assert "Please add 12076:51012." in got.get_content()


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_a_mail_server_with_an_unknown_certificate_gets_nothing(
    authority: Authority, scheme: str
) -> None:
    context = authority.server_context(["127.0.0.1"])
    server = MailServer(tls=context if scheme == "smtp" else None)
    async with server.listening(context if scheme == "smtps" else None):
        with pytest.raises(OSError, match="certificate verify failed"):
            await notifier(f"{scheme}://127.0.0.1:{server.port}?tls=required", mail(None)).send(TOLD)
    assert server.mails == []
    assert not any(line.startswith(("MAIL", "AUTH")) for line in server.heard)


async def test_a_mail_server_without_starttls_gets_nothing_unless_it_is_this_machine() -> None:
    server = MailServer()
    async with server.listening():
        with pytest.raises(ArcferryError, match="STARTTLS"):
            await notifier(f"smtp://127.0.0.1:{server.port}?tls=required", mail(None)).send(TOLD)
        assert server.mails == []
        await notifier(f"smtp://127.0.0.1:{server.port}", mail(None)).send(TOLD)
    assert server.encrypted == [False]


async def test_a_mail_server_that_wants_a_password_gets_it_from_a_file(
    authority: Authority, ca_file: Path, tmp_path: Path
) -> None:
    context = authority.server_context(["127.0.0.1"])
    server = MailServer(login=("watch", "hunter2"))
    async with server.listening(context):
        path = tmp_path / "mail"
        path.write_text(f"smtps://watch:hunter2@127.0.0.1:{server.port}?from=a@b.example&to=c@d.example\n")
        path.chmod(0o600)
        to = notifier(f"file:{path}", Besides(ca_file=ca_file))
        await to.send(TOLD)
        path.write_text(path.read_text().replace("hunter2", "hunter3"))
        wrong = notifier(f"file:{path}", Besides(ca_file=ca_file))
        with pytest.raises(ArcferryError, match="535 not with that password"):
            await wrong.send(TOLD)
    assert [one["To"] for one in server.mails] == ["c@d.example"]
    assert "hunter" not in f"{to!r}{to.name}"


async def test_a_recipient_that_is_refused_is_named() -> None:
    nobody = frozenset({"network@corp.example", "night@corp.example"})
    server = MailServer(refuses=nobody)
    async with server.listening():
        with pytest.raises(ArcferryError, match=r"refuses network@corp\.example, night@corp\.example"):
            await notifier(f"smtp://127.0.0.1:{server.port}", mail(None)).send(TOLD)


async def test_where_some_recipients_are_refused_the_others_get_it_once() -> None:
    server = MailServer(refuses=frozenset({"night@corp.example"}))
    async with server.listening():
        to = notifier(f"smtp://127.0.0.1:{server.port}", mail(None))
        with pytest.raises(NotifyError, match=r"refuses night@corp\.example") as caught:
            await to.send(TOLD)
    assert caught.value.partly
    assert len(server.mails) == 1


async def test_a_mail_server_that_says_nothing_is_left_and_not_asked_twice_at_once() -> None:
    there, leave = asyncio.Event(), asyncio.Event()

    async def mute(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there.set()
        await leave.wait()
        writer.transport.abort()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    to = notifier(f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}", mail(None))
    sending = asyncio.create_task(to.send(TOLD))
    await there.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    with pytest.raises(ArcferryError, match="has not ended yet"):
        await to.send(TOLD)
    leave.set()
    server.close()


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_a_textfile_is_whole_at_every_moment_and_readable_by_the_exporter(tmp_path: Path) -> None:
    to = notifier(f"textfile:{tmp_path}/arcferry.prom", Besides())
    for number in (1, 2):
        await to.send(Message(Level.OK, "", f"arcferry_watch_interval_seconds {number}\n", {}))
    assert names(tmp_path) == ["arcferry.prom"]
    assert (tmp_path / "arcferry.prom").read_text() == "arcferry_watch_interval_seconds 2\n"
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "arcferry.prom").stat().st_mode) == 0o644


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("pager", "names nobody"),
        ("command:page", "absolute path"),
        ("command:/nonexistent/page", "no program"),
        ("syslog:/nonexistent", "no such socket"),
        ("eventlog:System", "takes no name"),
        pytest.param("eventlog", "no Windows", marks=posix),
        ("command:/bin/\0true", "no text"),
        ("syslog:tcp://log.example", "neither a socket nor a log server"),
        ("syslog:udp://log.example:0", "neither a socket nor a log server"),
        ("syslog:udp://log.example:70000", "neither a socket nor a log server"),
        ("http://ops.example/hook", "without TLS"),
        ("https:///hook", "no URL"),
        ("smtp://mail.example", "from whom"),
        ("smtp://mail.example?from=a@b.example", "from whom"),
        ("smtp://mail.example?from=a@b.example&to=not-one", "is no address"),
        ("smtp://mail.example?from=a%0Db@b.example&to=c@d.example", "is no address"),
        ("smtp://", "no URL"),
        ("smtp://watch:canary@mail.example?from=a@b.example&to=c@d.example", "can be seen by others"),
        ("https://watch:canary@ops.example/hook", "can be seen by others"),
        ("textfile:/nonexistent/a.prom", "there is no folder"),
        ("textfile:/tmp/a.txt", "does not end in .prom"),
    ],
)
def test_wrong_words_are_refused_with_a_way_out(what: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        notifier(what, Besides())
    assert caught.value.hint
    assert "canary" not in f"{caught.value.message}{caught.value.hint}"


@posix
def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "hook"
    path.write_text("https://ops.example/canary\n")
    path.chmod(0o644)
    with pytest.raises(FileInputError, match="can be read by others"):
        notifier(f"file:{path}", Besides())
    path.chmod(0o600)
    assert notifier(f"file:{path}", Besides()).name == "webhook https://ops.example"
