"""What a failed download of the agent leaves on a console: PowerShell, curl, wget and apt."""

import re
from functools import cache

from arcferry import catalog
from arcferry.catalog import When
from arcferry.evidence.document import Attempt, Document, Kind
from arcferry.evidence.readers import values
from arcferry.probe.observation import Failure, Stage

_POWERSHELL = re.compile(
    r"FullyQualifiedErrorId\s*:.{0,200}(?:WebCmdlet|WebException|BitsTransfer)|Invoke-(?:WebRequest|"
    r"RestMethod)\s*:"
)
_COMMAND = re.compile(
    r"Invoke-WebRequest|Invoke-RestMethod|Start-BitsTransfer|\b(?:iwr|wget|curl)\b", re.IGNORECASE
)
_CURL = re.compile(r"\bcurl: \((\d{1,3})\)")
_UNIX = re.compile(
    r"(?:Failed to connect to|Could not resolve(?: host)?:?|Could not connect to|"
    r"unable to resolve host address|Cannot initiate the connection to|Failed to fetch)"
    r"\W{1,3}(?:https?://)?([A-Za-z0-9][A-Za-z0-9.-]{3,250})"
)
_QUOTED_NAME = re.compile(
    r"['\u2018\u00ab\u201e] ?([a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9-]{1,63}){1,10}) ?['\u2019\u00bb\u201c]",
    re.IGNORECASE,
)
_UNRESOLVED = re.compile(
    r"^Invoke-(?:WebRequest|RestMethod)\s*:[^\n]{0,200}?[:\uff1a]\s?['\u2018\u00ab\u201e] "
    r"?([A-Za-z0-9.-]{3,253}) ?['\u2019\u00bb\u201c]"
)
_HOST_PORT = re.compile(r"\(([a-z0-9][a-z0-9.-]{2,252}):(?:443|80)\)", re.IGNORECASE)
_STATUS = re.compile(r"(?:\(|HTTP[/ 0-9.]{0,8}|error: )([45]\d\d)\b")
_CUT = re.compile(r"https?://([A-Za-z0-9.-]{3,250}) ?(?:\.\.\.|…)")
_CURL_KINDS = {
    5: (Stage.PROXY, "proxy-name-not-found"),
    6: (Stage.DNS, "nxdomain"),
    28: (Stage.TCP, "timeout"),
    35: (Stage.TLS, "handshake-failed"),
    60: (Stage.TLS, "certificate-untrusted"),
}
_VERBOSE = ("* ", "> ", "< ", "{ ", "} ")
_MOST_LINES = 20_000
_NEAR = 12


def _around(lines: list[str], place: int) -> list[str]:
    return lines[max(0, place - _NEAR) : place + _NEAR]


def _is_verbose(near: list[str]) -> bool:
    """Whether these are lines of `curl -v`, which has a reader of its own."""
    return any(line.startswith(_VERBOSE) for line in near)


def _failed_places(lines: list[str]) -> list[int]:
    return [
        place
        for place, line in enumerate(lines)
        if _POWERSHELL.search(line)
        or ((_CURL.search(line) or _UNIX.search(line)) and not _is_verbose(_around(lines, place)))
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
        for pattern in (_UNIX, _HOST_PORT):
            found += [name for match in pattern.findall(line) if (name := values.host(match))]
    return [name for name in dict.fromkeys(found) if not name.startswith("system.")]


def _unresolved(name: str, text: str) -> Failure:
    """The name in quotes at the end of .NET's message did not resolve: the server's, or the proxy's."""
    asked = values.hosts_in_urls(text)
    if asked and values.host(name) not in asked and "-proxy" in text.lower():
        return Failure(Stage.PROXY, "proxy-name-not-found", f"the proxy's name {name} did not resolve")
    return Failure(Stage.DNS, "nxdomain", f"the name {name} did not resolve")


def _failure(lines: list[str]) -> Failure | None:
    says = values.short(next((line for line in lines if _CURL.search(line) or _UNIX.search(line)), lines[0]))
    text = "\n".join(lines)
    if "(407)" in text or re.search(r"\b407 Proxy", text):
        return Failure(Stage.PROXY, "proxy-authentication-required", says)
    if status := _STATUS.search(text):
        return Failure(Stage.HTTP, f"http-{status[1]}", says)
    if unresolved := next((found for line in lines if (found := _UNRESOLVED.match(line))), None):
        return _unresolved(unresolved[1], text)
    if curl := _CURL.search(text):
        stage, kind = _CURL_KINDS.get(int(curl[1]), (None, ""))
        return Failure(stage, kind, says) if stage else None
    return None


def read(name: str, text: str) -> Document | None:
    """The downloads that failed, or None where `text` tells of none."""
    lines = [line[:2000] for line in text.splitlines()[:_MOST_LINES]]
    seen: dict[str, Attempt] = {}
    for place in _failed_places(lines)[:200]:
        near = _around(lines, place)
        failure = _failure(near)
        for host in _hosts_near(near):
            seen.setdefault(
                host,
                Attempt(host, name, reachable=False, failure=failure, install=True),
            )
    return Document(name, Kind.DOWNLOAD_ERROR, attempts=tuple(seen.values())) if seen else None
