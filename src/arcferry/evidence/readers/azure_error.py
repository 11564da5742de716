"""An error of Entra ID or Resource Manager on its own: JSON of an API, or what `az` and PowerShell print."""

import json
from collections.abc import Mapping

from arcferry.evidence.document import Document, Kind
from arcferry.evidence.readers import codes, values

_LONG = 20_000


def _is_error(value: object) -> bool:
    """Whether this is the error document of Resource Manager or Entra ID."""
    keys = {str(key).lower() for key in list(values.mapping(value))[:20]}
    inner = values.mapping(value).get("error")
    if isinstance(inner, Mapping):
        return bool({"code", "message"} & {str(key).lower() for key in inner})
    return "error_description" in keys or {"code", "message"} <= keys


def read_json(name: str, value: object) -> Document | None:
    """The codes in an error document, however deep they lie; None where it is none, or has none."""
    if not _is_error(value):
        return None
    return _read(name, json.dumps(value, ensure_ascii=False)[:_LONG].replace('\\"', '"'))


def read(name: str, text: str) -> Document | None:
    """The codes in a text, or None where it has none."""
    return _read(name, text)


def _read(name: str, text: str) -> Document | None:
    found = codes.service_codes(text)
    if not found:
        return None
    lines = [line[:4000] for line in text.splitlines()]
    return Document(name, Kind.AZURE_ERROR, codes=codes.seen(found, lines, name))
