import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from arcferry import files, text, times
from arcferry.bundle.keys import PublicKey
from arcferry.bundle.manifest import KIND, Manifest
from arcferry.errors import BundleRefusedError, FileInputError
from arcferry.text import from_json

_SCHEMA = 1
FOLDER = "bundles"
_LIMIT = 4096
_FILE = re.compile(r"([1-9][0-9]{0,15})\.json")
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Opened:
    """A bundle that was opened here before.

    Attributes:
        id: the bundle's id, or an empty string if the record of it is damaged.
        when: RFC 3339, or empty likewise.
        created: the day that it was made on, or empty; records of before it was kept do not say.
        expires: the day from which on it is refused, likewise.
        name: what its builder calls it, likewise.
    """

    version: int
    id: str
    when: str
    created: str = ""
    expires: str = ""
    name: str = ""

    def __str__(self) -> str:
        """For a sentence: the version, and what else is known."""
        known = ", ".join(filter(None, (f"id {self.id}" if self.id else "", self.when)))
        return f"version {self.version} ({known})" if known else f"version {self.version}"


@dataclass(frozen=True, slots=True)
class Older:
    """That a bundle is not the newest of its origin, and why it was used all the same."""

    newest: Opened
    reason: str

    def __str__(self) -> str:
        """For a sentence."""
        return f"an older bundle than the newest opened here, {self.newest}, by your leave: {self.reason}"


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """Which bundle of each lineage was the newest one opened here, so that an older one is noticed.

    A lineage is the bundles of one key and one name, or without a name those for one set of servers
    (`Manifest.lineage`): a bundle of another name or for others is no older one. Whoever can swap a bundle
    on its way can put an old, rightly sealed one in a newer one's place, and with it agents whose faults are
    known by now; the expiry date alone would let that pass for months.

    The record is a file for the newest version of each lineage, made and removed whole, so that processes
    that open bundles at the same time need no lock and can only ever raise it.

    Attributes:
        folder: the state folder. It is made if it is missing.
        keeps: whether an opened bundle is remembered; else older ones are refused, and nothing is written.
    """

    folder: Path
    keeps: bool = True

    def check(
        self, manifest: Manifest, keys: Iterable[PublicKey], *, called: Path, allow_older: str
    ) -> Older | None:
        """Return None for the newest bundle of its lineage, else why an older one is to be used.

        Args:
            manifest: of the bundle at hand.
            called: the bundle, as the user named it.
            keys: the accepted keys of one origin: also the old one whose place a new one took.
            allow_older: the operator's reason, or an empty string.

        Raises:
            BundleRefusedError: it is older, or another one of the same version, and there is no reason.
            FileInputError: the record cannot be read.
        """
        own = (opened for key in keys for opened in self._opened(self._lineage(key, manifest)))
        newest = max(own, key=lambda opened: opened.version, default=None)
        if newest is None or newest.version < manifest.version:
            return None
        same = newest.version == manifest.version
        if same and newest.id in {manifest.id, ""}:
            return None
        reason = text.one_line(allow_older, limit=_LONGEST_REASON)
        if reason:
            return Older(newest, reason)
        raise BundleRefusedError(
            f"{called}: {_refusal(manifest, newest, same=same)} that was opened here before: {newest}",
            hint="Use the newest bundle. If it must be this one: --allow-older REASON.",
        )

    def remember(self, manifest: Manifest, key: PublicKey, older: Older | None, *, now: datetime) -> None:
        """Keep that this bundle was opened; if it was allowed as an older one, keep the reason.

        Raises:
            FileInputError: the record cannot be written.
        """
        if not self.keeps:
            return
        document: dict[str, str | int] = {
            "created": f"{manifest.created:%Y-%m-%d}",
            "expires": f"{manifest.expires:%Y-%m-%d}",
            "id": manifest.id,
            "opened": times.to_text(now),
            "name": manifest.name,
            "version": manifest.version,
        }
        if older:
            self._append({**document, "key": key.id, "newest": older.newest.version, "reason": older.reason})
            return
        folder = self._lineage(key, manifest)
        path = folder / f"{manifest.version}.json"
        if not path.exists():
            self._make(folder.parent, folder)
            files.write_whole(path, _line(document), mode=0o600)
        for opened in list(self._opened(folder)):
            if opened.version < manifest.version:
                (folder / f"{opened.version}.json").unlink(missing_ok=True)

    def newest(self) -> list[Opened]:
        """The newest bundle of each lineage that was opened here.

        Raises:
            FileInputError: the record cannot be read.
        """
        root = self.folder / FOLDER
        with files.naming(root):
            lineages = sorted(root.glob("*/*/")) if root.is_dir() else []
        found = (max(self._opened(one), key=lambda opened: opened.version, default=None) for one in lineages)
        return [one for one in found if one is not None]

    def _lineage(self, key: PublicKey, manifest: Manifest) -> Path:
        # Named by the key itself: an id is only eight bytes that anyone may write into a key.
        name = hashlib.sha256(key.key).hexdigest()[:32]
        # Bundles of agents and of arcferry itself are two rows of versions.
        row = name if manifest.kind == KIND else f"{name}-{manifest.kind}"
        # No kind of server begins with the sign, so that no name is taken for a set of servers.
        members = (f"={manifest.name}",) if manifest.name else manifest.lineage
        lineage = hashlib.sha256("\n".join(members).encode("ascii")).hexdigest()[:32]
        return self.folder / FOLDER / row / lineage

    def _opened(self, folder: Path) -> Iterator[Opened]:
        with files.naming(folder):
            try:
                found = sorted(path.name for path in folder.iterdir())
            except FileNotFoundError:
                return
        for name in found:
            if match := _FILE.fullmatch(name):
                yield _read(folder / name, int(match[1]))

    def _make(self, *folders: Path) -> None:
        """Folders in the state folder, and those above them, each closed to other users."""
        for one in (self.folder, self.folder / FOLDER, *folders):
            files.make_private(one)

    def _append(self, document: dict[str, str | int]) -> None:
        self._make()
        path = self.folder / FOLDER / "older.jsonl"
        with files.naming(path, "cannot be written"):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "wb", buffering=0) as stream:
                stream.write(_line(document))
                os.fsync(stream.fileno())


def _refusal(manifest: Manifest, newest: Opened, *, same: bool) -> str:
    """What is wrong with a bundle beside the newest of its lineage, in the words that it has for itself."""
    if not manifest.name:
        what = (
            f"is another bundle (id {manifest.id}) with the version of one"
            if same
            else f"version {manifest.version} is older than one"
        )
        return f"{what} for the same servers ({', '.join(manifest.lineage)})"
    own = f"bundle {manifest.name} of {manifest.created:%Y-%m-%d}"
    other = f"the one of {newest.created}" if newest.created else "one"
    if same:
        return f"{own} (id {manifest.id}) is not {other} with the same version {manifest.version}"
    return f"{own} (version {manifest.version}) is older than {other}"


def _line(document: dict[str, str | int]) -> bytes:
    return f"{json.dumps({'schema': _SCHEMA, **document}, sort_keys=True)}\n".encode("ascii")


def _read(path: Path, version: int) -> Opened:
    """What is known of a version; its name alone counts if the content is damaged."""
    try:
        document = from_json(files.read_bounded(path, limit=_LIMIT))
        known = {"id": document["id"], "when": document["opened"]}
        known |= {key: document.get(key, "") for key in ("created", "expires", "name")}
        return Opened(version, **{key: text.one_line(str(value)) for key, value in known.items()})
    except (FileInputError, ValueError, KeyError, TypeError, RecursionError):
        return Opened(version, "", "")
