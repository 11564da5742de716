"""What ends and when, on the twin, and as a calendar by the rules of RFC 5545."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.commands.powershell_lines import calls, problem
from tests.verify.conftest import Desk

from arcferry import bundle as bundles
from arcferry import times
from arcferry.azure import with_certificate
from arcferry.catalog import cloud
from arcferry.report.ics import calendar
from arcferry.verify import Due, DueKind, Lifecycle, lifecycle
from arcferry_lab.hosts import build_agent_package

pytestmark = pytest.mark.lab


def unfolded(text: str) -> list[str]:
    """The lines of a calendar (RFC 5545, 3.1)."""
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    return text.replace("\r\n ", "").removesuffix("\r\n").split("\r\n")


async def test_agents_by_version_with_their_last_day(desk: Desk) -> None:
    desk.put("web01", version="1.54.0.1")
    desk.put("web02", version="1.66.0.1")
    desk.put("web03", version="1.66.9.9")
    desk.put("web04", version="9.99")
    desk.put("web05", silent=timedelta(days=10))
    ended = await desk.run(command="lifecycle")
    assert ended.code == 1, ended.err  # one is out of support already
    dues = {(due["kind"], due["key"]): due for due in ended.document["dues"]}
    old, new = dues["agent-support", "1.54"], dues["agent-support", "1.66"]
    assert (old["day"], old["servers"]) == ("2026-08-01", ["web01"])
    assert old["days"] < 0
    assert (new["day"], new["servers"]) == ("2027-08-01", ["web02", "web03"])
    assert "agent-release-notes.md" in new["source"]
    (silent,) = [due for due in ended.document["dues"] if due["kind"] == "machine-identity"]
    assert silent["servers"] == ["web05"]
    unknown = " ".join(one["what"] for one in ended.document["unknown"])
    assert "9.99, which is newer than the list" in unknown
    assert "bundles: none was opened" in unknown
    assert "Microsoft Graph" in unknown
    table = (await desk.run(command="lifecycle", output="table")).out
    assert "FAIL  2026-08-01" in table
    assert table.splitlines()[-1].startswith("1 thing has ended; next on")


async def test_automatic_upgrade_is_told_with_what_it_needs_and_how_it_is_turned_off(desk: Desk) -> None:
    failed = {
        "enableAutomaticUpgrade": True,
        "lastAttemptStatus": "Failed",
        "lastAttemptMessage": "0x80072ee7",
    }
    desk.put("web01", agentUpgrade=failed)
    desk.put("web02", agentUpgrade={"enableAutomaticUpgrade": False})
    desk.put("web03")
    told = (await desk.run(command="lifecycle")).document["auto_upgrade"]
    (machine,) = told["machines"]
    assert (machine["name"], machine["failure"]) == ("web01", "0x80072ee7")
    # A switch with its value after a colon is beyond the table's grammar.
    line, off, _ = machine["turn_off"].partition(":$false")
    assert off
    (call,) = calls("turn-off", line)
    assert (problem(call), call.name) == ("", "Update-AzConnectedMachine")
    assert ("name", "web01") in call.parameters
    assert "download.microsoft.com" in told["downloads_from"]
    table = (await desk.run(command="lifecycle", output="table")).out
    assert machine["turn_off"] in table
    assert "0x80072ee7" in table


async def test_without_a_sign_in_the_rest_is_shown(desk: Desk) -> None:
    desk.extra |= {"ARCFERRY_CLIENT_ID": "", "ARCFERRY_TENANT_ID": ""}
    ended = await desk.run(command="lifecycle")
    assert ended.code == 0, ended.err
    assert "Azure was not asked" in ended.document["unknown"][0]["what"]
    assert any(due["kind"] == "certificate" for due in ended.document["dues"])  # of the CA file
    assert any(due["kind"] == "announced" for due in ended.document["dues"])


async def test_half_an_answer_is_told_by_the_exit_code(desk: Desk) -> None:
    desk.put("web01")
    desk.sign_in_as("none")
    ended = await desk.run(command="lifecycle")
    assert (ended.code, ended.document["whole"]) == (4, False)


async def test_a_bundle_that_was_opened_is_remembered_with_its_end(desk: Desk) -> None:
    key, bundle = desk.folder / "key", desk.folder / "bundle.zip"
    bundles.create_key_pair(key)
    contents = bundles.Contents((build_agent_package(desk.folder),))
    bundles.build(bundle, contents, bundles.load_secret_key(key), created=times.now(), name="spring")
    record = bundles.VersionRecord(desk.state)
    bundles.open_bundle(bundle, key.with_name("key.pub"), now=times.now(), record=record)
    (due,) = [
        one for one in (await desk.run(command="lifecycle")).document["dues"] if one["kind"] == "bundle"
    ]
    assert due["key"] == "spring"
    assert 88 <= due["days"] <= 90


async def test_the_certificate_that_signs_in_has_its_day(desk: Desk) -> None:
    who = with_certificate(desk.twin.client.client_id, desk.twin.paths.certificate)
    found = lifecycle(None, who, at=times.now(), cloud=cloud("AzureCloud"), state=desk.state, ca_file=None)
    (due,) = [one for one in found.dues if one.kind is DueKind.CREDENTIAL]
    assert who.certificate_ends is not None
    assert due.day == who.certificate_ends.date()


async def test_the_calendar_is_written_beside_the_answer(desk: Desk) -> None:
    desk.put("web01", version="1.66.0.1")
    path = desk.folder / "arc.ics"
    ended = await desk.run("--ics", path, command="lifecycle")
    lines = unfolded(path.read_bytes().decode())
    assert (lines[0], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR")
    assert "VERSION:2.0" in lines
    assert any(line.startswith("PRODID:") for line in lines)
    days = {due["day"].replace("-", "") for due in ended.document["dues"]}
    assert {line.partition(":")[2] for line in lines if line.startswith("DTSTART;VALUE=DATE:")} == days
    uids = [line for line in lines if line.startswith("UID:")]
    assert len(uids) == len(set(uids)) == len(ended.document["dues"]) == lines.count("BEGIN:VEVENT")
    await desk.run("--ics", path, command="lifecycle")
    again = unfolded(path.read_bytes().decode())
    assert [line for line in again if line.startswith("UID:")] == uids


def test_text_in_a_calendar_is_escaped_and_folded() -> None:
    hostile = "a;b,c\\d\nBEGIN:VEVENT\r\n\x1b[31m" + "好" * 100
    due = Due(date(2027, 1, 1), DueKind.BUNDLE, "k", hostile, servers=("x;y",))
    text = calendar(Lifecycle(datetime(2026, 11, 29, tzinfo=UTC), (due,), ()))
    lines = unfolded(text)
    assert lines.count("BEGIN:VEVENT") == 1
    (summary,) = [line for line in lines if line.startswith("SUMMARY:")]
    assert summary.startswith("SUMMARY:Azure Arc: a\\;b\\,c\\\\d\\nBEGIN:VEVENT")
    assert summary.endswith("好" * 100)
    assert "\x1b" not in text
    begun = re.findall(r"^BEGIN:(\w+)$", "\n".join(lines), re.MULTILINE)
    assert sorted(begun) == sorted(re.findall(r"^END:(\w+)$", "\n".join(lines), re.MULTILINE))
    required = ("UID:", "DTSTAMP:20261129T000000Z", "DTSTART;VALUE=DATE:20270101")
    assert all(any(line.startswith(start) for line in lines) for start in required)
