"""Evidence asked of servers, side by side: facts, the path to Azure, the ends of the agent's logs.

The host script travels on standard input and its file comes back on standard output: nothing is left there.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from arcferry.errors import HostCommandError
from arcferry.evidence.readers import archive
from arcferry.evidence.readers.values import text_of
from arcferry.files import write_whole
from arcferry.fleet.errands.crew import failure_of
from arcferry.fleet.errands.task import own_script
from arcferry.fleet.events import Event, EventKind, Observer
from arcferry.fleet.inventory import Host
from arcferry.fleet.measured import joined
from arcferry.fleet.outcome import StepResult
from arcferry.fleet.script import printed
from arcferry.fleet.system import SYSTEMS
from arcferry.fleet.transport import Session, SignIn, open_session, place_of

STEP = "evidence"
DEADLINE = 300.0
LIMIT = 8 * 1024 * 1024
"""Bytes that are taken of one server; an honest one has at most the last 1 MiB of four logs, and facts."""


@dataclass(frozen=True, slots=True)
class EvidenceRequest:
    """What is asked, and of whom.

    Attributes:
        location: for which the path is measured from servers whose place names none.
        folder: a private one, which gets a file for each server.
        concurrency: servers asked at one time.
    """

    hosts: tuple[Host, ...]
    sign_in: SignIn
    location: str
    cloud: str
    folder: Path
    concurrency: int = 50


@dataclass(frozen=True, slots=True)
class HostEvidence:
    """What one server gave: a file, or why there is none."""

    host: Host
    path: Path | None = None
    problem: StepResult | None = None

    @property
    def why(self) -> str:
        """Why there is no file, with the way out; empty where there is one."""
        if self.problem is None:
            return ""
        says = self.problem.says.removeprefix(f"{place_of(self.host)}: ")
        return f"{says}. {self.problem.hint}".removesuffix(". ")


async def gather(request: EvidenceRequest, see: Observer) -> tuple[HostEvidence, ...]:
    """Each server's evidence, in the order of the inventory; one that fails is a result as well."""
    scripts = _scripts()
    turns = asyncio.Semaphore(request.concurrency)

    async def in_turn(host: Host) -> HostEvidence:
        async with turns:
            return await _of_host(host, request, scripts, see)

    return tuple(await asyncio.gather(*map(in_turn, request.hosts)))


def _scripts() -> Mapping[str, bytes]:
    """This version's own host scripts, by system."""
    found = {}
    for name, system in SYSTEMS.items():
        parts = [own_script(name, system.suffix), own_script(f"{name}-network", system.suffix)]
        if (text := joined(parts, system)) is None:
            raise RuntimeError(f"the host script for {name} cannot be joined")
        found[name] = text
    return found


async def _of_host(
    host: Host, request: EvidenceRequest, scripts: Mapping[str, bytes], see: Observer
) -> HostEvidence:
    tell = partial(Event, host.name)
    see(tell(EventKind.STARTED, STEP))
    try:
        session = await open_session(host, request.sign_in)
        try:
            data = await _asked(session, request, scripts[session.system])
        finally:
            await asyncio.shield(session.close())
        path = request.folder / f"{host.name}.evidence.txt"
        await asyncio.to_thread(write_whole, path, data, mode=0o600)
    except Exception as error:  # noqa: BLE001  # one server's surprise must not end the others' work
        problem = failure_of(STEP, error)
        see(tell(EventKind.FAILED, STEP, problem.says))
        see(tell(EventKind.FAILED))
        return HostEvidence(host, problem=problem)
    see(tell(EventKind.DONE))
    return HostEvidence(host, path)


async def _asked(session: Session, request: EvidenceRequest, script: bytes) -> bytes:
    """What the server printed of its evidence.

    Raises:
        HostError: it gave none, or more than it may.
    """
    system, place = SYSTEMS[session.system], session.host.place
    words = [place.location or request.location, request.cloud, "-"]
    words += [*system.proxied(place.proxy), *system.scoped(place.private_link_scope)]
    data, answer = await printed(session, script, STEP, *words, deadline=DEADLINE, limit=LIMIT)
    if not answer.ok:
        why = answer.text("message") or "it does not say why"
        raise HostCommandError(f"{session.place}: its evidence was not to be had: {why}")
    said = answer.number("bytes") or 0
    if not 0 < said <= len(data):
        raise HostCommandError(
            f"{session.place}: its evidence came in {len(data):,} bytes, and it counts {said:,}",
            hint="Ask again; or have the host script write a file there: docs/evidence-pack.md.",
        )
    if archive.looks_right(data) or text_of(data) is None:
        raise HostCommandError(f"{session.place}: what it gave as its evidence is no text")
    return data
