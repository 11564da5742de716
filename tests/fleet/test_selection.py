"""Which hosts of an inventory `--limit` and `--site` take in, and what is refused."""

from pathlib import Path
from types import MappingProxyType

import pytest

from arcferry.errors import InputError
from arcferry.fleet.inventory import Host, Inventory
from arcferry.fleet.selection import selected

HOSTS = (
    Host("web01", "10.0.0.1", site="Taipei", tags=MappingProxyType({"role": "web", "Owner": "ann"})),
    Host("web02", "10.0.0.2", site="osaka", tags=MappingProxyType({"role": "web"})),
    Host("db01", "10.0.0.3", site="osaka", tags=MappingProxyType({"role": "db"})),
    Host("lone", "10.0.0.4"),
)
INVENTORY = Inventory(Path("servers.csv"), HOSTS)

TAKEN: dict[str, tuple[list[str], list[str], list[str]]] = {
    "everybody": ([], [], ["web01", "web02", "db01", "lone"]),
    "a name, in any case": (["WEB02"], [], ["web02"]),
    "names, in the inventory's order": (["lone", "web01"], [], ["web01", "lone"]),
    "a tag": (["role=web"], [], ["web01", "web02"]),
    "a tag's name in any case": (["owner = ann"], [], ["web01"]),
    "a tag or a name": (["role=db", "web01"], [], ["web01", "db01"]),
    "a site": ([], ["taipei"], ["web01"]),
    "sites": ([], ["taipei", "osaka"], ["web01", "web02", "db01"]),
    "a tag at a site": (["role=web"], ["osaka"], ["web02"]),
}
REFUSED: dict[str, tuple[list[str], list[str], str, str]] = {
    "no such server": (["web1"], [], "unknown server", "web01"),
    "no such tag": (["rule=web"], [], "unknown tag", "role"),
    "no such value": (["role=wep"], [], "unknown value of the tag role", "web"),
    "no such site": ([], ["oska"], "unknown site", "osaka"),
    "nobody is left": (["web01"], ["osaka"], "no server of servers.csv is in both", "one of the sites"),
}
FILES = {
    "near": (b"web01\nweb3\n", ":2: unknown server", "web0"),
    "empty": (b"# nobody\n\n", "names no server", ""),
    "another encoding": (b"\xff\xfew\x00", "is not UTF-8 text", ""),
}


def names(limits: list[str], sites: list[str]) -> list[str]:
    return [host.name for host in selected(INVENTORY, limits, sites).hosts]


@pytest.mark.parametrize(("limits", "sites", "taken"), TAKEN.values(), ids=TAKEN)
def test_who_is_taken_in(limits: list[str], sites: list[str], taken: list[str]) -> None:
    assert names(limits, sites) == taken


@pytest.mark.parametrize(("limits", "sites", "says", "hint"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(limits: list[str], sites: list[str], says: str, hint: str) -> None:
    with pytest.raises(InputError) as refused:
        names(limits, sites)
    assert says in refused.value.message
    assert hint in refused.value.hint


def test_a_file_of_names(tmp_path: Path) -> None:
    path = tmp_path / "some"
    path.write_bytes("\ufeffDB01  # the database\r\n\r\nweb02\r\n".encode())
    assert names([f"@{path}"], []) == ["web02", "db01"]
    assert names([f"@{path}", "lone"], []) == ["web02", "db01", "lone"]


@pytest.mark.parametrize(("content", "says", "hint"), FILES.values(), ids=FILES)
def test_a_file_that_cannot_be_meant(tmp_path: Path, content: bytes, says: str, hint: str) -> None:
    path = tmp_path / "some"
    path.write_bytes(content)
    with pytest.raises(InputError) as refused:
        names([f"@{path}"], [])
    assert refused.value.message.startswith(f"{path}")
    assert says in refused.value.message
    assert hint in refused.value.hint


def test_an_inventory_without_sites_says_so() -> None:
    with pytest.raises(InputError) as refused:
        selected(Inventory(Path("servers.csv"), (Host("lone", "10.0.0.4"),)), [], ["osaka"])
    assert "no server of servers.csv has a site" in refused.value.message
