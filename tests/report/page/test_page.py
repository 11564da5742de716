"""What a page says, by what documents say."""

from itertools import pairwise
from typing import Any

import pytest
from tests.report.page import samples
from tests.report.page.samples import LOST, Document

from arcferry.errors import InputError
from arcferry.report.page.build import build
from arcferry.report.page.documents import KINDS, read
from arcferry.report.page.page import Page
from arcferry.report.page.words import load
from arcferry.times import from_text

MADE = from_text("2026-11-22T00:00:00Z")


def page_of(*documents: Document) -> Page:
    return build([read(one, f"{one['kind']}.json") for one in documents], load(), MADE)


@pytest.mark.parametrize(
    ("document", "level", "says"),
    [
        (samples.check(), "ok", "All is well: 8 of 8 required endpoints reached from where arcferry ran."),
        (samples.check(LOST), "FAIL", "7 of 8 required endpoints reached from where arcferry ran."),
        (samples.check("optional1.example.net"), "ok", "All is well: 8 of 8"),
        (
            samples.document("findings", outcome="clear", findings=[]),
            "ok",
            "All is well: what was handed in shows",
        ),
        (samples.document("findings", outcome="nothing-tried", findings=[]), "unknown", "Nothing here shows"),
        (
            samples.document("findings", outcome="not-understood", findings=[]),
            "unknown",
            "Nothing in this was",
        ),
        (samples.ALL["findings"], "FAIL", "Route filter rf-arc lacks 12076:51012 (Japan East), needed for"),
        (
            samples.document("findings", outcome="findings", findings=[samples.finding(severity="warning")]),
            "warn",
            "1 warning.",
        ),
        (samples.audit(missing=False), "ok", "All is well: the path to 2 of 2 required endpoints is there"),
        (samples.plan(lacks=True), "FAIL", "The route filter lacks 1 of the 2 communities"),
        (samples.plan(lacks=False), "ok", "All is well: the route filter has all 2 communities"),
        (samples.runs(), "ok", "All is well: 2 of 2 servers connected in run 17975551fcd4, which is ended."),
        (samples.document("runs", runs=[], findings=[]), "unknown", "No run is remembered."),
        (samples.collected(), "FAIL", "2 of 3 servers that reported are connected."),
        (
            samples.collected("server9"),
            "FAIL",
            "2 of 3 servers that reported are connected, 1 did not report.",
        ),
        (
            samples.verification("connected", "connected"),
            "ok",
            "All is well: 2 of 2 servers are connected in Azure",
        ),
        (samples.verification("connected", "stale"), "FAIL", "1 of 2 servers are connected in Azure"),
        (samples.verification(), "unknown", "0 of 0 servers"),
        (
            samples.verification("connected") | {"whole": False},
            "unknown",
            "1 of 1 servers are connected in Azure and",
        ),
        (samples.watch(), "FAIL", "0 of 1 endpoints reached at the last look, 2026-11-20."),
    ],
)
def test_the_answer_comes_first(document: Document, level: str, says: str) -> None:
    answer = page_of(document).answer
    assert answer.level == level
    assert answer.says.startswith(says)


def test_a_failure_is_never_hidden_by_what_is_well() -> None:
    page = page_of(samples.check(), samples.verification("missing"))
    assert page.answer.level == "FAIL"
    assert [one.level for one in page.answer.standings] == ["ok", "FAIL"]


def test_a_cause_of_several_documents_is_told_once_with_all_its_servers() -> None:
    first = samples.document("findings", findings=[samples.finding("a", "b")])
    second = samples.document(
        "run", run="1", hosts=[], ended="2026-11-21T00:00:00Z", findings=[samples.finding("b", "c")]
    )
    (cause,) = page_of(first, second, samples.watch()).causes
    assert cause.hosts.shown == ("a", "b", "c")
    assert cause.to == "network"
    assert cause.letter == samples.LETTER
    assert cause.since == from_text("2026-11-19T00:10:00Z")
    assert [load().moved(one) for one in cause.moves] == [
        f"{LOST} answered in East Asia until 2026-11-19, and in Japan East since 2026-11-19 00:10 UTC."
    ]
    assert len(cause.evidence) == 1


def test_what_is_decided_comes_before_what_is_not() -> None:
    undecided = samples.finding(
        cause="path/endpoint-unreachable",
        title="cannot be reached",
        confidence="undetermined",
        endpoints=[{"host": "gbl.his.arc.azure.com", "address": "20.0.0.9"}],
    )
    warning = samples.finding(cause="risk/old-data", title="old", severity="warning")
    page = page_of(samples.document("findings", findings=[undecided, warning, samples.finding()]))
    assert [one.slug for one in page.causes] == [
        "route/community-not-in-filter", "path/endpoint-unreachable", "risk/old-data",
    ]  # fmt: skip
    assert page.answer.more == "2 further findings stand below."


