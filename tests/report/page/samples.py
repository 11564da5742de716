"""Documents as commands write them, small and large, for pages."""

import re
from html import unescape
from typing import Any

LOST = "agentserviceapi.guestconfiguration.azure.com"
HOSTS = (
    LOST,
    "gbl.his.arc.azure.com",
    "ea.his.arc.azure.com",
    "eastasia-gas.guestconfiguration.azure.com",
    "login.microsoftonline.com",
    "login.windows.net",
    "management.azure.com",
    "pas.windows.net",
    *(f"optional{number}.example.net" for number in range(7)),
)
LETTER = "Subject: please add BGP community 12076:51012 (Japan East)\n\nPlease add 12076:51012."
HOSTILE = (
    "\x1b[31m<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&\u202e{{ 7919*7919 }}</pre></style>"
    + "x" * 1_000_000
)

Document = dict[str, Any]


def document(kind: str, **fields: Any) -> Document:  # noqa: ANN401 - any field
    return {"schema": 1, "kind": kind, **fields}


def finding(*hosts: str, cause: str = "route/community-not-in-filter", **fields: Any) -> Document:  # noqa: ANN401 - any field
    return {
        "cause": cause,
        "title": "Route filter rf-arc lacks 12076:51012 (Japan East), needed for " + LOST,
        "severity": "error",
        "confidence": "expected",
        "owner": "network",
        "endpoints": [
            {
                "host": LOST,
                "address": "40.115.128.9",
                "region": "japaneast",
                "service_tag": "AzureArcInfrastructure.JapanEast",
                "community": "12076:51012",
            }
        ],
        "evidence": [
            {"origin": "dns.json", "says": f"{LOST}: 40.115.128.9", "taken": "2026-11-20T08:00:00Z"}
        ],
        "would_decide": [],
        "remedy": {
            "summary": "Add 12076:51012 (Japan East) to route filter rf-arc.",
            "steps": ["Fetch the filter again.", "Add the community."],
            "commands": [
                {"tool": "az", "text": "az network route-filter show --name rf-arc", "does": "reads"}
            ],
            "request": LETTER,
            "to": "",
        },
        "hosts": list(hosts),
    } | fields


def attempt(host: str, stage: str = "") -> Document:
    failure = {"stage": stage, "kind": "timeout", "says": "did not answer"} if stage else None
    required = not host.startswith("optional")
    return {
        "host": host,
        "required": required,
        "reachable": not stage,
        "failure": failure,
        "address": "40.1.2.3",
    }


def check(*failed: str) -> Document:
    endpoints = [attempt(host, "tcp" if host in failed else "") for host in HOSTS]
    return document(
        "check", cloud="AzureCloud", location="eastasia", taken="2026-11-20T08:00:00Z", endpoints=endpoints
    )


def run(count: int, *, varied: bool = False) -> Document:
    """A run over so many servers, whose paths differ from one to the next if `varied`."""
    names = [f"server{number:05}.site{number % 7}.corp.example.com" for number in range(count)]
    steps = [
        {"step": step, "state": "done", "says": f"{step} is done", "seconds": 1.5}
        for step in ("facts", "carry", "verify", "install", "check", "connect", "verified")
    ]
    failed = {"step": "check", "state": "failed", "says": "timeout", "hint": "", "seconds": 2.0}
    hosts, documents = [], []
    for number, name in enumerate(names):
        good = number % 3 > 0
        hosts.append(
            {
                "name": name,
                "outcome": "connected" if good else "failed",
                "steps": steps if good else [*steps[:4], failed],
                "failure": None
                if good
                else failed | {"says": f"timeout after {number} tries" if varied else "timeout"},
                "machine": {"status": "Connected", "agent_version": "1.67", "location": "eastasia"}
                if good
                else None,
            }
        )
        lost = (
            {host for place, host in enumerate(HOSTS) if number >> place & 1}
            if varied
            else (set() if good else {LOST})
        )
        attempts = [attempt(host, "tcp" if host in lost else "") for host in HOSTS]
        documents.append(
            {
                "name": f"{name}: path.json",
                "kind": "arcferry-check",
                "attempts": attempts,
                "taken": "2026-11-20T08:00:00Z",
                "servers": number,
            }
        )
    return document(
        "run",
        run="17975551fcd4",
        started="2026-11-20T08:00:00Z",
        ended="2026-11-20T09:00:00Z",
        hosts=hosts,
        findings=[finding(*names[::3])],
        evidence={"servers": [[name] for name in names], "documents": documents},
    )


def verification(*states: str) -> Document:
    machines = [
        {
            "name": f"server{number}",
            "state": state,
            "good": state == "connected",
            "extra": False,
            "says": "",
            "since": "2026-11-19T08:00:00Z",
            "faults": [],
            "machine": {"agent_version": "1.67"},
        }
        for number, state in enumerate(states)
    ]
    good = all(state == "connected" for state in states)
    return document(
        "verification", asked="2026-11-21T08:00:00Z", whole=True, good=good, machines=machines, findings=[]
    )


