"""Lists of names, and lists of Active Directory's, read as they are."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.errors import FileInputError
from arcferry.fleet.inventory import Host, read_inventory

LISTS = {
    "names": ("a.txt", "web01\nweb02.corp.example\n"),
    "names without an ending": ("names", "# the fleet\nweb01\n\nweb02.corp.example\n"),
    "names in a table's file": ("a.csv", "web01\nweb02.corp.example\n"),
    "PowerShell's redirection": ("a.txt", "\ufeffweb01\r\nweb02.corp.example\r\n".encode("utf-16-le")),
    "PowerShell's table": ("a.txt", "\nname  \n----  \nweb01 \nweb02.corp.example\n\n"),
    "a range": ("a.txt", "web[01:01]\nweb02.corp.example\n"),
    "a table": ("a.txt", "Name\nweb01\nweb02.corp.example\n"),
    "names in YAML": ("a", "- name: web01\n- name: web02.corp.example\n"),
}


@pytest.mark.parametrize("case", LISTS)
def test_a_name_a_line(tmp_path: Path, case: str) -> None:
    name, text = LISTS[case]
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert [host.name for host in read_inventory(path).hosts] == ["web01", "web02.corp.example"]


@pytest.mark.parametrize("head", ["server", "Hostname", "FQDN", "nane", "ip"])
def test_a_head_that_names_no_column_is_no_server(tmp_path: Path, head: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{head}\nweb01\n")
    with pytest.raises(FileInputError, match=f":1: unknown column '{head.lower()}'"):
        read_inventory(path)


AD = (
    "#TYPE Selected.Microsoft.ActiveDirectory.Management.ADComputer\r\n"
    '"DistinguishedName","DNSHostName","Enabled","Name","OperatingSystem","Location"\r\n'
    '"CN=WEB01,OU=Servers,DC=corp,DC=example","web01.corp.example","True","WEB01",'
    '"Windows Server 2019 Standard","Hall 4"\r\n'
    '"CN=OLD01,DC=corp,DC=example","old01.corp.example","False","OLD01","Windows Server 2012 R2",""\r\n'
    '"CN=LNX01,DC=corp,DC=example","lnx01.corp.example","True","LNX01","pc-linux-gnu",""\r\n'
    '"CN=NEW01,DC=corp,DC=example","","True","NEW01","",""\r\n'
)
CSVDE = (
    "DN,objectClass,cn,userAccountControl,sAMAccountName,dNSHostName,operatingSystem\r\n"
    '"CN=WEB01,DC=corp",computer,WEB01,4096,WEB01$,web01.corp.example,Windows Server 2019 Standard\r\n'
    '"CN=OLD01,DC=corp",computer,OLD01,4098,OLD01$,old01.corp.example,Windows Server 2012 R2\r\n'
    '"OU=Servers,DC=corp",organizationalUnit,,,,,\r\n'
)


def test_computers_of_active_directory(tmp_path: Path) -> None:
    path = tmp_path / "computers.csv"
    path.write_text(AD)
    found = read_inventory(path)
    assert found.hosts == (
        Host("WEB01", "web01.corp.example", 0, transport="winrm", line=3),
        Host("LNX01", "lnx01.corp.example", 22, line=5),
        Host("NEW01", "NEW01", 22, line=6),
    )
    assert found.notes == (
        "left out, as their accounts are disabled: OLD01",
        "not read: the column Location, which in the directory is a place in a building",
    )


def test_csvde_writes_the_same_in_its_own_way(tmp_path: Path) -> None:
    path = tmp_path / "computers.csv"
    path.write_bytes(CSVDE.encode("utf-16"))
    found = read_inventory(path)
    assert found.hosts == (Host("WEB01", "web01.corp.example", 0, transport="winrm", line=2),)
    assert found.notes[0] == "left out, as their accounts are disabled: OLD01"
    assert found.notes[1].startswith("left out, as they are no computers")


def test_a_column_of_arcferrys_that_was_added_counts(tmp_path: Path) -> None:
    path = tmp_path / "computers.csv"
    path.write_text("Name;DNSHostName;Enabled;Site;Tags\nWEB01;;TRUE;taipei;a=1\n")
    (host,) = read_inventory(path).hosts
    assert (host.site, host.tags) == ("taipei", {"a": "1"})


REFUSED = {
    "no names": ("DistinguishedName,Enabled\nx,True\n", 1, "without the computers' names", "Get-ADComputer"),
    "enabled": ("Name,Enabled\nA,True\nB,WAHR\n", 3, "'wahr' is neither True nor False", ""),
    "flags": ("cn,userAccountControl\nA,x\n", 2, "userAccountControl 'x' is not a number", ""),
    "all disabled": ("Name,Enabled\nA,False\n", None, "holds no hosts", "accounts are disabled: A."),
    "twice": ("Name,Enabled\nA,True\na,True\n", 3, "name 'a' is already on line 2", ""),
    "one address": (
        "Name,DNSHostName\nA,a.b\nB,A.B\n",
        3,
        "address A.B port 22 is already on line 2 (A)",
        "",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_list_of_the_directorys_is_refused_with_its_line(tmp_path: Path, case: str) -> None:
    text, line, says, hint = REFUSED[case]
    path = tmp_path / "computers.csv"
    path.write_text(text)
    with pytest.raises(FileInputError) as caught:
        read_inventory(path)
    assert caught.value.line == line
    assert says in caught.value.message
    assert hint in caught.value.hint


@given(
    cells=st.lists(st.text(alphabet="ab,;\"'\n\0#=日 \t1[", max_size=12), max_size=8),
    head=st.sampled_from(["Name,Enabled\n", "#TYPE x\nDN,cn\n", "", ";;;\n"]),
)
def test_any_list_is_an_inventory_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, head: str, cells: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any-list.txt"
    path.write_text(head + ",".join(cells), encoding="utf-8")
    refused = ""
    try:
        assert read_inventory(path).hosts
    except FileInputError as error:
        refused = error.message
    assert not refused or str(path) in refused
