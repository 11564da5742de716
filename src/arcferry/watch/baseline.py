"""The last time that all was well, kept so that a later failure can be told from it."""

import hashlib
import json
import re
from pathlib import Path

from arcferry.errors import FileInputError
from arcferry.evidence import kept
from arcferry.evidence.case import Case
from arcferry.evidence.reading import read_document
from arcferry.files import FILE_LIMIT, read_bounded, write_whole

_NOT_IN_NAMES = re.compile(r"[^a-z0-9-]+")


def path_of(state: Path, *about: str) -> Path:
    """Where the baseline lies of what these words name, such as a location and a resolver."""
    text = "\x1f".join(about)
    shown = _NOT_IN_NAMES.sub("-", "-".join(filter(None, about)).lower()).strip("-")[:60]
    return state / "baselines" / f"{shown}-{hashlib.sha256(text.encode()).hexdigest()[:8]}.json"


def keep(path: Path, case: Case) -> None:
    """Keep a case in which all is well; the one before goes.

    Raises:
        FileInputError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(path, json.dumps(kept.to_json(case)).encode(), mode=0o600)


def read(path: Path) -> Case:
    """The case that was kept.

    Raises:
        FileInputError: it is missing, cannot be read, or is something else.
    """
    case = Case.of(read_document(path.name, read_bounded(path, limit=FILE_LIMIT)))
    if not case.attempts:
        raise FileInputError(path.name, "tells of no endpoint")
    return case
