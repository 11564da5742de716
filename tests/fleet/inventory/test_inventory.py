from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.errors import FileInputError
from arcferry.fleet.inventory import Host, HowReached, read_inventory


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_csv_with_every_column(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "fleet.csv",
        "name,address,port,transport,user,auth,tags,site\n"
        "web01,10.0.0.1,2222,ssh,ops,,env=prod; owner=web team,osaka\n"
        "web02,web02.example.org,,,,,,\n"
        "win01,,5985,WinRM,CORP\\ops,NTLM,,\n"
        "win02,,,winrm,ops@CORP.EXAMPLE,,,\n",
    )
    first, second, third, fourth = read_inventory(path).hosts
    assert first == Host(
        "web01", "10.0.0.1", 2222, "ops", {"env": "prod", "owner": "web team"}, "osaka", line=2
    )
    assert second == Host("web02", "web02.example.org", line=3)
    assert third == Host("win01", "win01", 5985, "CORP\\ops", transport="winrm", auth="ntlm", line=4)
    assert fourth == Host("win02", "win02", 0, "ops@CORP.EXAMPLE", transport="winrm", line=5)


def test_what_the_run_says_holds_where_a_row_does_not(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "name,transport,port,auth\na,,,\nb,ssh,2222,\nc,winrm,5985,basic\n")
    found = [
        (host.transport, host.port, host.auth)
        for host in read_inventory(path, HowReached("winrm", "ntlm", 5986)).hosts
    ]
    assert found == [("winrm", 5986, "ntlm"), ("ssh", 2222, ""), ("winrm", 5985, "basic")]
    with pytest.raises(ValueError, match="transport 'telnet' is not known; ssh and winrm are"):
        HowReached("telnet")


def test_a_host_over_ssh_is_named_in_runs_as_it_always_was() -> None:
    host = Host("web01", "10.0.0.1", 22, "ops", {"b": "2", "a": "1"}, "osaka", line=9)
    assert host.identity() == {
        "name": "web01",
        "address": "10.0.0.1",
        "port": 22,
        "transport": "ssh",
        "user": "ops",
        "tags": {"a": "1", "b": "2"},
        "site": "osaka",
    }


def test_tags_are_read_with_commas_as_with_semicolons(tmp_path: Path) -> None:
    both = {"site": "taipei", "role": "web"}
    text = 'name,tags\nweb01,"site=taipei,role=web"\nweb02,site=taipei;role=web\n'
    assert [host.tags for host in read_inventory(write(tmp_path, "a.csv", text)).hosts] == [both, both]
    text = 'name;tags\nweb01;site=taipei,role=web\nweb02;"site=taipei;role=web"\n'
    assert [host.tags for host in read_inventory(write(tmp_path, "b.csv", text)).hosts] == [both, both]
    text = "- name: web01\n  tags: site=taipei,role=web\n- name: web02\n  tags: {site: 'taipei,role=web'}\n"
    read = [host.tags for host in read_inventory(write(tmp_path, "c.yaml", text)).hosts]
    assert read == [both, {"site": "taipei,role=web"}]


def test_yaml_says_the_same_as_csv(tmp_path: Path) -> None:
    yaml = write(
        tmp_path,
        "fleet.yaml",
        "hosts:\n- {name: web01, address: 10.0.0.1, port: 2222, tags: {env: prod}}\n- name: no\n",
    )
    csv = write(tmp_path, "fleet.csv", "name,port,address,tags\nweb01,2222,10.0.0.1,env=prod\nno,,,\n")
    assert [host.identity() for host in read_inventory(yaml).hosts] == [
        host.identity() for host in read_inventory(csv).hosts
    ]


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfname,address\r\nweb01,10.0.0.1\r\n",
        b"# the fleet\n\nname;address\nweb01;10.0.0.1\n",
        b'NAME , Address\n"web01"," 10.0.0.1 "\n',
        b"name,address\nweb01,10.0.0.1",
        b"\xef\xbb\xbfsep=;\r\nname;address\r\nweb01;10.0.0.1\r\n",
        b"sep=,\nname,address\nweb01,10.0.0.1\n",
        b"SEP=\t\nname\taddress\nweb01\t10.0.0.1\n",
        b'"sep=;"\nname;address\nweb01;10.0.0.1\n',
        b"sep=;\nname;address;tags\nweb01;10.0.0.1;a=b,c=d\n",
        b"name\taddress\nweb01\t10.0.0.1\n",
    ],
    ids=[
        "bom-and-crlf",
        "comment-and-semicolons",
        "case-and-quotes",
        "no-last-newline",
        "excel-semicolons",
        "excel-commas",
        "excel-tabs",
        "excel-in-quotes",
        "excel-and-tags",
        "tabs",
    ],
)
def test_what_spreadsheets_write_is_read(tmp_path: Path, text: bytes) -> None:
    (host,) = read_inventory(write(tmp_path, "fleet.csv", text)).hosts
    assert (host.name, host.address, host.port) == ("web01", "10.0.0.1", 22)


