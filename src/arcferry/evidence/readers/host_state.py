"""How a server is set and what runs on it: azcmagent config, services, the proxy of WinHTTP."""

import re
from collections.abc import Iterator

from arcferry import typed
from arcferry.evidence.case import AgentState, Document, Kind
from arcferry.evidence.readers import values
from arcferry.evidence.readers.agent_show import holds_credentials

_MOST = 5000
_GET = re.compile(r"\bazcmagent(?:\.exe)?[\"']? config get ([a-z.]{3,60})", re.IGNORECASE)
_SETTING = re.compile(
    r"^\s*((?:proxy|connection|extensions|guestconfiguration|incomingconnections)\.[a-z.]{2,40})\b"
    r"[^:]{0,40}?\s*: ?(\S[^\n]{0,300})?$"
)
_LIST = re.compile(
    r"Local Configuration Settings|^\s*(?:incomingconnections\.ports|guestconfiguration\.enabled)",
    re.MULTILINE,
)
_PROMPT = re.compile(r"^(?:PS )?[A-Za-z]:\\[^>\n]{0,200}>|^\S{0,80}[$#] ")
_NONE = {"", "[]", "none", "not set", "<nil>", "null"}

_NAMES = r"himdsd?|arcproxyd?|extd|gcad|gcarcservice|extensionservice"
_UNIT = re.compile(rf"^[\u25cf\u25cb\u00d7*\u21bb\s]{{0,4}}({_NAMES})\.service\b", re.IGNORECASE)
_ACTIVE = re.compile(r"^\s*Active: ([a-z-]{3,20})(?: \(([^)\n]{1,60})\))?")
_WINDOWS = re.compile(rf"^\s*(Running|Stopped|Paused|StartPending|StopPending)\s+({_NAMES})\b", re.IGNORECASE)
_PROPERTY = re.compile(
    rf"^\s*(Name|SERVICE_NAME|Status|STATE)\s*: ?\s*(?:\d{{1,2}}\s+)?({_NAMES}|[A-Za-z_]{{3,20}})\s*$",
    re.IGNORECASE,
)
_STATES = {
    "running": "running",
    "start_pending": "starting",
    "startpending": "starting",
    "stopped": "stopped",
    "stop_pending": "stopped",
    "stoppending": "stopped",
    "paused": "stopped",
    "failed": "failed",
    "inactive": "stopped",
    "deactivating": "stopped",
    "activating": "starting",
}

_WINHTTP = re.compile(r"WinHTTP", re.IGNORECASE)
_WINHTTP_SERVER = re.compile(
    r"^\s*(?:Proxy Server(?:\(s\))?|\S[^:\uff1a\n]{0,40})\s?[:\uff1a]\s+(\S{1,300}:\d{1,5}\S{0,200})\s*$"
)


def _settings(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Every setting with its value: of a list, and of `config get` the line behind the command."""
    wanted = ""
    for line in lines:
        if asked := _GET.search(line):
            wanted = asked[1].lower()
        elif wanted and line.strip():
            if not _PROMPT.match(line):
                yield wanted, line.strip()
            wanted = ""
        elif found := _SETTING.match(line):
            yield found[1].lower(), (found[2] or "").strip()


def read_config(name: str, text: str) -> Document | None:
    """The agent's own settings, of `azcmagent config list` or `get`; None if `text` has neither."""
    if not _GET.search(text) and not _LIST.search(text):
        return None
    found = [
        (key, "" if item.lower() in _NONE else item)
        for key, item in _settings(values.lines(text, most=_MOST))
    ]
    if not found:
        return None
    proxy = dict(found).get("proxy.url", "")
    state = AgentState(
        name,
        proxy=typed.proxy(proxy),
        proxy_credentials=holds_credentials(proxy),
        properties=tuple((key, values.url(item)) for key, item in found[:_MOST]),
    )
    return Document(name, Kind.AGENT_SHOW, agent_state=state)


def _services(lines: list[str]) -> dict[str, str]:
    """The agent's services with their state, in the words of `azcmagent show`."""
    found: dict[str, str] = {}
    last = ""
    for line in lines:
        if unit := _UNIT.match(line):
            last = unit[1].lower()
        elif (active := _ACTIVE.match(line)) and last:
            failed = "failed" in (active[1], active[2]) or "exit-code" in (active[2] or "")
            found[last] = "failed" if failed else _STATES.get(active[1], "running")
        elif row := _WINDOWS.match(line):
            found[row[2].lower()] = _STATES[row[1].lower()]
        elif pair := _PROPERTY.match(line):
            if re.fullmatch(_NAMES, pair[2], re.IGNORECASE):
                last = pair[2].lower()
            elif last and pair[1].lower() in ("status", "state"):
                found.setdefault(last, _STATES.get(pair[2].lower(), "unknown"))
    return found


def read_services(name: str, text: str) -> Document | None:
    """The agent's services, of `systemctl status`, `Get-Service` or `sc query`; None without any."""
    found = _services(values.lines(text, 400, _MOST))
    if not found:
        return None
    return Document(name, Kind.SERVICES, agent_state=AgentState(name, services=tuple(found.items())))


def read_winhttp(name: str, text: str) -> Document | None:
    """The proxy of `netsh winhttp show proxy`, in any language; None if `text` is not what it prints.

    Services of Windows follow it. The agent does not.
    """
    lines = values.lines(text, 400, _MOST)
    place = next((at for at, line in enumerate(lines) if _WINHTTP.search(line) and "netsh" not in line), None)
    if place is None:
        return None
    shown = next((one for line in lines[place + 1 : place + 6] if (one := _WINHTTP_SERVER.match(line))), None)
    server = shown[1].partition(";")[0].rpartition("=")[2] if shown else ""
    state = AgentState(name, winhttp_proxy=typed.proxy(server)) if server else None
    return Document(name, Kind.WINHTTP_PROXY, agent_state=state)