def test_a_name_that_answers_elsewhere_by_another_resolver_did_not_move() -> None:
    history = samples.watch()
    history["answers"][0]["resolver"] = "10.0.0.54"
    (cause,) = page_of(samples.document("findings", findings=[samples.finding()]), history).causes
    assert cause.moves == ()


@pytest.mark.parametrize(
    ("carried", "reached", "level"),
    [("", True, "ok"), ("", False, "unknown"), ("no", True, "FAIL"), ("yes", False, "ok")],
)
def test_where_a_name_was_reached_the_path_is_not_in_doubt(carried: str, reached: bool, level: str) -> None:
    history = samples.watch()
    history["answers"] = [history["answers"][-1] | {"carried": carried}]
    history["reach"] = [history["reach"][-1] | {"reached": reached}]
    path = page_of(history).path
    assert path
    assert [one.level for one in path.goals] == [level]


def test_a_page_says_how_one_knows_that_it_is_mended() -> None:
    here = samples.document("findings", location="eastasia", findings=[samples.finding()])
    assert page_of(here).check == "arcferry check --location eastasia"
    there = samples.document("findings", location="westeurope", findings=[samples.finding()])
    assert page_of(here, there).check == ""


@pytest.mark.parametrize(
    ("servers", "address", "told"),
    [
        ([], "40.115.128.9", 1),
        (["web01"], "40.115.128.9", 1),
        (["web01", "web09"], "40.115.128.9", 2),
        ([], "40.115.128.8", 2),
    ],
)
def test_what_does_not_decide_is_left_out_where_another_decides(
    servers: list[str], address: str, told: int
) -> None:
    decided = samples.finding("web01")
    open_one = samples.finding(
        *servers,
        cause="path/endpoint-unreachable",
        title="cannot be reached",
        confidence="undetermined",
        endpoints=[decided["endpoints"][0] | {"address": address}],
    )
    page = page_of(*(samples.document("findings", findings=[one]) for one in (open_one, decided)))
    assert len(page.causes) == told
    assert page.causes[0].slug == "route/community-not-in-filter"


@pytest.mark.parametrize(
    ("cause", "broken"),
    [
        ("route/community-not-in-filter", "edge"),
        ("route/session-down", "router"),
        ("dns/name-not-found", "network"),
        ("agent/service-stopped", "server"),
        ("arm/not-authorized", "azure"),
        ("path/endpoint-unreachable", "unknown"),
    ],
)
def test_the_path_is_marked_where_it_ends(cause: str, broken: str) -> None:
    path = page_of(samples.document("findings", findings=[samples.finding(cause=cause)])).path
    assert path is not None
    assert path.broken == broken


def test_the_path_says_whether_anybody_looked_where_it_ends() -> None:
    found = [samples.finding(confidence=one) for one in ("observed", "expected")]
    pages = [page_of(samples.document("findings", findings=[one])) for one in found]
    assert [page.path and page.path.sure for page in pages] == [True, False]


def test_a_connected_machine_is_no_all_clear_for_a_name_that_is_out_of_reach() -> None:
    well = samples.verification("connected")
    lost = samples.document("findings", findings=[samples.finding()])
    (alone,) = page_of(well).answer.standings
    beside = page_of(lost, well).answer.standings[-1]
    assert (beside.level, beside.says) == ("ok", load()("answer.heartbeats", says=alone.says))
    assert page_of(samples.document("findings", findings=[]), well).answer.standings[-1].says == alone.says


def test_a_page_of_a_twin_says_so() -> None:
    azure, twin = samples.watch(), samples.watch()
    twin["answers"] = [one | {"addresses": ["127.250.10.3"]} for one in twin["answers"]]
    said = load()("labels.of_a_twin")
    assert [said in page_of(one).notes for one in (azure, twin)] == [False, True]


def test_an_answer_is_of_the_service_whose_community_carries_it() -> None:
    history = samples.watch()
    history["answers"] = [one | {"community": "12076:5070"} for one in history["answers"]]
    _, answered = page_of(history).timelines
    assert {lane.says for lane in answered.lanes} == {"Azure Resource Manager"}


def test_the_path_leads_to_each_community_and_the_lost_one_comes_first() -> None:
    path = page_of(samples.audit(missing=True), samples.plan(lacks=False)).path
    assert path is not None
    assert path.filter == "rf-arc"
    assert [(one.name, one.community, one.level) for one in path.goals] == [
        ("Japan East", "12076:51012", "FAIL"),
        ("East Asia", "12076:51010", "ok"),
    ]
    assert path.goals[0].hosts.shown == (LOST,)


