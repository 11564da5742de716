"""Carrying files to a host: whole, checked while they are read, and only where they are not there yet."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

import asyncssh

from arcferry.bundle import BundleFile
from arcferry.errors import HostCommandError
from arcferry.fleet.transport.ssh import SshSession
from arcferry.numbers import whole
from arcferry.text import clean

_CHUNK = 1024 * 1024
_SLOWEST = 64 * 1024
_DEADLINE = 120.0
_SUM_LINE = re.compile(r"\\?([0-9a-f]{64}) [ *](.+)")
_APPEND = 'umask 077; if [ "$2" = 0 ]; then : > "$1"; fi; exec cat >> "$1"'


class Transfer(StrEnum):
    """What had to be done for a file."""

    KEPT = "kept"
    RESUMED = "resumed"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class Upload:
    """One file carried, and the bytes that had to travel for it."""

    name: str
    carried: Transfer
    travelled: int


async def checksums(session: SshSession, paths: Iterable[str]) -> dict[str, str]:
    """The SHA-256 of those files on the host that are there, by path. Reads with the host's own tool.

    Raises:
        HostError: the session was cut, or sha256sum is missing.
    """
    wanted = list(paths)
    result = await session.run(["sha256sum", "--", *wanted], deadline=_DEADLINE)
    if result.exit_status == 127:  # noqa: PLR2004  # the shell's own code for a missing command
        raise HostCommandError(f"{session.place}: sha256sum is missing on the host")
    sums = (_SUM_LINE.fullmatch(line) for line in clean(result.stdout).splitlines())
    return {found[2]: found[1] for found in sums if found and found[2] in wanted}


async def put(session: SshSession, source: BundleFile, remote: str) -> Upload:
    """Bring a bundle's file to the absolute path `remote`, readable by root alone.

    It is written beside its place and renamed once the host's own sum of it is right. What an earlier,
    interrupted upload left is continued where it is sound.

    Raises:
        BundleRefusedError: the file here is no longer what the bundle's manifest says.
        HostCommandError: the disk is full, or what arrived is not what was sent.
        HostUnreachableError: the session was cut; what arrived is kept for the next time.
    """
    there = await checksums(session, [remote])
    if there.get(remote) == source.sha256:
        return Upload(source.name, Transfer.KEPT, 0)
    part = f"{remote}.part"
    start = await _size(session, part)
    start = start if 0 < start < source.length else 0
    await _append(session, source, part, start)
    if start and (await checksums(session, [part])).get(part) != source.sha256:
        start = 0
        await _append(session, source, part, start)
    if (await checksums(session, [part])).get(part) != source.sha256:
        await session.run(["rm", "-f", "--", part])
        raise HostCommandError(f"{session.place}: {source.name} did not arrive whole: its SHA-256 differs")
    await _must(session, ["mv", "-f", "--", part, remote])
    return Upload(source.name, Transfer.RESUMED if start else Transfer.SENT, source.length - start)


async def make_folder(session: SshSession, path: str) -> None:
    """Make a folder that only root can enter, its parents too.

    Raises:
        HostCommandError: something else is in its place, or the disk is full or read-only.
    """
    script = 'umask 077; mkdir -p -- "$1" && [ ! -L "$1" ] && chmod 700 -- "$1"'
    await _must(session, ["sh", "-c", script, "sh", path])


async def _append(session: SshSession, source: BundleFile, part: str, start: int) -> None:
    deadline = _DEADLINE + source.length / _SLOWEST
    try:
        async with asyncio.timeout(deadline):
            await session.look_who()
            await (_append_by_sftp if session.root else _append_by_sudo)(session, source, part, start)
    except TimeoutError:
        raise HostCommandError(f"{session.place}: {source.name} took more than {deadline:.0f} s") from None
    except HostCommandError as error:
        raise await _explained(session, error, part) from None


async def _append_by_sudo(session: SshSession, source: BundleFile, part: str, start: int) -> None:
    argv = ["sh", "-c", _APPEND, "sh", part, str(start)]
    result = await session.stream(argv, _stream(source, start))
    if result.exit_status != 0:
        raise HostCommandError(f"{session.place}: {source.name} not written: {result.says}")


async def _append_by_sftp(session: SshSession, source: BundleFile, part: str, start: int) -> None:
    flags = asyncssh.FXF_WRITE | asyncssh.FXF_CREAT | (0 if start else asyncssh.FXF_TRUNC)
    async with (
        session.sftp() as client,
        client.open(part, flags, asyncssh.SFTPAttrs(permissions=0o600), encoding=None) as file,
    ):
        offset = start
        async for chunk in _stream(source, start):
            await file.write(chunk, offset)
            offset += len(chunk)


async def _stream(source: BundleFile, start: int) -> AsyncIterator[bytes]:
    # The whole file is hashed, also the part that is not sent: a changed file ends in BundleRefusedError.
    position = 0
    with source.open_verified() as blocks:
        while (block := await asyncio.to_thread(next, blocks, None)) is not None:
            skip = max(0, start - position)
            position += len(block)
            if skip < len(block):
                yield bytes(block[skip:])


async def _size(session: SshSession, path: str) -> int:
    result = await session.run(["stat", "-c", "%s", "--", path])
    text = clean(result.stdout, limit=64).strip()
    return int(text) if result.exit_status == 0 and re.fullmatch(r"\d{1,18}", text) else 0


async def _explained(session: SshSession, error: HostCommandError, part: str) -> HostCommandError:
    """The same error, or “disk full” where that is what it was; the half file is taken away then."""
    folder = str(PurePosixPath(part).parent)
    result = await session.run(["df", "-P", "-k", "--", folder])
    cells = clean(result.stdout).split("\n")[1:2]
    free = cells[0].split()[3:4] if cells else []
    left = whole(free[0], most=_CHUNK // 1024) if free else None
    if left is None:
        return error
    await session.run(["rm", "-f", "--", part])
    return HostCommandError(
        f"{session.place}: the disk under {folder} is full", hint="Free space on it, then apply again."
    )


async def _must(session: SshSession, argv: list[str]) -> None:
    result = await session.run(argv)
    if result.exit_status != 0:
        raise HostCommandError(f"{session.place}: {argv[0]}: {result.says}")
