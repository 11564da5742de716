"""Result files of honest, unlucky and hostile hosts."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from importlib import resources
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from tests.json_documents import known
from typer import Typer
from typer.testing import CliRunner

from arcferry.azure import Machine
from arcferry.cli.collect import collect as command
from arcferry.diagnosis import Severity
from arcferry.errors import FileInputError, InputError
from arcferry.evidence.reading import read_document
from arcferry.export.collect import Collection, InAzure, collect, write_evidence
from arcferry.export.result import LARGEST, MOST_EVIDENCE, NotAResultError, Reported, read_result
from arcferry.fleet.inventory import read_inventory
from arcferry.report import collected as report
from arcferry.times import now, to_text

CASE = Path(__file__).parents[1] / "cases/timeout-outside-filter"
CHECK = json.loads((CASE / "check.json").read_text())
GAS = "agentserviceapi.guestconfiguration.azure.com"
TABLE = f"ENDPOINT |REACHABLE |PRIVATE |TLS |PROXY\nhttps://{GAS} |false |false |unknown |not set\n"
VM_ID = "99999999-8888-7777-6666-555555555555"


def shown(status: str, name: str = "web01") -> dict[str, Any]:
    place = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-arc/providers"
    agent = {
        "installed": True,
        "status": status,
        "resource_id": f"{place}/Microsoft.HybridCompute/machines/{name}",
        "resource_name": name,
        "vm_id": VM_ID,
    }
    return {"schema": 1, "verb": "show", "ok": True, "agent": agent}


CONNECTED = {"schema": 1, "verb": "connect", "ok": True, "heard_from": True, "status": "Connected"}
GOOD = [
    *({"schema": 1, "verb": verb, "ok": True} for verb in ("verify", "facts", "install", "check")),
    CONNECTED,
    shown("Connected"),
]
UNHEARD = [*GOOD[:4], CONNECTED | {"heard_from": False, "status": "Disconnected"}, shown("Disconnected")]
FAILED_CHECK = {
    "schema": 1,
    "verb": "check",
    "ok": False,
    "exit": 26,
    "code": "AZCM0026",
    "message": "azcmagent check ended with exit status 26",
    "output": TABLE,
}


def result(host: str = "web01", **changed: Any) -> dict[str, Any]:  # noqa: ANN401  # any JSON
    return {
        "schema": 1,
        "kind": "host-run",
        "host": host,
        "via": "gpo",
        "bundle": "0123456789ab",
        "began": "2026-11-23T08:00:00Z",
        "ended": "2026-11-23T08:05:00Z",
        "outcome": "connected",
        "answers": GOOD,
        "path": None,
    } | changed


def failing(host: str, **changed: Any) -> dict[str, Any]:  # noqa: ANN401  # any JSON
    failed = {"outcome": "failed", "answers": [*GOOD[:3], FAILED_CHECK], "path": CHECK}
    return result(host, **failed | changed)


def drawn(found: Collection) -> Iterator[str]:
    """What people are shown off a terminal, line by line."""
    console = Console(file=StringIO(), width=400)
    report.draw(found, console)
    yield from console.file.getvalue().splitlines()  # type: ignore[attr-defined]  # the StringIO above


def put(folder: Path, document: object, name: str = "") -> Path:
    path = folder / (name or f"{document['host']}.json")  # type: ignore[index]  # a document names its host
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def why(folder: Path) -> dict[str, str]:
    return {one.file: one.why for one in collect(folder).skipped}


def test_hosts_are_read_back_as_runs(tmp_path: Path) -> None:
    put(tmp_path, result("web02"))
    put(tmp_path, failing("WEB01"))
    found = collect(tmp_path)
    assert [host.name for host in found.hosts] == ["WEB01", "web02"]
    bad, good = found.hosts
    assert (good.failed, good.run.failure, good.via, good.bundle) == (False, None, "gpo", "0123456789ab")
    assert bad.run.failure is not None
    assert (bad.run.failure.step, bad.run.failure.code) == ("check", "AZCM0026")
    assert bad.run.failure.unreachable == (GAS,)
    assert [step.step for step in bad.run.steps] == ["verify", "facts", "install", "check"]
    assert not found.all_good


def unheard(host: str, **changed: Any) -> dict[str, Any]:  # noqa: ANN401  # any JSON
    return result(host, **{"outcome": "not-heard-from", "answers": UNHEARD} | changed)


def test_a_host_that_azure_has_not_heard_from_is_neither_connected_nor_failed(tmp_path: Path) -> None:
    put(tmp_path, result("db01"))
    put(tmp_path, unheard("web01"))
    put(tmp_path, unheard("web02", outcome="connected"))
    found = collect(tmp_path)
    assert [host.run.outcome.value for host in found.hosts] == ["connected", *["not-heard-from"] * 2]
    assert ([host.failed for host in found.hosts], found.all_good) == ([False] * 3, False)
    (finding,) = found.diagnosis.findings
    assert (finding.cause, finding.servers) == ("his/no-heartbeat", ("web01", "web02"))
    document = report.document(found)
    assert {key: document["summary"][key] for key in ("connected", "not_heard_from", "failed")} == {
        "connected": 1, "not_heard_from": 2, "failed": 0,
    }  # fmt: skip
    assert document["hosts"][1]["failure"]["code"] == "not-heard-from"
    text = list(drawn(found))
    cells = re.split(r"  +", text[2])
    assert (cells[:2], cells[4:]) == (
        ["web01", "not heard from"],
        ["show", "not-heard-from", "his/no-heartbeat"],
    )
    says = "warn  web01, web02: show: connected, not yet heard from: the agent says Disconnected"
    assert says in text
    assert text[-1] == "1 of 3 hosts that reported say that they are connected, 2 not yet heard from"


def test_an_endpoint_that_fails_says_why_a_host_is_not_heard_from(tmp_path: Path) -> None:
    put(tmp_path, unheard("web01", path=CHECK))
    causes = {one.cause for one in collect(tmp_path).diagnosis.findings}
    assert causes
    assert "his/no-heartbeat" not in causes
    assert write_evidence(collect(tmp_path), tmp_path / "evidence") == 2
    assert {path.name for path in (tmp_path / "evidence").iterdir()} == {
        "web01-answers.txt",
        "web01-path.json",
    }


def machine(name: str, status: str, vm_id: str = VM_ID) -> Machine:
    return Machine(name, f"/x/{name}", status, vm_id, "eastasia", "1.67", "Linux", "", None, {})


@pytest.mark.parametrize(
    ("said", "there", "outcome", "code"),
    [
        ("connected", machine("web01", "Connected"), "connected", ""),
        ("not-heard-from", machine("WEB01", "Connected"), "connected", ""),
        ("connected", machine("web01", "Disconnected"), "not-heard-from", "not-heard-from"),
        ("not-heard-from", machine("web01", "AwaitingConnection"), "not-heard-from", "not-heard-from"),
        ("connected", None, "failed", "no-machine"),
        ("connected", machine("web01", "Connected", vm_id="another"), "failed", "another-server"),
        ("failed", machine("web01", "Connected"), "failed", "AZCM0026"),
    ],
)  # fmt: skip
def test_what_azure_shows_counts(
    tmp_path: Path, said: str, there: Machine | None, outcome: str, code: str
) -> None:
    made = {"connected": result, "not-heard-from": unheard, "failed": failing}[said]
    put(tmp_path, made("web01"))
    machines = {there.name.lower(): there} if there else {}
    found = collect(tmp_path, azure=InAzure(machines, "rg-arc", "1" * 8))
    (host,) = found.hosts
    failure = host.run.failure
    assert (host.run.outcome, failure.code if failure else "") == (outcome, code)
    row = report.document(found)["hosts"][0]
    assert (row["machine"]["status"] if row["machine"] else None) == (there.status if there else None)
    assert found.all_good == (outcome == "connected")
    text = list(drawn(found))
    assert re.split(r"  +", text[0])[2] == "IN AZURE"
    assert re.split(r"  +", text[1])[2] == (there.status if there else "none")
    assert text[-1].startswith(
        f"{int(outcome == 'connected')} of 1 hosts that reported are connected in Azure"
    )


@pytest.mark.parametrize(("in_azure", "good"), [("1.66.0", False), ("1.68.0.1", True), ("", False)])
def test_an_upgrade_counts_once_azure_shows_the_version(tmp_path: Path, in_azure: str, good: bool) -> None:
    old, new = shown("Connected"), shown("Connected")
    old["agent"]["version"], new["agent"]["version"] = "1.66.0", "1.68.0"
    install = {"schema": 1, "verb": "install", "ok": True, "changed": True, "version": "1.68.0"}
    put(tmp_path, result("web01", answers=[GOOD[0], old | {"verb": "facts"}, install, new]))
    alone = collect(tmp_path)
    assert alone.all_good
    assert "agent 1.66.0 is 1.68.0 now: web01" in drawn(alone)
    assert report.document(alone)["hosts"][0]["agent"] == {"version": "1.68.0", "was": "1.66.0"}
    seen = replace(machine("web01", "Connected"), agent_version=in_azure)
    asked = collect(tmp_path, azure=InAzure({"web01": seen}, "rg-arc", "1" * 8))
    assert asked.all_good is good
    assert good or "Azure still shows agent" in "\n".join(drawn(asked))


def test_the_share_or_its_results_folder_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    put(tmp_path / "results", result())
    (tmp_path / "settings.json").write_text("{}")
    assert [host.name for host in collect(tmp_path).hosts] == ["web01"]
    assert collect(tmp_path).skipped == ()


def test_hosts_that_fail_alike_are_one_finding(tmp_path: Path) -> None:
    for number in range(40):
        put(tmp_path, failing(f"web{number:02}"))
    put(tmp_path, result("db01"))
    context = [
        document
        for name in ("route-filter.json", "ServiceTags_Public_20260105.json")
        for document in read_document(name, (CASE / name).read_bytes())
    ]
    found, *risks = collect(tmp_path, context=context).diagnosis.findings
    assert not any(one.severity is Severity.ERROR for one in risks)
    assert found.cause == "route/community-not-in-filter"
    assert found.servers == tuple(f"web{number:02}" for number in range(40))
    assert any("web00" in line.origin for line in found.evidence)


def test_without_a_filter_the_finding_says_what_would_decide(tmp_path: Path) -> None:
    put(tmp_path, failing("web01"))
    (found,) = collect(tmp_path).diagnosis.findings
    assert "route-filter" in found.would_decide


def test_two_failures_are_two_findings(tmp_path: Path) -> None:
    said = {"output": "FATAL AZCM0041: Invalid client secret is provided", "exit": 41, "code": "AZCM0041"}
    refused = [*GOOD[:4], {"schema": 1, "verb": "connect", "ok": False, "message": "no", **said}]
    put(tmp_path, result("web01", outcome="failed", answers=refused))
    put(tmp_path, failing("web02"))
    found = collect(tmp_path).diagnosis.findings
    assert {hosts for one in found for hosts in one.servers} == {"web01", "web02"}
    assert len({one.cause for one in found}) == len(found) == 2


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ({"verb": "connect", "code": "token-unreadable", "message": "x"}, "fresh"),
        ({"verb": "verify", "code": "hash-mismatch", "message": "x"}, "anew"),
        ({"verb": "install", "code": "install-failed", "exit": 1603, "log": r"C:\l.log"}, ""),
        ({"verb": "install", "code": "azure-vm", "message": "x"}, "group"),
    ],
)
def test_every_known_code_has_a_way_out(tmp_path: Path, answer: dict[str, object], hint: str) -> None:
    put(tmp_path, result(outcome="failed", answers=[{"schema": 1, "ok": False, **answer}]))
    failure = collect(tmp_path).hosts[0].run.failure
    assert failure is not None
    assert failure.hint
    assert hint in failure.hint


def test_every_code_of_the_scripts_is_known() -> None:
    hints = tomllib.loads(resources.files("arcferry.export").joinpath("ways_out.toml").read_text())
    wrappers = resources.files("arcferry.export").joinpath("wrappers")
    windows, linux = (wrappers.joinpath(f"onboard.{kind}").read_text() for kind in ("ps1", "sh"))
    said = re.findall(r"Stop-Run (?:'\w+'|\$Words\[0\]) '([a-z-]+)'", windows)
    said += re.findall(r"^\s+[^#]*\bfail (?:\w+|\"\$1\") ([a-z-]+)", linux, re.MULTILINE)
    assert len(set(said)) >= 5
    assert set(said) <= set(hints)


def test_connected_is_believed_only_with_its_answers(tmp_path: Path) -> None:
    put(tmp_path, result("none", answers=[]))
    put(tmp_path, result("cut", answers=GOOD[:4]))
    put(tmp_path, result("lies", answers=[*GOOD[:3], FAILED_CHECK, GOOD[5]]))
    found = collect(tmp_path)
    assert [host.failed for host in found.hosts] == [True, True, True]
    assert all(host.run.failure for host in found.hosts)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_any_encoding_that_powershell_writes(tmp_path: Path, encoding: str) -> None:
    text = json.dumps(result(), ensure_ascii=False)
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    (tmp_path / "web01.json").write_bytes(mark + text.encode(encoding))
    assert not collect(tmp_path).hosts[0].failed


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"  \r\n", "empty"),
        (b"{", "cut short"),
        (b"[]", "cut short"),
        (b"\x00\x01\x02\x80\xff" * 40, "cut short"),
        (b"[" * 100_000, "cut short"),
        (b"{}", "no result"),
        (b'{"schema":2,"kind":"host-run","host":"web01","outcome":"connected"}', "schema 2"),
        (b'{"schema":1,"kind":"host-run","host":"web01"}', "outcome"),
        (b'{"schema":1,"kind":"host-run","host":7,"outcome":"failed"}', "host"),
        (b'{"schema":1,"kind":"host-run","host":"web01","outcome":"fine"}', "outcome"),
        (b'{"schema":1,"kind":"host-run","host":"web01","outcome":"failed","answers":{}}', "answers"),
        (b'{"schema":1,"kind":"host-run","host":"web02","outcome":"failed"}', "another host"),
        (b'{"schema":1,"kind":"host-run","host":"../web01","outcome":"failed"}', "names no host"),
        (b'{"schema":1,"kind":"host-run","host":"","outcome":"failed"}', "names no host"),
    ],
)
def test_what_is_no_result_is_named_and_left_out(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "web01.json").write_bytes(content)
    put(tmp_path, result("web09"))
    assert [host.name for host in collect(tmp_path).hosts] == ["web09"]
    assert says in why(tmp_path)["web01.json"]


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "web01.json").open("wb") as stream:
        stream.truncate(LARGEST * 1000)
    assert "larger" in why(tmp_path)["web01.json"]


def test_too_many_answers_are_no_result(tmp_path: Path) -> None:
    put(tmp_path, result(answers=GOOD * 10))
    assert "answers" in why(tmp_path)["web01.json"]


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_only_plain_files_are_opened(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    path = folder / "web01.json"
    if kind == "link":
        path.symlink_to(put(tmp_path, result()))
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    assert "not a file" in why(folder)["web01.json"]


def test_half_written_and_foreign_files_are_named(tmp_path: Path) -> None:
    put(tmp_path, result(), ".web01.77.tmp")
    put(tmp_path, result(), "notes.txt")
    put(tmp_path, result(), ".hidden.json")
    put(tmp_path, result("web02"))
    found = why(tmp_path)
    assert "half written" in found[".web01.77.tmp"]
    assert "HOST.json" in found["notes.txt"]
    assert "HOST.json" in found[".hidden.json"]


def test_of_two_files_of_one_host_the_newer_counts(tmp_path: Path) -> None:
    put(tmp_path, failing("WEB01", ended="2026-11-23T09:00:00Z"))
    put(tmp_path, result("web01", ended="2026-11-23T10:00:00Z"))
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("this file system does not tell case apart")
    found = collect(tmp_path)
    assert [(host.name, host.failed) for host in found.hosts] == [("web01", False)]
    assert [(one.file, "newer" in one.why) for one in found.skipped] == [("WEB01.json", True)]


def test_a_date_to_come_does_not_win_and_is_named(tmp_path: Path) -> None:
    put(tmp_path, failing("web01", ended="2026-11-23T09:00:00Z"))
    put(tmp_path, result("WEB01", ended="9999-01-01T00:00:00Z"))
    put(tmp_path, result("web02", ended="9998-01-01T00:00:00Z"))
    if len(list(tmp_path.iterdir())) < 3:
        pytest.skip("this file system does not tell case apart")
    found = collect(tmp_path)
    assert [(host.name, host.failed) for host in found.hosts] == [("web01", True), ("web02", False)]
    assert [one.file for one in found.skipped] == ["WEB01.json"]
    assert "says that it ended 9999-01-01T00:00:00Z, which is to come" in found.skipped[0].why
    assert "web01.json counts" in found.skipped[0].why
    (doubt,) = found.doubts
    assert (doubt.file, "9998-01-01T00:00:00Z, which is to come" in doubt.why) == ("web02.json", True)
    assert "warn  web02.json: says that it ended 9998" in "\n".join(drawn(found))


def test_a_clock_that_is_an_hour_fast_is_no_date_to_come(tmp_path: Path) -> None:
    put(tmp_path, failing("web01", ended=to_text(now() - timedelta(hours=1))))
    put(tmp_path, result("WEB01", ended=to_text(now() + timedelta(hours=1))))
    if len(list(tmp_path.iterdir())) < 2:
        pytest.skip("this file system does not tell case apart")
    found = collect(tmp_path)
    assert [(host.name, host.failed) for host in found.hosts] == [("WEB01", False)]
    assert found.doubts == ()


def test_a_folder_in_place_of_a_result_says_what_became_of_the_result(tmp_path: Path) -> None:
    (tmp_path / "web01.json").mkdir()
    put(tmp_path / "web01.json", result())
    put(tmp_path, result("web02"))
    says = why(tmp_path)["web01.json"]
    assert "is a folder, not a file" in says
    assert "Remove it, and run the script on the host again" in says


def test_control_characters_never_reach_the_terminal(tmp_path: Path) -> None:
    evil = "\x1b[2J\x07\u202eevil\ud800\n\tx"
    answer = {"schema": 1, "verb": evil, "ok": False, "code": evil, "message": evil, "output": evil}
    put(tmp_path, result(outcome="failed", via=evil, bundle=evil, began=evil, answers=[answer]))
    (tmp_path / "a\x1b[31mb.json").write_text("{")
    text = "\n".join(drawn(collect(tmp_path)))
    assert not {"\x1b", "\x07", "\u202e", "\ud800"} & set(text)
    text.encode("utf-8")


def test_a_name_of_bytes_that_are_no_text_is_shown(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/\xff\xfe.json", "wb") as stream:  # noqa: PTH123  # a path of bytes
        stream.write(b"{")
    shown = "\n".join(drawn(collect(tmp_path)))
    assert "1 file left out" in shown
    shown.encode("utf-8")


INVENTORIES = {
    "whole names": (["web01.taipei", "web02"], ["WEB01.taipei", "web02"], [], [], {}),
    "another domain": (["web01.tokyo"], ["web01.taipei"], ["web01.tokyo"], ["web01.taipei"], {}),
    "both domains": (["web01.taipei", "web01.tokyo"], ["web01.taipei"], ["web01.tokyo"], [], {}),
    "short and one of that name": (["web01.corp.example", "web02"], ["WEB01", "web02"], [], [], {}),
    "short and two of that name": (
        ["web01.taipei", "web01.tokyo"],
        ["WEB01"],
        ["web01.taipei", "web01.tokyo"],
        [],
        {"WEB01": ("web01.taipei", "web01.tokyo")},
    ),
    "short, and itself in the list": (["web01", "web01.tokyo"], ["web01"], ["web01.tokyo"], [], {}),
    "short in the list, one reports": (["web01"], ["web01.tokyo"], [], [], {}),
    "short in the list, two report": (
        ["web01"],
        ["web01.taipei", "web01.tokyo"],
        ["web01"],
        [],
        {"web01.taipei": ("web01",), "web01.tokyo": ("web01",)},
    ),
    "a stranger": (["web01", "web02"], ["web01", "db01"], ["web02"], ["db01"], {}),
}


@pytest.mark.parametrize("case", INVENTORIES)
def test_who_did_not_report_is_named(tmp_path: Path, case: str) -> None:
    listed, reported, missing, strangers, unclear = INVENTORIES[case]
    inventory = tmp_path / "servers.csv"
    inventory.write_text(
        "\n".join(["name,address", *(f"{name},10.0.0.{n}" for n, name in enumerate(listed, 1))])
    )
    folder = tmp_path / "share"
    folder.mkdir()
    for name in reported:
        put(folder, result(name))
    found = collect(folder, read_inventory(inventory))
    assert (list(found.missing), list(found.strangers)) == (missing, strangers)
    assert {one.host: one.may_be for one in found.unclear} == unclear
    assert found.all_good == (not missing)
    text = "\n".join(drawn(found))
    assert all(f"warn  {host} may be {' or '.join(names)}" in text for host, names in unclear.items())
    assert report.document(found)["unclear"] == [
        {"host": host, "may_be": list(names)} for host, names in unclear.items()
    ]


def test_a_folder_that_is_none_or_holds_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileInputError, match="no such folder"):
        collect(tmp_path / "gone")
    with pytest.raises(FileInputError, match="not a folder"):
        collect(put(tmp_path, result()))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no results"):
        collect(tmp_path / "empty")


def test_evidence_is_what_explain_reads(tmp_path: Path) -> None:
    put(tmp_path, failing("web01"))
    put(tmp_path, result("web02"))
    out = tmp_path / "evidence"
    assert write_evidence(collect(tmp_path), out) == 2
    kinds = {path.name: read_document(path.name, path.read_bytes())[0].kind.value for path in out.iterdir()}
    assert kinds == {"web01-azcmagent-check.txt": "agent-check", "web01-path.json": "arcferry-check"}


LARGE = {
    "rows of the path": lambda count: failing("h", path={"kind": "check", "endpoints": [ROW] * count}),
    "values nobody reads": lambda count: failing("h", more=[{"a": [{}]}] * count),
    "answers": lambda count: result(
        "h", outcome="failed", answers=[FAILED_CHECK | {"output": TABLE * count, "x": [{}] * count}] * 8
    ),
}
ROW = {"host": GAS, "reachable": False, "failure": {"stage": "tcp", "kind": "timeout", "says": "x"}}
MEASURED = """
import re, sys
from pathlib import Path
from arcferry.export.collect import collect
found = collect(Path(sys.argv[1]))
# Not ru_maxrss: it begins with what the process was that started this one, and the tests' own is large.
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print(len(found.hosts), len(found.skipped), int(peak[1]) // 1024)
"""


@pytest.mark.parametrize("kind", LARGE)
def test_the_memory_for_many_large_results_is_that_for_one(tmp_path: Path, kind: str) -> None:
    """Results of the largest size that is read; each is judged and let go."""
    small, twice = (len(json.dumps(LARGE[kind](count))) for count in (1000, 2000))
    made = LARGE[kind]((LARGEST - small) * 1000 // (twice - small))
    assert LARGEST * 0.7 < len(json.dumps(made)) < LARGEST
    for number in range(12):
        put(tmp_path, made | {"host": f"h{number:02}", "bundle": str(number)})
    line = [sys.executable, "-c", MEASURED, str(tmp_path)]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    hosts, skipped, mebibytes = map(int, done.stdout.split())
    assert (hosts, skipped) == (12, 0)
    assert mebibytes < 300


def test_more_evidence_than_is_judged_is_named(tmp_path: Path) -> None:
    put(tmp_path, failing("web01", path=CHECK | {"notes": "x" * MOST_EVIDENCE}))
    found = {one.cause: one for one in collect(tmp_path).diagnosis.findings}
    assert "evidence/unreadable" in found
    assert "larger than" in found["evidence/unreadable"].evidence[0].says


def test_a_result_that_is_replaced_in_the_meantime_is_no_evidence(tmp_path: Path) -> None:
    path = put(tmp_path, failing("web01"))
    read = collect(tmp_path)
    put(tmp_path, result("web01"))
    assert write_evidence(read, tmp_path / "evidence") == 0
    path.unlink()
    assert write_evidence(read, tmp_path / "evidence") == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["host", "via", "bundle", "began", "ended", "outcome", "answers", "path", "schema", "kind"]
)
ANSWER = st.dictionaries(
    st.sampled_from(["verb", "ok", "code", "message", "exit", "output", "log", "changed"]), JSON
)


@settings(max_examples=150, deadline=None)
@given(changed=st.dictionaries(FIELDS, JSON, max_size=3), answers=st.lists(ANSWER, max_size=3))
def test_any_result_is_read_or_named(
    tmp_path_factory: pytest.TempPathFactory, changed: dict[str, Any], answers: list[dict[str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("share")
    put(folder, result(answers=answers) | changed, "web01.json")
    found = collect(folder)
    assert len(found.hosts) + len(found.skipped) == 1
    json.dumps(report.document(found)).encode("utf-8")
    "\n".join(drawn(found)).encode("utf-8")


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_are_read_or_named(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("share") / "web01.json"
    path.write_bytes(data)
    with pytest.raises(NotAResultError):
        read_result(path)


Invoke = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    monkeypatch.setenv("ARCFERRY_DATA", str(tmp_path / "no-data"))
    monkeypatch.setenv("ARCFERRY_STATE", str(tmp_path / "state"))
    app = Typer(pretty_exceptions_enable=False)
    app.command()(command)

    def invoke(*words: str | Path, status: int) -> str:
        done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
        assert done.exit_code == status, done.output
        return done.stdout

    return invoke


def test_the_command_shows_who_failed_why_and_the_way_out(run: Invoke, tmp_path: Path) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    put(folder, failing("web01"))
    put(folder, result("web02"))
    tags = CASE / "ServiceTags_Public_20260105.json"
    text = run(folder, "--with", CASE / "route-filter.json", "--with", tags, status=1)
    lines = text.splitlines()
    assert lines[0].split() == ["HOST", "RESULT", "BY", "ENDED", "STEP", "CODE", "CAUSE"]
    assert lines[1].split() == [
        "web01", "FAIL", "gpo", "2026-11-23T08:05:00Z", "check", "AZCM0026", "route/community-not-in-filter",
    ]  # fmt: skip
    assert lines[2].split() == ["web02", "ok", "gpo", "2026-11-23T08:05:00Z"]
    assert "way out: " in text
    assert "12076:51012" in text
    assert lines[-1] == "1 of 2 hosts that reported say that they are connected, 1 failed"


def test_the_command_ends_with_0_when_all_are_connected(run: Invoke, tmp_path: Path) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    put(folder, result())
    document = known(run(folder, "--output", "json", status=0))
    assert document["summary"] == {
        "hosts": 1, "connected": 1, "not_heard_from": 0, "failed": 0, "missing": 0, "skipped": 0,
    }  # fmt: skip
    assert document["asked_azure"] is False
    lines = [json.loads(line) for line in run(folder, "--output", "jsonl", status=0).splitlines()]
    assert [line["kind"] for line in lines] == ["host", "evidence", "collected"]
    inventory = tmp_path / "servers.csv"
    inventory.write_text("name,address\nweb01,10.0.0.1\nweb02,10.0.0.2\n")
    assert "not reported: web02" in run(folder, "--inventory", inventory, status=1)


def test_the_command_says_what_changed_since_a_server_was_connected(run: Invoke, tmp_path: Path) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    rows = [row | {"reachable": True, "failure": None} for row in CHECK["endpoints"]]
    put(folder, result(path=CHECK | {"endpoints": rows, "taken": "2026-01-02T06:05:00Z"}))
    run(folder, status=0)
    put(folder, failing("web01"))
    assert "changed since 2026-01-02" in run(folder, "--output", "json", status=1)


def hostile(host: str, output: str) -> dict[str, Any]:
    check = FAILED_CHECK | {"output": output}
    return result(host, outcome="failed", answers=[*GOOD[:3], check])


def test_one_result_that_cannot_be_read_is_told_beside_all_others(tmp_path: Path) -> None:
    put(tmp_path, result("web01"))
    put(tmp_path, failing("web02"))
    put(tmp_path, hostile("web03", "[" * 15_000))
    (tmp_path / "web04.json").write_text(
        json.dumps(result("web04")).replace("0123456789ab", "x").replace("null", "9" * 5000)
    )
    found = collect(tmp_path)
    assert {host.name: host.failed for host in found.hosts} == {"web01": False, "web02": True, "web03": True}
    assert why(tmp_path) == {"web04.json": "could not be read: it holds a number of 5,000 digits"}
    causes = {one.cause: one for one in found.diagnosis.findings}
    unread = causes["evidence/unreadable"]
    assert unread.servers == ("web03",)
    assert unread.title.startswith("web03: azcmagent-check.txt could not be read")
    assert "web02" in {
        name for cause, one in causes.items() for name in one.servers if cause != "evidence/unreadable"
    }
    assert "cause evidence/unreadable: web03" in "\n".join(drawn(found))
    assert "evidence/unreadable" in json.dumps(report.document(found))


def test_a_surprise_of_the_reader_of_results_costs_that_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, result("web01"))
    put(tmp_path, result("web02"))

    def surprised(path: Path) -> Reported:
        if path.name == "web02.json":
            raise RecursionError("7f3c")
        return read_result(path)

    monkeypatch.setattr("arcferry.export.collect.read_result", surprised)
    found = collect(tmp_path)
    assert [host.name for host in found.hosts] == ["web01"]
    assert why(tmp_path) == {
        "web02.json": "could not be read: it holds what no reader foresaw (RecursionError)"
    }


def test_an_as_number_of_any_length_is_no_surprise(tmp_path: Path) -> None:
    put(tmp_path, result("web01"))
    text = "BGP routing table entry for 203.0.113.0/24\n Paths: 1 available\n  " + "9" * 4400
    put(tmp_path, hostile("web02", f"{text}\n    198.51.100.9 from 198.51.100.9 (198.51.100.9)\n"))
    assert [host.failed for host in collect(tmp_path).hosts] == [False, True]
