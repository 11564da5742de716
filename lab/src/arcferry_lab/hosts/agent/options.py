"""Options from the command line and from `--config FILE`; the command line wins."""

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

from .failure import AgentError


def read_config(path: str) -> dict[str, Any]:
    """The flat object of a config file.

    Raises:
        AgentError: no such file (AZCM0019), or not a flat JSON object (AZCM0023).
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise AgentError(19, f"config file {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise AgentError(23, f"config file {path} is not valid JSON") from error
    if not isinstance(document, dict):
        raise AgentError(23, f"config file {path} must hold an object of option names and values")
    return {str(key).lower(): value for key, value in document.items()}


class Options:
    """One command's options by their long names."""

    def __init__(self, arguments: Namespace) -> None:
        given = {key.replace("_", "-"): value for key, value in vars(arguments).items() if value is not None}
        path = given.get("config")
        self._values = (read_config(str(path)) if path else {}) | given

    def __repr__(self) -> str:
        return f"Options({sorted(self._values)})"

    def text(self, name: str, default: str = "") -> str:
        """The option's value, trimmed."""
        value = self._values.get(name)
        return default if value is None else str(value).strip()

    def flag(self, name: str) -> bool:
        """Whether the option is set."""
        value = self._values.get(name, False)
        return value is True or str(value).lower() == "true"

    def words(self, name: str) -> list[str]:
        """An option that takes several values."""
        value = self._values.get(name) or []
        return [str(word) for word in value]

    def need(self, *names: str) -> None:
        """Refuse to go on without these options.

        Raises:
            AgentError: one is missing or empty (AZCM0016).
        """
        missing = [f'"{name}"' for name in names if not self.text(name)]
        if missing:
            raise AgentError(16, f"required flag(s) {', '.join(missing)} not set")

    def tags(self) -> dict[str, str]:
        """`--tags "k=v,k2='v 2'"`, or an object in the config file.

        Raises:
            AgentError: a part is no `key=value` (AZCM0023).
        """
        value = self._values.get("tags")
        if isinstance(value, dict):
            return {str(key): str(item) for key, item in value.items()}
        pairs = [part.partition("=") for part in _split(self.text("tags"))]
        if any(not separator or not key.strip() for key, separator, _ in pairs):
            raise AgentError(23, "invalid value for --tags: expected key=value pairs separated by commas")
        return {key.strip(): item.strip() for key, _, item in pairs}


def _split(text: str) -> list[str]:
    """Parts between commas; quotes hold a part together, a backslash takes the next character as it is."""
    parts: list[str] = []
    part, quote, escaped = "", "", False
    for letter in text:
        if escaped:
            part, escaped = part + letter, False
        elif letter == "\\":
            escaped = True
        elif quote:
            part, quote = (part, "") if letter == quote else (part + letter, quote)
        elif letter in "'\"":
            quote = letter
        elif letter == ",":
            parts.append(part)
            part = ""
        else:
            part += letter
    return [item for item in [*parts, part] if item.strip()]
