"""Failed servers are taken up again from the page: who may, what is begun, and what is told of its end.

That it is the command itself, and what that does, is in tests/fleet/test_retry.py.
"""

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.serve import made
from tests.serve.conftest import Served, serving
from tests.serve.test_stream import listening

from arcferry.errors import ArcferryError
from arcferry.files import only_one
from arcferry.fleet.control import Order, Wish, give
from arcferry.fleet.events import Event, EventKind
from arcferry.fleet.following import RunState
from arcferry.fleet.run_folder import RunFolder
from arcferry.serve.listing import HostRow, RunView
from arcferry.serve.orders import may_retry
from arcferry.serve.retrying import Command, chosen
from arcferry.text import whole

HERE = f"/runs/{made.RUN}"
HOSTILE = "error: no <b>such</b> file\x1b[31m"


def view(**more: object) -> RunView:
    rows = {name: HostRow(number, name, event="failed") for number, name in enumerate(("a", "b", "c"))}
    given = {"state": RunState.ENDED, "rows": rows} | more
    return RunView(id=made.RUN, total=3, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "order", "may"),
    [
        (RunState.ENDED, None, True),
        (RunState.BROKEN_OFF, None, True),
        (RunState.UNKNOWN, None, True),
        (RunState.ENDED, Wish.RESUME, True),
        (RunState.RUNNING, None, False),
        (RunState.PAUSED, Wish.PAUSE, False),
        (RunState.ENDED, Wish.PAUSE, False),
        (RunState.CANCELLED, Wish.CANCEL, False),
    ],
)
def test_when_a_run_may_be_retried(state: RunState, order: Wish | None, *, may: bool) -> None:
    assert may_retry(view(state=state, order=order and {"wish": order.value})) is may


def test_what_is_chosen_is_what_the_command_would_take_up(tmp_path: Path) -> None:
    folder = made.story(tmp_path)
    made.tell(folder, *made.failed("server05"))
    of = view(of_cause={"arm/throttled": frozenset(("server05", "server01"))})
    every = chosen(folder, of, {"cause": "none/of-it's"})
    assert (every.hosts, list(every.options)) == (("server04", "server05"), ["--failed"])
    assert every.by_cause(of) == {"arm/throttled": 1, "": 1}
    one = chosen(folder, of, {"host": "server05", "cause": "arm/throttled"})
    assert (one.hosts, list(one.options)) == (("server05",), ["--failed", "--limit=server05"])
    assert one.mark != every.mark
    for host in ("server01", "server05\n", "--state=elsewhere", "@file"):
        with pytest.raises(ArcferryError, match="did not fail"):
            chosen(folder, of, {"host": host})


class Waiting:
    """A command that notes its arguments, waits for a word, prints and ends."""

    def __init__(self, folder: Path, run: str = made.RUN) -> None:
        self._fifo, self.noted, self.number = folder / "fifo", folder / "noted", folder / "number"
        os.mkfifo(self._fifo)
        script = (
            f'echo "$@" >> {shlex.quote(str(self.noted))}; echo $$ > {shlex.quote(str(self.number))}; '
            f'read code < {shlex.quote(str(self._fifo))}; printf %s "$0" >&2; exit "$code"'
        )
        self.command = Command(run, ("sh", "-c", script, HOSTILE), ("servers.csv",))

    async def say(self, code: int) -> None:
        await asyncio.to_thread(self._fifo.write_text, f"{code}\n")

    async def is_gone(self) -> None:
        """Until the process is no more, not even as one that nobody waited for."""
        process = Path("/proc") / self.number.read_text().strip()
        while process.exists():  # noqa: ASYNC110  # the system is asked again
            await asyncio.sleep(0.01)


