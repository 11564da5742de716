"""Carrying files to a host: whole, checked while they are read, and only where they are not there yet."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from pathlib import PurePosixPath

from arcferry.bundle import BundleFile
from arcferry.errors import HostCommandError
from arcferry.fleet.transport.ssh import SshSession
from arcferry.text import clean, whole

_CHUNK = 1024 * 1024
_SLOWEST = 64 * 1024
_DEADLINE = 120.0
_SUM_LINE = re.compile(r"\\?([0-9a-f]{64}) [ *](.+)")
_APPEND = 'umask 077; if [ "$2" = 0 ]; then : > "$1"; fi; exec cat >> "$1"'


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


async def put(session: SshSession, source: BundleFile, remote: str) -> int:
    """Bring a bundle's file to the absolute path `remote`, readable by root alone.

    It is written beside its place and renamed once the host's own sum of it is right. What an earlier,
    interrupted upload left is continued where it is sound.

    Returns:
        How many bytes had to travel; fewer than all where an earlier try was continued.

    Raises:
        BundleRefusedError: the file here is no longer what the bundle's manifest says.
        HostCommandError: the disk is full, or what arrived is not what was sent.
        HostUnreachableError: the session was cut; what arrived is kept for the next time.
    """
    there = await checksums(session, [remote])
    if there.get(remote) == source.sha256:
        return 0
    part = f"{remote}.part"
    size = await session.run(["stat", "-c", "%s", "--", part])
    start = whole(clean(size.stdout, limit=64).strip(), most=source.length - 1) or 0
    await _append(session, source, part, start)
    if start and (await checksums(session, [part])).get(part) != source.sha256:
        start = 0
        await _append(session, source, part, start)
    if (await checksums(session, [part])).get(part) != source.sha256:
        await session.run(["rm", "-f", "--", part])
        raise HostCommandError(f"{session.place}: {source.name} did not arrive whole: its SHA-256 differs")
    await _must(session, ["mv", "-f", "--", part, remote])
    return source.length - start


async def make_folder(session: SshSession, path: str) -> None:
    """Make a folder that only root can enter, its parents too.

    Raises:
        HostCommandError: something else is in its place, or the disk is full or read-only.
    """
    script = 'umask 077; mkdir -p -- "$1" && [ ! -L "$1" ] && chmod 700 -- "$1"'
    await _must(session, ["sh", "-c", script, "sh", path])


async def _append(session: SshSession, source: BundleFile, part: str, start: int) -> None:
    # Through `cat` and not SFTP: that would write as the session's user, who need not be root.
    argv = ["sh", "-c", _APPEND, "sh", part, str(start)]
    deadline = _DEADLINE + source.length / _SLOWEST
    try:
        result = await session.run(argv, stdin=_stream(source, start), deadline=deadline)
    except HostCommandError as error:
        raise await _explained(session, error, part) from None
    if result.exit_status != 0:
        failed = HostCommandError(f"{session.place}: {source.name} not written: {result.says}")
        raise await _explained(session, failed, part)


async def _stream(source: BundleFile, start: int) -> AsyncIterator[bytes]:
    # The whole file is hashed, also the part that is not sent: a changed file ends in BundleRefusedError.
    position = 0
    with source.open_verified() as blocks:
        while (block := await asyncio.to_thread(next, blocks, None)) is not None:
            skip = max(0, start - position)
            position += len(block)
            if skip < len(block):
                yield bytes(block[skip:])


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
