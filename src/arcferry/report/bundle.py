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
from arcferry.diagnosis import Diagnosis
from arcferry.errors import BundleRefusedError
from arcferry.report import findings_document
from arcferry.report.columns import columns
from arcferry.report.console import print_line, print_marked

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


@dataclass(frozen=True, slots=True)
class RefusedBundle:
    """A bundle that was not opened: for what, and what follows."""

    path: Path
    refused: BundleRefusedError
    diagnosis: Diagnosis


def refused_document(seen: RefusedBundle) -> dict[str, Any]:
    """A refused bundle as one JSON document."""
    return _refused(seen) | findings_document.fields(seen.diagnosis)


def refused_lines(seen: RefusedBundle) -> Iterator[dict[str, Any]]:
    """The same as lines."""
    yield from findings_document.lines(seen.diagnosis)
    yield _refused(seen)


def _refused(seen: RefusedBundle) -> dict[str, Any]:
    says = {"says": seen.refused.message, "hint": seen.refused.hint}
    return {"schema": _SCHEMA, "kind": "bundle", "path": str(seen.path), "verified": False, "refused": says}


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
        "older": {
            "newest_version": view.older.newest.version,
            "newest_id": view.older.newest.id,
            "newest_opened": view.older.newest.when,
            "reason": view.older.reason,
        }
        if view.older
        else None,
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


def json_lines(view: BundleView) -> Iterator[dict[str, Any]]:
    """The same on one line."""
    yield document(view)


def draw(view: BundleView, console: Console) -> None:
    """The same for people: what it is, a blank line, its files, and the verdict."""
    for label, value in _facts(view):
        console.print(Text.assemble((f"{label:<9}", "dim"), value), soft_wrap=True)
    print_line(console)
    files = ((file.name, file.role.value, f"{file.length:,}", file.sha256) for file in view.manifest.files)
    for line in columns((("FILE", "ROLE", "BYTES", "SHA-256"), *files), right=(2,)):
        print_line(console, line)
    print_line(console)
    print_marked(console, *verdict(view))


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


def verdict(view: BundleView) -> tuple[str, str]:
    """`ok` or `warn`, and who vouches for it."""
    files = f"{len(view.manifest.files)} files"
    if view.verified:
        if view.older:
            return "warn", f"sealed with key {view.key_id} and unchanged, but not the newest; allowed"
        return "ok", f"sealed with key {view.key_id}; {files} are exactly what the seal says"
    return "warn", f"NOT VERIFIED: no key was given, so nothing vouches for these {files}"
