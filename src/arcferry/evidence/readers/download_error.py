"""What a failed download of the agent leaves on a console: PowerShell, curl, wget and apt."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice

from arcferry import catalog
from arcferry.catalog import When
from arcferry.evidence.case import Document, Kind
from arcferry.evidence.readers import scripts, values
from arcferry.probe.observation import Attempt, Failure, Stage

_POWERSHELL = re.compile(
    r"FullyQualifiedErrorId\s*:.{0,200}(?:WebCmdlet|WebException|BitsTransfer)|Invoke-(?:WebRequest|"
    r"RestMethod)\s*:"
)
# Ansible's get_url and uri, whose result is one line of JSON or a block of YAML.
_ANSIBLE = re.compile(
    r"urlopen error |msg\W{1,4}(?:Request failed|Connection failure|HTTP Error \d{3}|"
    r"Failed to validate the SSL)"
)
_ANSIBLE_URL = re.compile(r"\burl\"?: [\"']?https?://")
_COMMAND = re.compile(
    r"Invoke-WebRequest|Invoke-RestMethod|Start-BitsTransfer|\b(?:iwr|wget|curl)\b", re.IGNORECASE
)
_CURL = re.compile(r"\bcurl(?: error)?:? \((\d{1,3})\)|\bcurl#(\d{1,3}) - ", re.IGNORECASE)
_OF_SIGNATURES = re.compile(r"signatures? |NO_PUBKEY|GPG|is not signed|Hash Sum", re.IGNORECASE)
_QUOTED_LINE = re.compile(r"^\s*(?:\+ |\d{1,5} \| |\| )")
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
_STATUS = re.compile(r"(?:\(|HTTP[/ 0-9.]{0,8}|HTTP Error |error: )([45]\d\d)\b")
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
_MOST_FAILURES = 200
_NEAR = 12
"""How many lines before and after an error are its own: PowerShell quotes the command above and below it."""


def _failures(lines: list[str]) -> Iterator[list[str]]:
    """The lines around each error of a download; those of `curl -v` have a reader of their own."""
    for place, line in enumerate(lines):
        near = lines[max(0, place - _NEAR) : place + _NEAR]
        if _OF_SIGNATURES.search(line):
            continue
        if (
            _POWERSHELL.search(line)
            or _ANSIBLE.search(line)
            or (
                (_CURL.search(line) or _UNIX.search(line))
                and not any(one.startswith(_VERBOSE) for one in near)
            )
        ):
            yield near


@cache
def _install_names() -> frozenset[str]:
    """Every name of the catalogue that a download of the agent may come from."""
    return frozenset(
        endpoint.host
        for cloud in catalog.clouds()
        for endpoint in catalog.endpoints(cloud, catalog.regions(cloud)[0], optional=True)
        if endpoint.when is When.INSTALL
    )


def _hosts_near(lines: list[str]) -> list[str]:
    """The names in URLs of download commands and in the error's own words, whole or cut off."""
    found: list[str] = []
    quoted = [line for line in lines if _QUOTED_LINE.match(line) and values.hosts_in_urls(line)]
    own = [line for line in lines if _POWERSHELL.search(line) or _UNRESOLVED.search(line)]
    for line in [*quoted, *own] if quoted else lines:
        if cut := _CUT.search(line):
            # PowerShell cuts its quotation off; what can be several names is none.
            names = [name for name in _install_names() if name.startswith(cut[1].lower().rstrip("."))]
            found += names if len(names) == 1 else []
        elif (
            _COMMAND.search(line)
            or _ANSIBLE_URL.search(line)
            or _POWERSHELL.search(line)
            or _CURL.search(line)
        ):
            found += values.hosts_in_urls(line)
            found += map(values.host, _QUOTED_NAME.findall(line))
        for pattern in (_UNIX, _HOST_PORT):
            found += map(values.host, pattern.findall(line))
    # What .NET calls its errors, such as System.Net.WebException, is quoted as names are.
    return [name for name in dict.fromkeys(found) if name and not name.startswith("system.")]


def _failure(lines: list[str]) -> Failure | None:
    says = values.short(next((line for line in lines if _CURL.search(line) or _UNIX.search(line)), lines[0]))
    text = "\n".join(lines)
    if "(407)" in text or re.search(r"\b407:? Proxy", text):
        return Failure(Stage.PROXY, "proxy-authentication-required", says)
    if status := _STATUS.search(text):
        return Failure(Stage.HTTP, f"http-{status[1]}", says)
    if unresolved := next((found[1] for line in lines if (found := _UNRESOLVED.match(line))), ""):
        # The name in quotes at the end of .NET's message is the server's, or the proxy's.
        asked = values.hosts_in_urls(text)
        if asked and values.host(unresolved) not in asked and "-proxy" in text.lower():
            says = f"the proxy's name {unresolved} did not resolve"
            return Failure(Stage.PROXY, "proxy-name-not-found", says)
        return Failure(Stage.DNS, "nxdomain", f"the name {unresolved} did not resolve")
    if curl := _CURL.search(text):
        stage, kind = _CURL_KINDS.get(int(curl[1] or curl[2]), (None, ""))
        return Failure(stage, kind, says) if stage else None
    return None


def _of_ansible(lines: list[str]) -> Failure | None:
    told = values.failure_told("other", *lines) if any(map(_ANSIBLE.search, lines)) else None
    return Failure(*told[:2], values.short(re.sub(r"^.{0,80}FAILED! => ", "", told[2]))) if told else None


def read(name: str, text: str) -> Document | None:
    """The downloads that failed, or None if `text` tells of none."""
    seen: dict[str, Attempt] = {}
    for near in islice(_failures(values.lines(scripts.without(text), most=_MOST_LINES)), _MOST_FAILURES):
        failure = _failure(near) or _of_ansible(near)
        for host in _hosts_near(near):
            seen.setdefault(host, Attempt(host, name, reachable=False, failure=failure, install=True))
    return Document(name, Kind.DOWNLOAD_ERROR, attempts=tuple(seen.values())) if seen else None
