"""What each kind of file is taken for, in the forms in which it really comes."""

import json

import pytest

from arcferry.errors import FileInputError
from arcferry.evidence.case import Document
from arcferry.evidence.reading import read_document

TABLE = (
    "ENDPOINT                          |REACHABLE  |PRIVATE  |TLS      |PROXY\n"
    "https://gbl.his.arc.azure.com     |false      |true     |unknown  |not used\n"
    "https://login.microsoftonline.com |true       |unknown  |TLS 1.3  |set\n"
)


def only(data: str | bytes, name: str = "file") -> Document:
    documents = read_document(name, data if isinstance(data, bytes) else data.encode())
    assert len(documents) == 1
    return documents[0]


def rows(document: Document) -> list[tuple[str, bool, bool | None, bool]]:
    return [(seen.host, seen.reachable, seen.private, seen.proxied) for seen in document.attempts]


EXPECTED_ROWS = [
    ("gbl.his.arc.azure.com", False, True, False),
    ("login.microsoftonline.com", True, None, True),
]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(TABLE.encode(), id="as printed"),
        pytest.param(TABLE.replace("\n", "\r\n").encode("utf-16"), id="PowerShell 5.1 redirected"),
        pytest.param(TABLE.encode("utf-16-le"), id="UTF-16 without a mark"),
        pytest.param(TABLE.encode("utf-16-be"), id="UTF-16 big-endian without a mark"),
        pytest.param(TABLE.encode("utf-8-sig"), id="UTF-8 with a mark"),
        pytest.param(f"PS C:\\> azcmagent check\nINFO  x\n\x1b[31m{TABLE}\x1b[0m".encode(), id="console"),
        pytest.param(TABLE.split("\n", 1)[1].encode(), id="header lost"),
        pytest.param(
            b"Use Case |Endpoint |PROXY |Reachable |Private\n"
            b"core |https://gbl.his.arc.azure.com |bypassed |false |true\n"
            b"core |https://login.microsoftonline.com |set |TRUE |unknown\n",
            id="columns elsewhere",
        ),
        pytest.param(
            b"Endpoint properties hostname=gbl.his.arc.azure.com private=true reachable=false "
            b"proxyStatus=bypassed\n"
            b'Endpoint properties reachable=true hostname="login.microsoftonline.com" proxyStatus="set"\n'
            b"https://pas.windows.net |true |false |TLS 1.2 |not set\n",
            id="verbose lines before the table",
        ),
    ],
)
def test_a_check_in_every_form(data: bytes) -> None:
    document = only(data)
    assert document.kind == "agent-check"
    assert rows(document) == EXPECTED_ROWS


def test_the_name_decides_nothing() -> None:
    assert only(TABLE, "route-filter.json").kind == "agent-check"
    assert only('{"answers": {"a.example": []}}', "check.txt").kind == "dns-answers"


def test_our_own_plain_table_is_read_with_its_addresses() -> None:
    text = (
        "ENDPOINT                       |REACHABLE  |PRIVATE  |TLS      |PROXY    |ADDRESS      |TIME\n"
        "https://gbl.his.arc.azure.com  |false      |false    |unknown  |not set  |203.0.113.5  |3.00 s\n"
        "<regional HIS>                 |false      |unknown  |unknown  |not set  |-            |3.00 s\n"
    )
    (seen,) = only(text).attempts
    assert (seen.host, seen.address, seen.proxied) == ("gbl.his.arc.azure.com", "203.0.113.5", False)


@pytest.mark.parametrize(
    ("text", "code", "hosts"),
    [
        (
            (
                "INFO Exit Code:  AZCM0026: Network Error\nFATAL   unavailable: https://a.example "
                "https://b.example:443/x"
            ),
            "AZCM0026",
            ("a.example", "b.example"),
        ),
        (
            'time="2026-01-01T00:00:00Z" level=fatal msg="AZCM0026: \\"https://a.example\\", see https://aka.ms/x"',
            "AZCM0026",
            ("a.example",),
        ),
        ("FATAL   RequestCorrelationId:x Message: no https://management.azure.com AZCM0042", "AZCM0042", ()),
        ("ネットワーク AZCM0026: 接続できません https://a.example", "AZCM0026", ("a.example",)),
    ],
)
def test_connect_in_every_form(text: str, code: str, hosts: tuple[str, ...]) -> None:
    document = only(text)
    assert document.kind == ("agent-log" if text.startswith("time=") else "agent-connect")
    assert [seen.code for seen in document.codes] == [code]
    assert document.codes[0].hosts == hosts
    assert tuple(seen.host for seen in document.attempts) == hosts


def test_a_list_of_codes_is_not_what_an_agent_printed() -> None:
    text = "\n".join(f"AZCM{number:04}  meaning" for number in range(1, 40))
    assert only(text).kind == "unrecognised"


