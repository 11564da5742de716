"""What answers in WinRM's place, what is never sent, and what signing in needs beforehand."""

import asyncio
import base64
import logging
import re
import struct
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest

from arcferry.errors import (
    FileInputError,
    HostCommandError,
    HostError,
    HostSignInError,
    HostUnreachableError,
    InputError,
)
from arcferry.fleet.inventory import Host
from arcferry.fleet.inventory.cells import Auth
from arcferry.fleet.transport import winrm_trust
from arcferry.fleet.transport.session import Result
from arcferry.fleet.transport.winrm import open_winrm
from arcferry.fleet.transport.winrm_faults import FAULTS, KERBEROS, Subject, translated
from arcferry.fleet.transport.winrm_trust import WinrmTrust, is_local, refuse_unusable, ways
from arcferry_lab.pki import Authority

pytestmark = pytest.mark.xdist_group("winrm-strangers")  # they listen on one port
ADDRESS = "127.65.0.10"
PASSWORD = "Pa55 wörd!"
TRUST = WinrmTrust("Administrator", PASSWORD)
SUBJECT = Subject("web01", ADDRESS, 5986, "Administrator", "basic")


def web01(port: int, auth: str = "ntlm", address: str = ADDRESS) -> Host:
    return Host("web01", address, port, transport="winrm", auth=auth)


@asynccontextmanager
async def answering(answer: bytes, *, port: int = 5985, address: str = ADDRESS) -> AsyncIterator[list[bytes]]:
    """A server that gives the same answer to everything; yields what it was sent."""
    heard: list[bytes] = []
    talks: list[asyncio.Task[None] | None] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.append(asyncio.current_task())
        with suppress(ConnectionError):
            try:
                while data := await reader.read(65536):
                    heard.append(data)
                    writer.write(answer)
            finally:
                writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(talk, address, port)
    async with server:
        yield heard
        server.close()
        for one in filter(None, talks):
            one.cancel()  # or it would wait for a client that has given up, and has not hung up yet
        await asyncio.gather(*filter(None, talks), return_exceptions=True)


def http(status: str, *headers: str, body: bytes = b"") -> bytes:
    lines = (f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", "")
    return "\r\n".join(lines).encode() + body


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (http("407 Proxy", "Proxy-Authenticate: Basic"), HostUnreachableError, "HTTP proxy answers"),
        (http("503 Busy", "Via: 1.1 squid"), HostUnreachableError, "HTTP proxy answers"),
        (http("504 Gateway Timeout"), HostUnreachableError, "HTTP proxy answers"),
        (http("404 Not Found", body=b"<html>IIS</html>"), HostCommandError, "HTTP 404, which WinRM does not"),
        (http("200 OK", body=b"<html>It works!</html>"), HostCommandError, "does not answer as WinRM does"),
        (
            http("307 Moved", "Location: http://127.65.0.11/"),
            HostCommandError,
            "does not answer as WinRM does",
        ),
        (http("401 No", 'WWW-Authenticate: Basic realm="x"'), HostSignInError, "it offers basic"),
        (http("401 No"), HostSignInError, "it offers nothing"),
        (
            http("401 No", 'WWW-Authenticate: Bearer realm="x", error="no, negotiate"'),
            HostCommandError,
            "answers with HTTP 401, which WinRM does not",
        ),
        (
            http("401 No", 'WWW-Authenticate: Digest realm="x, y", qop="auth", Basic realm="z"'),
            HostSignInError,
            "it offers basic, digest",
        ),
        (b"SSH-2.0-OpenSSH_for_Windows_8.1\r\n", HostUnreachableError, "cut by the other side"),
    ],
)
async def test_what_is_not_winrm_is_named(answer: bytes, kind: type[HostError], words: str) -> None:
    async with answering(answer) as heard:
        with pytest.raises(kind, match=words):
            await open_winrm(web01(5985), TRUST)
    assert PASSWORD.encode() not in b"".join(heard)


