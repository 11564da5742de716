"""What programs on Windows print: in a code page, as UTF-16, or as PowerShell's CLIXML; made UTF-8 here."""

import codecs
import re

from arcferry.text import from_clixml

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 4096
_HIGHEST_PAGE = 65_535
_UTF8_PAGE = 65_001
# PowerShell writes what goes to its error output so where that is no console ([MS-PSRP] 2.2.5, 2.2.3.9).
_CLIXML = "#< CLIXML"
_SAID = re.compile(r'<S S="(?:Error|Warning)">([^<]*)</S>')


def page_in(text: bytes) -> int:
    """The code page that `chcp` names, in whatever language; 0 where there is none."""
    numbers = [int(digits) for digits in re.findall(rb"(?<!\d)\d{3,5}(?!\d)", text[:_SAMPLE])]
    return next((number for number in reversed(numbers) if number <= _HIGHEST_PAGE), 0)


def as_utf8(data: bytes, page: int = 0) -> bytes:
    """The same words in UTF-8. What cannot be read stays, to be shown with replacement.

    Args:
        data: as a program printed it.
        page: the code page of the host's programs, 0 where it is not known.
    """
    if data.isascii() and b"\0" not in data and _CLIXML.encode() not in data:
        return data
    text = _without_clixml(_decoded(data, page))
    return text.encode("utf-8", errors="replace")


def _decoded(data: bytes, page: int) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.removeprefix(mark).decode(encoding, errors="replace")
    if encoding := _without_a_mark(data):
        return data.decode(encoding, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode(_codec(page), errors="replace")


def _without_a_mark(data: bytes) -> str:
    """UTF-16's, by the zeros that a line's end and whatever is ASCII have in it."""
    sample = data[:_SAMPLE]
    low, high = sample[0::2].count(0), sample[1::2].count(0)
    # One in eight is enough: Chinese text has few, and no code page has any.
    if max(low, high) * 16 < len(sample):
        return ""
    return "utf-16-le" if high > low else "utf-16-be"


def _codec(page: int) -> str:
    try:
        return codecs.lookup("utf-8" if page in {0, _UTF8_PAGE} else f"cp{page}").name
    except LookupError:
        return "utf-8"


def _without_clixml(text: str) -> str:
    """Errors and warnings of CLIXML as lines, without the progress beside them; other text as it is.

    Not by a parser: it is a host's, and parts of it may be missing.
    """
    first, *rest = text.split(_CLIXML)
    lines = [first]
    for part in rest:
        if part.lstrip().startswith("<Objs"):
            document, _, after = part.partition("</Objs>")
            lines += _what_it_says(document), after
        elif part.strip():
            lines.append(_CLIXML + part)
    return "\n".join(filter(None, (line.strip("\r\n") for line in lines)))


def _what_it_says(document: str) -> str:
    return "".join(map(from_clixml, _SAID.findall(document)))