def test_a_cell_that_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    path = write(tmp_path, "fleet.csv", 'name,tags\nweb01,"note==cmd|calc!A0"\n')
    assert read_inventory(path).hosts[0].tags == {"note": "=cmd|calc!A0"}


REFUSED = {
    "name twice, other case": ("a.csv", "name\nweb01\nWEB01\n", 3, "already on line 2", ""),
    "address twice": ("a.csv", "name,address\na,10.0.0.1\nb,10.0.0.1\n", 3, "already on line 2 (a)", ""),
    "empty name": ("a.csv", "name,address\n,10.0.0.1\n", 2, "name is empty", ""),
    "no name column": ("a.csv", "address\n10.0.0.1\n", 2, "name is missing", ""),
    "long name": ("a.csv", f"name\n{'a' * 55}\n", 2, "has 55 characters", ""),
    "name for ARM": ("a.csv", "name\nweb 01\n", 2, "cannot be a machine's", ""),
    "name ends in full stop": ("a.csv", "name\nweb01.\n", 2, "cannot be a machine's", ""),
    "formula as a name": ("a.csv", "name\n=1+1\n", 2, "cannot be a machine's", ""),
    "reserved name": ("a.csv", "name\nmy-windows-box\n", 2, "'windows'", ""),
    "reserved start": ("a.csv", "name\nlogin-3\n", 2, "'login'", ""),
    "port zero": ("a.csv", "name,port\na,0\n", 2, "port '0' is not a number", ""),
    "port word": ("a.csv", "name,port\na,ssh\n", 2, "port 'ssh' is not a number", ""),
    "port too high": ("a.csv", "name,port\na,65536\n", 2, "port 65536 is above", ""),
    "unknown column": ("a.csv", "name,adress\na,10.0.0.1\n", 1, "unknown column 'adress'", "address"),
    "unknown key": ("a.yaml", "- name: a\n  prot: 22\n", 2, "unknown column 'prot'", "port"),
    "auth of a kind": (
        "a.csv",
        "name,transport,auth\na,winrm,credssp\n",
        2,
        "'credssp' is not known; kerb",
        "",
    ),
    "auth over SSH": ("a.csv", "name,transport,auth\na,ssh,ntlm\n", 2, "auth ntlm is WinRM's", ""),
    "address twice over WinRM": (
        "a.csv",
        "name,transport,address\na,winrm,10.0.0.1\nb,winrm,10.0.0.1\n",
        3,
        "address 10.0.0.1 is already on line 2 (a)",
        "",
    ),
    "separator of two letters": ("a.csv", "sep=;;\nname;address\na;10.0.0.1\n", 1, "sep=;;", "sep=;"),
    "telnet": ("a.csv", "name,transport\na,telnet\n", 2, "'telnet' is not known", ""),
    **{
        f"address {address}": ("a.csv", f"name,address\na,{address}\n", 2, "neither an IP address nor", "")
        for address in (
            "10.0.0",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0X7F.0.0.0x1",
            "10.0.0.1/24",
            "*.corp",
            r"\\server",
            "http://web01",
            "web01:5985",
            "user@web01",
            "a..b",
            "-oProxyCommand=x",
            "we\u200bb01",
            "\uff11\uff10.0.0.1",
            "\u0661.0.0.1",
            "台北",
            "web01/",
            f"{'a' * 64}.example",
        )
    },
    **{
        f"address {address}": ("a.csv", f"name,address\na,{address}\n", 2, "is no single host's", "")
        for address in (
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "ff02::1",
            "::ffff:0.0.0.0",
        )
    },
    "bad address": ("a.csv", "name,address\na,10.0.0.256\n", 2, "neither an IP address nor", ""),
    "option as an address": ("a.csv", "name,address\na,-oProxyCommand=x\n", 2, "neither an IP", ""),
    "option as a user": ("a.csv", "name,user\na,-l root\n", 2, "is not a user name", ""),
    "tag without value": ("a.csv", "name,tags\na,env\n", 2, "not written as key=value", ""),
    "tag twice": ("a.csv", "name,tags\na,e=1;e=2\n", 2, "given twice", ""),
    "tags in two ways": ("a.csv", 'name,tags\nb,x=1\na,"e=1,f=2;g=3"\n', 3, "comma", ""),
    "a comma of a tag's value": ("a.csv", 'name,tags\na,"e=1,2"\n', 2, "'2' lacks", ""),
    "tags in two ways in YAML": ("a.yaml", "- name: b\n- name: a\n  tags: e=1,f=2;g=3\n", 2, "comma", ""),
    "tags without quotes": ("a.csv", "name,tags,site\na,e=1,f=2\n", 2, "'f=2' is written like a tag", ""),
    "tag name": ("a.csv", "name,tags\na,a/b=1\n", 2, "not one that ARM accepts", ""),
    "too many cells": ("a.csv", "name,address\na,10.0.0.1,x\n", 2, "3 cells under 2", "quotes"),
    "column twice": ("a.csv", "name,name\na,b\n", 1, "given twice", ""),
    "no quote at the end": ("a.csv", 'name\na\n"b\n', 3, "is not CSV", ""),
    "latin-1": ("a.csv", b"name\na\nb\xe9\n", 3, "is not UTF-8", "UTF-8"),
    "nul": ("a.csv", b"name\na\0\n", 2, "NUL", ""),
    "empty file": ("a.csv", "", None, "is empty", "columns"),
    "header only": ("a.csv", "name,address\n", None, "holds no hosts", ""),
    "empty yaml": ("a.yaml", "", None, "is empty", "list of hosts"),
    "yaml word": ("a.yaml", "web01\n", 1, "not a list", ""),
    "yaml broken": ("a.yaml", "- name: a\n  address: [\n", 3, "is not YAML", ""),
    "yaml tag": ("a.yaml", "- name: !!python/object:os.system x\n", None, None, ""),
    "yaml alias": ("a.yaml", "- &a {name: x}\n- *a\n", 2, "alias", ""),
    "yaml key twice": ("a.yaml", "- name: a\n  name: b\n", 2, "given twice", ""),
    "yaml list value": ("a.yaml", "- name: a\n  port: [1]\n", 2, "not a plain value", ""),
    "yaml depth": ("a.yaml", "- " * 30 + "a\n", 1, "too deep", ""),
    "yaml no host": ("a.yaml", "- web01\n", 1, "a host is a mapping", ""),
    "yaml other top": ("a.yaml", "servers: []\n", 1, "neither a list of hosts", ""),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_file_line_and_way_out(tmp_path: Path, case: str) -> None:
    name, text, line, says, hint = REFUSED[case]
    path = write(tmp_path, name, text)
    if says is None:
        # A tag of another language is not obeyed: the value is the text as it stands.
        assert read_inventory(path).hosts[0].name == "x"
        return
    with pytest.raises(FileInputError) as caught:
        read_inventory(path)
    place = f"{path}:{line}: " if line else f"{path}: "
    assert caught.value.message.startswith(place), caught.value.message
    assert says in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.exit_code == 2


def test_further_lines_with_problems_are_named(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "name,port\na,0\nb,22\nc,x\n,22\n")
    with pytest.raises(FileInputError, match=r":2: ") as caught:
        read_inventory(path)
    assert caught.value.hint == "Problems also on line 4, 5."


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileInputError, match="no such file"):
        read_inventory(tmp_path / "none.csv")


@given(data=st.binary(max_size=400), suffix=st.sampled_from([".csv", ".yaml"]))
def test_any_bytes_give_an_inventory_or_a_named_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, suffix: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    path.write_bytes(data)
    hosts = names_or_none(path)
    assert hosts is None or len({name.lower() for name in hosts}) == len(hosts) > 0


def names_or_none(path: Path) -> list[str] | None:
    """The names in the inventory, or None where it was refused by name."""
    refused = ""
    try:
        return [host.name for host in read_inventory(path).hosts]
    except FileInputError as error:
        refused = error.message
    assert str(path) in refused
    return None


@given(text=st.text(alphabet="name,addrs:-{}[]=;#\"'\n 012!&*|", max_size=120))
def test_near_yaml_never_escapes_the_error_tree(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "near.yml"
    path.write_text(f"- name: a\n{text}")
    names_or_none(path)


def test_yaml_with_a_tab_says_so(tmp_path: Path) -> None:
    path = write(tmp_path, "a.yaml", "- name: a\n\taddress: b\n")
    with pytest.raises(FileInputError, match="found a tab that cannot start any token") as caught:
        read_inventory(path)
    assert caught.value.message.startswith(f"{path}:2: is not YAML")