async def test_what_speaks_no_tls_is_named() -> None:
    async with answering(http("200 OK"), port=5986):
        with pytest.raises(HostUnreachableError, match="does not speak TLS"):
            await open_winrm(web01(5986), TRUST)


async def test_a_name_that_nobody_knows_is_named() -> None:
    with pytest.raises(HostUnreachableError, match="its name is not known here"):
        await open_winrm(web01(5985, address="web01.invalid"), TRUST)


@pytest.mark.parametrize("auth", ["basic", "certificate"])
async def test_what_nothing_would_protect_is_not_sent(auth: Auth) -> None:
    async with answering(http("401 No", "WWW-Authenticate: Basic")) as heard:
        with pytest.raises(HostSignInError, match=f"auth {auth} on port 5985: over HTTP"):
            await open_winrm(web01(5985, auth), WinrmTrust("me", PASSWORD))
    assert heard == []


async def test_a_host_that_is_silent_costs_its_deadline_only() -> None:
    async with answering(b""):
        began = time.monotonic()
        with pytest.raises(HostUnreachableError, match="no answer in time"):
            await open_winrm(web01(5985), TRUST, deadline=1)
        assert time.monotonic() - began < 5


async def test_the_environments_proxies_and_cas_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.65.0.99:3128")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    async with answering(http("404 Not Found")) as heard:
        with pytest.raises(HostCommandError, match="HTTP 404"):
            await open_winrm(web01(5985), TRUST)
    assert heard[0].startswith(b"POST /wsman ")


@pytest.mark.parametrize(
    ("installed", "trust", "said", "wanted"),
    [
        (True, WinrmTrust("me@CORP.EXAMPLE"), "", ("kerberos",)),
        (True, WinrmTrust("me@CORP.EXAMPLE", PASSWORD), "", ("kerberos", "ntlm")),
        (True, WinrmTrust(), "", ("kerberos",)),
        (True, WinrmTrust("Administrator", PASSWORD), "", ("ntlm",)),
        (True, WinrmTrust("CORP\\me", PASSWORD), "", ("ntlm",)),
        (False, WinrmTrust("me@CORP.EXAMPLE", PASSWORD), "", ("ntlm",)),
        (True, WinrmTrust("me@CORP.EXAMPLE", PASSWORD), "basic", ("basic",)),
    ],
)
def test_kerberos_comes_first_where_it_can_be(
    monkeypatch: pytest.MonkeyPatch, installed: bool, trust: WinrmTrust, said: str, wanted: tuple[str, ...]
) -> None:
    monkeypatch.setattr(winrm_trust, "find_spec", lambda _: object() if installed else None)
    assert ways(trust, said, trust.user, "web01.corp.example") == wanted


_ENVELOPE = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header><RelatesTo '
    'xmlns="http://schemas.xmlsoap.org/ws/2004/08/addressing">{about}</RelatesTo></s:Header>'
    '<s:Body xmlns="http://schemas.microsoft.com/wbem/wsman/1/windows/shell" '
    'xmlns:w="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault">{body}</s:Body></s:Envelope>'
)
_FAULT = "<s:Fault><s:Detail><w:WSManFault Code='{}'/></s:Detail></s:Fault>"
_DONE = (
    "<Shell><ShellId>1</ShellId></Shell><CommandResponse><CommandId>2</CommandId></CommandResponse>"
    "<ReceiveResponse><Stream Name='stdout'>{}</Stream><CommandState State='http://schemas.microsoft.com/"
    "wbem/wsman/1/windows/shell/CommandState/Done'>{}</CommandState></ReceiveResponse>"
)
MALFORMED = {
    "nothing": (200, ""),
    "no shell": (200, "<Shell><ShellId/></Shell>"),
    "no code": (500, _FAULT.format("")),
    "a word for a code": (500, _FAULT.format("five")),
    "a code that is no number": (500, _FAULT.format("1e999")),
    "a code of 5,000 digits": (500, _FAULT.format("9" * 5000)),
    "an empty code": (500, "<s:Fault><s:Code><s:Value/></s:Code></s:Fault>"),
    "an empty reason": (500, "<s:Fault><s:Reason><s:Text/></s:Reason></s:Fault>"),
    "no command": (200, "<Shell><ShellId>1</ShellId></Shell>"),
    "a stream that is not Base64": (200, _DONE.format("a", "<ExitCode>0</ExitCode>")),
}


