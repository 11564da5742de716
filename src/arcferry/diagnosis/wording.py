"""Small pieces of text that several causes share."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from arcferry import catalog

_MOST = 6
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,79}")


def listed(names: Sequence[str], most: int = _MOST) -> str:
    """`a, b and c`, with a count of what is left out."""
    if not names:
        return "none"
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def community_name(value: str) -> str:
    """`12076:51012 (Japan East)`, or the bare value where no document names it."""
    known = catalog.community(value)
    return f"{value} ({known.name})" if known else value


def region_name(region: str) -> str:
    """The region's display name, or the name as it is where the catalogue does not know it."""
    known = catalog.region_community(region)
    return known.name if known else region or "an unknown region"


def day(instant: date | datetime | None) -> str:
    """`2025-10-28`, or `an unknown day`."""
    if instant is None:
        return "an unknown day"
    return (instant.date() if isinstance(instant, datetime) else instant).isoformat()


def letter(subject: str, lines: Iterable[str]) -> str:
    """A request that can be sent as it is: a subject line, then paragraphs."""
    return "\n".join([f"Subject: {subject}", "", *lines])


def safe_name(text: str, otherwise: str) -> str:
    """A name that may stand in a command as it is, else a placeholder: text from files goes into none."""
    return text if _SAFE.fullmatch(text) else otherwise
