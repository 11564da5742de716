import errno
import socket
import ssl
import unicodedata

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from hypothesis import given
from hypothesis import strategies as st

from arcferry.text import cell, clean, fill, glued, one_line, quoted, said, width, without_reprs, wrapped

KEY = ConnectionKey("arc.example", 443, True, ssl.create_default_context(), None, None, None)
REFUSED = aiohttp.ClientConnectorError(KEY, ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed"))
UNTRUSTED = aiohttp.ClientConnectorCertificateError(
    KEY, ssl.SSLCertVerificationError(1, "certificate verify failed: self-signed certificate")
)

CLOSING = "\uff0c\u3002\u3001\uff09\u300d\uff1a"
LETTERS = st.sampled_from('ab1.,)(`"伺服器\uff08\u300c ' + CLOSING)


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        (b"plain", "plain"),
        (b"\x1b[31mred\x1b[0m", "red"),
        (b"\x1b]0;title\x07shown", "shown"),
        (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        (b"a\r\nb\tc", "a\nb\tc"),
        (b"bell\x07 null\x00", "bell null"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        ("abc\u202etxt.exe", "abctxt.exe"),
        ("lone \ud800 half", "lone  half"),
        ("\u9751\u5c71", "\u9751\u5c71"),
    ],
)
def test_cleaned(raw: bytes | str, cleaned: str) -> None:
    assert clean(raw) == cleaned


@given(st.one_of(st.binary(max_size=400), st.text(st.characters(exclude_categories=[]), max_size=400)))
def test_whatever_comes_is_safe_to_print(raw: bytes | str) -> None:
    text = clean(raw, limit=100)
    assert len(text) <= 100
    assert not [c for c in text if unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\t"]
    text.encode()


def test_a_flood_costs_no_more_than_its_limit() -> None:
    assert clean(b"x" * 100_000_000, limit=10) == "x" * 10


def test_one_line_is_one_line_and_short() -> None:
    assert one_line("a\n  b\r\n\tc") == "a b c"
    assert one_line("x" * 50, limit=10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (r"\\fs01\arcferry", r"'\\fs01\arcferry'"),
        (" web01 ", "' web01 '"),
        ("a\tb\nc", "'a b c'"),
        (b"220 mail ESMTP\r\n", "'220 mail ESMTP'"),
        ("\x1b[31mred\x07\u202e", "'red'"),
        (b"\xff<html>", "'\ufffd<html>'"),
        ("it's", "'it's'"),
        ("青山", "'青山'"),
        ("x" * 500, f"'{'x' * 119}…'"),
    ],
)
def test_quoted_for_a_person(raw: bytes | str, shown: str) -> None:
    assert quoted(raw) == shown


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 9)"), "Connection refused"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", r"C:\\x"), "No such file or directory"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (OSError("proxy gave up"), "proxy gave up"),
        (REFUSED, "arc.example:443: Connection refused"),
        (UNTRUSTED, "arc.example:443: certificate verify failed: self-signed certificate"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "[SSL: WRONG_VERSION_NUMBER]"),
        (TimeoutError(), "TimeoutError"),
        (ValueError("<ssl.SSLContext object at 0x7f00aa> is old"), "SSLContext is old"),
        (KeyError("name"), "name"),
    ],
)
def test_what_a_foreign_error_says(error: Exception, says: str) -> None:
    assert said(error).startswith(says)
    assert " object at " not in said(error)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (r"'\\\\fs01\\x' is not a valid integer.", r"'\\fs01\x' is not a valid integer."),
        ("'a' is not one of 'b', 'c'", "'a' is not one of 'b', 'c'"),
        (r"""found '\x1b[31m' and "it's\\" """, r"""found '' and 'it's\' """),
        (r"it's C:\new and it's 'not", r"it's C:\new and it's 'not"),
    ],
)
def test_reprs_of_others_become_plain(text: str, plain: str) -> None:
    assert without_reprs(text) == plain


def test_a_template_is_filled_once() -> None:
    assert fill("{{a}}, {{b}} and {{a}}", {"a": "{{b}}", "b": "2"}) == "{{b}}, 2 and {{b}}"
    with pytest.raises(KeyError):
        fill("{{missing}}", {})


@given(st.text(LETTERS, max_size=200), st.integers(20, 60))
def test_wrapping_loses_no_letter_and_keeps_to_the_width(text: str, columns: int) -> None:
    lines = wrapped(text, columns, first="- ", rest="  ")
    assert "".join("".join(lines).removeprefix("- ").split()) == "".join(text.split())
    for line in lines:
        whole = line.strip().removeprefix("- ")
        assert width(line) <= columns or " " not in whole


@given(st.text(LETTERS, max_size=200), st.integers(20, 60))
def test_no_line_begins_with_a_closing_mark_between_words(text: str, columns: int) -> None:
    for line in wrapped(text, columns)[1:]:
        before = text[text.find(line) - 1] if text.count(line) == 1 else " "
        assert before == " " or line[0] not in f"{CLOSING},.)"


def test_glued_words_stay_on_one_line() -> None:
    command = "arcferry check -l eastasia"
    assert wrapped(f"run {glued(command)} now", 12) == ["run", command, "now"]


@pytest.mark.parametrize(
    ("text", "inert"),
    [
        ("=1+1", "'=1+1"),
        (" @a", " '@a"),
        ("a;=b;\t+c", "a;'=b;\t'+c"),
        ("\uff1d1", "'\uff1d1"),
        ("web-01, 10.0.0.1; a=b", "web-01, 10.0.0.1; a=b"),
        ("", ""),
    ],
)
def test_no_cell_of_a_spreadsheet_is_a_formula(text: str, inert: str) -> None:
    assert cell(text) == inert
