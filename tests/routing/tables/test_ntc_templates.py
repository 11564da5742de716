"""The text readers beside ntc-templates, which is independent of them and knows the plain tables.

Its templates for details stop with an error at lines that real routers print (`Multipath: eBGP`), and none
knows IPv6; so it is the measure here, not the reader.
"""

from pathlib import Path

import pytest
from ntc_templates.parse import parse_output

from arcferry.routing.tables import read_route_table

CASES = Path(__file__).parent / "cases"


def _answer(name: str) -> str:
    """A case without its first line, which is the command."""
    return (CASES / name / "input.txt").read_text(encoding="utf-8").partition("\n")[2]


@pytest.mark.parametrize(
    ("name", "platform", "command"),
    [
        ("cisco-ios-received", "cisco_ios", "show ip bgp"),
        ("cisco-nxos-table", "cisco_nxos", "show ip bgp"),
        ("cisco-xr-table", "cisco_xr", "show bgp"),
    ],
)
def test_rows_are_those_of_ntc_templates(name: str, platform: str, command: str) -> None:
    text = _answer(name).partition("RP/0/RSP0")[0]
    rows = parse_output(platform, command, text)
    table = read_route_table(name, _answer(name).encode())
    assert table is not None
    theirs = {(row["next_hop"], row["as_path"].strip()) for row in rows}
    ours = {(one.next_hop, " ".join(map(str, one.as_path))) for one in table.routes}
    assert ours == theirs
    assert len(rows) == table.size
