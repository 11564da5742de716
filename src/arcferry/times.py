"""Instants as RFC 3339 text in UTC, the one form that arcferry prints and stores."""

from datetime import UTC, date, datetime, time
from email.utils import parsedate_to_datetime


def now() -> datetime:
    """The current instant, aware, in UTC."""
    return datetime.now(UTC)


def to_text(instant: datetime) -> str:
    """`2026-11-23T01:02:03Z`; fractions of a second are dropped."""
    return instant.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """Read RFC 3339, also with a fraction of any length; without an offset it is taken as UTC.

    Raises:
        ValueError: the text is no instant.
    """
    instant = datetime.fromisoformat(text.strip())
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def from_http(text: str) -> datetime:
    """Read the date of a header (RFC 9110 §5.6.7, RFC 5322); without a zone it is taken as UTC.

    Raises:
        ValueError: the text is no such date, or one out of any range.
    """
    try:
        instant = parsedate_to_datetime(text)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (TypeError, OverflowError, IndexError) as error:
        raise ValueError("no date of a header") from error


def at_midnight(day: date | None) -> datetime | None:
    """The instant at which a dated document's day begins."""
    return datetime.combine(day, time.min, tzinfo=UTC) if day else None
