"""What an unrecognised file looked most like, so that its owner sees what is missing in it."""

import re
from operator import itemgetter

from arcferry.evidence.case import Document, Kind
from arcferry.evidence.readers import values
from arcferry.evidence.readers.decoding import Decoded

_DEEP = 4
_MOST = 50


def _all_keys(value: object, depth: int = 0) -> set[str]:
    if depth > _DEEP:
        return set()
    items = value if isinstance(value, list) else list(values.mapping(value).values())
    own = {str(key).lower() for key in list(values.mapping(value))[:_MOST]}
    return own.union(*(_all_keys(item, depth + 1) for item in items[:_MOST]))


def document(name: str, decoded: Decoded) -> Document:
    """The document of a file that no reader takes."""
    like, known = "", values.patterns()
    if decoded.is_json:
        keys = _all_keys(decoded.value)
        shared, words = max(
            ((len(keys.intersection(own)), words) for words, own in known["keys"].items()), key=itemgetter(0)
        )
        like = f"{words}, but its shape is another" if shared else ""
    else:
        sample = decoded.text[:200_000]
        like = next((words for pattern, words in known["looks_like"] if re.search(pattern, sample)), "")
    return Document(name, Kind.UNRECOGNISED, notes=(f"it looks most like {like}",) if like else ())