@pytest.fixture
def waiting(tmp_path: Path) -> Waiting:
    return Waiting(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = made.story(tmp_path)
    made.judged(folder, "server04")
    return folder


@pytest.fixture
async def acting(tmp_path: Path, folder: RunFolder, waiting: Waiting) -> AsyncIterator[Served]:
    async with serving(tmp_path, allow_actions=True, retry=waiting.command) as one:
        await one.sign_in()
        yield one


async def asked(served: Served, query: str = "") -> dict[str, str]:
    """The fields of the question's form."""
    status, text = await served.get(f"{HERE}/retry{query}")
    assert status == 200
    fields = text.partition('class="stacked"')[2].split('name="')[1:]
    return {one.partition('"')[0]: one.partition('value="')[2].partition('"')[0] for one in fields}


async def shown(served: Served, part: str) -> str:
    """The page once it tells this."""
    async with asyncio.timeout(30):
        while part not in (text := (await served.get(HERE))[1]):  # noqa: ASYNC110  # as a reader would
            await asyncio.sleep(0.01)
    return text


async def test_a_retry_is_asked_for_begun_once_and_its_end_is_told(
    acting: Served, waiting: Waiting, folder: RunFolder
) -> None:
    text = (await acting.get(f"{HERE}/retry"))[1]
    assert ("Try 1 server again?" in text, "server04" in text, "<code>" in text) == (True, True, True)
    form = await asked(acting)
    assert set(form) == {"csrf", "cause", "host", "mark"}
    answers = await asyncio.gather(*(acting.post(f"{HERE}/retry", form) for _ in range(3)))
    assert sorted(status for status, _ in answers) == [303, 409, 409]
    text = await shown(acting, "a retry is under way")
    assert (await acting.get(f"{HERE}/retry"))[1].count("A retry is under way.") == 1
    await waiting.say(2)
    text = await shown(acting, "ended with exit code 2")
    assert "error: no &lt;b&gt;such&lt;/b&gt; file</pre>" in text
    await waiting.is_gone()
    assert waiting.noted.read_text() == "--failed servers.csv\n"
    assert folder.retries.stat().st_mode & 0o777 == 0o600
    assert (await acting.get(f"{HERE}/retry"))[1].count('name="mark"') == 1, "and it may be tried again"


async def test_it_goes_on_where_the_page_ends_and_another_server_sees_its_end(
    tmp_path: Path, folder: RunFolder, waiting: Waiting
) -> None:
    async with serving(tmp_path, allow_actions=True, retry=waiting.command) as served:
        await served.sign_in()
        assert "/retry?" not in (await served.get(f"{HERE}/hosts/server01"))[1]
        assert f'"{HERE}/retry?host=server04"' in (await served.get(f"{HERE}/hosts/server04"))[1]
        assert (await served.post(f"{HERE}/retry", await asked(served, "?host=server04")))[0] == 303
    async with serving(tmp_path) as anew:
        await anew.sign_in()
        text = await shown(anew, "a retry is under way")
        seen = text.partition("seen=")[2].partition('"')[0]
        async with listening(anew, f"seen={seen}") as page:
            await waiting.say(3)
            name, text = await page.next()
    assert (name, "ended with exit code 3" in text, "&lt;b&gt;such&lt;/b&gt; file</pre>" in text) == (
        "retry", True, True,
    )  # fmt: skip
    await waiting.is_gone()
    assert waiting.noted.read_text() == "--failed --limit=server04 servers.csv\n"
    assert HOSTILE in folder.retries.read_text()


@pytest.mark.usefixtures("folder")
async def test_what_it_prints_is_read_whatever_the_system_writes_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "cp950")
    command = Command(made.RUN, (sys.executable, "-c", "import sys; print('伺服器'); sys.exit(2)"))
    async with serving(tmp_path, allow_actions=True, retry=command) as served:
        await served.sign_in()
        assert (await served.post(f"{HERE}/retry", await asked(served)))[0] == 303
        assert "伺服器</pre>" in await shown(served, "ended with exit code 2")


async def test_a_page_that_is_open_elsewhere_sees_it_begin(acting: Served, waiting: Waiting) -> None:
    form, seen = await asked(acting), (await acting.get(HERE))[1].partition("seen=")[2].partition('"')[0]
    async with listening(acting, f"seen={seen}") as page:
        assert (await acting.post(f"{HERE}/retry", form))[0] == 303
        name, text = await page.next()
        assert (name, "a retry is under way" in text) == ("retry", True)
    await waiting.say(0)
    await shown(acting, "ended with exit code 0")


