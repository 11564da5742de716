"""What `azcmagent check --json` prints: its shape is not documented, so a list or a map, keys in any case."""

from collections.abc import Iterator, Mapping

from arcferry.evidence.document import Attempt, Document, Kind
from arcferry.evidence.readers import go_errors, values
from arcferry.evidence.readers.words import is_proxied, is_yes

_MOST = 500
_DEEP = 3


def _keys(value: object) -> dict[str, object]:
    return {
        "".join(letter for letter in str(key).lower() if letter.isalnum()): item
        for key, item in list(values.mapping(value).items())[:_MOST]
    }


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else is_yes(value) if isinstance(value, str) else None


def _rows(value: object, name: str = "", depth: int = 0) -> Iterator[tuple[str, dict[str, object]]]:
    """Every object that says `reachable`, with its endpoint: its own, or the key that it stands under."""
    if isinstance(value, Mapping):
        keys = _keys(value)
        if "reachable" in keys:
            named = (
                keys.get("endpoint") or keys.get("hostname") or keys.get("url") or keys.get("host") or name
            )
            yield str(named), keys
        elif depth < _DEEP:
            for key, item in list(value.items())[:_MOST]:
                yield from _rows(item, str(key), depth + 1)
    elif isinstance(value, list) and depth < _DEEP:
        for item in value[:_MOST]:
            yield from _rows(item, name, depth + 1)


def _attempt(named: str, keys: Mapping[str, object], name: str) -> Attempt | None:
    host = next(iter(values.hosts_in_urls(named)), "") or values.host(named)
    reachable = _flag(keys.get("reachable"))
    if not host or "." not in host or reachable is None:
        return None
    says = keys.get("error") or keys.get("message") or keys.get("details")
    required = _flag(keys.get("required"))
    proxy = keys.get("proxystatus", keys.get("proxy", ""))
    return Attempt(
        host,
        name,
        reachable=reachable,
        required=None if reachable else required is not False,
        private=_flag(keys.get("private")),
        proxied=is_proxied(proxy) if isinstance(proxy, str) else bool(proxy),
        address=values.address(keys.get("address", keys.get("ip"))),
        failure=go_errors.failure_in(says) if isinstance(says, str) and not reachable else None,
    )


def read(name: str, value: object) -> Document | None:
    """The rows, or None where the value holds none with an endpoint and whether it was reached."""
    rows = list(_rows(value))[:_MOST]
    found = {seen.host: seen for named, keys in rows if (seen := _attempt(named, keys, name))}
    return Document(name, Kind.AGENT_CHECK, attempts=tuple(found.values())) if found else None
