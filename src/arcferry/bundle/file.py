import hashlib
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from arcferry import files
from arcferry.bundle import blocks
from arcferry.bundle.manifest import Role
from arcferry.errors import BundleRefusedError


@dataclass(frozen=True, slots=True)
class BundleFile:
    """A file of a verified bundle. Every reading checks length and hash again: the file may have changed.

    Attributes:
        name: its path inside the bundle, with `/`.
        path: where it lies here: the file itself, or the zip that holds it.
        start: where in the zip its content begins; None for a file of its own.
        crc: what the zip says its CRC-32 is; None for a file of its own.
    """

    name: str
    path: Path
    length: int
    sha256: str
    role: Role
    start: int | None = None
    crc: int | None = None

    def check(self) -> None:
        """Check that the file is what the manifest says.

        Raises:
            BundleRefusedError: it is not, or it cannot be read.
        """
        with self.open_verified() as content:
            for _ in content:
                pass

    def read(self) -> bytes:
        """The whole content, in memory.

        Raises:
            BundleRefusedError: the file is not what the manifest says.
        """
        with self.open_verified() as content:
            return b"".join(map(bytes, content))

    def copy_into(self, target: BinaryIO) -> int:
        """Write the content at the position of `target`, and return its CRC-32.

        If this raises, what was written is to be undone.

        Raises:
            BundleRefusedError: the file is not what the manifest says.
            OSError: `target` cannot be written.
        """
        checksum = 0
        with self.open_verified() as content:
            for block in content:
                checksum = zlib.crc32(block, checksum)
                target.write(block)
        return checksum

    def copy_to(self, target: Path) -> None:
        """Copy the content to `target` in constant memory and through to the disk, once it is right.

        Raises:
            BundleRefusedError: the file is not what the manifest says.
            FileInputError: `target` cannot be written.
        """
        with files.writing_whole(target) as copy:
            self.copy_into(copy)

    @contextmanager
    def open_verified(self) -> Iterator[Iterator[memoryview]]:
        """Blocks of the content, each valid until the next one is asked for.

        The hash is only known at the end: what has been done with the blocks is to be undone if the
        iteration raises, and is not to be relied on if it was not run to its end.

        Raises:
            BundleRefusedError: from the iteration's last step, the file is not what the manifest says.
        """
        with opened(self.path, self.name) as stream:
            stream.seek(self.start or 0)
            yield self._checked(stream)

    def _checked(self, stream: io.FileIO) -> Iterator[memoryview]:
        digest, length, checksum = hashlib.sha256(), 0, 0
        # Of a file of its own one byte more is read, so that a longer one is noticed.
        for block in blocks.blocks(stream, limit=self.length + (self.start is None)):
            digest.update(block)
            length += len(block)
            if self.crc is not None:
                checksum = zlib.crc32(block, checksum)
            if length <= self.length:
                yield block
        if length != self.length:
            actual = self.path.stat().st_size if length > self.length else length
            raise BundleRefusedError(f"{self.name}: {length_problem(actual, self.length)}")
        if digest.hexdigest() != self.sha256:
            raise BundleRefusedError(
                f"{self.name}: its content was changed: its SHA-256 is {digest.hexdigest()}, "
                f"the manifest says {self.sha256}"
            )
        if self.crc is not None and checksum != self.crc:
            raise BundleRefusedError(f"{self.name}: the zip states a wrong checksum for it")


@contextmanager
def opened(path: Path, name: str, missing: str = "missing") -> Iterator[io.FileIO]:
    """A file of a bundle to read from, called `name` in errors.

    Raises:
        BundleRefusedError: it is `missing`, not a plain file, or cannot be read, also in the body.
    """
    try:
        stream = blocks.open_regular(path)
    except blocks.NotRegularError as error:
        raise BundleRefusedError(f"{name}: is a {error}, not a file") from error
    except FileNotFoundError as error:
        raise BundleRefusedError(f"{name}: {missing}") from error
    except OSError as error:
        raise BundleRefusedError(f"{name}: {error.strerror or 'cannot be read'}") from error
    with stream:
        try:
            yield stream
        except blocks.UnreadableError as error:
            why = f"{name}: cannot be read: {error.strerror}"
            raise BundleRefusedError(why, hint="Copy the bundle again.") from error


def length_problem(actual: int, stated: int) -> str:
    """How two lengths differ, in words."""
    difference = abs(actual - stated)
    return (
        f"{difference:,} byte{'' if difference == 1 else 's'} "
        f"{'longer' if actual > stated else 'shorter'} than the manifest says"
    )
