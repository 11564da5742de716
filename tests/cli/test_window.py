"""What people see in a window: nothing that JSON holds is broken, and the verdict stands first or last."""

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.report.whole import broken, too_wide
from typer.testing import CliRunner, Result

from arcferry import bundle as bundles
from arcferry import times
from arcferry.cli.app import app
from arcferry_lab.azure.ids import CIRCUIT
from arcferry_lab.document import document as lab_document
from arcferry_lab.hosts import build_agent_package
from arcferry_lab.twin import Twin

SEAL = "--bundle bundle --bundle-key key.pub"
ON_HOSTS = "servers.csv --known-hosts known_hosts --host-port 1"
# Each command with what its first or its last paragraph says; empty where it gives no verdict.
SHOWN = (
    ("routes plan --location eastasia check.json", r"lacks .*12076:51012"),
    ("routes audit check.json", r"the path to 7 is there, to 1 missing"),
    ("routes firewall", ""),
    ("routes firewall --form prefixes", ""),
    ("explain check.json", r"1 error"),
    ("explain route/community-not-in-filter", ""),
    ("explain AZCM0026", ""),
    ("explain --list", ""),
    ("features", ""),
    ("alternatives", ""),
    ("locations", ""),
    ("data show", ""),
    ("watch show", r"2 rounds from"),
    ("watch status", ""),
    (f"circuits show --circuit {CIRCUIT} --location eastasia", r"path"),
    ("azure preflight", r"hinders"),
    ("bundle verify bundle --bundle-key key.pub", r"exactly what the seal says"),
    ("bundle show bundle --bundle-key key.pub", r"exactly what the seal says"),
    ("verify servers.csv", r"0 of 4 servers connected"),
    ("lifecycle servers.csv", r"ended"),
    ("set-tags servers.csv --tags site=taipei", r"hosts would be"),
    (f"onboard plan {ON_HOSTS} {SEAL}", r"0 of 4 hosts would be changed, 4 cannot go on"),
    (f"uninstall {ON_HOSTS}", r"0 of 4 hosts would be"),
    ("onboard status", r"no runs"),
    ("leave", r"things? of arcferry's|nothing of arcferry's"),
    ("diff before.json check.json", r"change"),
    ("collect share", r"0 of 1 hosts"),
    ("prepare --status letters", r"\d+ proved, \d+ not"),
)
# What makes the files that those commands read.
BEFORE = (
    "check --location eastasia --output json",
    "data import {route_filter_file} {circuit_file} {service_tags_file} {communities_file}",
    "watch --location eastasia --rounds 2 --every 1s",
    "prepare --out letters",
)
RESULT = {
    "schema": 1,
    "kind": "host-run",
    "host": "server-of-the-accounts-in-taipei.corp.example",
    "via": "gpo",
    "bundle": "0123456789ab",
    "began": "2026-11-23T08:00:00Z",
    "ended": "2026-11-23T08:05:00Z",
    "outcome": "failed",
    "answers": [{"schema": 1, "verb": "facts", "ok": False, "exit": 1, "message": "no such file " * 20}],
    "path": None,
}

Run = Callable[..., Any]


@pytest.fixture
def run(twin: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """arcferry in a folder of its own, in a thread beside the twin; a window of no columns is none."""
    monkeypatch.chdir(tmp_path)
    lab = lab_document(twin)
    given = {name: value for name, value in lab["environment"].items() if name != "ARCFERRY_STATE"}

    async def ran(line: str, columns: int = 0) -> Result:
        words = line.format(**lab).split()
        environment = given | {"ARCFERRY_STATE": str(tmp_path / "state"), "COLUMNS": str(columns or "")}
        return await asyncio.to_thread(
            CliRunner().invoke, app, words, env={name: text or None for name, text in environment.items()}
        )

    return ran


async def _prepare(twin: Twin, run: Run, folder: Path) -> None:
    bundles.create_key_pair(folder / "key")
    bundles.build(
        folder / "bundle",
        bundles.Contents((build_agent_package(folder),)),
        bundles.load_secret_key(folder / "key"),
        created=times.now(),
    )
    for line in BEFORE:
        done = await run(line)
        assert done.exit_code in (0, 1), f"{line}\n{done.output}{done.exception}"
        if "--output json" in line:
            (folder / "check.json").write_text(done.stdout)
    checked = json.loads((folder / "check.json").read_text())
    for row in checked["endpoints"]:
        row["address"] = "127.194.10.9"
        row["dns"] = {**(row["dns"] or {}), "addresses": ["127.194.10.9"]}
    checked["taken"] = "2026-11-01T00:00:00Z"
    (folder / "before.json").write_text(json.dumps(checked))
    (folder / "share").mkdir()
    (folder / "share" / f"{RESULT['host']}.json").write_text(json.dumps(RESULT))
    names = ("web01", "web02", "server-of-the-accounts-in-taipei-03", "web04")
    rows = (f"{name},127.0.0.{number}" for number, name in enumerate(names, 2))
    (folder / "servers.csv").write_text("\n".join(("name,address", *rows)))
    (folder / "known_hosts").touch()
    twin.azure.plane.retry_after = 0


@pytest.mark.lab
@pytest.mark.timeout(600)
async def test_in_a_window_nothing_is_broken_and_the_verdict_is_first_or_last(
    twin: Twin, run: Run, tmp_path: Path
) -> None:
    await _prepare(twin, run, tmp_path)
    for line, verdict in SHOWN:
        told = await run(f"{line} --output json")
        document = json.loads(told.stdout)
        for columns in (80, 60):
            done = await run(line, columns)
            assert done.exit_code == told.exit_code, f"{line}\n{done.output}"
            text = done.stdout
            assert not broken(text, document), f"{line}\n{text}"
            assert not too_wide(text, columns), f"{line}\n{text}"
            paragraphs = [" ".join(one.split()) for one in text.strip().split("\n\n")]
            assert re.search(verdict, paragraphs[0]) or re.search(verdict, paragraphs[-1]), text


@pytest.mark.lab
@pytest.mark.timeout(600)
async def test_without_a_window_a_row_is_a_line(twin: Twin, run: Run, tmp_path: Path) -> None:
    await _prepare(twin, run, tmp_path)
    lines = (await run("routes audit check.json")).stdout.splitlines()
    (row,) = [line for line in lines if line.startswith("agentserviceapi.") and "|MISSING" in line]
    assert "tcp timeout" in row