def test_servers_that_reach_the_same_are_one_row() -> None:
    heat = page_of(samples.run(6)).heat
    assert heat is not None
    assert heat.columns[0].host == LOST
    first = heat.columns[0]
    assert (first.failed, first.tried, first.why) == (2, 6, "no TCP connection (timeout)")
    assert [(row.names.count, row.cells) for row in heat.rows] == [(2, "t" + "+" * 14), (4, "+" * 15)]
    assert heat.stages == ("tcp",)


def test_the_newest_attempt_counts() -> None:
    old, new = samples.check(LOST), samples.check() | {"taken": "2026-11-21T08:00:00Z"}
    heat = page_of(new, old).heat
    assert heat is not None
    assert {row.cells for row in heat.rows} == {"+" * 15}


def test_machines_that_stand_alike_are_one_row_the_worst_first() -> None:
    (fleet,) = page_of(samples.verification("connected", "stale", "missing", "connected")).fleets
    assert [(row.level, row.state, row.names.count) for row in fleet.rows] == [
        ("FAIL", "missing", 1), ("warn", "stale", 1), ("ok", "connected", 2),
    ]  # fmt: skip
    assert dict(fleet.counts) == {"missing": 1, "stale": 1, "connected": 2}


def test_time_shows_when_a_name_moved_and_was_lost() -> None:
    reached, answered = page_of(samples.watch()).timelines
    (lane,) = reached.lanes
    assert [block.style for block in lane.blocks] == ["good", "bad"]
    assert (lane.level, lane.says) == ("FAIL", "no TCP connection (timeout)")
    (lane,) = answered.lanes
    assert [block.style for block in lane.blocks] == ["region0", "region1", "lost"]
    assert [says for _, says in answered.legend] == [
        "East Asia",
        "Japan East",
        "not let through by the filter",
    ]


def test_the_steps_of_a_run_stand_one_after_the_other() -> None:
    (timeline,) = page_of(samples.run(3)).timelines
    assert [lane.level for lane in timeline.lanes] == ["FAIL", "ok", "ok"]
    for lane in timeline.lanes:
        for before, after in pairwise(lane.blocks):
            assert before.left + before.width == pytest.approx(after.left, abs=1)


def test_a_verification_shows_since_when_each_server_stands_as_it_does() -> None:
    document = samples.verification("connected", "stale", "missing")
    document["machines"][1]["last_run"] = {
        "run": "17975551fcd4",
        "at": "2026-11-17T08:00:00Z",
        "ended": "connected",
    }
    document["machines"][2]["since"] = None
    (timeline,) = page_of(document).timelines
    assert [(lane.name, [block.style for block in lane.blocks]) for lane in timeline.lanes] == [
        ("server1", ["good", "bad"]), ("server0", ["good"]),
    ]  # fmt: skip
    before, now = timeline.lanes[0].blocks
    assert before.tip == "connected in run 17975551fcd4, 2026-11-17 08:00 UTC to 2026-11-19 08:00 UTC"
    assert (before.left, before.width, now.left + now.width) == (0, 500, 1000)


def test_every_datum_has_its_day() -> None:
    given = {"name": "filter.json", "kind": "route-filter", "taken": "2026-11-01T00:00:00Z"}
    page = page_of(samples.ALL["findings"] | {"inputs": [given]}, samples.watch())
    assert {(one.name, one.kind): load().day(one.taken) for one in page.data} == {
        ("findings.json", "arcferry explain"): "2026-11-01",
        ("filter.json", "a route filter"): "2026-11-01",
        ("watch-history.json", "arcferry watch"): "2026-11-20",
    }
    assert page.sources == ("route filter of 2026-11-20",)


def test_a_run_is_as_new_as_the_last_that_its_journal_tells() -> None:
    page = page_of(samples.runs(), samples.check(LOST))
    assert [load().day(one.asof) for one in page.answer.standings] == [
        "2026-11-20 08:00 UTC", "2026-11-20 09:00 UTC",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ([], "no result that a page can be made of"),
        ({"kind": "plan", "schema": 1}, "no result that a page can be made of"),
        ({"kind": "check", "schema": 2}, "of another schema than 1"),
        ({"kind": "check", "schema": 1, "endpoints": 3}, "endpoints"),
        ({"kind": "check", "schema": 1, "taken": "yesterday"}, "taken"),
        (
            {"kind": "run", "schema": 1, "hosts": [{"name": "a", "steps": [{"step": "b", "seconds": -1}]}]},
            "seconds",
        ),
        ({"kind": "runs", "schema": 1, "runs": [{"run": "a", "hosts": {"b": {"time": "never"}}}]}, "time"),
    ],
)
def test_what_is_no_result_is_refused_by_name(document: Any, says: str) -> None:  # noqa: ANN401 - any JSON
    with pytest.raises(InputError) as refused:
        read(document, "it.json")
    assert "it.json" in refused.value.message
    assert says in refused.value.message
    assert refused.value.hint


def test_there_is_a_sample_of_every_kind() -> None:
    assert set(samples.ALL) == set(KINDS)
