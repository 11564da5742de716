import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.text import clean, one_line


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