@pytest.mark.parametrize(
    ("text", "host", "stage"),
    [
        (
            'Invoke-WebRequest : x\niwr "https://aka.ms/azcmagent-win ...\nFullyQualifiedErrorId : WebCmdlet',
            "aka.ms",
            None,
        ),
        (
            (
                "Invoke-WebRequest : The remote name could not be resolved: 'packages.microsoft.com'\n"
                "    + FullyQualifiedErrorId : System.Net.WebException,Microsoft.PowerShell"
            ),
            "packages.microsoft.com",
            "dns",
        ),
        (
            "Invoke-WebRequest : error: (407) Proxy sign-in.\n+ iwr -Uri https://aka.ms/x -OutFile y\n",
            "aka.ms",
            "proxy",
        ),
        ("curl: (6) Could not resolve host: packages.microsoft.com", "packages.microsoft.com", "dns"),
        ("wget: unable to resolve host address 'aka.ms'", "aka.ms", None),
        (
            "E: Failed to fetch https://packages.microsoft.com/ubuntu/x  timed out",
            "packages.microsoft.com",
            None,
        ),
    ],
)
def test_failed_downloads(text: str, host: str, stage: str | None) -> None:
    document = only(text)
    assert document.kind == "download-error"
    (seen,) = document.attempts
    assert seen.host == host
    assert (seen.failure.stage if seen.failure else None) == stage


RULE = {"access": "Allow", "routeFilterRuleType": "Community", "communities": ["12076:51010"]}


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({"name": "rf", "properties": {"rules": [{"name": "r", "properties": RULE}]}}, id="REST"),
        pytest.param({"name": "rf", "rules": [{"name": "r", **RULE}]}, id="az"),
        pytest.param([{"name": "rf", "rules": [{"name": "r", **RULE}]}], id="a list of one"),
        pytest.param(
            {"value": [{"name": "rf", "rules": [{"name": "r", **RULE}]}]}, id="a wrapped list of one"
        ),
        pytest.param(
            {"Name": "rf", "Rules": [{"Name": "r", "Access": "Allow", "Communities": ["12076:51010"]}]},
            id="PowerShell",
        ),
    ],
)
def test_route_filters_in_every_form(value: object) -> None:
    document = only(json.dumps(value))
    assert document.kind == "route-filter"
    assert document.route_filter is not None
    assert document.route_filter.communities == {"12076:51010"}
    assert (document.route_filter.rule, document.route_filter.in_order) == (
        "r",
        ("12076:51010",),
    )


def test_the_resource_group_is_read_from_the_id() -> None:
    value = {
        "id": "/subscriptions/s/resourceGroups/rg-net/providers/x/routeFilters/rf",
        "name": "rf",
        "rules": [RULE],
    }
    found = only(json.dumps(value)).route_filter
    assert found is not None
    assert found.resource_group == "rg-net"


def test_a_known_kind_with_something_wrong_is_refused_by_name() -> None:
    with pytest.raises(FileInputError, match=r"rf\.json.*community"):
        read_document(
            "rf.json", json.dumps({"name": "rf", "rules": [RULE | {"communities": ["51010"]}]}).encode()
        )
    with pytest.raises(FileInputError, match=r"dns\.json.*999\.1\.1\.1"):
        read_document("dns.json", b'{"answers": {"a.example": {"addresses": ["999.1.1.1"]}}}')
    with pytest.raises(FileInputError, match=r"check\.json.*schema 9"):
        read_document("check.json", b'{"schema": 9, "kind": "check", "endpoints": []}')


def test_keys_that_stand_twice_are_said() -> None:
    document = only('{"answers": {"a.example": ["192.0.2.1"], "a.example": ["192.0.2.2"]}}')
    assert document.answers[0].addresses == ("192.0.2.2",)
    assert "a.example" in document.notes[0]


def test_json_lines_of_a_check() -> None:
    row = {"schema": 1, "kind": "endpoint", "host": "gbl.his.arc.azure.com", "reachable": True}
    summary = {"schema": 1, "kind": "check", "taken": "2026-01-10T06:00:00Z"}
    document = only("\n".join(json.dumps(line) for line in (row, row | {"host": "aka.ms"}, summary)))
    assert document.kind == "arcferry-check"
    assert [seen.host for seen in document.attempts] == ["gbl.his.arc.azure.com", "aka.ms"]
    assert document.attempts[0].taken is not None


def test_a_password_in_a_proxy_url_goes_no_further() -> None:
    whole = {
        "schema": 1,
        "kind": "check",
        "proxy": "http://user:hunter2@proxy.example:8080",
        "endpoints": [{"host": "aka.ms", "reachable": True, "proxy": "set"}],
    }
    (seen,) = only(json.dumps(whole)).attempts
    assert seen.proxy == "http://proxy.example:8080"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"[]",
        b"{}",
        b"null",
        b"[1, 2]",
        b"hello",
        b'{"kind": "findings"}',
        b"| https://a.example | true |",
    ],
)
def test_what_nothing_recognises(data: bytes) -> None:
    assert only(data).kind == "unrecognised"
