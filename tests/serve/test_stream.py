"""What a page that stays open is sent: what became another, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from starlette.types import Message
from tests.serve import made
from tests.serve.conftest import Served, serving

from arcferry.fleet.events import Event, EventKind
from arcferry.serve import connections, stream
from arcferry.serve.listing import Choice, RunView
from arcferry.serve.live_runs import MOST_RUNS, LiveRuns, RunsView
from arcferry.serve.reading import Reader, View
from arcferry.serve.render import Renderer
from arcferry.serve.stream import EventStream, Streams, event

HERE = f"/runs/{made.RUN}"
PATIENCE = 30


class Listening:
    """A page that is open."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def next(self) -> tuple[str, str]:
        """The next event's name and text; two empty ones where there is no more."""
        name, lines = "", []
        async with asyncio.timeout(PATIENCE):
            async for raw in self._answer.content:
                line = raw.decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    lines.append(line.removeprefix("data: "))
                elif not line and name:
                    return name, "\n".join(lines)
        return "", ""


@asynccontextmanager
async def listening(served: Served, query: str = "", here: str = HERE) -> AsyncIterator[Listening]:
    async with served.http.get(f"{served.url}{here}/events?{query}") as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        yield Listening(answer)


async def test_a_change_alone_is_sent(served: Served) -> None:
    folder = made.run(served.state, made.hosts(3))
    made.tell(folder, Event("", EventKind.BEGUN))
    async with listening(served) as page:
        assert [(await page.next())[0] for _ in range(4)] == ["counts", "acts", "found", "rows"]
        made.tell(folder, Event("server02", EventKind.CONNECTED))
        assert (await page.next())[0] == "counts"
        name, text = await page.next()
        assert (name, text.count("<tr"), ">server02<" in text, 'hx-swap-oob="true"' in text) == (
            "changes", 1, True, True,
        )  # fmt: skip


async def test_a_page_that_is_new_is_sent_nothing_that_it_shows(served: Served) -> None:
    folder = made.run(served.state, made.hosts(2))
    made.tell(folder, Event("", EventKind.BEGUN))
    seen = (await served.get(HERE))[1].partition("seen=")[2].partition('"')[0]
    async with listening(served, f"seen={seen}") as page:
        made.tell(folder, Event("server00", EventKind.STARTED, "facts"))
        assert [(await page.next())[0] for _ in range(2)] == ["counts", "changes"]


async def test_a_host_that_comes_to_be_chosen_brings_all_rows(served: Served) -> None:
    folder = made.run(served.state, made.hosts(3))
    made.tell(folder, Event("", EventKind.BEGUN), *made.failed("server00"))
    async with listening(served, "state=failed") as page:
        assert [(await page.next())[0] for _ in range(4)] == ["counts", "acts", "found", "rows"]
        made.tell(folder, *made.failed("server02"))
        names = [await page.next() for _ in range(3)]
        assert [name for name, _ in names] == ["counts", "found", "rows"]
        assert names[2][1].count("<tr") == 2


async def test_the_list_of_runs_goes_on_too(served: Served) -> None:
    seen = (await served.get("/"))[1].partition("seen=")[2].partition('"')[0]
    async with listening(served, f"seen={seen}", here="") as page:
        folder = made.run(served.state, made.hosts(2))
        name, text = await page.next()
        assert (name, made.RUN in text, "0 of 2 connected" in text) == ("rows", True, True)
        made.tell(folder, Event("", EventKind.BEGUN), Event("server00", EventKind.CONNECTED))
        name, text = await page.next()
        assert (name, text.count("<tr"), "1 of 2 connected" in text) == ("changes", 1, True)
        made.run(served.state, made.hosts(1), "ba9876543210")
        assert (await page.next())[1].count('href="/runs/') == 2
        (folder.path / "run.json").write_text("{")
        name, text = await page.next()
        assert (name, text.count('href="/runs/'), "cannot be read" in text) == ("rows", 1, True)


async def test_an_older_run_may_be_opened_while_the_list_is_read(tmp_path: Path) -> None:
    names = [f"{number:012}" for number in range(MOST_RUNS + 1)]
    for name in names:
        made.run(tmp_path, made.hosts(1), name)
    live = LiveRuns(tmp_path)
    await live.refreshed()
    first, second = await live.run(names[0]), await live.run(names[1])
    made.tell(first.run, Event("", EventKind.BEGUN))
    async with asyncio.timeout(PATIENCE):
        async with second._lock:
            reading = asyncio.create_task(live.refreshed())
            await first.after(first.view.version)
            await live.run(names[-1])
        view = await reading
    assert (view.has_fault, [run.id for run in view.runs]) == (False, names[:-1])
    assert await live.run(names[0]) is first, "and the newest stays in memory"


