"""A watch that looks from servers: one of each network is asked for its path to Azure, round after round."""

import asyncio
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from arcferry import catalog, times
from arcferry.catalog import Cloud, Endpoint, Region
from arcferry.errors import HostCommandError, HostError, InputError
from arcferry.evidence.case import Document, Kind
from arcferry.evidence.reading import read_claimed
from arcferry.fleet.inventory import Host
from arcferry.fleet.measured import measure_by, path_text
from arcferry.fleet.networks import named, networks_of
from arcferry.fleet.proof import MORE_TRIES
from arcferry.fleet.transport import SignIn, open_session
from arcferry.probe.observation import Attempt, DnsAnswer, Observation, Stage
from arcferry.text import one_line, quoted
from arcferry.watch.changes import ORIGIN, Level, Notice, Round

LONGEST = 300.0
"""Seconds for all servers of one network that are asked in a round; the other networks wait for it."""

_AT_ONCE = 50
_NOT_IN_NAMES = re.compile(r"[^\w-]+")
_LONGEST_NAME = 64
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asking:
    """What every network is asked with.

    Attributes:
        scripts: the host script of each system, with its part that opens connections.
    """

    cloud: Cloud
    region: Region
    scripts: Mapping[str, bytes] = field(repr=False)
    sign_in: SignIn = field(repr=False)
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE), repr=False)


class HostLook:
    """Looks from one network. The server that answered is asked again; one that did not goes to the end.

    What keeps a server from answering is told when it begins, and not in every round.
    """

    def __init__(self, site: str, hosts: Iterable[Host], asking: Asking) -> None:
        self.site = site
        self._hosts = list(hosts)
        self._asking = asking
        self._silent: set[str] = set()
        self._is_blind = False

    async def __call__(self) -> Round:
        """One round, by the first server that answers; without observations where none does."""
        failed: dict[str, str] = {}
        region, seen = self._asking.region.name, None
        async with self._asking.turns:
            try:
                async with asyncio.timeout(LONGEST):
                    seen = await self._first_answer(failed)
            except TimeoutError:
                self._passed_over(failed, f"not done within {LONGEST:.0f} s")
        found = seen or Round(times.now(), (), (), (), region)
        notices = tuple(self._told(failed, self._hosts[0].name if seen else ""))
        return replace(found, site=self.site, notices=notices)

    async def _first_answer(self, failed: dict[str, str]) -> Round | None:
        for _ in range(min(len(self._hosts), 1 + MORE_TRIES)):
            host = self._hosts[0]
            try:
                return await self._asked(host)
            except HostError as error:
                self._passed_over(failed, error.message)
            except Exception as error:  # noqa: BLE001  # one server's surprise must not end the watch
                _LOG.exception("watch")
                self._passed_over(failed, f"unexpected {type(error).__name__}")
        return None

    def _passed_over(self, failed: dict[str, str], says: str) -> None:
        host = self._hosts.pop(0)
        failed[host.name] = says
        self._hosts.append(host)

    async def _asked(self, host: Host) -> Round:
        asking = self._asking
        session = await open_session(host, asking.sign_in)
        try:
            answer = await measure_by(
                session, host.place, asking.region.name, asking.cloud.name, scripts=asking.scripts
            )
        finally:
            await asyncio.shield(session.close())
        read = read_claimed(host.name, path_text(answer).encode())
        return round_of(host.name, read, asking.cloud, asking.region)

    def _told(self, failed: Mapping[str, str], answered: str) -> Iterator[Notice]:
        news = {name: says for name, says in failed.items() if name not in self._silent}
        for name, says in news.items():
            yield Notice(Level.WARN, "", one_line(f"server {name} gave no path: {says}", limit=400))
        if not answered and not self._is_blind:
            yield Notice(Level.FAIL, "", f"no server gave its path; asked were {named(list(failed))}")
        if answered and (news or self._is_blind or answered in self._silent):
            yield Notice(Level.OK, "", f"the path is seen from server {answered}")
        self._silent |= set(failed)
        self._silent.discard(answered)
        self._is_blind = not answered


def looks(hosts: Iterable[Host], asking: Asking) -> dict[str, HostLook]:
    """A look for each network that has servers for the region, by the name that its history has.

    Raises:
        InputError: there is none, or two networks would have one name.
    """
    region = asking.region.name
    own = [
        replace(host, place=replace(host.place, location=""))
        for host in hosts
        if host.place.location in ("", region)
    ]
    if not own:
        raise InputError(
            f"no server of the inventory is for {region}", hint="Give the --location that its rows name."
        )
    found: dict[str, HostLook] = {}
    taken: dict[str, str] = {}
    for network, servers in networks_of(own).items():
        name = _site_name(network)
        if (other := taken.setdefault(name.casefold(), network)) != network:
            raise InputError(
                f"the history of {quoted(network)} would have the name of {quoted(other)}",
                hint="Give one of the sites another name in the inventory.",
            )
        found[name] = HostLook(name, servers, asking)
    return found


def _site_name(network: str) -> str:
    """A network's name as a file can have it: its site's own, where that is one."""
    return _NOT_IN_NAMES.sub("-", network.removeprefix("site "))[:_LONGEST_NAME].strip("-") or "servers"


def round_of(server: str, documents: Sequence[Document], cloud: Cloud, region: Region) -> Round:
    """The path that a server measured, as a round of now: a server's clock may be wrong.

    Raises:
        HostCommandError: it tells of no required endpoint, or of one that fails without saying where.
    """
    taken = times.now()
    document = next((one for one in documents if one.kind is Kind.ARCFERRY_CHECK), None)
    own = next((one for one in catalog.endpoints(cloud, region) if one.discovered), None)
    observations = []
    for seen in document.attempts if document else ():
        endpoint = catalog.endpoint_named(seen.host) if seen.host else own
        if endpoint is None or not endpoint.required:
            continue
        if not seen.reachable and seen.failure is None:
            raise HostCommandError(f"{server}: the measured path does not say why {seen.host} is not reached")
        observations.append(_observation(replace(seen, origin=ORIGIN, taken=taken), endpoint))
    if document is None or not observations:
        raise HostCommandError(f"{server}: the measured path tells of no required endpoint")
    hosts = {one.endpoint.host for one in observations}
    answers = [
        replace(one, origin=ORIGIN, taken=taken) for one in document.answers if one.host.lower() in hosts
    ]
    answers += [
        DnsAnswer(one.host, (), (), one.resolver, one.failure.kind, ORIGIN, taken)
        for one in observations
        if one.host and one.failure and one.failure.stage is Stage.DNS
    ]
    asked = [one.resolver for one in answers] + [one.resolver for one in observations]
    resolvers = (next(filter(None, asked), ""),)
    return Round(taken, tuple(observations), tuple(answers), resolvers, region.name)


def _observation(seen: Attempt, endpoint: Endpoint) -> Observation:
    of_attempt: dict[str, Any] = {one.name: getattr(seen, one.name) for one in fields(Attempt)}
    return Observation(**of_attempt, endpoint=endpoint, elapsed=0.0)
