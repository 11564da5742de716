"""What `arcferry watch show` writes of several sites, as evidence."""

import json
from typing import Any

import pytest

from arcferry.diagnosis import judge
from arcferry.errors import FileInputError
from arcferry.evidence.case import Kind
from arcferry.evidence.reading import read_document

HOST = "agentserviceapi.guestconfiguration.azure.com"
SEEN = {"first": "2026-11-23T05:06:12Z", "last": "2026-11-23T08:00:00Z", "rounds": 36}


def history(site: str, resolver: str, says: str) -> dict[str, Any]:
    addresses = [] if says else ["20.187.194.195"]
    answer = {"host": HOST, "resolver": resolver, "chain": [], "addresses": addresses, "says": says[4:]}
    return {
        "schema": 1,
        "kind": "watch-history",
        "last": SEEN["last"],
        "answers": [answer | SEEN],
        "reach": [{"host": HOST, "reached": not says, "says": says} | SEEN],
        **({"site": site} if site else {}),
    }


def sites(*histories: object, schema: int = 1) -> bytes:
    document = {"schema": schema, "kind": "watch-sites", "differs": [], "sites": histories}
    return json.dumps(document).encode()


def test_each_site_is_evidence_of_its_own_and_judged_alone() -> None:
    whole = sites(history("taipei", "10.1.0.53", ""), history("kaohsiung", "10.2.0.53", "dns nxdomain"))
    taipei, kaohsiung = read_document("watch.json", whole)
    assert (taipei.name, taipei.servers) == ("watch.json, site taipei", ("site taipei",))
    assert {taipei.kind, kaohsiung.kind} == {Kind.WATCH_HISTORY}
    assert [one.resolver for one in (*taipei.answers, *kaohsiung.answers)] == ["10.1.0.53", "10.2.0.53"]
    found = [one for one in judge((taipei, kaohsiung)).findings if one.cause.startswith("dns/")]
    # What taipei reaches later or sooner must not hide it.
    assert [one.servers for one in found] == [("site kaohsiung",)]


def test_the_history_without_a_site_and_what_is_none_are_told_apart() -> None:
    found = read_document("watch.json", sites(history("", "10.1.0.53", ""), "taipei", history("a", "", "")))
    assert [one.servers for one in found] == [("no site",), ("site a",)]
    (nothing,) = read_document("watch.json", sites())
    assert nothing.kind is Kind.UNRECOGNISED


@pytest.mark.parametrize("whole", [sites(schema=2), sites(history("a", "", "") | {"schema": 2})])
def test_a_newer_schema_is_refused(whole: bytes) -> None:
    with pytest.raises(FileInputError, match="of schema 2; this reads 1"):
        read_document("watch.json", whole)
