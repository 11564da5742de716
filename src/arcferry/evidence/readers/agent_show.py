"""What `azcmagent show` says of the agent, as text or as JSON, of any version."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice

from arcferry import typed
from arcferry.evidence.case import SCOPE_UNNAMED, AgentState, Document, Kind
from arcferry.evidence.readers import codes, go_errors, values

_LINE = re.compile(r"^\s*([A-Za-z][A-Za-z0-9 /()._-]{1,60}?)\s*: ?(.*)$")
_NAMES = {"agentversion", "agentstatus", "agentlastheartbeat", "vmid", "resourcenamespace"}
_KEYS = {"agentversion", "agentstatus", "status", "lastheartbeat", "agentlastheartbeat", "vmid", "resourceid"}
_STATUSES = {"connected", "disconnected", "expired", "error"}
_SERVICES = {"himds", "arcproxy", "extensionservice", "gcarcservice", "extd", "gcad", "himdsd", "arcproxyd"}
_SERVICE = re.compile(r"\(([A-Za-z][A-Za-z0-9_]{1,40})\)\s*$")
_STATE = re.compile(
    r"running|stopped|unknown|starting|stopping|paused|disabled|missing|failed|not installed", re.IGNORECASE
)
_LEAST = 3
_MOST = 200
_UNUSED = {"", "n/a", "none", "not set", "disabled", "-"}


def _plain(key: str) -> str:
    """`lastHeartbeat`, `Agent Last Heartbeat` and `agent_last_heartbeat` are one name."""
    return re.sub(r"[^a-z0-9]", "", key.lower())


def _flat(value: Mapping[str, object], depth: int = 0) -> Iterator[tuple[str, str]]:
    """Every text of a JSON object with its key; services keep the key of theirs."""
    for key, item in list(value.items())[:_MOST]:
        if isinstance(item, Mapping) and depth < _LEAST:
            yield from _flat(item, depth + 1)
        elif isinstance(item, list) and depth < _LEAST:
            for one in item[:_MOST]:
                yield from _flat(values.mapping(one), depth + 1)
        elif isinstance(item, str | bool | int):
            yield str(key), str(item)


def _services(pairs: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    found = {}
    for key, item in pairs:
        named = _SERVICE.search(key)
        name = (named[1] if named else key).lower()
        if _STATE.fullmatch(item) and (named or name in _SERVICES):
            found[name] = item.lower()
    return tuple(found.items())


def _first(pairs: Mapping[str, str], *names: str) -> str:
    found = next((pairs[name] for name in names if pairs.get(name)), "")
    return "" if found.lower() in _UNUSED else values.short(found)


def scope(text: str) -> str:
    """A private link scope's id or name; if it is neither, words that say so: that there is one counts."""
    return typed.resource_id(text) or typed.resource(text) or (SCOPE_UNNAMED if text else "")


def _state(name: str, pairs: list[tuple[str, str]]) -> AgentState:
    by_name = {_plain(key): values.short(item, 900) for key, item in reversed(pairs)}
    status = _first(by_name, "agentstatus", "status")
    proxy = _first(by_name, "usinghttpsproxy", "httpsproxy", "proxyurl")
    return AgentState(
        origin=name,
        status=status.capitalize() if status.lower() in _STATUSES else "",
        version=typed.word(_first(by_name, "agentversion", "version")),
        location=typed.location(_first(by_name, "location")),
        cloud=typed.word(_first(by_name, "cloud")),
        error_code=_first(by_name, "agenterrorcode", "errorcode"),
        error=_first(by_name, "agenterrordetails", "errordetails", "errormessage"),
        last_heartbeat=values.instant(_first(by_name, "agentlastheartbeat", "lastheartbeat")),
        services=_services(pairs),
        proxy=typed.proxy(proxy),
        proxy_credentials=holds_credentials(proxy),
        private_link_scope=scope(_first(by_name, "privatelinkscope", "privatelinkscopeid")),
        gateway=typed.label(_first(by_name, "gatewayurl", "gatewayid")),
        properties=tuple((key.lower()[:60], values.url(item)) for key, item in pairs[:_MOST]),
    )


def holds_credentials(url: str) -> bool:
    """Whether a proxy's URL has a user or a password in it; by now they are hidden."""
    return "@" in url.partition("://")[2].partition("/")[0]


def _document(name: str, pairs: list[tuple[str, str]]) -> Document:
    state = _state(name, pairs)
    if state.status == "Connected":
        # The agent keeps showing an error that it got over long ago.
        return Document(name, Kind.AGENT_SHOW, agent_state=state)
    told = values.unescaped(f"{state.error_code} {state.error}")
    seen = go_errors.attempts([(state.last_heartbeat, told)], name)
    found = codes.seen([*codes.agent_codes(told), *codes.service_codes(told)], [told], name)
    return Document(name, Kind.AGENT_SHOW, attempts=tuple(seen.values()), codes=found, agent_state=state)


def read(name: str, text: str) -> Document | None:
    """The agent's state from text, or None if `text` is not what `show` prints."""
    lines = filter(None, map(_LINE.match, values.lines(text)))
    pairs = [(line[1].strip(), line[2].strip()) for line in islice(lines, _MOST * 5)]
    known = {_plain(key) for key, _ in pairs} & _NAMES
    return _document(name, pairs) if len(known) >= _LEAST else None


def of_pairs(name: str, pairs: list[tuple[str, str]]) -> Document | None:
    """The agent's state from what a script of Microsoft's has collected; None if that has no status."""
    has_status = any(_plain(key) == "agentstatus" and item for key, item in pairs)
    return _document(name, pairs) if has_status else None


def looks_right(value: object) -> bool:
    """Whether this is what `show --json` prints: its keys are documented in part only, in any case."""
    keys = {_plain(str(key)) for key in values.mapping(value)}
    # Azure's own machine document has the same keys, under `properties`.
    told = {"agentversion", "agentstatus"} & keys and "properties" not in keys
    return bool(told) and len(_KEYS & keys) >= _LEAST - 1


def read_json(name: str, value: object) -> Document:
    """The agent's state from JSON."""
    return _document(name, list(_flat(values.mapping(value)))[: _MOST * 5])
