"""What Azure Local's environment checker says of endpoints: log, screen, report and rows of CSV."""

import csv
import json
import re
from collections.abc import Iterator

from arcferry.evidence.case import Document, Kind
from arcferry.evidence.readers import values
from arcferry.evidence.readers.values import failure_told
from arcferry.probe.observation import Attempt, Failure, Stage

_MOST = 20_000
_NEAR = 40
_URL = r"https?://([A-Za-z0-9_.-]{1,253})[^\s(]{0,300}"
_LOG = re.compile(rf"\b(FAILURE|SUCCESS): \S{{1,100}} {_URL}(?: \((.{{0,600}})\))?")
_SCREEN = re.compile(rf"^\s*[⚠✖✗xX?!]\S?\s+\S{{1,100}} -> {_URL}")
_FIELD = re.compile(
    r'"(Server|ResponseUri|StatusCode|ExceptionMessage|ErrorDetails)"\s*:\s*"?([^"\n]{0,300}?)"?,?\s*$'
)
_TITLES = re.compile(r'^"?[^\n]{0,200}(?:Url|Uri|Endpoint|FQDN|TargetResourceName)"?,', re.IGNORECASE)
_GOOD = {"success", "succeeded", "passed", "pass", "true", "ok", "healthy", "0", "reachable", "open"}
_BAD = {"failure", "failed", "fail", "false", "error", "critical", "1", "unreachable", "closed", "blocked"}
_HOST_TITLES = ("url", "uri", "endpoint", "fqdn", "targetresourcename", "resource", "targetresourceid")
_STATE_TITLES = (
    "layer7status",
    "status",
    "result",
    "tcpstatus",
    "tcpteststatus",
    "reachable",
    "tcptestsucceeded",
)
_WHY_TITLES = ("detail", "details", "error", "message", "exception", "layer7response", "note")


def _failure(said: str, facts: dict[str, str], host: str) -> Failure | None:
    """How it failed: by who answered, else by the words of .NET."""
    there = values.hosts_in_urls(facts.get("ResponseUri", ""))
    says = values.short(f"{said} {facts.get('Server', '')}".strip())
    status = re.search(r"\((\d{3})\)", said)
    if status and status[1] == "407":
        return Failure(Stage.PROXY, "proxy-authentication-required", says)
    if (there and there[0] != host) or "by proxy" in facts.get("ErrorDetails", ""):
        page = f", answered by {there[0]}" if there else ""
        return Failure(Stage.HTTP, "captive-page", f"{says}{page}")
    if status:
        return Failure(Stage.PROXY, "proxy-refused", says) if status[1] == "403" else None
    told = failure_told("other", said)
    return Failure(told[0], told[1], says) if told else None


def _of_lines(lines: list[str], name: str) -> Iterator[Attempt]:
    for place, line in enumerate(lines):
        found = _LOG.search(line)
        if found and (host := values.host(found[2])):
            near = []
            for one in lines[place + 1 : place + _NEAR]:
                if _LOG.search(one):
                    break
                near.append(one)
            facts = {pair[1]: pair[2] for one in near if (pair := _FIELD.search(one))}
            bad = found[1] == "FAILURE"
            failure = _failure(found[3] or "", facts, host) if bad else None
            yield Attempt(host, name, reachable=not bad, required=True if bad else None, failure=failure)
        elif (shown := _SCREEN.match(line)) and (host := values.host(shown[1])):
            yield Attempt(host, name, reachable=False, required=True)


def _row(fields: dict[str, str], name: str) -> Attempt | None:
    """One row by its titles; None if it names no host or no state."""
    keys = {re.sub(r"[^a-z0-9]", "", key.lower()): item for key, item in fields.items()}
    named = next((keys[key] for key in _HOST_TITLES if "." in keys.get(key, "")), "")
    host = next(iter(values.hosts_in_urls(named)), "") or values.host(
        named.partition("/")[0].partition(":")[0]
    )
    states = [keys[key].strip().lower() for key in _STATE_TITLES if keys.get(key)]
    if "." not in host or not any(one in _GOOD | _BAD for one in states):
        return None
    bad = any(one in _BAD for one in states)
    said = next((keys[key] for key in _WHY_TITLES if keys.get(key)), "")
    address = values.address(keys.get("ipaddress", "").split(",")[0].strip())
    failure = _failure(said, {}, host) if bad else None
    return Attempt(
        host, name, reachable=not bad, required=True if bad else None, address=address, failure=failure
    )


def _of_csv(lines: list[str], name: str) -> Iterator[Attempt]:
    start = next((at for at, line in enumerate(lines) if _TITLES.match(line)), None)
    if start is None:
        return
    for fields in csv.DictReader(lines[start : start + _MOST], restval="", restkey="more"):
        texts = {key: item for key, item in fields.items() if isinstance(item, str) and isinstance(key, str)}
        if seen := _row(texts, name):
            yield seen


def read(name: str, text: str) -> Document | None:
    """The endpoints that it tried, or None if `text` is nothing of it."""
    lines = values.lines(text, 4000, _MOST)
    seen: dict[str, Attempt] = {}
    try:
        for one in (*_of_lines(lines, name), *_of_csv(lines, name)):
            # On several nodes one that fails counts.
            if one.host not in seen or not one.reachable:
                seen[one.host] = one
    except csv.Error:
        pass
    return Document(name, Kind.CONNECTION_TEST, attempts=tuple(seen.values())) if seen else None


def _results(value: object) -> list[dict[str, str]]:
    found = []
    for one in values.mappings(value if isinstance(value, list) else [value], _MOST):
        more = values.mapping(one.get("AdditionalData"))
        if "TargetResourceName" in one and more:
            flat = {key: item for key, item in {**one, **more}.items() if isinstance(item, str)}
            flat["Details"] = json.dumps(more.get("Detail"), ensure_ascii=False)[:600]
            found.append(flat)
    return found


def looks_right(value: object) -> bool:
    """Whether this is its report (AzStackHciEnvironmentReport.json), or results of it as JSON."""
    return any(_row(one, "") for one in _results(value))


def read_json(name: str, value: object) -> Document:
    """The endpoints of its results."""
    rows = (_row(one, name) for one in _results(value))
    return Document(name, Kind.CONNECTION_TEST, attempts=tuple(filter(None, rows)))
