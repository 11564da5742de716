"""What was handed in as it may be sent on: each file as text without credentials, archives file by file."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from arcferry.errors import FileInputError
from arcferry.evidence.readers import archive, routes
from arcferry.evidence.readers.guard import allowed, kept_apart
from arcferry.evidence.readers.values import TEXT_LIMIT, is_structured, shortened, text_of
from arcferry.files import FILE_LIMIT, naming, read_bounded
from arcferry.redaction import mask
from arcferry.redaction.counted import Masker
from arcferry.text import clean, one_line

FOLDER = "evidence"
TOTAL_LIMIT = 256 * 1024 * 1024
"""Most characters of all files together."""
MOST_FILES = 2000
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 80
_SAMPLE = 50_000
_ODD, _IN_TEXTS = ("Cc", "Cn", "Co"), "\t\n\r\x1b"
_FEW_ODD, _MOST_ODD = 8, 0.02


@dataclass(frozen=True, slots=True)
class Cleaned:
    """One file as it is sent on.

    Attributes:
        name: what it is called in the pack.
        of: what it was called by who handed it in, such as `logs.zip!himds.log`.
        hidden: how many secrets of which kind were taken out.
        note: what else is not as it was; empty where nothing is.
    """

    name: str
    of: str
    text: str
    hidden: Counter[str]
    note: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that is not sent on, and why."""

    name: str
    why: str


@dataclass(slots=True)
class Cleaning:
    """All files, as far as they could be cleaned."""

    files: list[Cleaned] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    size: int = 0

    def add(self, name: str, data: bytes) -> None:
        """Clean one file that is no archive; one that cannot be is left out, and named."""
        if len(self.files) >= MOST_FILES:
            self.skip(f"it comes after {MOST_FILES:,} others", name)
            return
        found = kept_apart(lambda: _cleaned(data), _Refused, seconds=allowed(len(data)))
        if isinstance(found, _Refused):
            self.skip(found.why, name)
            return
        text, hidden, note = found
        if self.size + len(text) > TOTAL_LIMIT:
            self.skip(f"all together are longer than {TOTAL_LIMIT:,} characters", name)
            return
        self.size += len(text)
        packed = f"{FOLDER}/{len(self.files) + 1:03}-{_safe(name)}"
        self.files.append(Cleaned(packed, name, text, hidden, note))

    def skip(self, why: str, name: str) -> None:
        """Name a file that is left out."""
        self.left_out.append(LeftOut(one_line(mask(name), limit=160), why))


@dataclass(frozen=True, slots=True)
class _Refused:
    why: str


def files_in(paths: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    """The files, each with what it is called; in place of a folder what lies in it and below it, by name.

    Links in it are not followed.

    Raises:
        FileInputError: a folder cannot be read, or holds more than `MOST_FILES` files.
    """
    for path in paths:
        if not path.is_dir():
            yield path.name, path
            continue
        with naming(path):
            inside = sorted(one for one in path.rglob("*") if one.is_file() and not one.is_symlink())
        if len(inside) > MOST_FILES:
            raise FileInputError(
                path, f"holds more than {MOST_FILES:,} files", hint="Name those that matter."
            )
        yield from ((f"{path.name}/{one.relative_to(path).as_posix()}", one) for one in inside)


def says_nothing(path: Path) -> bool:
    """Whether a file is binary and no dump of routes, so that nothing can be read in it."""
    with naming(path):
        if not path.is_file() or path.stat().st_size > FILE_LIMIT:
            return False
    data = read_bounded(path, limit=FILE_LIMIT)
    if archive.looks_right(data) or text_of(data) is not None:
        return False
    return not kept_apart(lambda: routes.read(path.name, data), lambda _: (), seconds=allowed(len(data)))


def cleaned(files: Iterable[tuple[str, Path]]) -> Cleaning:
    """Every file without credentials.

    Args:
        files: each with the name that it is to be called by.

    Raises:
        FileInputError: a file is missing, or an archive is damaged as a whole.
    """
    found = Cleaning()
    for called, path in files:
        name = one_line(mask(called), limit=160)
        with naming(path):
            too_long = path.stat().st_size > FILE_LIMIT
        if too_long:
            found.skip(
                f"longer than {FILE_LIMIT:,} bytes; what it says of the addresses is in findings.json", name
            )
            continue
        data = read_bounded(path, limit=FILE_LIMIT)
        if not archive.looks_right(data):
            found.add(name, data)
            continue
        with archive.opened(name, data) as zipped:

            def skip(why: str, own: str, of: str = name) -> None:
                found.skip(why, f"{of}!{own}")

            for own, inside in archive.contents(zipped, skip):
                found.add(f"{name}!{own}", inside)
    return found


def _cleaned(data: bytes) -> "tuple[str, Counter[str], str] | _Refused":
    text = text_of(data)
    if text is None or _is_binary(text):
        return _Refused("binary, in which nobody can see what is secret")
    note = ""
    if not is_structured(text):
        text, note = shortened(text)
    elif len(text) > TEXT_LIMIT:
        return _Refused(f"one document of more than {TEXT_LIMIT:,} characters")
    masker = Masker()
    try:
        # Control characters first: behind one a name would not be known for what it is.
        done = masker.document(clean(text, limit=len(text) + 1))
    except RecursionError:
        return _Refused("JSON that is nested too deeply to be read")
    return done if done.endswith("\n") else f"{done}\n", masker.hidden, note


def _is_binary(text: str) -> bool:
    """Whether too much of it is no letter of anybody's: bytes without a NUL, or taken for UTF-16."""
    sample = text[:_SAMPLE]
    odd = sum(unicodedata.category(letter) in _ODD and letter not in _IN_TEXTS for letter in sample)
    return odd > max(_FEW_ODD, _MOST_ODD * len(sample))


def _safe(name: str) -> str:
    """A name that every system takes, from one that may be anything; its ending stays."""
    plain = _NOT_IN_NAMES.sub("-", name).strip("-. ")
    return plain[-_LONGEST_NAME:].lstrip("-.") or "file"
