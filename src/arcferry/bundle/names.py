import re

MANIFEST = "manifest.json"
SEAL = "manifest.json.minisig"

_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+~-]{0,99}")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
# Of the 260 characters that a whole path may have on Windows, the folder of the bundle needs some.
_LONGEST = 200


def fault(name: str) -> str:
    """What keeps `name` from being a bundle's relative path, or an empty string if nothing does.

    A bundle is carried on sticks and shares between Windows and Linux, so a name must mean the same
    file on both: ASCII, `/` between segments, no dots that climb, no Windows device name.
    """
    if "\x00" in name:
        return "holds a NUL character"
    if "\\" in name:
        return "holds a backslash"
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return "is an absolute path"
    if len(name) > _LONGEST:
        return f"is longer than {_LONGEST} characters"
    segments = name.split("/")
    if ".." in segments:
        return "leaves the bundle"
    return next(filter(None, map(_segment_fault, segments)), "")


def _segment_fault(segment: str) -> str:
    if segment in {"", "."}:
        return "has an empty part"
    if _DEVICE.fullmatch(segment):
        return "is a device name on Windows"
    if segment.endswith(".") or not _SEGMENT.fullmatch(segment):
        return "holds characters that do not mean the same on Windows and Linux"
    return ""


def fold(name: str) -> str:
    """The form in which two names collide on a file system that ignores case."""
    return name.casefold()
