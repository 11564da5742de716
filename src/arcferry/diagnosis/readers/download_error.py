"""What a failed download of the agent leaves on a console: PowerShell, curl, wget and apt."""

import re
from functools import cache

from arcferry import catalog
from arcferry.catalog import When
from arcferry.diagnosis.document import Document, Kind, Sighting
from arcferry.diagnosis.readers import values
from arcferry.probe.observation import Failure, Stage

_POWERSHELL = re.compile(
    r"FullyQualifiedErrorId\s*:.{0,200}(?:WebCmdlet|WebException|BitsTransfer)|Invoke-(?:WebRequest|RestMethod)\s*:"
)
_COMMAND = re.compile(
    r"Invoke-WebRequest|Invoke-RestMethod|Start-BitsTransfer|\b(?:iwr|wget|curl)\b", re.IGNORECASE
)
_CURL = re.compile(r"\bcurl: \((\d{1,3})\)")
_UNIX = re.compile(
    r"(?:Failed to connect to|Could not resolve(?: host)?:?|Could not connect to|"
    r"unable to resolve host address|"
    r"Cannot initiate the connection to|Failed to fetch)\W{1,3}(?:https?://)?([A-Za-z0-9][A-Za-z0-9.-]{3,250})"
)
_QUOTED_NAME = re.compile(r"'([a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9-]{1,63}){1,10})'", re.IGNORECASE)
_STATUS = re.compile(r"(?:\(|HTTP[/ 0-9.]{0,8}|error: )([45]\d\d)\b")
_CUT = re.compile(r"https?://([A-Za-z0-9.-]{3,250}) ?(?:\.\.\.|…)")
_NAME_FAILED = {6: "nxdomain", 5: "proxy-unreachable"}
_MOST_LINES = 20_000
_NEAR = 12


def _around(lines: list[str], place: int) -> list[str]:
    return lines[max(0, place - _NEAR) : place + _NEAR]


def _failed_places(lines: list[str]) -> list[int]:
    return [
        place
        for place, line in enumerate(lines)
        if _POWERSHELL.search(line) or _CURL.search(line) or _UNIX.search(line)
    ]


@cache
def _install_names() -> tuple[str, ...]:
    """Every name of the catalogue that a download of the agent may come from."""
    found = {
        endpoint.host
        for cloud in catalog.clouds()
        for endpoint in catalog.endpoints(cloud, catalog.regions(cloud)[0], optional=True)
        if endpoint.when is When.INSTALL
    }
    return tuple(sorted(found))


def _whole_names(start: str) -> list[str]:
    """The names that a host cut off by PowerShell can be; none where it is not clear."""
    names = [name for name in _install_names() if name.startswith(start.lower().rstrip("."))]
    return names if len(names) == 1 else []


def _hosts_near(lines: list[str]) -> list[str]:
    """The names in URLs of download commands and in the error's own words, whole or cut off."""
    found: list[str] = []
    for line in lines:
        if cut := _CUT.search(line):
            found += _whole_names(cut[1])
        elif _COMMAND.search(line) or _POWERSHELL.search(line):
            found += values.hosts_in_urls(line)
            found += [name for match in _QUOTED_NAME.findall(line) if (name := values.host(match))]
        found += [name for match in _UNIX.findall(line) if (name := values.host(match))]
    return [name for name in dict.fromkeys(found) if not name.startswith("system.")]


def _failure(lines: list[str]) -> Failure | None:
    says = values.short(next((line for line in lines if _CURL.search(line) or _UNIX.search(line)), lines[0]))
    text = "\n".join(lines)
    if "(407)" in text or re.search(r"\b407 Proxy", text):
        return Failure(Stage.PROXY, "proxy-authentication-required", says)
    if status := _STATUS.search(text):
        return Failure(Stage.HTTP, f"http-{status[1]}", says)
    if curl := _CURL.search(text):
        kind = _NAME_FAILED.get(int(curl[1]))
        if kind == "nxdomain":
            return Failure(Stage.DNS, kind, says)
        if kind:
            return Failure(Stage.PROXY, kind, says)
    return None


def read(name: str, text: str) -> Document | None:
    """The downloads that failed, or None where `text` tells of none."""
    lines = [line[:2000] for line in text.splitlines()[:_MOST_LINES]]
    seen: dict[str, Sighting] = {}
    for place in _failed_places(lines)[:200]:
        near = _around(lines, place)
        failure = _failure(near)
        for host in _hosts_near(near):
            seen.setdefault(
                host,
                Sighting(host, name, reachable=False, failure=failure, install=True),
            )
    return Document(name, Kind.DOWNLOAD_ERROR, sightings=tuple(seen.values())) if seen else None