def plan(*, lacks: bool) -> Document:
    communities = [
        {
            "value": "12076:51010",
            "name": "East Asia",
            "region": "eastasia",
            "hosts": [HOSTS[2]],
            "in_filter": True,
            "why": "the machines' region",
        },
        {
            "value": "12076:51012",
            "name": "Japan East",
            "region": "japaneast",
            "hosts": [LOST],
            "in_filter": not lacks,
            "why": "names answered here",
        },
    ]
    changes = [
        {"tool": "az", "text": "az network route-filter rule update", "does": "changes"},
        {"tool": "request", "text": LETTER, "does": None},
    ]
    return document(
        "route-plan",
        location="eastasia",
        communities=communities,
        first=["The filter is of unknown day."],
        changes=changes if lacks else [],
        effects=[],
        sources=["service tags of 2026-11-20"],
    )


def audit(*, missing: bool) -> Document:
    expected = {
        "region": "japaneast",
        "community": "12076:51012",
        "route_filter": "rf-arc",
        "says": "in Japan East",
    }
    lost = {
        "host": LOST,
        "required": True,
        "addresses": ["40.115.128.9"],
        "path": "missing" if missing else "there",
        "expected": expected,
        "observed": {"says": "", "connection": "tcp timeout"},
    }
    there = {
        "host": HOSTS[2],
        "required": True,
        "addresses": ["20.187.128.1"],
        "path": "there",
        "expected": expected | {"region": "eastasia", "community": "12076:51010"},
        "observed": {},
    }
    findings = [finding()] if missing else []
    return document("audit", location="eastasia", endpoints=[lost, there], findings=findings)


def watch() -> Document:
    answers = [
        {
            "host": LOST,
            "resolver": "10.0.0.53",
            "addresses": ["20.187.128.9"],
            "region": "eastasia",
            "carried": "yes",
            "community": "12076:51010",
            "first": "2026-11-18T00:00:00Z",
            "last": "2026-11-19T00:00:00Z",
        },
        {
            "host": LOST,
            "resolver": "10.0.0.53",
            "addresses": ["40.115.128.9"],
            "region": "japaneast",
            "carried": "no",
            "community": "12076:51012",
            "first": "2026-11-19T00:10:00Z",
            "last": "2026-11-20T00:00:00Z",
        },
    ]
    reach = [
        {
            "host": LOST,
            "reached": True,
            "says": "",
            "first": "2026-11-18T00:00:00Z",
            "last": "2026-11-19T00:00:00Z",
        },
        {
            "host": LOST,
            "reached": False,
            "says": "tcp timeout",
            "first": "2026-11-19T00:10:00Z",
            "last": "2026-11-20T00:00:00Z",
        },
    ]
    return document(
        "watch-history",
        location="eastasia",
        first="2026-11-18T00:00:00Z",
        last="2026-11-20T00:00:00Z",
        answers=answers,
        reach=reach,
        sources=["route filter of 2026-11-20"],
        findings=[],
    )


def collected(*missing: str) -> Document:
    hosts = run(3)["hosts"]
    return document("collected", hosts=hosts, missing=list(missing), findings=[])


def runs() -> Document:
    host = {
        "state": "connected",
        "step": "verified",
        "says": "Connected",
        "time": "2026-11-20T09:00:00Z",
        "stage": "",
    }
    one = {
        "run": "17975551fcd4",
        "started": "2026-11-20T08:00:00Z",
        "state": "ended",
        "says": "",
        "hosts_total": 2,
        "hosts": {"server1": host, "server2": host},
    }
    return document("runs", runs=[one], findings=[])


def words_of(page: str) -> str:
    """What a page says, without its elements."""
    return unescape(re.sub("<[^>]*>", "", page))


def hostile(value: object) -> Any:  # noqa: ANN401 - any JSON
    """The same document with every text that a host or a file may choose replaced by a hostile one."""
    kept = ("kind", "severity", "state", "outcome", "stage", "does", "path", "carried")
    if isinstance(value, dict):
        return {
            key: one if key in kept or _is_day(one) else hostile(one) if not isinstance(one, str) else HOSTILE
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [hostile(one) if not isinstance(one, str) else HOSTILE for one in value]
    return value


def _is_day(value: object) -> bool:
    return isinstance(value, str) and len(value) == 20 and value.endswith("Z")


ALL = {
    "check": check(LOST),
    "findings": document("findings", outcome="findings", findings=[finding("server1")]),
    "audit": audit(missing=True),
    "route-plan": plan(lacks=True),
    "run": run(6),
    "runs": runs(),
    "collected": collected("server9"),
    "verification": verification("connected", "stale", "missing"),
    "watch-history": watch(),
}
