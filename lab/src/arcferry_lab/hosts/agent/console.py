"""What the agent says: lines for people, JSON for programs, and logrus lines in its log file."""

import json
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_BLUE, _YELLOW, _RED, _PLAIN = "\x1b[34m", "\x1b[33m", "\x1b[31m", "\x1b[0m"
_COLOURS = {"INFO": _BLUE, "WARNING": _YELLOW, "ERROR": _RED, "FATAL": _RED}


def logrus(level: str, message: str, **fields: object) -> str:
    """One line as the Go library logrus writes it: `time="…" level=info msg="…" Key="…"`."""
    time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    rest = "".join(f" {key.replace('_', ' ')}={json.dumps(str(value))}" for key, value in fields.items())
    return f'time="{time}" level={level} msg={json.dumps(message)}{rest}\n'


def append_log(path: Path, line: str) -> None:
    """Add a line to a log; a log that cannot be written stops nothing."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as stream:
            stream.write(line)


@dataclass(frozen=True)
class Console:
    """The common flags decide what is shown; the log file gets every line. Neither ever gets a secret.

    Attributes:
        as_json: `--json`; information lines are then kept back.
        verbose: `--verbose`.
        to_stderr: `--log-stderr`; without it lines go to stdout, as azcmagent's do.
        colour: whether levels may be coloured on a terminal.
    """

    log_file: Path
    as_json: bool = False
    verbose: bool = False
    to_stderr: bool = False
    colour: bool = True

    def info(self, message: str, **fields: object) -> None:
        """A step, shown to people."""
        self._log("info", message, **fields)
        if not self.as_json:
            self._line("INFO", message, fields)

    def debug(self, message: str, **fields: object) -> None:
        """Shown with `--verbose` only."""
        self._log("debug", message, **fields)
        if self.verbose:
            self._line("DEBUG", message, fields)

    def error(self, message: str, **fields: object) -> None:
        """Something went wrong, and the command goes on."""
        self._log("error", message, **fields)
        self._line("ERROR", message, fields)

    def fatal(self, message: str) -> None:
        """The command's last line."""
        self._log("fatal", message)
        self._line("FATAL", message, {})

    def out(self, text: str) -> None:
        """What the command was asked for; always stdout."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def document(self, value: Any) -> None:  # noqa: ANN401 - any JSON value
        """A JSON document on stdout."""
        self.out(json.dumps(value, indent=2))

    def _log(self, level: str, message: str, **fields: object) -> None:
        append_log(self.log_file, logrus(level, message, **fields))

    def _line(self, level: str, message: str, fields: dict[str, object]) -> None:
        stream = sys.stderr if self.to_stderr else sys.stdout
        rest = "".join(f"  {key.replace('_', ' ')}={value}" for key, value in fields.items())
        head = f"{level:<8}"
        if self.colour and stream.isatty() and level in _COLOURS:
            head = f"{_COLOURS[level]}{head}{_PLAIN}"
        stream.write(f"{head}{message}{rest}\n")
        stream.flush()
