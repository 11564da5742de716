"""Which names a machine in Azure may have."""

import re

from arcferry.text import quoted

LONGEST_NAME = 54
"""The longest machine name that the agent takes (azcmagent connect reference, 2026-08)."""

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?")

# Azure Resource Manager refuses these words as a whole name, at its start, or anywhere in it
# (learn.microsoft.com, “Resolve reserved resource name errors”, as of 2026-08).
_WHOLE = re.compile(
    "access|azure|bing|bizspark|biztalk|cortana|directx|dotnet|dynamics|excel|exchange|forefront|groove|"
    "hololens|hotmail|hyperv|kinect|lync|msdn|o365|office|office365|onedrive|onenote|outlook|powerpoint|"
    "sharepoint|skype|visio|visualstudio"
)
_START = ("login", "xbox")
_ANYWHERE = ("microsoft", "windows")


def problem_with_name(name: str) -> str | None:
    """Why a machine cannot have this name, None where it can."""
    if not name:
        return "name is empty"
    if len(name) > LONGEST_NAME:
        long = f"name {quoted(name, limit=60)} has {len(name)} characters"
        return f"{long}; a machine's name has at most {LONGEST_NAME}"
    if not _NAME.fullmatch(name):
        return (
            f"name {quoted(name)} cannot be a machine's: it takes letters, digits, _ . and -, begins with a "
            "letter or digit, and does not end in a full stop"
        )
    lower = name.lower()
    reserved = [lower] if _WHOLE.fullmatch(lower) else []
    reserved += [word for word in _START if lower.startswith(word)]
    reserved += [word for word in _ANYWHERE if word in lower]
    return (
        f"name {quoted(name)} holds {quoted(reserved[0])}, which Azure reserves for itself"
        if reserved
        else None
    )
