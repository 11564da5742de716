"""What every server runs, whatever tool starts it: wrapper scripts, settings and the bundle."""

import hashlib
import json
from importlib import resources
from pathlib import Path

from arcferry import files
from arcferry.bundle import Role, copy_bundle
from arcferry.bundle.manifest import MANIFEST
from arcferry.export.options import ExportOptions, TokenFile, Tool
from arcferry.export.servers import LOOKUP, SERVERS

BUNDLE = "bundle"
SETTINGS = "settings.json"
WINDOWS, LINUX = "onboard.ps1", "onboard.sh"
_EVERY = ("amd64", "arm64")


def wrapper(name: str) -> str:
    """The text of a wrapper script that comes with arcferry."""
    return resources.files("arcferry.export").joinpath("wrappers", name).read_text(encoding="ascii")


def write_content(options: ExportOptions, tool: Tool, folder: Path, wrappers: tuple[str, ...]) -> None:
    """Write what every server runs into a folder of its own.

    Raises:
        BundleRefusedError: the bundle changed since it was opened.
        FileInputError: the disk.
    """
    for name in wrappers:
        mode = 0o755 if name == LINUX else 0o644
        files.write_whole(folder / name, wrapper(name).encode("ascii"), mode=mode)
    files.write_whole(folder / SETTINGS, settings(options, tool))
    if options.servers is not None:
        files.write_whole(folder / SERVERS, options.servers.data)
        if LINUX in wrappers:
            files.write_whole(folder / LOOKUP, wrapper(LOOKUP).encode("ascii"))
    copy_bundle(options.bundle, folder / BUNDLE)


def pins(options: ExportOptions, tool: Tool, name: str) -> dict[str, str]:
    """SHA-256 of a wrapper script and of what it reads, in hexadecimal: what a start has to compare first."""
    held = {name: wrapper(name).encode("ascii"), SETTINGS: settings(options, tool)}
    return {file: hashlib.sha256(data).hexdigest() for file, data in held.items()}


def settings(options: ExportOptions, tool: Tool) -> bytes:
    """`settings.json`, which the wrapper scripts read. Every server can read it, so it holds no secret.

    Canonical JSON: sorted keys, ASCII, one key a line, because a POSIX shell reads it line by line.
    """
    bundle = options.bundle
    packages: dict[str, str] = {}
    versions: dict[str, str] = {}
    for agent in bundle.manifest.agents:
        for processor in _EVERY if agent.processor in {"all", ""} else (agent.processor,):
            packages.setdefault(f"{agent.format}-{processor}", agent.file)
            versions.setdefault(f"{agent.format}-{processor}", agent.version)
    pinned = (*bundle.files(Role.HOST_SCRIPT), *bundle.files(Role.AGENT))
    document = {
        "schema": 1,
        "kind": "onboard-settings",
        "via": tool.value,
        "way": options.way.value,
        "bundle": bundle.id,
        "connect": options.connect_options,
        "delay_minutes": options.minutes(tool),
        "wait_seconds": options.wait,
        "window": options.openings,
        "proxy": options.proxy,
        "results": options.results,
        "token_file": options.sign_in.path if isinstance(options.sign_in, TokenFile) else "",
        "packages": packages,
        "versions": versions,
        # SHA-256 of the manifest and of what is run, read or installed: another in its place is noticed.
        "files": {
            MANIFEST: bundle.manifest.sha256,
            **{file.name: file.sha256 for file in pinned},
            **_map_pins(options, tool),
        },
    }
    return f"{json.dumps(document, indent=2, sort_keys=True)}\n".encode("ascii")


def _map_pins(options: ExportOptions, tool: Tool) -> dict[str, str]:
    """SHA-256 of the map by host name, if there is one, and of what looks into it on Linux."""
    if options.servers is None:
        return {}
    lookup = {LOOKUP: hashlib.sha256(wrapper(LOOKUP).encode("ascii")).hexdigest()}
    return {SERVERS: options.servers.sha256} | (lookup if tool is Tool.SCRIPT else {})