class Odd(Reader[View]):
    """Reading that meets what nobody foresaw, for as long as that lasts."""

    def __init__(self) -> None:
        super().__init__(View())
        self.is_broken = False

    async def _read(self) -> View:
        if self.is_broken:
            raise RuntimeError("what nobody foresaw")
        return self.view


async def test_what_nobody_foresaw_is_told_and_reading_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    odd = Odd()
    async with asyncio.timeout(PATIENCE), odd.listening():
        view = await odd.after("")
        odd.is_broken = True
        view = await odd.after(view.version)
        assert view.has_fault
        await odd.refreshed()
        assert caplog.text.count("Traceback") == caplog.text.count("RuntimeError: what nobody foresaw") == 1
        odd.is_broken = False
        assert not (await odd.after(view.version)).has_fault


class Slow(Reader[View]):
    """Reading that takes until it is let go, and gives what it has read once only."""

    def __init__(self) -> None:
        super().__init__(View())
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()
        self.news: list[tuple[str, ...]] = [("read once",)]

    async def _read(self) -> View:
        news = self.news.pop() if self.news else self.view.problems
        self.begun.set()
        await self.may_end.wait()
        return View(self.view.version, news)


async def test_what_was_being_read_as_the_last_page_was_left_is_kept() -> None:
    slow = Slow()
    async with asyncio.timeout(PATIENCE):
        async with slow.listening():
            await slow.begun.wait()
        slow.may_end.set()
        assert (await slow.refreshed()).problems == ("read once",)


def test_a_fault_stands_on_the_page() -> None:
    told = Renderer().counts(RunView(has_fault=True), Choice())
    assert "arcferry has a fault here" in told
    assert "arcferry has a fault here" in Renderer().runs(RunsView(has_fault=True))


async def test_a_session_that_ended_hears_no_more(served: Served) -> None:
    folder = made.run(served.state, made.hosts(1))
    async with listening(served) as page:
        assert [(await page.next())[0] for _ in range(4)] == ["counts", "acts", "found", "rows"]
        assert (await served.post("/sign-out", {"csrf": await served.csrf()}))[0] == 303
        made.tell(folder, Event("server00", EventKind.CONNECTED))
        assert (await page.next())[0] == "over"
        assert await page.next() == ("", "")


async def test_one_reader_serves_all_and_ends_with_the_last(tmp_path: Path) -> None:
    made.story(tmp_path)
    live = await LiveRuns(tmp_path).run(made.RUN)
    async with live.listening():
        reader = live._reader
        async with live.listening():
            assert live._reader is reader
        assert live._reader is reader
    assert live._reader is None


async def test_no_more_pages_than_there_is_room_for(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    made.story(served.state)
    monkeypatch.setattr(stream, "MOST", 1)
    async with listening(served) as page:
        await page.next()
        async with listening(served) as other:
            name, text = await other.next()
            assert (name, "Too many pages are open" in text) == ("over", True)
            assert await other.next() == ("", "")


async def test_the_end_of_the_server_ends_every_open_page(tmp_path: Path) -> None:
    made.story(tmp_path)
    async with serving(tmp_path) as served:
        await served.sign_in()
        page = Listening(await served.http.get(f"{served.url}{HERE}/events"))
        assert (await page.next())[0] == "counts"
        http = served.http
    del http  # the server has ended although the page was open


async def test_who_does_not_read_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "PATIENCE", 0.01)
    streams, stuck = Streams(), asyncio.Event()

    async def forever() -> AsyncIterator[str]:
        while True:
            yield event("rows", "x")

    async def receive() -> Message:
        await stuck.wait()
        raise AssertionError

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            await stuck.wait()

    async with asyncio.timeout(PATIENCE):
        await EventStream(streams, forever())({"type": "http"}, receive, send)
    assert streams.open == 0


@pytest.mark.parametrize("text", ["a\nevent: over\n\nb", "a\r\ndata: x", "a\rb", "", "a\u2028b"])
def test_no_line_of_a_text_begins_another_field(text: str) -> None:
    lines = event("rows", text).removesuffix("\n\n").replace("\r", "\n").split("\n")
    assert lines[0] == "event: rows"
    assert all(line.startswith("data: ") for line in lines[1:])
