"""What PowerShell writes with Export-Clixml: the state of the agent as the Group Policy package leaves it."""

import re
from html import unescape

from arcferry.evidence.case import Document
from arcferry.evidence.readers import agent_show

_MARK = re.compile(r"<Objs\b[^>]{0,200}powershell/2004/04")
_VALUE = re.compile(r'<(?:S|B|I32|I64|DT|Version)\s+N="(\w{1,60})"\s*(?:/>|>([^<]{0,8000})<)')
_LETTER = re.compile(r"_x([0-9A-F]{4})_")
_MOST = 500


def read(name: str, text: str) -> Document | None:
    """The properties of its objects, or None if `text` is none of it or none of the agent's."""
    if not _MARK.search(text):
        return None
    pairs = [(key, _plain(value)) for key, value in _VALUE.findall(text)[:_MOST]]
    return agent_show.of_pairs(name, pairs)


def _plain(value: str) -> str:
    """The text with what XML and PowerShell have escaped, on one line."""
    return " ".join(_LETTER.sub(lambda found: chr(int(found[1], 16)), unescape(value)).split())