@asynccontextmanager
async def malformed(folder: Path, status: int, body: str) -> AsyncIterator[tuple[int, WinrmTrust]]:
    """A server that answers every request with the same, over TLS; yields its port, and what signs in."""
    authority = Authority()
    (folder / "ca.pem").write_bytes(authority.pem)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            (length,) = re.findall(rb"(?i)content-length: (\d+)", head)
            asked = (await reader.readexactly(int(length))).decode()
            about = re.findall("MessageID[^>]*>([^<]+)<", asked)[0]
            text = _ENVELOPE.format(about=about, body=body).encode()
            kind = "Content-Type: application/soap+xml"
            writer.write(http(f"{status} X", kind, "Connection: close", body=text))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, ADDRESS, 0, ssl=authority.server_context([ADDRESS]))
    async with server:
        yield server.sockets[0].getsockname()[1], replace(TRUST, ca_file=folder / "ca.pem")


@pytest.mark.parametrize("answer", MALFORMED)
async def test_a_malformed_answer_is_told_as_any_other(tmp_path: Path, answer: str) -> None:
    async with malformed(tmp_path, *MALFORMED[answer]) as (port, trust):
        with pytest.raises(HostError) as failed:
            await _run(port, trust)
    assert failed.value.message.startswith(f"web01 ({ADDRESS}:{port}): ")


async def test_an_end_without_output_and_exit_code_is_no_success(tmp_path: Path) -> None:
    async with malformed(tmp_path, 200, _DONE.format("", "<ExitCode/>")) as (port, trust):
        result = await _run(port, trust)
    assert (result.exit_status, result.stdout) == (-1, b"")


async def _run(port: int, trust: WinrmTrust) -> Result:
    session = await open_winrm(web01(port, "basic"), trust)
    try:
        return await session.run(["a.exe"])
    finally:
        await session.close()


@pytest.mark.parametrize(
    "error",
    [TypeError("None"), OverflowError(), ZeroDivisionError(), struct.error(), KeyError("x"), ValueError()],
)
def test_what_takes_the_reading_apart_is_the_strangers(error: Exception) -> None:
    with pytest.raises(HostCommandError, match="does not answer as WinRM does"), translated(SUBJECT):
        raise error


def test_every_code_has_one_meaning() -> None:
    assert all(0 < code < 1 << 32 for code in FAULTS)
    assert all(-1765328384 <= code < 0 for code in KERBEROS)
    assert KERBEROS[-1765328347].text.startswith("Kerberos: the clocks")


@pytest.mark.parametrize(
    ("user", "local"),
    [
        ("Administrator", True), (".\\ops", True), ("web01\\ops", True), ("WEB01\\ops", True),
        ("CORP\\ops", False), ("ops@corp.example", False),
    ],
)  # fmt: skip
def test_a_local_account_is_told_from_a_domains(user: str, local: bool) -> None:
    assert is_local(user, "web01.corp.example") is local


@pytest.mark.parametrize(
    ("auth", "trust", "port", "words"),
    [
        ("ntlm", WinrmTrust("", PASSWORD), 5985, "no user"),
        ("ntlm", WinrmTrust("me"), 5985, "no password"),
        ("basic", WinrmTrust("me"), 5986, "no password"),
        ("certificate", WinrmTrust(), 5986, "no certificate"),
    ],
)
def test_what_could_not_work_is_refused_before(auth: Auth, trust: WinrmTrust, port: int, words: str) -> None:
    with pytest.raises(InputError, match=words) as refused:
        refuse_unusable(trust, auth, trust.user, port)
    assert refused.value.hint


