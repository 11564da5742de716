"""Bad input: never anything but a table, nothing, or an error that names the document."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcferry.errors import FileInputError
from arcferry.routing.route import RouteTable
from arcferry.routing.tables import read_route_file, read_route_table
from arcferry.routing.tables.capture import excerpt

CASES = sorted((Path(__file__).parent / "cases").glob("*/input.*"))
SAMPLES = [path.read_bytes() for path in CASES]


def read(data: bytes) -> RouteTable | None:
    try:
        table = read_route_table("dump", data)
    except FileInputError as error:
        if not error.message.startswith("dump:"):
            raise
        return None
    if table is not None:
        assert table.size == sum(1 for _ in table.routes)
    return table


@settings(max_examples=400, deadline=5000)
@given(
    st.one_of(
        st.binary(max_size=2000), st.text(max_size=2000).map(lambda text: text.encode(errors="replace"))
    )
)
def test_arbitrary_bytes(data: bytes) -> None:
    read(data)


words = st.sampled_from(
    [
        *(
            "show ip bgp",
            "R1#",
            "BGP routing table entry for ",
            "Community: ",
            "Network Next Hop Metric LocPrf Weight Path",
        ),
        *(
            "*> ",
            "*>i",
            "13.71.0.0/18",
            "13.71.0.0",
            "2603:1040::/32",
            "192.0.2.2",
            "12076",
            "12076:51012",
            "(12076,51012)",
        ),
        *(
            "inet.0: 1 destinations, 1 routes (1 active)",
            "Table master4:",
            "unicast [a b] * (100)",
            "BGP.community: ",
        ),
        *(
            "\n",
            "\r\n",
            "\r",
            "\b",
            "\t",
            "\x1b[K",
            " --More-- ",
            "  ",
            "    ",
            "/",
            "?",
            "i",
            "{",
            "}",
            "[",
            "]",
            '"',
        ),
        *(
            '"routes": {',
            '"rib": [',
            '"bgpRouteEntries": {',
            '"network": ',
            "<route-information>",
            "<rt>",
            "</rt>",
            "% ",
        ),
        *(
            "AS path: ",
            "Communities: ",
            "[BGP/170]",
            "*BGP    Preference: ",
            "Total number of prefixes 3",
            "password 7 x",
        ),
    ]
)


@settings(max_examples=600, deadline=5000)
@given(st.lists(words, max_size=120).map("".join))
def test_words_of_the_formats_in_any_order(text: str) -> None:
    read(text.encode())


@settings(max_examples=1000, deadline=5000)
@given(st.sampled_from(SAMPLES), st.data())
def test_mutated_samples(sample: bytes, data: st.DataObject) -> None:
    mutated = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(mutated)))
        if data.draw(st.booleans()):
            mutated[place : place + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=8))
        else:
            other = data.draw(st.sampled_from(SAMPLES))
            start = data.draw(st.integers(0, len(other)))
            mutated[place:place] = other[start : start + 200]
    read(bytes(mutated))


@pytest.mark.parametrize(
    "line",
    [
        "*> " * 20_000,
        " " * 60_000 + "x",
        " *>  13.71.0.0/18     192.0.2.2 " + " 1" * 30_000,
        "(" * 50_000,
        "[" * 50_000,
        "BGP routing table entry for " + "1:" * 30_000,
        "inet.0: " + "1" * 60_000,
        "inet" * 10_000 + ".0",
        "2001:" * 10_000,
        '{"routes": ' * 5_000,
        '{"rib": [' + "[" * 200_000,
        "<route-information>" + "<rt>" * 50_000,
        "Community: " + "12076:1 " * 20_000,
        "(12076," * 20_000,
        "R1#" + "show ip bgp neighbors " * 2000,
        "snmpv3 " * 10_000 + "community",
        "--More" * 10_000,
        "\x1b[" * 30_000,
        "a\b" * 30_000,
    ],
    ids=lambda line: line[:20].encode("unicode_escape").decode(),
)
@pytest.mark.timeout(20)
def test_long_lines_do_not_hang(line: str) -> None:
    head = "er-ce1#show ip bgp\n     Network          Next Hop            Metric LocPrf Weight Path\n"
    for text in (
        f"{line}\n" * 3,
        f"{head}{line}\n" * 3,
        f"inet.0: 1 destinations, 1 routes\n{line}",
        f"Table a:\n{line}",
    ):
        read(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        (
            "use  URL                                   REACHABLE  PRIVATE  TLS\n"
            "     https://agentserviceapi.guestconfiguration.azure.com  false  unknown  unknown\n"
        ),
        json.dumps(
            {
                "changeNumber": 375,
                "cloud": "Public",
                "values": [
                    {"name": "AzureArcInfrastructure", "properties": {"addressPrefixes": ["13.71.0.0/18"]}}
                ],
            }
        ),
        json.dumps(
            {"name": "rf", "peerings": [], "rules": [{"access": "Allow", "communities": ["12076:51012"]}]}
        ),
        json.dumps(
            [
                {
                    "communityName": "Azure Japan East",
                    "communityValue": "12076:51012",
                    "communityPrefixes": ["13.71.0.0/18"],
                }
            ]
        ),
        json.dumps(
            {"name": "er", "sku": {"tier": "Premium"}, "peerings": [{"peeringType": "MicrosoftPeering"}]}
        ),
        json.dumps(
            {"TABLE_vrf": {"ROW_vrf": {"TABLE_addrf": {"ROW_addrf": {"TABLE_prefix": {"ROW_prefix": []}}}}}}
        ),
        '{"value": []}',
        "[]",
        "{}",
        "",
        (
            "MSI (s) (A4:10) [04:12:10:187]: Product: Azure Connected Machine Agent -- Installation failed.\n"
            "Action start 04:12:10: INSTALL.\n"
        ),
        'time="2026-11-23T04:12:10Z" level=debug msg="Checking connectivity to https://13.71.0.1/18"\n',
        ";; ANSWER SECTION:\nagentserviceapi.example. 60 IN A 40.115.144.3\n",
        "40.115.144.3\n13.71.0.1\n",
        (
            "R1#show ip bgp summary\nBGP router identifier 198.51.100.9, local AS number 65001\n"
            "Neighbor        V    AS MsgRcvd MsgSent   TblVer  InQ OutQ Up/Down  State/PfxRcd\n"
            "192.0.2.2       4 12076     100     100       22    0    0 01:02:03       19\n"
        ),
        (
            "RP/0/RSP0/CPU0:pe1#show bgp summary\nBGP router identifier 198.51.100.9, local AS number 65001\n"
            "BGP generic scan interval 60 secs\nBGP main routing table version 133\n"
            "Neighbor        Spk    AS MsgRcvd St/PfxRcd\n"
        ),
        "inet.0: 31 destinations, 46 routes (30 active)\n  Direct: 3 routes, 3 active\n",
        "<html><body>route-information</body></html>",
        "Host,Address\nsrv1,10.0.0.5\n",
    ],
)
def test_other_documents_are_not_taken(text: str) -> None:
    assert read_route_table("dump", text.encode()) is None
    assert read_route_table("dump", text.encode("utf-16")) is None


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.parent.name)
def test_line_ends_and_encodings_change_nothing(path: Path) -> None:
    data = path.read_bytes()
    plain = read(data)
    assert plain is not None
    variants = [gzip.compress(data, mtime=0)]
    if path.suffix != ".mrt" and b"\xff" not in data and b"\xfc" not in data and b"\r" not in data:
        text = data.decode()
        crlf = text.replace("\n", "\r\n")
        variants += [text.encode(code) for code in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")]
        variants += [crlf.encode(), crlf.encode("utf-16"), f"\n\n{text}".encode(), f"{text}\n\n\n".encode()]
    for variant in variants:
        found = read(variant)
        assert found is not None
        assert (set(found.routes), found.notes, found.vantage) == (
            set(plain.routes),
            plain.notes,
            plain.vantage,
        )


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b'{"routerId": "192.0.2.9", "routes": {"13.71.0.0/18": [{"valid": tr', "before its first route"),
        (b'{"rib": [{"prefix": "13.71.0.0/18", "neighbor": {}} nonsense]}', "no valid JSON at character"),
        (b'{"rib": [{"prefix": "13.71.0.0/99", "neighbor": {}}]}', "none of its 1 routes can be read"),
        (b"<route-information><!DOCTYPE x><rt></rt></route-information>", "no valid XML"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><route-information></route-information>", "document type"),
        (b"13.71.0.0/18\n10.0.0.0/33\n", "dump:2: expected a prefix"),
        (b"13.71.0.0/18\n" * 70 + b"hello\n", "dump:71: expected a prefix"),
        (gzip.compress(b"13.71.0.0/18\n" * 100_000, mtime=0)[:-400], "truncated gzip"),
        (
            b"R1#show ip bgp\n     Network          Next Hop\n *>  13.71.0.999/18  192.0.2.2   0 i\n",
            "none of its",
        ),
    ],
)
def test_errors_say_what_is_wrong(data: bytes, problem: str) -> None:
    with pytest.raises(FileInputError, match=problem):
        read_route_table("dump", data)


def test_json_that_ends_in_the_middle_keeps_what_came_before() -> None:
    rows = json.dumps(
        {"rib": [{"prefix": f"13.71.{n}.0/24", "neighbor": {}, "best": True} for n in range(9)]}
    )
    for end in range(200, len(rows)):
        table = read(rows[:end].encode())
        assert table is not None
        assert 0 < table.size <= 9
        assert any(note.startswith("truncated: it ends in the middle") for note in table.notes)
        assert not table.complete


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileInputError, match="no such file"):
        read_route_file(tmp_path / "missing")
    with pytest.raises(FileInputError, match="not a file"):
        read_route_file(tmp_path)


def test_progress_ends_with_the_whole_size() -> None:
    data = b"".join(b"13.%d.%d.0/24\n" % (n // 256, n % 256) for n in range(60_000))
    seen: list[int] = []
    table = read_route_table("dump", data, progress=seen.append)
    assert table is not None
    assert table.size == 60_000
    assert seen == sorted(seen)
    assert seen[-1] == len(data)


SECRETS = [
    "neighbor 192.0.2.2 password 7 HUNTER2",
    " neighbor 192.0.2.2 password HUNTER2",
    "enable secret 5 HUNTER2",
    "username admin privilege 15 secret 9 HUNTER2",
    "snmp-server community HUNTER2 RO",
    'set protocols bgp group ms authentication-key "HUNTER2"',
    '  "sharedKey": "HUNTER2",',
    "key-string HUNTER2",
    " key 7 HUNTER2",
    "tacacs-server host 10.0.0.1 key HUNTER2",
    "ip ospf message-digest-key 1 md5 7 HUNTER2",
    'password "HUNTER2";',
    "sharedKey=HUNTER2",
    '"serviceKey": "HUNTER2"',
]


@pytest.mark.parametrize("line", SECRETS)
def test_secrets_are_redacted(line: str) -> None:
    assert "HUNTER2" not in excerpt(line)


@pytest.mark.parametrize("line", SECRETS)
def test_no_secret_of_a_capture_is_in_the_table_or_the_error(line: str) -> None:
    row = " *>  13.71.0.0/18     192.0.2.2                              0 12076 ?"
    text = (
        f"R1#{line}\nR1#show run\n{line}\nR1#show ip bgp\n{line}\n{row}\n*{line}\n *> {line}\n"
        f"R1#show ip bgp {line}\n{row}\n"
    )
    table = read_route_table("dump", text.encode())
    assert table is not None
    assert "HUNTER2" not in repr(table)
    with pytest.raises(FileInputError) as caught:
        read_route_table("dump", ("13.71.0.0/18\n" * 70 + f"{line}\n").encode())
    assert "HUNTER2" not in f"{caught.value.message} {caught.value.hint}"


def test_what_is_read_from_a_stream_is_not_held(tmp_path: Path) -> None:
    """A file much longer than its routes, so that memory would show it."""
    path = tmp_path / "dump"
    filler = "! a comment that a router prints between its routes\n" * 2000
    path.write_text(
        "R1#show ip bgp\n"
        + (f" *>  13.71.0.0/18     192.0.2.2                              0 12076 ?\n{filler}" * 5)
    )
    table = read_route_file(path)
    assert table is not None
    assert table.size == 5
