"""A bundle as `arcferry bundle` shows it: what it holds, until when, and who vouches for it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from rich.console import Console

from arcferry import times
from arcferry.bundle import Manifest, Older
from arcferry.errors import BundleRefusedError
from arcferry.language import _, headings, marked, ngettext
from arcferry.report.as_json import SCHEMA, picked
from arcferry.report.console import print_line, print_marked, print_rows, print_table
from arcferry.report.junit import JunitCase, JunitResult, xml


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


def refused(path: Path, error: BundleRefusedError) -> dict[str, Any]:
    """A bundle that was not opened, as one JSON document."""
    says = {"says": error.message, "hint": error.hint}
    return {"schema": SCHEMA, "kind": "bundle", "path": str(path), "verified": False, "refused": says}


def document(view: BundleView) -> dict[str, Any]:
    """The whole view as one JSON document."""
    manifest = view.manifest
    return {
        "schema": SCHEMA,
        "kind": "bundle",
        "path": str(view.path),
        "verified": view.verified,
        "key_id": view.key_id,
        "id": manifest.id,
        "manifest_sha256": manifest.sha256,
        **picked(manifest, "name", "version", "created", "expires"),
        "expired": view.now >= manifest.expires,
        "older": {
            "newest_version": view.older.newest.version,
            "newest_id": view.older.newest.id,
            "newest_opened": view.older.newest.when,
            "reason": view.older.reason,
        }
        if view.older
        else None,
        "agents": list(map(asdict, manifest.agents)),
        "files": list(map(asdict, manifest.files)),
    }


def junit(view: BundleView) -> str:
    """A case for the seal and one for each file that it vouches for."""
    files = [JunitCase(file.name) for file in view.manifest.files]
    return xml({f"bundle {view.manifest.id}": [JunitCase("seal", details=verdict(view)[1]), *files]})


def refused_junit(path: Path, error: BundleRefusedError) -> str:
    """The one case of a bundle that is not what its seal says."""
    return xml({f"bundle {path.name}": [JunitCase("seal", JunitResult.FAILURE, error.message, "refused")]})


def draw(view: BundleView, console: Console, *, every: bool = True) -> None:
    """The same for people: what it is, `every` file where asked for, and the verdict."""
    print_rows(console, 0, _facts(view))
    print_line(console)
    if every:
        files = view.manifest.files
        rows = (((one.name, one.role.value, f"{one.length:,}", one.sha256), "") for one in files)
        print_table(console, headings("FILE", "ROLE", "BYTES", "SHA-256"), rows, right=(2,), cut=(3,))
        print_line(console)
    print_marked(console, *verdict(view))


def _facts(view: BundleView) -> Iterator[tuple[str, str]]:
    manifest = view.manifest
    yield _("Bundle"), str(view.path)
    if manifest.name:
        yield _("Name"), manifest.name
    yield _("Id"), manifest.id
    yield _("Version"), str(manifest.version)
    yield _("Created"), times.to_text(manifest.created)
    yield _("Expires"), f"{times.to_text(manifest.expires)} ({_left(manifest.expires - view.now)})"
    yield _("Key"), view.key_id
    # Short enough to be read out and compared group by group.
    groups = [manifest.sha256[at : at + 4] for at in range(0, 64, 4)]
    yield "SHA-256", " ".join(groups[:8])
    yield "", " ".join(groups[8:])
    if view.older:
        newest, reason = view.older.newest, view.older.reason
        yield _("Older"), _("than {newest}; allowed because: {reason}", newest=newest, reason=reason)
    for count, agent in enumerate(manifest.agents):
        version = agent.version or _("(version not known: neither the package nor its name tells it)")
        signed = f", {agent.signature}" if agent.signature else ""
        shown = f"{version} {agent.format} {agent.architecture}".rstrip()
        yield (_("Agent") if count == 0 else ""), f"{shown}{signed}"
    fetched = [file for file in manifest.files if file.origin]
    for count, file in enumerate(fetched):
        yield (_("From") if count == 0 else ""), f"{file.origin} ({PurePosixPath(file.name).name})"


def _left(life: timedelta) -> str:
    if life <= timedelta(0):
        return _("expired")
    days = -(-life // timedelta(days=1))
    return ngettext("{count} day left", "{count} days left", days)


def verdict(view: BundleView) -> tuple[str, str]:
    """`ok` or `warn`, and who vouches for it."""
    count = len(view.manifest.files)
    if view.verified:
        if view.older:
            says = marked("sealed with key {key} and unchanged, but not the newest; allowed")
            return "warn", _(says, key=view.key_id)
        says = marked("sealed with key {key}; {count} files are exactly what the seal says")
        return "ok", _(says, key=view.key_id, count=count)
    says = marked("NOT VERIFIED: no key was given, so nothing vouches for these {count} files")
    return "warn", _(says, count=count)
