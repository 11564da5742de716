"""A file cut into exhibits: at every prompt, and around JSON and XML."""

import json
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.diagnosis import judge
from arcferry.evidence.case import Document, Kind
from arcferry.evidence.exhibits import command, cut, unwrapped
from arcferry.evidence.reading import read_document

_GAS, _LOGIN = "agentserviceapi.guestconfiguration.azure.com", "login.microsoftonline.com"
_FILTER = json.dumps(
    {
        "id": "/subscriptions/0/resourceGroups/rg-wan/providers/Microsoft.Network/routeFilters/rf-edge",
        "name": "rf-edge",
        "rules": [{"name": "allow", "access": "Allow", "communities": ["12076:51010"]}],
    },
    indent=2,
)
_CHECK = (
    "ENDPOINT                                              |REACHABLE  |PRIVATE  |TLS      |PROXY\n"
    f"https://{_GAS}  |false      |false    |unknown  |not used\n"
)
_FATAL = (
    "INFO    Exit Code:  AZCM0026: Network Error\n"
    f'FATAL   required endpoints unavailable: https://{_LOGIN}/ (error: Get "https://{_LOGIN}": EOF), '
    f'https://{_GAS}/ (error: Get "https://{_GAS}": dial tcp 40.115.144.3:443: i/o timeout)'
)
_LOG = (
    'time="2026-05-05T10:25:31Z" level=debug msg="Agent Version: 1.58.03228.701"\n'
    'time="2026-05-05T10:25:31Z" level=debug msg="Agent Command: connect"\n'
    'time="2026-05-05T10:25:32Z" level=info msg="Exit Code:  AZCM0026: Network Error"\n'
    f'time="2026-05-05T10:25:32Z" level=fatal msg="required endpoints unavailable: https://{_LOGIN}/ (error: '
    f'Get \\"https://{_LOGIN}\\": EOF), https://{_GAS}/ (error: Get \\"https://{_GAS}\\": dial tcp '
    '40.115.144.3:443: i/o timeout)"'
)


@pytest.mark.parametrize(
    ("line", "typed"),
    [
        (r"PS C:\> az account show", "az account show"),
        (r"[SRV01]: PS C:\Users\ops\Documents> azcmagent show", "azcmagent show"),
        (r"PS Microsoft.PowerShell.Core\FileSystem::\\fs01\share> dir", "dir"),
        (r"C:\Windows\system32>azcmagent check", "azcmagent check"),
        ("root@edge01:~# dnf install azcmagent", "dnf install azcmagent"),
        ("[ops@srv04 ~]$ curl -v https://x.example", "curl -v https://x.example"),
        ("(venv) ops@jump:/srv/a$ az network list", "az network list"),
        ("$ sudo systemctl status himdsd", "sudo systemctl status himdsd"),
        ("# azcmagent show", "azcmagent show"),
        ("bash-5.1# id", "id"),
        ("AMS-ASR-01#show ip bgp summary", "show ip bgp summary"),
        ("RP/0/RSP0/CPU0:edge#show bgp ipv4 unicast", "show bgp ipv4 unicast"),
        ("netops@mx-1> show route 192.0.2.1", "show route 192.0.2.1"),
        ("<CE-01>display bgp peer", "display bgp peer"),
        ("[*CE-01-bgp]display this", "display this"),
        ("*A:sr-1>config# show router bgp summary", "show router bgp summary"),
        ("FGT-60F # get router info bgp summary", "get router info bgp summary"),
        ("[admin@MikroTik] > /routing/route/print", "/routing/route/print"),
        ("PS C:\\>", ""),
        ("# a comment in a script", None),
        ("$ 12.50", None),
        ("https://x.example > file", None),
        ("[2026-03-02] [09:14:01]   INFO Starting", None),
        ("MSI (s) (E8:14) [16:25:22:118]: Product: x", None),
        ("100%", None),
    ],
)
def test_prompts(line: str, typed: str | None) -> None:
    assert command(line) == typed


