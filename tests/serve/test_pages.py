"""The pages over a real socket, of runs as the engine leaves them."""

import asyncio
from html import escape, unescape
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.serve import made
from tests.serve.conftest import Served, serving
from yarl import URL

from arcferry import catalog
from arcferry.fleet.control import Wish, order_for
from arcferry.fleet.events import Event, EventKind
from arcferry.fleet.inventory import Host
from arcferry.language import speaking

HERE = f"/runs/{made.RUN}"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}\x1b[31m"


async def test_where_nothing_is_the_commands_that_begin_are_told(served: Served) -> None:
    assert "arcferry onboard apply" in (await served.get("/"))[1]
    assert "arcferry watch" in (await served.get("/watches"))[1]


async def test_a_run_and_its_hosts(served: Served) -> None:
    made.story(served.state)
    assert "4 of 6 connected" in (await served.get("/"))[1]
    status, text = await served.get(HERE)
    assert (status, "4 of 6 servers connected in run" in text, "6 servers; page 1 of 1" in text) == (
        200,
        True,
        True,
    )
    text = (await served.get(f"{HERE}?state=failed"))[1]
    assert (">server04</a>" in text, ">server05</a>" in text) == (True, False)
    text = (await served.get(f"{HERE}?site=site1&state=not-begun"))[1]
    assert (">server05</a>" in text, ">server04</a>" in text) == (True, False)


async def test_a_watch_is_a_chart_and_a_damaged_one_is_told_beside_it(served: Served) -> None:
    made.watched(served.state)
    (served.state / "watch" / "AzureCloud-westeurope.sqlite").write_bytes(b"no database, however long it is")
    status, text = await served.get("/watches?days=1")
    assert status == 200
    lane = f'<span class="lane"><span class=n>{made.MOVED}'
    assert text.replace("<wbr>", "").count(lane) == 2, "where it answered, and when it was reached"
    assert ("no TCP connection (timeout)" in text, "East Asia" in text, "<strong>1 day</strong>" in text) == (
        True,
    ) * 3
    assert "AzureCloud-westeurope.sqlite" in text


async def test_a_host_s_steps(served: Served) -> None:
    made.story(served.state)
    text = (await served.get(f"{HERE}/hosts/server04"))[1]
    assert ("did not answer" in text, "site0" in text, "role=r1" in text) == (True, True, True)
    assert "verified is done" in (await served.get(f"{HERE}/hosts/server01"))[1]


@pytest.mark.parametrize(
    "path", ["/runs/none", f"{HERE}/hosts/nobody", "/nowhere", "/static/../app.py", f"{HERE}/x"]
)
async def test_what_is_not_there_is_told(served: Served, path: str) -> None:
    made.story(served.state)
    assert (await served.get(path))[0] == 404


@pytest.mark.parametrize("name", ["run.json", "hosts.json", "evidence.json", "order.json", "steps.sqlite"])
async def test_a_damaged_state_is_told_and_no_fault(served: Served, name: str) -> None:
    folder = made.story(served.state)
    (folder.path / name).write_text("{")
    for path in ("/", HERE, f"{HERE}/hosts/server01"):
        status, text = await served.get(path)
        assert status in (200, 500), path
        assert "has a fault" not in text, path
    told = [(await served.get(path))[1] for path in (HERE, f"{HERE}/hosts/server01")]
    assert name in ("order.json", "evidence.json") or name in "".join(told)


async def test_a_run_that_was_deleted_is_gone(served: Served) -> None:
    folder = made.story(served.state)
    assert (await served.get(HERE))[0] == 200
    for file in folder.path.iterdir():
        file.unlink()
    folder.path.rmdir()
    assert (await served.get(HERE))[0] == 404


@pytest.mark.parametrize(
    "name", ["a/events", "events", "a?b", "a#b", "a%2Fb", "a/b", "a/../b", "a b", "a+b", "伺服器", "a&amp;b"]
)
async def test_the_page_of_a_host_opens_whatever_its_name_is(served: Served, name: str) -> None:
    made.tell(made.run(served.state, made.hosts(1)), *made.failed(name))
    href = (
        (await served.get(f"{HERE}?state=failed"))[1]
        .partition("<tbody")[2]
        .partition('href="')[2]
        .partition('"')[0]
    )
    async with served.http.get(URL(f"{served.url}{unescape(href)}", encoded=True)) as answer:
        assert answer.status == 200
        assert f"<title>{escape(name, quote=False)}</title>" in await answer.text()


async def test_a_host_that_was_never_heard_from_is_cleaned_too(served: Served) -> None:
    odd = "\x1b[31m\u202eevil\nname"
    tags = {f"ro{odd}": f"web{odd}"}
    made.run(served.state, [Host(odd, "10.0.0.1", site=odd, tags=tags)])
    text = (await served.get(HERE))[1]
    assert ("\x1b" in text, "\u202e" in text, "evil name" in text) == (False, False, True)
    text = (await served.get(f"{HERE}/hosts/evil%20name"))[1]
    assert ("\x1b" in text, "\u202e" in text, "roevil name=webevil name" in text) == (False, False, True)


async def test_what_a_host_says_stays_text(served: Served) -> None:
    folder = made.run(served.state, made.hosts(1))
    made.tell(folder, Event("", EventKind.BEGUN), *made.failed("server00", HOSTILE + "x" * 1_000_000))
    made.tell(
        folder, *made.failed(HOSTILE, HOSTILE), Event("server00", EventKind.FAILED, HOSTILE, stage=HOSTILE)
    )
    for path in ("/", HERE, f"{HERE}?host=%3Cscript&tag=%22%3E%3Cimg", f"{HERE}/hosts/server00"):
        text = (await served.get(path))[1]
        assert ("<script>" in text, "<img" in text, "\x1b" in text) == (False, False, False)
        assert len(text) < 100_000


async def test_who_only_shows_acts_for_nobody(served: Served) -> None:
    folder = made.story(served.state)
    assert f'href="{HERE}/pause"' not in (await served.get(HERE))[1]
    assert (await served.get(f"{HERE}/pause"))[0] == 403
    assert (await served.post(f"{HERE}/pause", {"csrf": await served.csrf()}))[0] == 403
    assert order_for(folder) is None


async def test_orders_are_given_after_a_question(acting: Served) -> None:
    folder = made.run(acting.state, made.hosts(2))
    with made.at_work(folder):
        made.tell(folder, Event("", EventKind.BEGUN))
        for verb, wish in (("pause", Wish.PAUSE), ("resume", Wish.RESUME), ("cancel", Wish.CANCEL)):
            text = (await acting.get(f"{HERE}/{verb}"))[1]
            assert (f"run {made.RUN}?" in text, "0 of 2 connected" in text) == (True, True)
            assert (await acting.post(f"{HERE}/{verb}", {"reason": "x"}))[0] == 403
            given = {"csrf": await acting.csrf(), "reason": f"by\n{verb}"}
            crossed = {"Origin": "http://evil.example"}
            assert (await acting.post(f"{HERE}/{verb}", given, **crossed))[0] == 403
            assert (await acting.post(f"{HERE}/{verb}", given))[0] == 303
            order = order_for(folder)
            assert order
            assert (order.wish, order.reason) == (wish, f"by {verb}")
            assert order.by in (await acting.get("/"))[1] + order.by
    assert (await acting.get(f"{HERE}/pause"))[0] == 409
    assert (await acting.get(f"{HERE}/stop"))[0] == 404


async def test_of_two_orders_at_once_none_is_given_by_what_stood_before_the_other(acting: Served) -> None:
    folder = made.run(acting.state, made.hosts(2))
    csrf = await acting.csrf()
    with made.at_work(folder):
        for number in range(5):
            made.tell(folder, Event("", EventKind.BEGUN))
            verbs = ("pause", "cancel", "pause") if number % 2 else ("cancel", "pause", "pause")
            answers = await asyncio.gather(
                *(acting.post(f"{HERE}/{verb}", {"csrf": csrf, "reason": verb}) for verb in verbs)
            )
            assert [status for status, _ in answers if status not in (303, 409)] == []
            order = order_for(folder)
            assert order
            assert order.wish is Wish.CANCEL
            assert (await acting.post(f"{HERE}/resume", {"csrf": csrf}))[0] == 303


async def test_a_second_pause_is_told_that_it_comes_too_late(acting: Served) -> None:
    folder = made.run(acting.state, made.hosts(2))
    csrf = await acting.csrf()
    with made.at_work(folder):
        given = [{"csrf": csrf, "reason": reason} for reason in ("first", "second")]
        answers = await asyncio.gather(*(acting.post(f"{HERE}/pause", one) for one in given))
    assert sorted(status for status, _ in answers) == [303, 409]
    order = order_for(folder)
    assert order
    assert given[[status for status, _ in answers].index(303)]["reason"] == order.reason


async def test_a_run_that_ends_while_its_pause_is_confirmed_is_not_paused(acting: Served) -> None:
    folder = made.run(acting.state, made.hosts(1))
    with made.at_work(folder):
        assert (await acting.get(f"{HERE}/pause"))[0] == 200
        made.tell(folder, *made.went_well("server00"), Event("", EventKind.ENDED))
    status, text = await acting.post(f"{HERE}/pause", {"csrf": await acting.csrf()})
    assert (status, "not in a state for that any more" in text) == (409, True)
    assert order_for(folder) is None


async def test_retry_is_a_command_where_nothing_was_given_for_it(acting: Served) -> None:
    made.story(acting.state)
    status, text = await acting.get(f"{HERE}/retry")
    assert (
        status,
        f"arcferry onboard retry INVENTORY --failed --run {made.RUN} --bundle BUNDLE" in text,
    ) == (200, True)
    assert (await acting.post(f"{HERE}/retry", {"csrf": await acting.csrf()}))[0] == 409


async def test_findings_are_told_and_their_hosts_can_be_chosen(served: Served) -> None:
    folder = made.story(served.state)
    made.judged(folder, "server04")
    text = (await served.get(HERE))[1]
    slug = (
        text.partition("--cause ")[2].partition("<")[0] or text.partition("<code>")[2].partition("</code>")[0]
    )
    assert "/" in slug
    chosen = (await served.get(f"{HERE}?cause={slug}"))[1]
    assert (">server04</a>" in chosen, ">server01</a>" in chosen) == (True, False)
    assert f"--cause {slug}" in (await served.get(f"{HERE}/retry?cause={slug}"))[1]
    assert f"<code>{slug}</code>" in (await served.get(f"{HERE}/hosts/server04"))[1]
    assert f"<code>{slug}</code>" not in (await served.get(f"{HERE}/hosts/server01"))[1]


async def test_what_was_recorded_of_a_step_is_shown(served: Served) -> None:
    folder = made.run(served.state, made.hosts(1))
    await made.recorded(
        folder, "server00", {"step": "check", "state": "failed", "output": "AZCM0026: <b>no</b>"}
    )
    made.tell(folder, Event("", EventKind.BEGUN), Event("server00", EventKind.FAILED, "check", "no"))
    assert "AZCM0026: &lt;b&gt;no" in (await served.get(f"{HERE}/hosts/server00"))[1]


async def steps_in_chinese(served: Served) -> None:
    """What steps said, which is kept in English; what the server printed stays as it is."""
    folder = made.run(served.state, made.hosts(2), "steps")
    known = catalog.code("AZCM0145")
    recorded = {
        "step": "install", "state": "failed", "code": known.code, "says": f"{known.code}: {known.meaning}",
        "meaning": known.meaning, "hint": known.remedy, "output": "every required endpoint is reached",
    }  # fmt: skip
    await made.recorded(folder, "server00", recorded)
    failed = Event("server00", EventKind.FAILED, "install", recorded["says"])
    done = Event("server01", EventKind.DONE, "check", "every required endpoint is reached")
    ended = Event("", EventKind.ENDED, says="0 of 2 hosts connected")
    made.tell(folder, Event("", EventKind.BEGUN), failed, done, ended)
    of_run = (await served.get("/runs/steps"))[1]
    assert [one in of_run for one in ("鎖定已持續五分鐘", "所有必要端點都能連線")] == [True, True]
    assert "2 台伺服器中，0 台已連線" in of_run
    of_host = (await served.get("/runs/steps/hosts/server00"))[1]
    assert [one in of_host for one in (known.meaning, known.remedy)] == [False, False]
    assert "請等另一項安裝結束" in of_host
    assert "<pre>every required endpoint is reached</pre>" in of_host


async def refused_in_chinese(served: Served) -> None:
    """Whatever is refused or cannot be read."""
    (made.run(served.state, made.hosts(1), "damaged").path / "run.json").write_text("{")
    (made.run(served.state, made.hosts(1), "half").path / "hosts.json").write_text("{")
    (served.state / "watch").mkdir()
    (served.state / "watch/AzureCloud-westeurope.sqlite").write_bytes(b"no database, however long it is")
    ended = {"Cookie": f"arcferry-{urlsplit(served.url).port}=none"}
    refusals = [
        ("GET", "/nowhere", {}, 404, "沒有這個頁面"),
        ("GET", "/runs/none", {}, 404, "不認得執行"),
        ("GET", f"{HERE}/pause", {}, 403, "只能檢視"),
        ("GET", "/runs/damaged", {}, 500, "不是執行的記錄"),
        ("GET", "/runs/half", {}, 200, "不是一次執行的主機清單"),
        ("GET", "/", {}, 200, "不是執行的記錄"),
        ("GET", "/watches", {}, 200, "無法使用歷程記錄"),
        ("GET", "/", {"Host": "rebound.example"}, 421, "不使用這個名稱"),
        ("PUT", "/", {}, 405, "不能用這種方式"),
        ("POST", "/", served.headers, 405, "不能用這種方式"),
        ("POST", "/sign-out", {}, 403, "不是從您已登入的頁面"),
        ("POST", "/sign-out", served.headers, 403, "不是從您已登入的頁面"),
        ("GET", "/", ended, 401, "請先登入"),
        ("POST", "/sign-out", served.headers | ended, 401, "請先登入"),
        ("GET", "/events", ended, 200, "請先登入"),
    ]
    for method, path, headers, expected, says in refusals:
        if "Cookie" in headers:
            served.http.cookie_jar.clear()
        async with served.http.request(method, served.url + path, headers=headers) as answer:
            assert (answer.status, says in await answer.text()) == (expected, True), (method, path, headers)


async def test_it_speaks_the_language_that_it_was_begun_in(tmp_path: Path) -> None:
    made.story(tmp_path)
    with speaking("zh-TW"):
        async with serving(tmp_path) as served:
            await served.sign_in()
            text = (await served.get(HERE))[1]
            await steps_in_chinese(served)
            await refused_in_chinese(served)
    assert ('lang="zh-Hant-TW"' in text, "台伺服器中有 4 台已連線" in text) == (True, True)
