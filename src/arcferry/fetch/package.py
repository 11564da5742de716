"""A package as a signed index describes it, and what all kinds of index have in common."""

import bz2
import gzip
import hashlib
import lzma
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from yarl import URL

from arcferry.errors import AzureError, BundleRefusedError, InputError
from arcferry.fetch.distributions import Choice
from arcferry.fetch.transfer import Digest
from arcferry.https import HttpsClient, place
from arcferry.text import quoted, said, whole

AGENT = "azcmagent"
_ANY_PROCESSOR = ("all", "noarch")
LARGEST_SIGNED = 4 * 1024 * 1024
LARGEST_INDEX = 64 * 1024 * 1024
LARGEST_UNPACKED = 128 * 1024 * 1024
_LONGEST = 10**15
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+~^-]{0,199}")
_PACKED: dict[bytes, Callable[[BytesIO], gzip.GzipFile | lzma.LZMAFile | bz2.BZ2File]] = {
    b"\x1f\x8b": lambda data: gzip.GzipFile(fileobj=data),
    b"\xfd7": lzma.LZMAFile,
    b"BZ": bz2.BZ2File,
}
_ZSTD = b"\x28\xb5\x2f\xfd"
_VERSION = re.compile(r"[1-9]\d?(?:\.\d{1,6}){1,3}")


class StaleError(Exception):
    """Two files of a repository do not belong together: it is being written, or an old copy was served."""


@dataclass(frozen=True, slots=True)
class Package:
    """One version of the agent in a repository.

    Attributes:
        path: below the repository's address.
        signer: the fingerprint of the key behind its index.
        dated: when the index was made; None where it doesn't say.
    """

    version: str
    architecture: str
    path: str
    digest: Digest
    signer: str = ""
    dated: datetime | None = None

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.rpartition("/")[2]


def newest(packages: Iterable[Package], choice: Choice, wanted: str, where: str) -> Package:
    """The newest that fits the choice's processor, and the version that is wanted.

    Raises:
        AzureError: there is none; the versions that there are, are named.
    """
    own = {choice.architecture, *_ANY_PROCESSOR}
    found = sorted((one for one in packages if one.architecture in own), key=lambda one: order(one.version))
    good = [one for one in found if fits(one.version, wanted)]
    if good:
        return good[-1]
    if not found:
        raise AzureError(
            f"{where} has no {AGENT} for {choice.architecture}",
            hint=f"Arc may not support {choice.distribution.display} on it. Take the package of a release "
            "that it does support, or name a file with --agent.",
        )
    listed = ", ".join(dict.fromkeys(one.version for one in reversed(found[-8:])))
    raise AzureError(f"{where} has no {AGENT} {wanted}", hint=f"Newest there: {listed}.")


def below(base: URL, path: str) -> URL:
    """A file of a repository, by the path that its index gives.

    Raises:
        BundleRefusedError: the path would leave the repository.
    """
    parts = path.removeprefix("./").split("/")
    if not all(map(_PART.fullmatch, parts)):
        raise BundleRefusedError(
            f"the index at {base.host} names the file {quoted(path, limit=200)}, which is no path in it"
        )
    return base.joinpath(*parts)


async def read_index(client: HttpsClient, url: URL, digest: Digest) -> bytes:
    """The list of packages that a signed file names, unpacked.

    Raises:
        StaleError: it is not the one that was signed.
        BundleRefusedError: it cannot be unpacked.
        AzureError: no usable answer; it is packed with Zstandard, or far larger than any index.
    """
    data, _ = await client.read(url, limit=LARGEST_INDEX)
    if len(data) != digest.length or hashlib.new(digest.algorithm, data).hexdigest() != digest.value:
        raise StaleError(f"{place(url)} is not the file that the repository's signed list names")
    return unpacked(data, place(url))


def unpacked(data: bytes, where: str) -> bytes:
    """An index, whatever it is packed with.

    Raises:
        AzureError: it is packed with Zstandard, or far larger than any index.
        BundleRefusedError: it cannot be unpacked.
    """
    if data.startswith(_ZSTD):
        raise AzureError(
            f"{where} is packed with Zstandard, which is not read here",
            hint="Download the package elsewhere, and name it with --agent.",
        )
    opened = _PACKED.get(data[:2])
    if opened is None:
        return data
    with reading(where), opened(BytesIO(data)) as stream:
        content = bytes(stream.read(LARGEST_UNPACKED + 1))
    if len(content) > LARGEST_UNPACKED:
        raise AzureError(f"{where}: more than the {LARGEST_UNPACKED:,} bytes that are unpacked of an index")
    return content


@contextmanager
def reading(where: str) -> Iterator[None]:
    """In the body, what is signed and cannot be read all the same is refused.

    Raises:
        BundleRefusedError: in place of what the readers of packed data, of fields and of numbers raise.
    """
    try:
        yield
    except KeyError as error:
        raise BundleRefusedError(f"{where} is signed, and has no field {said(error)}") from None
    except (EOFError, OSError, ValueError, lzma.LZMAError, zlib.error) as error:
        raise BundleRefusedError(f"{where} is signed, and cannot be read: {error}") from None


def length_of(text: str) -> int:
    """A file's length in bytes, as an index gives it.

    Raises:
        ValueError: it is no length, or one of a file larger than any.
    """
    length = whole(text.strip(), most=_LONGEST)
    if length is None:
        raise ValueError("a file's length is no number of bytes")
    return length


def read_version(text: str) -> str:
    """The version that is asked for, `1.61` or a longer one; empty for the newest (`latest`).

    Raises:
        InputError: it is no version of the agent.
    """
    wanted = text.strip().lower().removeprefix("v")
    if wanted in ("", "latest"):
        return ""
    if not _VERSION.fullmatch(wanted):
        raise InputError(f"--agent-version {quoted(text)} is no version", hint="Such as 1.61, or latest.")
    return wanted


def order(version: str) -> tuple[int, ...]:
    """What agent versions are sorted by: their numbers.

    Enough for the agent, whose published versions differ in numbers alone (`1.64.03414.1079`, earlier
    `1.48.02646.952-ubuntu22.04`, `1.9.21208-007`).
    """
    return tuple(map(int, re.findall(r"\d+", version[:100])))


def fits(version: str, wanted: str) -> bool:
    """Whether a package's version is the one asked for: its numbers begin with those; any where empty.

    An MSI writes `3319` where a package's name has `03319`.
    """
    asked = order(wanted)
    return order(version)[: len(asked)] == asked


def release_of(wanted: str) -> str:
    """`1.61` of `1.61.03319.859`: what Microsoft's addresses of Windows packages know."""
    return ".".join(wanted.split(".")[:2])
