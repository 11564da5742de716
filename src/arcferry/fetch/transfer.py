"""One file from the network to the disk: resumed where it broke off, whole or not at all, and its receipt."""

import asyncio
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Self

from yarl import URL

from arcferry import files
from arcferry.bundle import blocks
from arcferry.errors import (
    AzureError,
    AzureUnavailableError,
    BundleRefusedError,
    FileInputError,
    InputError,
)
from arcferry.https import (
    NOT_MODIFIED,
    OK,
    PARTIAL,
    HttpsAnswer,
    HttpsClient,
    is_worth_retrying,
    place,
    safe,
)
from arcferry.text import from_json, quoted
from arcferry.times import from_http

LARGEST_PACKAGE = 1024 * 1024 * 1024
_BESIDE_LIMIT = 64 * 1024
_RECEIPT = "receipt.json"
_ENOUGH = 1024 * 1024
_LENGTH = re.compile(r"\d{1,15}")
_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")
_ALGORITHMS = {"sha256": 64, "sha384": 96, "sha512": 128}


@dataclass(frozen=True, slots=True)
class Digest:
    """What a file must hash to, in lower-case hexadecimal; SHA-256, SHA-384 or SHA-512."""

    algorithm: str
    value: str
    length: int

    def __post_init__(self) -> None:
        """Refuse what proves nothing.

        Raises:
            ValueError: another algorithm, or no hash of it.
        """
        if len(self.value) != _ALGORITHMS.get(self.algorithm) or not re.fullmatch(r"[0-9a-f]+", self.value):
            raise ValueError(f"{self.algorithm} {quoted(self.value, limit=140)} is no hash that counts")

    def fits(self, path: Path) -> bool:
        """Whether a file is there and is this one."""
        try:
            if path.stat().st_size != self.length:
                return False
            with path.open("rb") as stream:
                return hashlib.file_digest(stream, self.algorithm).hexdigest() == self.value
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A file that is here whole: what it is, and where it came from.

    Attributes:
        path: where it lies, in the folder of the item that it was fetched as.
        origin: the https address that gave it in the end, without its query.
        validator: the server's strong ETag, to ask whether there is a newer one; empty if it gave none.
        version: of the agent, or empty.
        says: what it was checked by, for a reader.
    """

    path: Path
    length: int
    sha256: str
    origin: str
    validator: str = ""
    version: str = ""
    says: str = ""

    @property
    def item(self) -> str:
        """What it was fetched as, such as `debian12-amd64`."""
        return self.path.parent.name

    def record(self) -> Self:
        """Note beside the file what it is; whatever else lay there is removed.

        Raises:
            FileInputError: the folder cannot be written.
        """
        fields = asdict(self)
        fields["file"] = fields.pop("path").name
        receipt = self.path.with_name(_RECEIPT)
        files.write_whole(receipt, json.dumps(fields, indent=1).encode())
        for path in self.path.parent.iterdir():
            if path not in (receipt, self.path) and path.is_file():
                with files.naming(path, "cannot be removed"):
                    path.unlink()
        return self


def fetched_before(folder: Path) -> FetchedFile | None:
    """What lies in an item's folder by its receipt, if it is here as it was."""
    try:
        fields = from_json(files.read_bounded(folder / _RECEIPT, limit=_BESIDE_LIMIT))
        name = fields.pop("file")
        found = FetchedFile(folder / name, **fields)
        same = Path(name).name == name and Digest("sha256", found.sha256, found.length).fits(found.path)
    except (InputError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return found if same else None


class _StartAgainError(Exception):
    """What lies here of the file is of no use; it was removed, and the next try begins anew."""


async def download(
    client: HttpsClient,
    url: URL,
    path: Path,
    *,
    digest: Digest | None = None,
    limit: int = LARGEST_PACKAGE,
    known: str = "",
    report: Callable[[int, int | None], None] = lambda _done, _total: None,
) -> FetchedFile | None:
    """Download into `path`, beside it first, from where an earlier try broke off.

    A file that has changed at the server since then is begun anew. Tries are bounded; one that brought a
    megabyte counts as the first again.

    Args:
        client: the pool of connections.
        url: where to begin.
        path: the file to write; its folder is made, for this user alone.
        digest: what it must be; None where nobody says, as for the Windows package.
        limit: the most bytes that are taken.
        known: the ETag of what is at `path` already; then the server may answer that it is unchanged.
        report: told how many bytes are here, and of how many.

    Returns:
        The file, or None where the server says that it is what `known` says.

    Raises:
        BundleRefusedError: it is not what the digest says.
        FileInputError: the folder cannot be written, or the disk is full; what has arrived stays.
        AzureError: no usable answer after all tries, it led elsewhere, or it is larger than `limit`.
    """
    files.make_private(path.parent)
    transfer = _Transfer(client, url, _PartialFile(path), digest, limit, known, report)
    pauses = list(client.pauses)
    while True:
        before = transfer.part.length()
        try:
            return await transfer.attempt()
        except (_StartAgainError, AzureError) as error:
            if transfer.part.length() - before >= _ENOUGH:
                pauses = list(client.pauses)
            if isinstance(error, AzureError):
                if not pauses or not is_worth_retrying(error):
                    raise
            elif not pauses:
                hint = "Run the same command again later."
                raise AzureError(f"{place(url)}: {error}", hint=hint) from None
            await asyncio.sleep(pauses.pop(0))


@dataclass(frozen=True, slots=True)
class _Transfer:
    """What all tries of one download share; see `download`."""

    client: HttpsClient
    url: URL
    part: "_PartialFile"
    digest: Digest | None
    limit: int
    known: str
    report: Callable[[int, int | None], None]

    async def attempt(self) -> FetchedFile | None:
        """Ask once, for the whole or for the rest."""
        start, validator = self.part.begun(self.url)
        if not validator and self.digest is None:
            # Nobody could tell whether the rest is of the same file.
            start = 0
        headers = {}
        if start:
            headers = {"Range": f"bytes={start}-"} | ({"If-Range": validator} if validator else {})
        elif self.known:
            headers = {"If-None-Match": self.known}
        async with self.client.get(self.url, headers) as answer:
            if answer.status == NOT_MODIFIED and self.known and not start:
                return None
            start, total = self._where(answer, start, validator)
            self._refuse_length(answer, total)
            self.part.begin(self.url, _validator(answer))
            with self.part.open(start) as stream:
                await self._receive(answer, stream, start, total)
        return self.part.finish(answer, self.digest, resumed=start > 0)

    def _where(self, answer: HttpsAnswer, start: int, validator: str) -> tuple[int, int | None]:
        """Where in the file the body begins, and how long the whole file is."""
        coding = answer.headers.get("Content-Encoding", "identity").strip().lower()
        if coding not in ("", "identity"):
            # Its length and its ranges would be those of the compressed form.
            raise AzureError(
                f"{place(answer.url)} answered compressed ({safe(coding)}), which nobody asked for"
            )
        if answer.status == OK:
            length = answer.headers.get("Content-Length", "")
            return 0, int(length) if _LENGTH.fullmatch(length) else None
        found = _RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
        same = not validator or _validator(answer) in ("", validator)
        if answer.status != PARTIAL or not found or int(found[1]) != start or not same:
            self.part.remove()
            raise _StartAgainError(f"answered {answer.status} to the rest of a file, and not with that rest")
        return start, int(found[3])

    def _refuse_length(self, answer: HttpsAnswer, total: int | None) -> None:
        if total is not None and total > self.limit:
            raise AzureError(
                f"{place(answer.url)}: {total:,} bytes are more than the {self.limit:,} that are taken"
            )
        if self.digest and total is not None and total != self.digest.length:
            self.part.remove()
            raise _refused(answer, f"has {total:,} bytes, not the {self.digest.length:,}")

    async def _receive(self, answer: HttpsAnswer, stream: BinaryIO, start: int, total: int | None) -> None:
        done = start
        async for chunk in answer.chunks():
            done += len(chunk)
            if done > (self.limit if total is None else total):
                self.part.remove()
                raise AzureError(f"{place(answer.url)}: more bytes than were announced, or than are taken")
            with self.part.writing():
                stream.write(chunk)
            self.report(done, total)
        with self.part.writing():
            stream.flush()
            os.fsync(stream.fileno())
        if total is not None and done < total:
            raise AzureUnavailableError(f"{place(answer.url)} broke off at byte {done:,} of {total:,}")


def _validator(answer: HttpsAnswer) -> str:
    """What tells that a later part is of the same file (RFC 9110 §8.8, §13.1.5): a strong ETag, or a date.

    A date counts where it is old enough that a second change in that second is out of question.
    """
    tag = answer.headers.get("ETag", "").strip()
    if tag.startswith('"') and len(tag) <= 200:  # noqa: PLR2004 - far longer than any
        return tag
    modified, now = answer.headers.get("Last-Modified", ""), answer.headers.get("Date", "")
    try:
        age = from_http(now) - from_http(modified)
    except ValueError:
        return ""
    return modified.strip() if age.total_seconds() >= 1 else ""


def _refused(answer: HttpsAnswer, why: str) -> BundleRefusedError:
    return BundleRefusedError(
        f"{place(answer.url)} {why}, which its signed index says",
        hint="Run the same command again later; a mirror or a proxy may hold an old or a changed file.",
    )


class _PartialFile:
    """What has arrived of a file: `NAME.part`, and beside it which file of the server's that is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f"{path.name}.part")
        self._beside = path.with_name(f"{path.name}.part.json")

    def length(self) -> int:
        """Bytes that are here."""
        try:
            return self._part.stat().st_size
        except OSError:
            return 0

    def begun(self, url: URL) -> tuple[int, str]:
        """How much is here of this address, and its validator."""
        try:
            beside = from_json(files.read_bounded(self._beside, limit=_BESIDE_LIMIT))
            if beside["url"] == str(url) and isinstance(beside["validator"], str):
                return self.length(), beside["validator"]
        except (InputError, ValueError, KeyError, TypeError):
            pass
        return 0, ""

    def begin(self, url: URL, validator: str) -> None:
        """Note what is about to arrive."""
        files.write_whole(self._beside, json.dumps({"url": str(url), "validator": validator}).encode())

    def open(self, start: int) -> BinaryIO:
        """Open for writing at `start`; what lies behind it is dropped."""
        with self.writing():
            stream = self._part.open("r+b" if start else "wb")
            stream.truncate(start)
            stream.seek(start)
            return stream

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Let the disk's errors out as the user's."""
        try:
            yield
        except OSError as error:
            raise FileInputError(
                self._part,
                error.strerror or "cannot be written",
                hint="What has arrived stays. Name a folder with more room with --downloads.",
            ) from error

    def remove(self) -> None:
        """Begin anew."""
        with self.writing():
            self._part.unlink(missing_ok=True)
            self._beside.unlink(missing_ok=True)

    def finish(self, answer: HttpsAnswer, digest: Digest | None, *, resumed: bool) -> FetchedFile:
        """Put the file in its place, when it is the right one."""
        if digest and not digest.fits(self._part):
            self.remove()
            if resumed:
                raise _StartAgainError("the parts of two tries are not of one file")
            raise _refused(answer, f"does not have the {digest.algorithm.upper()}")
        with self.writing():
            with blocks.open_regular(self._part) as stream:
                content = blocks.copy(stream, None, limit=LARGEST_PACKAGE + 1)
            files.give_name(self._part, self._path)
            self._beside.unlink(missing_ok=True)
        tag = _validator(answer)
        tag = tag if tag.startswith('"') else ""
        return FetchedFile(self._path, content.length, content.sha256, answer.origin, tag)
