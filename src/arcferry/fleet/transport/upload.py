"""Carrying files to a host: whole, checked while they are read, and only where they are not there yet."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping

from arcferry.bundle import BundleFile
from arcferry.errors import HostCommandError
from arcferry.fleet.system import system_of
from arcferry.fleet.system.system import Ended, refused
from arcferry.fleet.transport.session import Result, Session
from arcferry.text import clean, whole

Told = Callable[[int], None]
_SLOWEST = 64 * 1024
_DEADLINE = 120.0
_SUM = re.compile(r"\\?([0-9a-f]{64}) [ *](.+)")
_HALF = re.compile(r"([0-9]{1,19})  (.+)[.]part")


async def checksums(session: Session, paths: Iterable[str]) -> dict[str, str]:
    """The SHA-256 of those files on the host that are there, by path. Reads with the host's own tool.

    Raises:
        HostError: the session was cut, or the host has no such tool.
    """
    return (await _look(session, paths))[0]


async def put(session: Session, source: BundleFile, remote: str, told: Told = lambda _: None) -> int:
    """As `put_all` for one file."""
    return (await put_all(session, {remote: source}, told))[remote]


async def put_all(
    session: Session, files: Mapping[str, BundleFile], told: Told = lambda _: None
) -> dict[str, int]:
    """Bring a bundle's files to absolute paths, readable by administrators alone.

    Each is written beside its place, and takes it once the host's own sum of it is right. What an earlier,
    interrupted upload left is continued where it is sound.

    Args:
        session: with the host.
        files: by their paths on the host.
        told: called with the bytes that were handed to the session since it was called before.

    Returns:
        By path how many bytes had to travel; fewer than all where an earlier try was continued.

    Raises:
        BundleRefusedError: a file here is no longer what the bundle's manifest says.
        HostCommandError: the disk is full, or what arrived is not what was sent.
        HostUnreachableError: the session was cut; what arrived is kept for the next time.
    """
    # The one place where another way to carry them would begin: a share, or the host's own pull by HTTPS.
    if system_of(session.system).blind:
        return {remote: await _carry(session, source, remote, -1, told) for remote, source in files.items()}
    sums, halves = await _look(session, files)
    return {
        remote: 0
        if sums.get(remote) == source.sha256
        else await _carry(session, source, remote, halves.get(remote, 0), told)
        for remote, source in files.items()
    }


async def _carry(session: Session, source: BundleFile, remote: str, half: int, told: Told) -> int:
    # Continued where it is sound, else sent anew.
    if half < 0:
        result = await _append(session, source, remote, half, told)
        if result.exit_status == Ended.THERE:
            return 0
        half = _halves(result, (remote,)).get(remote, 0)
        if result.exit_status != Ended.HALF:
            return _arrived(session, source, remote, result, 0)
    for start in (half, 0) if 0 < half < source.length else (0,):
        result = await _append(session, source, remote, start, told)
        if result.exit_status != Ended.NOT_WHOLE:
            break
    return _arrived(session, source, remote, result, start)


def _arrived(session: Session, source: BundleFile, remote: str, result: Result, start: int) -> int:
    """How many bytes of the file travelled, if it is in its place now."""
    if result.exit_status == 0:
        return source.length - start
    if result.exit_status == Ended.FULL:
        folder = remote[: max(remote.rfind("/"), remote.rfind("\\"))]
        raise HostCommandError(
            f"{session.place}: the disk under {folder} is full", hint="Free space on it, then apply again."
        )
    if result.exit_status == Ended.NOT_WHOLE:
        raise HostCommandError(f"{session.place}: {source.name} did not arrive whole: its SHA-256 differs")
    raise HostCommandError(f"{session.place}: {source.name} not written: {result.says}")


async def make_folder(session: Session, path: str) -> None:
    """Make a folder that only administrators can enter, its parents too.

    Raises:
        HostCommandError: something else is in its place, or the disk is full or read-only.
    """
    system = system_of(session.system)
    result = await session.run(system.command("folder", path, system.staging))
    if error := refused(session.place, result.exit_status):
        raise error
    if result.exit_status != 0:
        raise HostCommandError(f"{session.place}: {path} cannot be made: {result.says}")


async def _look(session: Session, paths: Iterable[str]) -> tuple[dict[str, str], dict[str, int]]:
    """Of files that are there their SHA-256, of those that are there in part how many bytes are, by path."""
    wanted = list(paths)
    result = await session.run(system_of(session.system).command("look", *wanted), deadline=_DEADLINE)
    if result.exit_status == Ended.NO_TOOL:
        raise HostCommandError(f"{session.place}: sha256sum is missing on the host")
    lines = clean(result.stdout).splitlines()
    sums = {found[2]: found[1] for found in map(_SUM.fullmatch, lines) if found and found[2] in wanted}
    return sums, _halves(result, wanted)


def _halves(result: Result, wanted: Collection[str]) -> dict[str, int]:
    return {
        found[2]: whole(found[1], most=2**62) or 0
        for found in map(_HALF.fullmatch, clean(result.stdout).splitlines())
        if found and found[2] in wanted
    }


async def _append(session: Session, source: BundleFile, remote: str, start: int, told: Told) -> Result:
    argv = system_of(session.system).command("append", remote, str(start), source.sha256)
    deadline = _DEADLINE + source.length / _SLOWEST
    return await session.run(argv, stdin=_stream(source, start, told), deadline=deadline)


async def _stream(source: BundleFile, start: int, told: Told) -> AsyncIterator[bytes]:
    # The whole file is hashed, also the part that is not sent: a changed file ends in BundleRefusedError.
    position = 0
    with source.open_verified() as blocks:
        while (block := await asyncio.to_thread(next, blocks, None)) is not None:
            skip = max(0, start - position)
            position += len(block)
            if skip < len(block):
                yield bytes(block[skip:])
                told(len(block) - skip)
