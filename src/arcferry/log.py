"""What arcferry does, for `-v`: one line an action on stderr, as words and name=value; never a secret."""

import logging
from collections.abc import Callable

from arcferry.text import one_line

# Below "arcferry", whose handlers a fleet's run takes for its own log file.
_LOG = logging.getLogger("arcferry.actions")
_LOG.setLevel(logging.CRITICAL)
_quiet = False


def did(action: str, **values: object) -> None:
    """Tell one action, with what it was about; free of cost while nobody listens."""
    if _LOG.isEnabledFor(logging.INFO):
        pairs = (f"{name}={_value(value)}" for name, value in values.items() if value not in (None, ""))
        _LOG.info(" ".join((action, *pairs)))


def listen(tell: Callable[[str], None] | None) -> None:
    """Hand every action to `tell` from here on, one line each, masked as what is quoted elsewhere is."""
    if tell is None:
        _LOG.setLevel(logging.CRITICAL)
        return
    from arcferry.redaction import mask  # noqa: PLC0415  # heavy, and needed with -v alone

    heard = tell

    class _Teller(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard(one_line(mask(record.getMessage()), limit=400))

    _LOG.handlers = [_Teller()]
    _LOG.propagate = False
    _LOG.setLevel(logging.INFO)


def be_quiet(wanted: bool) -> None:
    """Whether people want no notes and no progress from here on."""
    global _quiet  # noqa: PLW0603  # as the level of logging, for the whole process
    _quiet = wanted


def is_quiet() -> bool:
    """Whether people want no notes and no progress."""
    return _quiet


def is_on() -> bool:
    """Whether anybody listens."""
    return _LOG.isEnabledFor(logging.INFO)


def _value(value: object) -> str:
    text = one_line(str(value))
    return f'"{text}"' if not text or " " in text else text
