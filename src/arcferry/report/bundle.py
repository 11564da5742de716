"""A bundle as `arcferry bundle` shows it: what it holds, until when, and who vouches for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from rich.console import Console
from rich.text import Text

from arcferry import times
from arcferry.bundle import AgentPackage, Manifest, Older
from arcferry.report.console import mark

_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class BundleView:
    """What is shown of one bundle.

    Attributes:
        key_id: the key that sealed it, or if `verified` is False the one it claims.
        older: set if it is older than one that was opened before, and was allowed all the same.
        verified: whether seal, dates and every file were checked, and right.
        now: the instant against which its expiry is told.
    """

    path: Path
    manifest: Manifest
    key_id: str
    verified: bool
    now: datetime
    older: Older | None = None


def document(view: BundleView) -> dict[str, Any]:
    """The whole view as one JSON document."""
    manifest = view.manifest
    return {
        "schema": _SCHEMA,
        "kind": "bundle",
        "path": str(view.path),
        "verified": view.verified,
        "key_id": view.key_id,
        "id": manifest.id,
        "manifest_sha256": manifest.sha256,
        "version": manifest.version,
        "created": times.to_text(manifest.created),
        "expires": times.to_text(manifest.expires),
        "expired": view.now >= manifest.expires,
        "older": _older_document(view.older),
        "agents": [
            {
                "file": agent.file,
                "format": agent.format.value,
                "version": agent.version,
                "architecture": agent.architecture,
                "signature": agent.signature,
                "signer": agent.signer,
                "distributions": list(agent.distributions),
            }
            for agent in manifest.agents
        ],
        "files": [
            {
                "name": file.name,
                "role": file.role.value,
                "length": file.length,
                "sha256": file.sha256,
                "origin": file.origin,
            }
            for file in manifest.files
        ],
    }


def plain(view: BundleView) -> Iterator[str]:
    """The same for people: what it is, a blank line, then its files."""
    word, says = _verdict(view)
    yield from (f"{label:<9}{value}" for label, value in _facts(view))
    yield from _file_table(view.manifest)
    yield ""
    yield f"{word}  {says}"


def draw(view: BundleView, console: Console) -> None:
    """The same on a terminal, with colour for the verdict."""
    word, says = _verdict(view)
    for label, value in _facts(view):
        console.print(Text.assemble((f"{label:<9}", "dim"), value), soft_wrap=True)
    for line in _file_table(view.manifest):
        console.print(line, soft_wrap=True)
    style = {"ok": "green", "warn": "yellow"}[word]
    console.print(Text(f"\n{mark(word, console)}  {says}", style=style), soft_wrap=True)


def _facts(view: BundleView) -> Iterator[tuple[str, str]]:
    manifest = view.manifest
    yield "Bundle", str(view.path)
    yield "Id", manifest.id
    yield "Version", str(manifest.version)
    yield "Created", times.to_text(manifest.created)
    yield "Expires", f"{times.to_text(manifest.expires)} ({_left(manifest.expires - view.now)})"
    yield "Key", view.key_id
    for count, line in enumerate(_spoken(manifest.sha256)):
        yield ("SHA-256" if count == 0 else ""), line
    if view.older:
        yield "Older", f"than {view.older.newest}; allowed because: {view.older.reason}"
    for count, agent in enumerate(manifest.agents):
        yield ("Agent" if count == 0 else ""), _agent(agent)
    fetched = [file for file in manifest.files if file.origin]
    for count, file in enumerate(fetched):
        yield ("From" if count == 0 else ""), f"{file.origin} ({PurePosixPath(file.name).name})"


def _older_document(older: Older | None) -> dict[str, Any] | None:
    if older is None:
        return None
    return {
        "newest_version": older.newest.version,
        "newest_id": older.newest.id,
        "newest_opened": older.newest.when,
        "reason": older.reason,
    }


def _spoken(sha256: str) -> Iterator[str]:
    """Two lines of eight groups of four digits: short enough to be read out and compared group by group."""
    groups = [sha256[at : at + 4] for at in range(0, len(sha256), 4)]
    half = len(groups) // 2
    yield " ".join(groups[:half])
    yield " ".join(groups[half:])


def _agent(agent: AgentPackage) -> str:
    version = agent.version or "(version not known: neither the package nor its name tells it)"
    signed = f", {agent.signature}" if agent.signature else ""
    return f"{version} {agent.format} {agent.architecture}".rstrip() + signed


def _left(life: timedelta) -> str:
    if life <= timedelta(0):
        return "expired"
    days = -(-life // timedelta(days=1))
    return f"{days} day{'' if days == 1 else 's'} left"


def _file_table(manifest: Manifest) -> Iterator[str]:
    rows = [
        ("FILE", "ROLE", "BYTES", "SHA-256"),
        *((file.name, file.role.value, f"{file.length:,}", file.sha256) for file in manifest.files),
    ]
    name, role, length = (max(len(row[column]) for row in rows) for column in range(3))
    yield ""
    for row in rows:
        yield f"{row[0]:<{name}}  {row[1]:<{role}}  {row[2]:>{length}}  {row[3]}"


def _verdict(view: BundleView) -> tuple[str, str]:
    files = f"{len(view.manifest.files)} files"
    if view.verified:
        if view.older:
            return "warn", f"sealed with key {view.key_id} and unchanged, but not the newest; allowed"
        return "ok", f"sealed with key {view.key_id}; {files} are exactly what the seal says"
    return "warn", f"NOT VERIFIED: no key was given, so nothing vouches for these {files}"