def test_a_transcript_of_everything() -> None:
    """A pasted ticket: prose, a check, a warning and JSON of az, a router, and what nobody understands."""
    text = (
        f"From the ticket:\nPS C:\\> azcmagent check\n{_CHECK}PS C:\\> hostname\nSRV01\n"
        "ops@jump:~$ az network route-filter show -g rg-wan -n rf-edge\nWARNING: an extension is in preview\n"
        f"{textwrap.indent(_FILTER, '    ')}\nops@jump:~$ \n"
        "edge1#show ip bgp\nBGP table version is 4, local router ID is 192.0.2.1\n"
        "     Network          Next Hop            Metric LocPrf Weight Path\n"
        " *>  20.150.241.0/24  192.0.2.2                              0 12076 ?\n"
    )
    found = read_document("ticket.txt", text.encode())
    assert [(one.name, one.kind) for one in found] == [
        ("ticket.txt", Kind.AGENT_CHECK),
        ("ticket.txt", Kind.ROUTE_FILTER),
        ("ticket.txt", Kind.RECEIVED_ROUTES),
        ("ticket.txt, line 1", Kind.UNRECOGNISED),
        ("ticket.txt, line 5: hostname", Kind.UNRECOGNISED),
    ]
    (route_filter,) = (one.route_filter for one in found if one.route_filter)
    assert (route_filter.name, route_filter.communities) == ("rf-edge", frozenset({"12076:51010"}))
    (table,) = (one.route_table for one in found if one.route_table)
    assert [route.prefix for route in table.routes] == ["20.150.241.0/24"]


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "C:\\>az network route-filter show -g rg-wan -n rf-edge\n{}\n\nC:\\>",
        "WARNING: This command is in preview.\n{}",
        "The filter:\n\n{}\n\nRegards\n",
        "```json\n{}\n```",
        f"{_CHECK}\n{{}}",
    ],
    ids=["alone", "cmd", "a warning", "a mail", "markdown", "below a check"],
)
def test_a_filter_among_other_text(around: str) -> None:
    found = read_document("x", around.replace("{}", _FILTER).encode())
    assert [one.route_filter.name for one in found if one.route_filter] == ["rf-edge"]


def test_two_filters_of_one_paste_are_told_apart() -> None:
    text = f"$ az a\n{_FILTER}\n$ az b\n{_FILTER.replace('rf-edge', 'rf-other')}\n"
    found = read_document("x", text.encode())
    assert [one.name for one in found] == ["x, line 2", "x, line 16"]


def test_a_failure_that_nothing_explains_stands_beside_one_that_is_explained() -> None:
    """Two runs in one paste: what the first met is no reason for what the second says."""
    text = (
        f"C:\\>azcmagent connect --config a.json\n{_FATAL}\n"
        "C:\\>azcmagent connect --config b.json\nFATAL   the moon is in the wrong phase\n"
    )
    found = judge(read_document("x", text.encode())).findings
    assert [one.evidence[0].says for one in found if one.cause == "agent/unexplained-error"] == [
        "the moon is in the wrong phase"
    ]
    assert {host.host for one in found for host in one.endpoints} == {_GAS, _LOGIN}


def test_an_object_that_powershell_prints_is_not_cut() -> None:
    lines = (
        "Name     : er",
        "Peerings : [",
        "             {",
        '               "Name": "x"',
        "             }",
    )
    text = "\n".join((*lines, "           ]"))
    assert len(cut(text)) == 1


def test_xml_is_cut_out_and_a_log_in_tags_is_not() -> None:
    parts = cut("before\n<rpc-reply>\n<a>\n</a>\n</rpc-reply>\nafter\n<GCLOG>[x]\n</GCLOG>\n")
    assert [part.text for part in parts] == [
        "before",
        "<rpc-reply>\n<a>\n</a>\n</rpc-reply>",
        "after\n<GCLOG>[x]\n</GCLOG>",
    ]