async def test_one_whose_end_nobody_saw(acting: Served, waiting: Waiting) -> None:
    assert (await acting.post(f"{HERE}/retry", await asked(acting)))[0] == 303
    async with asyncio.timeout(30):
        while not waiting.number.exists() or not waiting.number.read_text():  # noqa: ASYNC110  # it begins by itself
            await asyncio.sleep(0.01)
    parent = (Path("/proc") / waiting.number.read_text().strip() / "status").read_text()
    os.kill(whole(parent.partition("PPid:")[2].split()[0], most=1 << 30) or 0, signal.SIGKILL)
    await shown(acting, "nobody saw it end")
    await waiting.say(0)
    await waiting.is_gone()


async def test_while_another_run_is_worked_on_nothing_is_begun(acting: Served, waiting: Waiting) -> None:
    form = await asked(acting)
    with only_one(acting.state, "apply", hint=""):
        status, text = await acting.post(f"{HERE}/retry", form)
        assert (status, "Another command works in the same state folder" in text) == (409, True)
        other = made.run(acting.state, made.hosts(1), "ba9876543210")
        with made.at_work(other):
            status, text = await acting.get(f"{HERE}/retry")
            assert (status, f"The run {other.id} is at work in the same state folder" in text) == (409, True)
    assert not waiting.noted.exists()
    assert (await acting.get(f"{HERE}/retry"))[0] == 200


async def test_no_more_is_begun_than_was_confirmed(
    acting: Served, waiting: Waiting, folder: RunFolder
) -> None:
    form = await asked(acting)
    made.tell(folder, *made.failed("server05"))
    status, text = await acting.post(f"{HERE}/retry", form)
    assert (status, "Other servers failed meanwhile" in text) == (409, True)
    assert (await acting.post(f"{HERE}/retry", form | {"host": "server03"}))[0] == 409
    assert not waiting.noted.exists()


async def test_who_may_not(acting: Served, waiting: Waiting, folder: RunFolder) -> None:
    form = await asked(acting)
    assert (await acting.post(f"{HERE}/retry", form | {"csrf": "wrong"}))[0] == 403
    assert (await acting.post(f"{HERE}/retry", form, Origin="http://evil.example"))[0] == 403
    with made.at_work(folder):
        assert (await acting.post(f"{HERE}/retry", form))[0] == 409
        assert "not in a state for that" in (await acting.get(f"{HERE}/retry"))[1]
    give(folder, Order.given(Wish.PAUSE))
    assert (await acting.post(f"{HERE}/retry", form))[0] == 409
    acting.http.cookie_jar.clear()
    assert (await acting.post(f"{HERE}/retry", form))[0] == 401
    assert not waiting.noted.exists()


async def test_a_run_that_is_not_the_given_one(acting: Served, waiting: Waiting) -> None:
    other = made.run(acting.state, made.hosts(2), "ba9876543210")
    made.tell(other, Event("", EventKind.BEGUN), *made.failed("server00"))
    there = f"/runs/{other.id}/retry"
    text = (await acting.get(there))[1]
    assert (f"of the run {made.RUN}" in text, f"--failed --run {other.id}" in text) == (True, True)
    assert (await acting.post(there, {"csrf": await acting.csrf()}))[0] == 409
    assert not waiting.noted.exists()


async def test_where_none_failed(tmp_path: Path, waiting: Waiting) -> None:
    folder = made.run(tmp_path, made.hosts(1))
    made.tell(folder, Event("", EventKind.BEGUN), *made.went_well("server00"))
    async with serving(tmp_path, allow_actions=True, retry=waiting.command) as served:
        await served.sign_in()
        status, text = await served.get(f"{HERE}/retry")
    assert (status, f"no host of the run {made.RUN} failed" in text) == (409, True)


async def test_who_only_shows_takes_up_nobody(tmp_path: Path, folder: RunFolder, waiting: Waiting) -> None:
    async with serving(tmp_path, retry=waiting.command) as served:
        await served.sign_in()
        assert (await served.post(f"{HERE}/retry", {"csrf": await served.csrf()}))[0] == 403
        assert "--bundle BUNDLE" in (await served.get(f"{HERE}/retry"))[1]
    assert not waiting.noted.exists()
