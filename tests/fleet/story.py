"""Weeks after servers were connected a name moves: what each command says, until it is mended."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fleet.conftest import EVERYTHING, Ended, Fleet, ended

from arcferry_lab.twin import RESOURCE_GROUP, STORY_NAME

CAUSE = "route/community-not-in-filter"
WATCH = ("watch", "--location", "eastasia", "--rounds", "1")
HOME, ELSEWHERE = "japaneast", "southeastasia"
LACKED = "12076:51011"
MOVED = f" in Southeast Asia now; the route filter lacks {LACKED} (Southeast Asia)"


@dataclass
class Story:
    """Servers of a fleet, and the desk of whoever looks after them."""

    fleet: Fleet
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        network = self.fleet.twin.network
        self.fleet.extra |= {
            "ARCFERRY_DATA": str(self.fleet.folder / "data"),
            "ARCFERRY_RESOLVER": network.resolver,
        }

    async def good_day(self) -> None:
        """All are connected, their network's path is remembered, and a watch has seen it whole."""
        await self.fleet.twin.steer(STORY_NAME, HOME)
        await self.filter_becomes(*EVERYTHING)
        applied = await self.apply()
        assert (applied.code, applied.outcomes) == (0, dict.fromkeys(self.names, "connected")), applied.err
        watched = await self.run(*WATCH)
        assert (watched.code, watched.out) == (0, ""), watched.err

    async def the_name_moves(self) -> None:
        """It answers where the filter lets nothing through, and Azure hears no more of the servers."""
        await self.fleet.twin.steer(STORY_NAME, ELSEWHERE)
        await self.fleet.twin.add_fault("his/no-heartbeat")
        for name in self.names:
            machine = self.fleet.twin.azure.machines[RESOURCE_GROUP, name]
            machine.last_heartbeat = datetime.now(UTC) - timedelta(days=3)

    async def watch_and_verify_tell(self) -> None:
        """Which name, since when, from where to where, and who must act."""
        watched = await self.run(*WATCH)
        line = next(one for one in watched.out.splitlines() if " before: the route filter lacks" in one)
        assert (watched.code, STORY_NAME in line, LACKED in line) == (1, True, True), watched.out
        assert " in Japan East before: " in line
        assert line.endswith("; the network team")

        told = await self.verify()
        for row in self.rows(told):
            assert (row["state"], row["watch"]["causes"]) == ("disconnected", [CAUSE]), row
            self.is_told(row["watch"]["changes"][0])
        (finding,) = (one for one in told.document["findings"] if one["cause"] == CAUSE)
        assert (finding["owner"], finding["hosts"]) == ("network", list(self.names))

    async def the_servers_tell(self) -> None:
        """Asked themselves, they have the last word, and also for those of their network."""
        again = await self.apply()
        assert again.code == 3, again.err
        for row in self.rows(await self.verify()):
            assert (row["last_run"]["causes"], row["watch"]) == ([CAUSE], None), row
            self.is_told(row["last_run"]["changes"][0])

    async def the_letter_is_written(self) -> None:
        """What was asked for is not done yet; the letter says what it is."""
        code, found = await self.check()
        assert (code, found["expected"]["met"]) == (1, "not yet")
        (finding,) = (one for one in found["findings"] if one["cause"] == CAUSE)
        assert f"please add BGP community {LACKED} (Southeast Asia)" in finding["remedy"]["request"]

    async def the_filter_changes(self) -> None:
        """It is done, heartbeats arrive, and all is well again."""
        await self.filter_becomes(*EVERYTHING, LACKED)
        code, found = await self.check()
        assert (code, found["expected"]["met"]) == (0, "done")
        await self.fleet.twin.remove_fault("his/no-heartbeat")
        told = await self.verify()
        while {row["state"] for row in self.rows(told)} != {"connected"}:
            told = await self.verify()  # until each agent has sent its next heartbeat
        assert told.document["findings"] == []

    async def filter_becomes(self, *communities: str) -> None:
        """The network team changes the filter, and the desk holds what it is now."""
        paths = self.fleet.twin.paths
        await self.fleet.twin.allow(*communities)
        held = [str(one) for one in (paths.service_tags, paths.communities, paths.route_filter)]
        done = await self.run("data", "import", *held)
        assert done.code == 0, done.err

    async def run(self, *words: str) -> Ended:
        return await ended(await self.fleet.begun(*words))

    async def apply(self) -> Ended:
        return await self.fleet.run("apply", "--canary", "1", *self.which)

    async def verify(self) -> Ended:
        return await self.fleet.errand("verify", *self.which)

    async def check(self) -> tuple[int, dict[str, Any]]:
        done = await self.run("check", "--location", "eastasia", "--expect", CAUSE, "--output", "json")
        return done.code, done.document

    @property
    def which(self) -> tuple[str, ...]:
        return tuple(f"--limit={name}" for name in self.names)

    def rows(self, verified: Ended) -> list[dict[str, Any]]:
        found = {one["name"]: one for one in verified.document["machines"]}
        return [found[name] for name in self.names]

    def is_told(self, change: str) -> None:
        assert change.startswith(f"changed since {datetime.now(UTC):%Y-%m-%d}: {STORY_NAME} answered "), (
            change
        )
        assert " in Japan East, and answers " in change
        assert MOVED in change


async def told_to_its_end(story: Story) -> None:
    await story.good_day()
    try:
        await story.the_name_moves()
        await story.watch_and_verify_tell()
        await story.the_servers_tell()
        await story.the_letter_is_written()
        await story.the_filter_changes()
    finally:
        await story.fleet.twin.remove_fault("his/no-heartbeat")  # what fails must not fail those after it
