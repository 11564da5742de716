"""`config`: the local settings that an administrator can change."""

from typing import Any

from . import layout
from .connect import need_root
from .console import Console
from .failure import AgentError

DEFAULTS: dict[str, Any] = {
    "incomingconnections.enabled": True,
    "incomingconnections.ports": [],
    "connection.type": "default",
    "proxy.url": "",
    "proxy.bypass": [],
    "extensions.allowlist": [],
    "extensions.blocklist": [],
    "extensions.enabled": True,
    "extensions.agent.cpulimit": 5,
    "guestconfiguration.enabled": True,
    "guestconfiguration.agent.cpulimit": 5,
    "config.mode": "full",
}
_PREVIEW = ("incomingconnections.enabled", "incomingconnections.ports")


def run(console: Console, action: str, name: str, value: str) -> None:
    """The `config` command.

    Raises:
        AgentError: unknown property or value (AZCM0023), a missing one (AZCM0016), not root (AZCM0018).
    """
    values = DEFAULTS | layout.read_json(layout.LOCAL_CONFIG)
    if action == "list":
        _list(console, values)
        return
    if name not in DEFAULTS:
        raise AgentError(23, f"unknown configuration property '{name}'")
    if action == "get":
        console.out(_text(values[name]))
        return
    need_root(f"config {action}")
    if action == "set" and not value:
        raise AgentError(16, f"a value for {name} is required")
    values[name] = _parse(name, value) if action == "set" else DEFAULTS[name]
    layout.write_json(layout.LOCAL_CONFIG, values)
    if action == "set":
        console.out(f"Config property {name} set to value {_text(values[name])}")
    else:
        console.out(f"Config property {name} cleared")
    if name.startswith("proxy."):
        console.info("Updating service configuration: Azure Arc Proxy")


def _list(console: Console, values: dict[str, Any]) -> None:
    if console.as_json:
        console.document(values)
        return
    lines = [
        f"  {name}{' (preview)' if name in _PREVIEW else ''} : {_text(values[name])}" for name in DEFAULTS
    ]
    console.out("\n".join(["Local Configuration Settings", *lines]))


def _parse(name: str, text: str) -> object:
    kind = type(DEFAULTS[name])
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise AgentError(23, f"invalid value '{text}' for {name}: expected true or false")
        return text.lower() == "true"
    if kind is int:
        if not text.isdecimal():
            raise AgentError(23, f"invalid value '{text}' for {name}: expected a number")
        return int(text)
    if kind is list:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(str(item) for item in value)}]"
    return str(value)
