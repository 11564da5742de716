"""Say which translated texts are missing or older than their English, or stamp them once they were read.

    python scripts/translations.py           what is missing, stale or too much
    python scripts/translations.py --stamp FAMILY [SLUG]    these were compared with the English of now
    python scripts/translations.py --errors  take the texts of errors into errors.po, and compile it

Each translated entry has `of`, which stands for the English text that it was made from; so have the tables
that all entries of a file share, at the top of the file. What errors say is in a catalogue of gettext's.
The texts of codes (catalog/data/zh-TW) need no stamps: each stands behind the whole English text that it was
made from.
"""

import hashlib
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WORDS = Path(__file__).parents[1] / "src/arcferry/diagnosis/words"
CODES = Path(__file__).parents[1] / "src/arcferry/catalog/data"
SHARED = "shared"
_FIELD = re.compile(r"\{\w+\}")
_NOT_TRANSLATED = {"commands", "symptom", "sample", "to", "of", "when"}
"""What is no sentence of arcferry's, or a name that is looked up."""
_ALWAYS_ENGLISH = {"support.toml"}
"""What goes to Microsoft."""


def read(path: Path) -> dict[str, Any]:
    """A file of words; empty if there is none."""
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def entries(family: dict[str, Any]) -> dict[str, Any]:
    """Each entry by its slug, and what they share."""
    found = {slug: table for slug, table in family.items() if "/" in slug}
    shared = {key: table for key, table in family.items() if "/" not in key}
    return ({SHARED: shared} if texts(shared) else {}) | found


def texts(value: Any) -> Any:  # noqa: ANN401  # of TOML
    """What of a table is to be translated."""
    if isinstance(value, dict):
        kept = {key: texts(one) for key, one in value.items() if key not in _NOT_TRANSLATED}
        return {key: one for key, one in kept.items() if one not in ({}, [], "")}
    return value if not isinstance(value, str) or re.search(r"\w", _FIELD.sub("", value)) else ""


def stamp(english: Any) -> str:  # noqa: ANN401  # as above
    """Stands for an English text."""
    return hashlib.sha256(json.dumps(texts(english), sort_keys=True).encode()).hexdigest()[:8]


def problems(language: str) -> Iterator[str]:
    """Each text that is missing, stale or without an English one."""
    for path in sorted((WORDS / "en").glob("*.toml")):
        if path.name in _ALWAYS_ENGLISH:
            continue
        english, translated = entries(read(path)), entries(read(WORDS / language / path.name))
        yield from (f"{path.name}: {slug} has no English" for slug in translated.keys() - english.keys())
        for slug, table in english.items():
            given = translated.get(slug, {})
            lacking = texts(table).keys() - given.keys()
            if lacking:
                yield f"{path.name}: {slug} lacks {', '.join(sorted(lacking))}"
            elif given.get("of") != stamp(table):
                yield f"{path.name}: {slug} is of another English text (of = {given.get('of')})"


def code_problems(language: str) -> Iterator[str]:
    """Each text of a code that is missing or left over, and each that stands in two files."""
    known: dict[str, str] = {}
    for path in sorted((CODES / language).glob("*.toml")):
        given = read(path)
        yield from (
            f"{path.name}: stands in {known[text]} too: {text}" for text in given.keys() & known.keys()
        )
        known |= dict.fromkeys(given, path.name)
    texts = code_texts()
    yield from (f"{place}: is not translated: {text}" for text, place in texts.items() if text not in known)
    yield from (f"{known[text]}: has no English: {text}" for text in known.keys() - texts.keys())


def code_texts() -> dict[str, str]:
    """What codes mean and what is to be done about them, each with the file that it stands in."""
    found = {}
    for path in sorted(CODES.glob("*.toml")):
        tables = [rows for rows in read(path).values() if isinstance(rows, list)]
        codes = [row for rows in tables for row in rows if isinstance(row, dict) and "meaning" in row]
        found |= {row[key]: path.name for row in codes for key in ("meaning", "remedy") if row.get(key)}
    return found


def write_stamps(language: str, family: str, only: str = "") -> None:
    """Mark the entries of a file as made from the English of now."""
    path = WORDS / language / f"{family}.toml"
    lines = path.read_text(encoding="utf-8")
    for slug, table in entries(read(WORDS / "en" / path.name)).items():
        if only and slug != only:
            continue
        line = f'of = "{stamp(table)}"\n'
        if slug == SHARED:
            lines = line + re.sub(r'\Aof = "\w*"\n', "", lines)
            continue
        head = f'["{slug}"]\n'
        lines = re.sub(re.escape(head) + r'(?:of = "\w*"\n)?', head + line, lines)
    path.write_text(lines, encoding="utf-8")


if __name__ == "__main__":
    import catalogues
    from error_texts import templates

    if sys.argv[1:2] == ["--stamp"]:
        write_stamps("zh-TW", *sys.argv[2:])
    else:
        if sys.argv[1:2] == ["--errors"]:
            catalogues.update("zh-TW")
        found = (*problems("zh-TW"), *code_problems("zh-TW"), *catalogues.problems("zh-TW", templates()))
        print("\n".join(found) or "every text is there, and of today's English")
