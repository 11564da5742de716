"""The gettext catalogue of errors: brought up to the source, compiled, and held to it.

The source's texts are templates (`error_texts`); a translator edits the `.po`, and arcferry reads the `.mo`.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from error_texts import templates

LOCALE = Path(__file__).parents[1] / "src/arcferry/locale"
_BLANK = re.compile(r"\{(\w*)\}")


def read(path: Path) -> Catalog:
    """A catalogue; empty if there is none."""
    return read_po(io.BytesIO(path.read_bytes() if path.exists() else b""), locale="zh_TW", charset="utf-8")


def compiled(catalog: Catalog) -> bytes:
    """What gettext reads; the same for the same texts on every day."""
    plain = Catalog(locale=catalog.locale, charset="utf-8", header_comment="")
    for one in _messages(catalog):
        if one.string and not one.fuzzy:
            plain.add(one.id, one.string)
    plain.creation_date = plain.revision_date = _NO_DAY
    out = io.BytesIO()
    write_mo(out, plain)
    return out.getvalue()


_NO_DAY = Catalog().creation_date.replace(2000, 1, 1, 0, 0, 0, 0)


def update(language: str) -> None:
    """Take in what is new in the source, leave out what is gone, and compile."""
    path = LOCALE / language / "errors.po"
    before, after = read(path), Catalog(locale="zh_TW", charset="utf-8")
    for text in templates():
        known = before.get(text)
        after.add(text, known.string if known else "", flags=known.flags if known else ())
    with path.open("wb") as file:
        write_po(file, after, width=0, omit_header=True)
    path.with_suffix(".mo").write_bytes(compiled(after))


def problems(language: str, texts: dict[str, str]) -> Iterator[str]:
    """Each text of the source that is not translated, and each translation that does not fit."""
    path = LOCALE / language / "errors.po"
    catalog = read(path)
    known = {str(one.id): one for one in _messages(catalog)}
    for text, place in texts.items():
        one = known.get(text)
        if one is None or not one.string:
            yield f"{path.name}: {place}: is not translated: {text}"
        elif one.fuzzy:
            yield f"{path.name}: {place}: is marked fuzzy: {text}"
        elif sorted(_BLANK.findall(text)) != sorted(_BLANK.findall(one.string)):
            yield f"{path.name}: {place}: has other blanks: {text}"
    yield from (f"{path.name}: is not in the source: {text}" for text in known.keys() - texts.keys())
    if path.with_suffix(".mo").read_bytes() != compiled(catalog):
        yield f"{path.stem}.mo: is not what {path.name} compiles to"


def _messages(catalog: Catalog) -> Iterator[Message]:
    return (one for one in catalog if one.id)
