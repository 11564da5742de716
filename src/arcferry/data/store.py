"""The data folder: dated documents, each beside what is known of it."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

from arcferry.data.held import Held, HeldKind, from_json, to_json
from arcferry.data.kinds import Recognised, recognise
from arcferry.errors import FileInputError, InputError
from arcferry.evidence.readers import FILE_LIMIT
from arcferry.files import read_bounded, write_whole
from arcferry.routing.shapes import date_in
from arcferry.text import quoted

_BESIDE = ".json"
# Earlier releases kept a second form of service tags beside them. It is not read; it goes with its document.
_PREPARED = ".prepared"
_BESIDE_LIMIT = 64 * 1024
_ID_LENGTH = 4


class Store:
    """Documents in a folder, several dated copies of each kind.

    A document lies under the name of its own SHA-256, and counts as held once the file that says what it is
    lies beside it. So two imports at one time lose nothing, and a reader never sees a part of either.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(
        self, data: bytes, name: str, *, taken: date | None = None, cloud: str = "", source: str = ""
    ) -> Held:
        """Recognise a document by its content, check all of it, and hold it.

        Args:
            data: the whole file.
            name: its name, for errors and for the day in it.
            taken: the day it was true, where its name and content do not tell.
            cloud: the catalogue's name of its cloud, where its content does not tell.
            source: where it came from; the name if empty.

        Raises:
            FileInputError: it is none of the kinds that are held, a part of it is wrong, or the folder
                cannot be written.
        """
        return self.put(recognise(data, name, taken=taken, cloud=cloud, source=source))

    def put(self, recognised: Recognised) -> Held:
        """Hold a recognised document. What is held already stays, with the day and source that are new.

        Raises:
            FileInputError: the folder cannot be written.
        """
        held = recognised.held
        path = self.folder / held.kind / held.sha256
        before = self._one(path.with_suffix(_BESIDE))
        held = replace(held, path=path, taken=held.taken or (before.taken if before else None))
        write_whole(path, recognised.data)
        write_whole(path.with_suffix(_BESIDE), to_json(held))
        return held

    def held(self) -> tuple[Held, ...]:
        """Everything that is held, by kind and cloud, the newest first; nothing in a missing folder."""
        found = [held for path in self._beside() if (held := self._one(path))]
        order = list(HeldKind)
        found.sort(key=lambda held: held.age, reverse=True)
        return tuple(sorted(found, key=lambda held: (order.index(held.kind), held.cloud)))

    def newest(self, kind: HeldKind, cloud: str) -> tuple[Held, ...]:
        """What is held of one kind for one cloud, the newest first; what belongs to no one cloud fits all."""
        found = [held for held in self.held() if held.kind is kind and held.cloud in ("", cloud)]
        return tuple(sorted(found, key=lambda held: held.age, reverse=True))

    def unreadable(self) -> tuple[Path, ...]:
        """Files in the folder that should say what is held, and do not."""
        return tuple(path for path in self._beside() if self._one(path) is None)

    def read(self, held: Held) -> bytes:
        """The held document.

        Raises:
            FileInputError: it is missing, or is not what was taken in.
        """
        data = read_bounded(held.path, limit=FILE_LIMIT)
        if hashlib.sha256(data).hexdigest() != held.sha256:
            raise FileInputError(
                held.path,
                f"{held.name} is not what was taken in",
                hint=f"arcferry data remove {held.id}, then import it again.",
            )
        return data

    def named(self, names: Iterable[str]) -> tuple[Held, ...]:
        """The documents whose ids begin with these texts.

        Raises:
            InputError: none or several do, or a text is too short to be sure.
        """
        every = self.held()
        found = {}
        for name in names:
            fits = [one for one in every if one.sha256.startswith(name.lower())]
            if len(fits) != 1 or len(name) < _ID_LENGTH:
                problem = "is held under" if not fits else "is told apart by"
                raise InputError(
                    f"no one document {problem} the id {quoted(name)}",
                    hint="arcferry data show lists the ids.",
                )
            found[fits[0].sha256] = fits[0]
        return tuple(found.values())

    def remove(self, documents: Iterable[Held]) -> None:
        """Hold these no longer.

        Raises:
            FileInputError: a file cannot be removed.
        """
        for held in documents:
            for suffix in (_BESIDE, _PREPARED, ""):
                path = held.path.with_suffix(suffix) if suffix else held.path
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    raise FileInputError(path, error.strerror or "cannot be removed") from error

    def export(self, held: Held, folder: Path) -> Path:
        """Write a held document into `folder`, under a name that has its day, for another data folder.

        Raises:
            FileInputError: the document is not what was taken in, or the folder cannot be written.
        """
        name = Path(held.name)
        if held.taken and date_in(held.name) != held.taken:
            name = Path(f"{held.taken}-{held.name}")
        path = folder / name.name
        write_whole(path, self.read(held))
        return path

    def _beside(self) -> list[Path]:
        folders = [self.folder / kind for kind in HeldKind]
        try:
            return sorted(path for folder in folders for path in folder.glob(f"*{_BESIDE}"))
        except OSError as error:
            raise FileInputError(self.folder, error.strerror or "cannot be read") from error

    def _one(self, path: Path) -> Held | None:
        try:
            held = from_json(read_bounded(path, limit=_BESIDE_LIMIT), path.parent)
        except (FileInputError, ValueError):
            return None
        return held if (held.sha256, held.kind) == (path.stem, path.parent.name) else None
