"""Inventories as spreadsheet programs save them, in whatever encoding."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.errors import FileInputError
from arcferry.fleet.inventory import Reading, read_inventory
from arcferry.fleet.inventory.encodings import decoded, known_encoding

TABLE = "name;tags\r\nweb01;site=台北\r\nweb02;site=台南\r\n"
WESTERN = "name;tags\r\nweb01;site=München\r\n"

READ = {
    "UTF-8": (TABLE.encode(), ""),
    "UTF-8 with a mark": (TABLE.encode("utf-8-sig"), ""),
    "UTF-8 with a mark, and said": (TABLE.encode("utf-8-sig"), "UTF-8"),
    "UTF-16 with a mark": (b"\xff\xfe" + TABLE.encode("utf-16-le"), ""),
    "UTF-16, big end first": (b"\xfe\xff" + TABLE.encode("utf-16-be"), ""),
    "UTF-16 without a mark": (TABLE.encode("utf-16-le"), "utf-16-le"),
    "cp950": (TABLE.encode("cp950"), "cp950"),
    "big5": (TABLE.encode("big5"), "Big5"),
    "gb18030": (TABLE.encode("gb18030"), "GB18030"),
    "cp936": (TABLE.replace("台南", "上海").encode("gbk"), "cp936"),
    "cp1252": (WESTERN.encode("cp1252"), "windows-1252"),
}


@pytest.mark.parametrize("case", READ)
def test_a_file_is_read_in_the_encoding_that_it_says_or_that_is_said_of_it(tmp_path: Path, case: str) -> None:
    data, encoding = READ[case]
    path = tmp_path / "fleet.csv"
    path.write_bytes(data)
    hosts = read_inventory(path, Reading(encoding=encoding)).hosts
    assert hosts[0].tags["site"] == ("München" if case == "cp1252" else "台北")


UTF8, CP950, CP1252 = "a,台北\n".encode(), "b,台北\n".encode("cp950"), "b,Köln\n".encode("cp1252")
REFUSED = {
    "cp950 unsaid": (b"name\n" + CP950, "", 2, "is not UTF-8", "cp950 ('台北')"),
    "cp1252 unsaid": (b"name\n" + CP1252, "", 2, "is not UTF-8", "pass --inventory-encoding cp1252"),
    "no text at all": (b"name\n\x81\xff\x00\x9d\n", "", 2, "is not UTF-8", "CSV UTF-8"),
    "another encoding is said": (b"a\n" + UTF8, "cp950", 2, "is not cp950", ""),
    "two encodings": (b"name\n" + UTF8 + CP950, "", 3, "line 2 is UTF-8, line 3 is not", "as a whole"),
    "two, the other first": (CP950 + UTF8, "", 2, "line 2 is UTF-8, line 1 is not", ""),
    "two, one of them said": (b"n\n" + CP1252 + "a,Zürich\n".encode(), "cp1252", 3, "two encodings", ""),
    "a mark and another": (b"\xef\xbb\xbfname\n", "cp950", None, "begins with the mark of UTF-8", "out"),
    "a mark of UTF-16 and another": (b"\xff\xfea\0", "cp1252", None, "the mark of UTF-16-LE", ""),
    "half of UTF-16": (b"\xff\xfea\0\n\0b", "", 2, "is not utf-16-le", ""),
    "UTF-16 without a mark": ("name\na\n".encode("utf-16-le"), "", 1, "NUL", "utf-16-le"),
    "UTF-32": ("name\na\n".encode("utf-32"), "", None, "is UTF-32", "UTF-8"),
    "NUL": (b"name\na\0\n", "", 2, "NUL", ""),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_in_no_one_encoding_is_refused_with_its_line(case: str) -> None:
    data, encoding, line, says, hint = REFUSED[case]
    with pytest.raises(FileInputError) as caught:
        decoded(Path("fleet.csv"), data, encoding)
    assert caught.value.line == line
    assert says in caught.value.message
    assert hint.replace("as a whole", "the whole") in caught.value.hint


@pytest.mark.parametrize("name", ["utf-7", "idna", "rot13", "base64", "unicode_escape", "cp95", "x\0y", "ü"])
def test_an_encoding_of_no_text_is_refused_with_others(name: str) -> None:
    with pytest.raises(ValueError, match="is not known; there is for example"):
        known_encoding(name)


@given(
    text=st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), max_size=80),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_every_text_that_says_its_encoding_comes_back(text: str, encoding: str) -> None:
    assert decoded(Path("a.csv"), text.encode(encoding)) == text


@given(data=st.binary(max_size=200), encoding=st.sampled_from(["", "cp950", "gb18030", "cp1252", "utf-16"]))
def test_any_bytes_are_a_text_or_refused(data: bytes, encoding: str) -> None:
    refused = ""
    try:
        assert "\0" not in decoded(Path("a.csv"), data, encoding)
    except FileInputError as error:
        refused = error.message
    assert not refused or refused.startswith("a.csv")
