"""What a reader of the guide's text types, found in the text alone."""

import re
from pathlib import Path
from typing import NamedTuple

HOST_SCRIPTS = Path(__file__).parents[3] / "src/arcferry/bundle/hostscripts"
_PLACE = re.compile(r"^  (?P<where>\S.*)[:\uff1a]$")
_SECTION = re.compile(r"^-{3,}$")
_RUN = {
    "windows": re.compile(r"-File \.\\host\\windows\.ps1 (?P<words>.+?) \| Tee-Object "),
    "linux": re.compile(r"(?:^|\| )sh host/linux\.sh (?P<words>.+?) \| tee "),
}


class Typed(NamedTuple):
    """A command, the heading that it stands under, and where it is to be typed."""

    heading: str
    where: str
    text: str
    about: str


def lines_of(text: bytes) -> list[str]:
    return text.decode("utf-8-sig").split("\r\n")


def typed(text: bytes) -> list[Typed]:
    """Every command, in order."""
    found: list[Typed] = []
    heading = where = about = before = ""
    for line in lines_of(text):
        if _SECTION.match(line):
            heading = before
        if match := _PLACE.match(line):
            where = next((one for one in ("windows", "linux") if one in match["where"].lower()), "anywhere")
        elif line.startswith("      # "):
            about = line[8:]
        elif line.startswith("      ") and where:
            found.append(Typed(heading, where, line[6:], about))
            about = ""
        else:
            where = ""
        before = line
    return found


def script_words(command: Typed) -> list[str]:
    """The verb and the arguments, where the host script is run; else nothing."""
    match = _RUN[command.where].search(command.text) if command.where in _RUN else None
    return re.findall(r'"[^"]*"|\S+', match["words"]) if match else []
