"""What PowerShell writes with Export-Clixml: the state of the agent as the Group Policy package leaves it."""

import re

from arcferry.evidence.case import Document
from arcferry.evidence.readers import agent_show
from arcferry.text import from_clixml

_MARK = re.compile(r"<Objs\b[^>]{0,200}powershell/2004/04")
_VALUE = re.compile(r'<(?:S|B|I32|I64|DT|Version)\s+N="(\w{1,60})"\s*(?:/>|>([^<]{0,8000})<)')
_MOST = 500


def read(name: str, text: str) -> Document | None:
    """The properties of its objects, or None if `text` is none of it or none of the agent's."""
    if not _MARK.search(text):
        return None
    pairs = [(key, " ".join(from_clixml(value).split())) for key, value in _VALUE.findall(text)[:_MOST]]
    return agent_show.of_pairs(name, pairs)
