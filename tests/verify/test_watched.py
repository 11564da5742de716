"""What a watch tells of a silent server that no run explains."""

from datetime import timedelta

import pytest
from tests.verify.conftest import Desk, Ended

from arcferry_lab.twin import STORY_NAME

pytestmark = pytest.mark.lab
CAUSE = "route/community-not-in-filter"


async def watch(desk: Desk) -> Ended:
    return await desk.run("--location", "eastasia", "--rounds", "1", command="watch")


async def hold(desk: Desk) -> None:
    paths = desk.twin.paths
    for path in (paths.service_tags, paths.communities, paths.route_filter):
        assert (await desk.run("import", path, command="data")).code == 0


async def test_where_a_name_moved_to_since_the_watch_last_reached_it(desk: Desk) -> None:
    await hold(desk)
    await desk.twin.steer(STORY_NAME, "eastasia")
    assert (await watch(desk)).code == 0
    desk.put("web01", silent=timedelta(days=3))
    desk.put("web02")
    path = desk.inventory("web01", "web02")
    well = await desk.run(path)
    assert (well.machine("web01")["watch"]["causes"], well.machine("web02")["watch"]) == ([], None)
    assert "arcferry check from its network" in well.machine("web01")["hint"]
    told = " ".join((await desk.run(path, output="table")).out.split())
    assert "the watch of eastasia here (last round " in told
    assert ") reached every endpoint" in told

    await desk.twin.steer(STORY_NAME, "japaneast")
    assert (await watch(desk)).code == 1
    ended = await desk.run(path)
    row = ended.machine("web01")
    assert (row["watch"]["causes"], row["hint"], row["last_run"]) == ([CAUSE], "", None)
    moved, lost = row["watch"]["changes"]
    assert f"{STORY_NAME} answered " in moved
    assert " in East Asia, and answers " in moved
    assert "in Japan East now; the route filter lacks 12076:51012" in moved
    assert lost.endswith("was reached, and is not reached (tcp timeout) now")
    (finding,) = [one for one in ended.document["findings"] if one["cause"] == CAUSE]
    assert finding["hosts"] == ["web01"]
    told = " ".join((await desk.run(path, output="table")).out.split())
    assert "the network team: Add 12076:51012 (Japan East)" in told


async def test_a_watch_that_ended_before_the_silence_tells_nothing(desk: Desk) -> None:
    await hold(desk)
    await watch(desk)
    desk.twin.azure.silence = timedelta(0)
    desk.put("web01")
    row = (await desk.run(desk.inventory("web01"))).machine("web01")
    assert (row["state"], row["watch"]) == ("disconnected", None)


async def test_a_history_that_cannot_be_read_is_said_and_hides_nothing(desk: Desk) -> None:
    desk.put("web01", silent=timedelta(days=3))
    history = desk.state / "watch" / "AzureCloud-eastasia.sqlite"
    history.parent.mkdir(parents=True)
    history.write_bytes(b"no database at all, however long it is")
    ended = await desk.run(desk.inventory("web01"))
    assert (ended.code, ended.states) == (1, {"web01": "disconnected"})
    (note,) = [one for one in ended.document["notes"] if "what the watch of eastasia saw" in one]
    assert "AzureCloud-eastasia.sqlite" in note
