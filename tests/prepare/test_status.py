"""What of the letters is proved, by documents that the commands write."""

import asyncio
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests import forked
from tests.prepare.test_folder import write

from arcferry.errors import FileInputError
from arcferry.prepare import Answer, status
from arcferry.prepare.documents import read_documents
from arcferry_lab.document import document as lab_document
from arcferry_lab.twin import Twin

PLACE = {"cloud": "AzureCloud", "location": "eastasia"}


def endpoint(host: str, failed_in: str = "", **more: object) -> dict[str, Any]:
    failure = {"stage": failed_in, "kind": "x", "says": "y"} if failed_in else None
    good = {"host": host, "required": True, "reachable": not failed_in, "dns": {}, "failure": failure}
    return good | more


def check(*endpoints: dict[str, Any], findings: tuple[str, ...] = ()) -> dict[str, Any]:
    found = [{"cause": one, "title": f"about {one}", "severity": "error"} for one in findings]
    taken = {"taken": "2026-11-29T08:00:00Z"}
    return {"schema": 1, "kind": "check", **PLACE, **taken, "endpoints": list(endpoints), "findings": found}


def audit(**paths: str) -> dict[str, Any]:
    rows = [{"host": host, "required": True, "path": path} for host, path in paths.items()]
    return {"schema": 1, "kind": "audit", **PLACE, "endpoints": rows}


def preflight(**answers: str) -> dict[str, Any]:
    checks = [
        {"name": name.replace("_", " "), "answer": answer, "says": f"says {name}"}
        for name, answer in answers.items()
    ]
    return {"schema": 1, "kind": "preflight", "checks": checks}


def answers(folder: Path, **documents: dict[str, Any]) -> dict[str, str]:
    given: dict[str, Path | None] = {}
    for name, document in documents.items():
        given[name] = folder / f"{name}.json"
        (folder / f"{name}.json").write_text(json.dumps(document))
    return {one.slug: one.answer.value for one in status(read_documents(given, **PLACE)).items}


GOOD, LATE = endpoint("a"), endpoint("opt", "tcp", required=False)
CASES: dict[str, tuple[dict[str, dict[str, Any]], dict[str, str]]] = {
    "nothing": ({}, {"path": "unknown", "routes": "unknown", "sign-in": "unknown", "seal": "unknown"}),
    "all reached": (
        {"check": check(GOOD, LATE)},
        {"path": "proved", "names": "proved", "ports": "proved", "tls": "proved", "routes": "unknown"},
    ),
    "no address": (
        {"check": check(GOOD, endpoint("b", "dns"))},
        {"path": "missing", "names": "missing", "ports": "unknown", "tls": "unknown"},
    ),
    "no connection": (
        {"check": check(GOOD, endpoint("b", "tcp"))},
        {"path": "missing", "names": "proved", "ports": "missing", "tls": "unknown"},
    ),
    "no route": (
        {"check": check(GOOD, endpoint("b", "tcp")), "audit": audit(a="there", b="missing")},
        {"path": "missing", "routes": "missing", "names": "proved", "ports": "unknown", "tls": "unknown"},
    ),
    "no route, and a port besides": (
        {"check": check(endpoint("b", "tcp"), endpoint("c", "tcp")), "audit": audit(c="there", b="missing")},
        {"routes": "missing", "ports": "missing"},
    ),
    "proxy refuses": (
        {"check": check(endpoint("b", "proxy", dns=None))},
        {"names": "unknown", "ports": "missing"},
    ),
    "proxy resolves": ({"check": check(endpoint("a", dns=None))}, {"names": "unknown", "ports": "proved"}),
    "inspected": (
        {"check": check(GOOD, findings=("tls/inspected",))},
        {"path": "proved", "tls": "missing"},
    ),
    "TLS fails": ({"check": check(endpoint("b", "tls"))}, {"ports": "unknown", "tls": "missing"}),
    "routes there": ({"audit": audit(a="there", b="there")}, {"routes": "proved", "path": "unknown"}),
    "a route missing": ({"audit": audit(a="there", b="missing", c="unknown")}, {"routes": "missing"}),
    "a route not known": ({"audit": audit(a="there", c="unknown")}, {"routes": "unknown"}),
    "an audit without rows": ({"audit": audit()}, {"routes": "unknown"}),
    "ready": (
        {
            "preflight": preflight(
                credential="unknown", token="ok", resource_group="ok", provider="ok", location="warning"
            )
        },
        {
            "sign-in": "proved",
            "group": "proved",
            "providers": "proved",
            "place": "proved",
            "rights": "unknown",
        },
    ),
    "not ready": (
        {"preflight": preflight(provider="hindrance", location="unknown", rights="ok", policies="ok")},
        {"providers": "missing", "place": "unknown", "rights": "proved", "group": "unknown"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_the_documents_prove(case: str, tmp_path: Path) -> None:
    documents, expected = CASES[case]
    found = answers(tmp_path, **documents)
    assert {slug: found[slug] for slug in expected} == expected


REFUSED = {
    "no JSON": ("check", "{", "is no JSON"),
    "a list": ("check", "[]", "is no document of arcferry's"),
    "another kind": ("audit", json.dumps(check(GOOD)), "is a document of kind 'check', not audit"),
    "no endpoints": ("check", json.dumps(check()), "endpoints"),
    "another place": ("check", json.dumps(check(GOOD) | {"location": "japaneast"}), "is about 'japaneast'"),
    "no checks": ("preflight", '{"kind": "preflight"}', "checks"),
    "deep": ("check", "[" * 100_000, "is no JSON"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_other_documents_are_refused_by_name(case: str, tmp_path: Path) -> None:
    name, text, says = REFUSED[case]
    path = tmp_path / "given.json"
    path.write_text(text)
    with pytest.raises(FileInputError) as caught:
        read_documents({name: path}, **PLACE)
    assert str(path) in caught.value.message
    assert says in caught.value.message


@pytest.mark.lab
async def test_the_story_is_ticked_off_as_it_goes(twin: Twin, tmp_path: Path) -> None:
    """By what the commands really write: one community is missing, then it is let through."""
    lab = lab_document(twin)
    environment = os.environ | lab["environment"] | {"ARCFERRY_DATA": str(tmp_path / "data")}
    write(tmp_path / "letters")

    async def arcferry(*words: str, into: str = "") -> dict[str, Any]:
        line = [*forked.arcferry(), *words, "--output", "json"]
        done = await asyncio.to_thread(
            subprocess.run, line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.stdout, done.stderr
        if into:
            (tmp_path / into).write_text(done.stdout)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    async def ticked() -> dict[str, str]:
        await arcferry("check", "--location", "eastasia", into="check.json")
        data = [lab[f"{kind}_file"] for kind in ("service_tags", "communities", "route_filter", "circuit")]
        await arcferry("routes", "audit", "check.json", *data, into="audit.json")
        handed = ("--check", "check.json", "--audit", "audit.json")
        document = await arcferry("prepare", "--status", "letters", *handed)
        return {one["slug"]: one["answer"] for one in document["items"]}

    before = await ticked()
    assert before["path"] == before["routes"] == Answer.MISSING
    assert before["ports"] == Answer.UNKNOWN, "the route is missing, not the firewall's rule"
    assert before["names"] == Answer.PROVED
    await twin.allow(*twin.azure.communities, "12076:51012")
    after = await ticked()
    assert after["path"] == after["names"] == after["ports"] == Answer.PROVED
