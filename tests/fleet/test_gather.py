"""`arcferry evidence pack --inventory`: servers are asked, and what they cannot give stands in the pack."""

import json
import zipfile
from pathlib import Path

import pytest

from arcferry_lab.hosts import LabHost

from .conftest import Ended, Fleet, ended, free_port
from .test_errands import state_of

pytestmark = [pytest.mark.lab, pytest.mark.hosts, pytest.mark.timeout(180)]
HIMDS = "var/opt/azcmagent/log/himds.log"
SECRET = "Zx9~q8W"
ANSWER = """echo '{"schema":1,"verb":"evidence","ok":true,"bytes":%d}'"""
LINE = (
    'time="2026-11-23T08:00:00Z" level=error msg="Get '
    "https://agentserviceapi.guestconfiguration.azure.com/: dial tcp 20.0.0.1:443: i/o timeout"
    '"\n'
)


async def packed(fleet: Fleet, *words: object, inventory: Path | None = None) -> tuple[Ended, dict[str, str]]:
    out = fleet.folder / "case.zip"
    asked = ("--inventory", inventory or fleet.twin.paths.inventory, "--out", out)
    done = await ended(await fleet.begun("evidence", "pack", *map(str, (*words, *asked))))
    if not out.exists():
        return done, {}
    with zipfile.ZipFile(out) as archive:
        return done, {name: archive.read(name).decode() for name in archive.namelist()}


def left_out(found: dict[str, str]) -> str:
    return found["REDACTED.txt"].partition("Left out:\n")[2]


def prints(host: LabHost, program: str) -> None:
    """Have a server answer with what a program prints, whatever it is asked."""
    session = host.root / "etc/arcferry/session"
    session.write_text(f"#!/bin/sh\necho 'arcferry-user: root' >&2\ncat >/dev/null\n{program}\n")


def put(host: LabHost, path: str, text: str) -> None:
    (host.root / path).parent.mkdir(parents=True, exist_ok=True)
    (host.root / path).write_text(text)


async def test_servers_give_theirs_and_nothing_is_left_on_them(fleet: Fleet) -> None:
    hosts = fleet.twin.servers.hosts
    for host in hosts:
        put(host, HIMDS, f"{LINE}client_secret={SECRET}\n{'x' * 300_000}\nthe end of {host.name}\n")
    before = [state_of(host) for host in hosts]
    done, found = await packed(fleet)
    assert done.code == 0, done.err
    assert left_out(found).strip() == "nothing"
    texts = [text for name, text in found.items() if name.startswith("evidence/")]
    assert len(texts) == len(hosts)
    for host, text in zip(hosts, texts, strict=True):
        facts = json.loads(text.splitlines()[0])
        assert (facts["verb"], facts["ok"]) == ("facts", True)
        assert len(facts["path"]["endpoints"]) >= 8
        assert f"the end of {host.name}\n" in text
        assert LINE in text
    assert not [name for name, text in found.items() if SECRET in text]
    for host, then in zip(hosts, before, strict=True):
        changed = {name for name, _ in state_of(host).items() ^ then.items()}
        assert changed <= {"var/log/commands.log"}  # what the twin itself writes of every command
    assert not fleet.state.exists()


async def test_one_that_nobody_answers_for_is_a_line_with_the_way_out(fleet: Fleet) -> None:
    rows = fleet.twin.paths.inventory.read_text().splitlines()
    path = fleet.folder / "servers.csv"
    path.write_text("\n".join([*rows[:2], f"gone,127.0.0.1,{free_port()}", ""]))
    done, found = await packed(fleet, inventory=path)
    assert done.code == 1, done.err
    assert "server gone (127.0.0.1:" in left_out(found)
    assert "refused: nothing listens on that port" in left_out(found)
    assert "left out: server gone" in done.err
    assert len([name for name in found if name.startswith("evidence/")]) == 1


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("exec head -c 20000000 /dev/zero", "printed more than 8,388,608 bytes"),
        ('echo \'{"schema":1,"verb":"facts"}\'', "no answer to `evidence`"),
        (f"echo short; {ANSWER % 900}", "its evidence came in 5 bytes, and it counts 900"),
        (f"printf 'PK\\003\\004....\\n'; {ANSWER % 8}", "is no text"),
        (f"printf '[%.0s' $(seq 5000); echo; {ANSWER % 9}", "nested too deeply"),
    ],
    ids=["endless", "another", "cut", "zip", "document"],
)
async def test_one_that_answers_as_no_script_does_is_a_line(fleet: Fleet, program: str, says: str) -> None:
    first, second, _ = fleet.twin.servers.hosts
    prints(first, program)
    done, found = await packed(fleet, first.name, second.name)
    assert done.code == 1, done.err
    assert says in left_out(found)
    assert [name for name in found if name.startswith("evidence/")] == [
        f"evidence/001-{second.name}.evidence.txt"
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("server09",), "unknown server 'server09'"),
        (("--site", "here"), "has a site"),
        (("--location", "nowhere"), "unknown location"),
    ],
)
async def test_what_nobody_can_be_asked_is_refused_before_anybody_is(
    fleet: Fleet, words: tuple[str, ...], says: str
) -> None:
    done, found = await packed(fleet, *words)
    assert (done.code, found) == (2, {}), done.err
    assert says in done.err
    assert fleet.commands() == []