def seen(*documents: Document) -> list[tuple[str, str, str]]:
    return sorted(
        (one.host, one.failure.kind if one.failure else "", one.address)
        for document in documents
        for one in document.attempts
    )


def hard(text: str, width: int) -> str:
    lines = text.splitlines()
    return "\n".join(line[at : at + width].rstrip() for line in lines for at in range(0, len(line), width))


def soft(text: str, width: int) -> str:
    lines = text.splitlines()
    return "\n".join(
        textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False) for line in lines
    )


_FORMS = {
    **{f"console at {width}": hard(_FATAL, width) for width in (80, 100, 120, 97)},
    **{f"log at {width}": hard(_LOG, width) for width in (80, 120)},
    "console in a mail": soft(_FATAL, 76),
    "without https": _FATAL.replace("unavailable: https://", "unavailable: ").replace(", https://", ", "),
    "JSON": json.dumps({"error": {"code": "AZCM0026", "message": _FATAL.partition("FATAL")[2].strip()}}),
    "JSON lines": json.dumps({"level": "info", "msg": "Exit Code:  AZCM0026: Network Error"})
    + "\n"
    + json.dumps({"level": "fatal", "msg": _FATAL.partition("FATAL")[2].strip()}),
    "JSON without a code": json.dumps([{"level": "fatal", "msg": _FATAL.partition("FATAL")[2].strip()}]),
    "below a prompt": f"PS C:\\> azcmagent connect --config c.json\n{_FATAL}\nPS C:\\> ",
    "UTF-16": _FATAL,
}


@pytest.mark.parametrize("text", _FORMS.values(), ids=_FORMS)
def test_every_endpoint_of_a_line_in_every_form(text: str) -> None:
    """Each has its own error, however the line was printed or wrapped."""
    data = text.encode("utf-16" if text == _FATAL else "utf-8")
    assert seen(*read_document("x", data)) == [(_GAS, "timeout", "40.115.144.3"), (_LOGIN, "tls-cut", "")]


@pytest.mark.parametrize("width", [60, 66, 73, 80, 90, 100])
def test_the_rows_of_a_check_are_whole_again(width: int) -> None:
    rows = f"{_CHECK}https://{_LOGIN}                      |true       |false    |TLS 1.3  |not used\n"
    found = read_document("x", f"C:\\>azcmagent check\n{hard(rows, width)}\n\nC:\\>".encode())
    seen_rows = [(one.host, one.reachable, one.proxied) for document in found for one in document.attempts]
    assert seen_rows == [(_GAS, False, False), (_LOGIN, True, False)]


@pytest.mark.parametrize(
    "text",
    [
        "INFO    Testing connectivity to endpoints that are needed to connect to Azure\nplain words\n",
        "FATAL   it failed\nPS C:\\> next\n",
        f"INFO    Testing\n{_CHECK}",
        'time="2026-05-05T10:25:31Z" level=info msg="a"\ntime="2026-05-05T10:25:31Z" level=info msg="b"',
    ],
)
def test_what_is_whole_stays_as_it_is(text: str) -> None:
    assert unwrapped(text).strip() == text.strip()


_PIECES = st.sampled_from(
    [_FILTER, _CHECK, _FATAL, _LOG, "{", "[", '{"a":', "PS C:\\> x", "$ az y", "<rpc-reply>", "]}", ""]
)


@given(st.lists(st.one_of(_PIECES, st.text(max_size=40)), max_size=8))
def test_nothing_is_lost_and_nothing_twice(pieces: list[str]) -> None:
    """Every line stands in one exhibit, in its order, but for prompts and warnings without an answer."""
    lines = "\n".join(pieces).splitlines()
    parts = cut("\n".join(lines))
    found = [line for part in parts for line in part.text.splitlines()]
    kept = iter(lines)
    assert all(line in kept for line in found)
    told = [line for line in lines if line.strip() and command(line[:600]) is None]
    assert [line for line in found if line.strip() and command(line[:600]) is None] == told
