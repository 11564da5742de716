"""settings.json: what the wrapper scripts read. Every server can read it, so it holds no secret."""

import json

from arcferry.bundle import Bundle, Role
from arcferry.bundle.manifest import same_architecture
from arcferry.bundle.names import MANIFEST
from arcferry.export.model import ExportOrder, TokenFile, Tool

SCHEMA = 1
KIND = "onboard-settings"
_EVERY = ("amd64", "arm64")


def settings(order: ExportOrder, tool: Tool) -> bytes:
    """Canonical JSON: sorted keys, ASCII, one key a line, because a POSIX shell reads it line by line."""
    document = {
        "schema": SCHEMA,
        "kind": KIND,
        "via": tool.value,
        "bundle": order.bundle.id,
        "connect": order.connect_options,
        "delay_minutes": order.minutes(tool),
        "proxy": order.proxy,
        "results": order.results,
        "token_file": order.sign_in.path if isinstance(order.sign_in, TokenFile) else "",
        "packages": _packages(order.bundle),
        "files": _pinned(order.bundle),
    }
    return f"{json.dumps(document, indent=2, sort_keys=True)}\n".encode("ascii")


def _packages(bundle: Bundle) -> dict[str, str]:
    """The package's file for each `format-architecture`."""
    found: dict[str, str] = {}
    for agent in bundle.manifest.agents:
        architecture = same_architecture(agent.architecture)
        for one in _EVERY if architecture in {"all", ""} else (architecture,):
            found.setdefault(f"{agent.format}-{one}", agent.file)
    return found


def _pinned(bundle: Bundle) -> dict[str, str]:
    """SHA-256 of the manifest and of what is run or installed: another bundle in its place is noticed."""
    listed = (*bundle.files(Role.HOST_SCRIPT), *bundle.files(Role.AGENT))
    return {MANIFEST: bundle.manifest.sha256} | {file.name: file.sha256 for file in listed}