def test_kerberos_that_is_not_installed_says_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(winrm_trust, "find_spec", lambda _: None)
    with pytest.raises(InputError, match="packages for Kerberos are not installed") as refused:
        refuse_unusable(WinrmTrust(), "kerberos", "me@CORP.EXAMPLE", 5985)
    for word in ("arcferry[kerberos]", "C compiler", "libkrb5", "closed jump host", "ntlm"):
        assert word in refused.value.hint


def test_kerberos_wants_the_name_of_a_principal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(winrm_trust, "find_spec", lambda _: object())
    with pytest.raises(InputError, match="written as for NTLM") as refused:
        refuse_unusable(WinrmTrust(), "kerberos", "CORP\\me", 5985)
    assert "me@REALM" in refused.value.hint


def test_a_password_shows_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    assert PASSWORD not in repr(TRUST)
    with caplog.at_level(logging.DEBUG):
        asyncio.run(_refused())
    written = base64.b64encode(PASSWORD.encode()).decode()
    assert not [text for text in (PASSWORD, written) if text in caplog.text]


async def _refused() -> None:
    async with answering(http("401 No", "WWW-Authenticate: Negotiate")):
        with pytest.raises(HostError):
            await open_winrm(web01(5985), TRUST)


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        ("x\n", 0o644, "can be read by others"),
        ("", 0o600, "holds no password"),
        ("a\nb", 0o600, "more than one line"),
    ],
)  # fmt: skip
def test_a_password_file_is_the_owners_alone(tmp_path: Path, content: str, mode: int, words: str) -> None:
    path = tmp_path / "password"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(FileInputError, match=words):
        winrm_trust.password_from_file(path)


def test_a_password_comes_from_a_file_as_it_stands_there(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text(f"{PASSWORD}\n", encoding="utf-8")
    path.chmod(0o600)
    assert winrm_trust.password_from_file(path) == PASSWORD


class Store(keyring.backend.KeyringBackend):
    """A keyring in memory."""

    priority = 1
    held: dict[tuple[str, str], str]

    def get_password(self, service: str, username: str) -> str | None:
        if service == "locked":
            raise keyring.errors.KeyringLocked("it is locked")
        return PASSWORD if (service, username) == ("arcferry", "me") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


@pytest.fixture
def _keyring() -> object:
    before = keyring.get_keyring()
    keyring.set_keyring(Store())
    yield
    keyring.set_keyring(before)


@pytest.mark.usefixtures("_keyring")
def test_a_password_comes_from_the_keyring() -> None:
    assert winrm_trust.password_from_keyring("arcferry", "me") == PASSWORD
    for service, user, words in (
        ("arcferry", "you", "holds no password of you under arcferry"),
        ("locked", "me", "cannot be read: it is locked"),
        ("arcferry", "", "a user's password"),
    ):
        with pytest.raises(InputError, match=words):
            winrm_trust.password_from_keyring(service, user)


def test_a_keyring_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(InputError, match="not installed") as refused:
        winrm_trust.password_from_keyring("arcferry", "me")
    assert "arcferry[keyring]" in refused.value.hint


def test_a_key_that_others_read_and_files_that_are_none_are_refused(tmp_path: Path) -> None:
    leaf = Authority().issue(["me@corp.example"], client=True)
    pem, ca = tmp_path / "me.pem", tmp_path / "ca.pem"
    pem.write_bytes(leaf.certificate_pem + leaf.key_pem)
    ca.write_text("no certificate")
    with pytest.raises(FileInputError, match="can be read by others"):
        WinrmTrust(certificate=pem).client_context()
    pem.chmod(0o600)
    WinrmTrust(certificate=pem).client_context()
    with pytest.raises(FileInputError, match="holds no certificate in PEM"):
        WinrmTrust(ca_file=ca).context()
    pem.write_bytes(leaf.certificate_pem)
    with pytest.raises(FileInputError, match="no certificate with the private key"):
        WinrmTrust(certificate=pem).client_context()
