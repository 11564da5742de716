"""The text of an inventory, whatever program saved it; a file is in one encoding from its first line on."""

import codecs
import re
import unicodedata
from difflib import get_close_matches
from pathlib import Path

from arcferry.errors import FileInputError
from arcferry.text import quoted

OPTION = "--inventory-encoding"
_NAMES = (
    "utf-8", "utf-16", "utf-16-le", "utf-16-be",
    "cp950", "big5", "big5hkscs", "gb18030", "gbk", "gb2312", "cp932", "shift_jis", "euc_jp", "cp949",
    "euc_kr", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258",
    "cp874", "cp437", "cp850", "cp852", "cp866", "iso8859-1", "iso8859-2", "iso8859-15",
)  # fmt: skip
"""What spreadsheet programs and Windows save texts in; Python knows more, and some of those are no text."""

_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_LIKELY = ("cp950", "gb18030", "cp932", "cp949", "cp1252", "cp1250", "cp1251")
_MOST_NAMED = 4
_SAVE = "Save it as “CSV UTF-8”."
_WORD = re.compile(r"[^\W\d_]*[^\W\d_a-zA-Z][^\W\d_]*")
# Letters without case are CJK's; these come with them.
_WITH_CJK = frozenset("\u3000\u3001\u3002\u300c\u300d\uff08\uff09\uff0c\uff1a\uff1b\u00b7")
_TYPOGRAPHIC = frozenset("\u2013\u2014\u2018\u2019\u201c\u201d\u2026\u20ac\u00b0\u00a0\u00df\u00b4")


def known_encoding(name: str) -> str:
    """Python's name of an encoding that inventories are read in; empty for an empty name.

    Raises:
        ValueError: there is no such encoding here; near names are offered.
    """
    if not name:
        return ""
    known = {codecs.lookup(one).name: one for one in _NAMES}
    try:
        found = codecs.lookup(name.strip()).name
    except (LookupError, ValueError):
        found = ""
    if found not in known:
        near = get_close_matches(name.lower(), _NAMES, n=3)
        others = ", ".join(near or ("cp950", "gb18030", "cp1252", "big5"))
        raise ValueError(f"{OPTION} {quoted(name, limit=40)} is not known; there is for example {others}")
    return known[found]


def decoded(path: Path, data: bytes, encoding: str = "") -> str:
    """The file's text without its mark. Without an encoding it is UTF-8, or UTF-16 where a mark says so.

    Raises:
        FileInputError: naming the line: not in that encoding, in two, or with a NUL character.
        ValueError: as for `known_encoding`.
    """
    encoding = known_encoding(encoding)
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise FileInputError(path, "is UTF-32", hint=_SAVE)
    marked = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "")
    if marked and encoding and not marked.startswith(encoding.removesuffix("-le").removesuffix("-be")):
        says = f"begins with the mark of {marked.upper()}, and {OPTION} says {encoding}"
        raise FileInputError(path, says, hint=f"Leave {OPTION} out: the mark tells.")
    name = marked or encoding or "utf-8"
    data = data.removeprefix(next((mark for mark, one in _MARKS.items() if one == marked), b""))
    if not name.startswith("utf-16"):
        _refuse_two(path, data, "" if name == "utf-8" else name)
    try:
        text = data.decode(name)
    except UnicodeDecodeError as error:
        raise _not_in(path, data, name, error) from None
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        at = text.index("\0")
        hint = f"A UTF-16 file without a mark: {OPTION} utf-16-le" if "\0" in text[at + 1 : at + 4] else ""
        raise FileInputError(path, "holds a NUL character", line=text.count("\n", 0, at) + 1, hint=hint)
    return text


def _not_in(path: Path, data: bytes, name: str, error: UnicodeDecodeError) -> FileInputError:
    line = data.count(b"\n", 0, error.start) + 1
    if name.startswith("utf-16"):
        line = data[: error.start].decode(name, errors="replace").count("\n") + 1
    if name != "utf-8":
        return FileInputError(path, f"is not {name}", line=line, hint=_way_out(data))
    return FileInputError(path, "is not UTF-8", line=line, hint=_way_out(data))


def _way_out(data: bytes) -> str:
    found = _likely(data)
    if not found:
        return _SAVE
    shown = " or ".join(f"{name} ({quoted(word, limit=20)})" if word else name for name, word in found)
    return f"It may be {shown}: pass {OPTION} {found[0][0]}, or save it as “CSV UTF-8”."


def _likely(data: bytes) -> list[tuple[str, str]]:
    """Encodings in which the whole file is words, each with one of them."""
    found: list[tuple[str, str]] = []
    for name in _LIKELY:
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            continue
        letters = {letter for letter in text if not letter.isascii()}
        if letters and all(_is_written(letter) for letter in letters):
            word = _WORD.search(text)
            found.append((name, word[0] if word else ""))
    # Two letters of Western Europe beside each other are rare, and two bytes of CJK usual.
    pairs = re.search(rb"[\x81-\xfe][\x80-\xfe]", data) is not None
    wide = [one for one in found if not one[0].startswith("cp125")]
    narrow = [one for one in found if one[0].startswith("cp125")]
    return ([*wide, *narrow] if pairs else [*narrow, *wide])[:_MOST_NAMED]


def _is_written(letter: str) -> bool:
    return letter in _WITH_CJK or letter in _TYPOGRAPHIC or unicodedata.category(letter)[0] == "L"


def _refuse_two(path: Path, data: bytes, name: str) -> None:
    """Refuse a file of which some lines are UTF-8 and others are not: one program's text within another's.

    Raises:
        FileInputError: it is such a file, naming the first line of the second encoding.
    """
    if data.isascii():
        return
    # A few bytes of the wide encodings may look like UTF-8 by chance, three in a row hardly.
    wide = bool(name) and "\u3000".encode(name, errors="ignore") != b""
    first: dict[bool, int] = {}
    for number, line in enumerate(data.split(b"\n"), start=1):
        kind = _is_utf8(line, wide=wide)
        if kind is None or kind in first:
            continue
        first[kind] = number
        if len(first) > 1:
            says = f"is in two encodings: line {first[True]} is UTF-8, line {first[False]} is not"
            hint = "One part was pasted or added by another program. Save the whole as “CSV UTF-8”."
            raise FileInputError(path, says, line=number, hint=hint)


def _is_utf8(line: bytes, *, wide: bool) -> bool | None:
    """Whether a line is UTF-8; None where it does not tell."""
    if line.isascii():
        return None
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return None if wide and max(text) < "\u0800" else True
