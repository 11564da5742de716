"""Ansible's inventories read as Ansible reads them: the real `ansible-inventory` is the measure."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.export.ansible.conftest import ansible_program

from arcferry.errors import FileInputError
from arcferry.fleet.inventory import read_inventory

INI = """\
# what is not in a group
jump ansible_host=10.0.0.9 ansible_user='ops' # the way in
mail.corp.example:2222
[web]
web[01:03].corp.example
web-[a:c] ansible_port=2022

[db:vars]
ansible_user = "db admin's"
ansible_port=2200
[db]
db[1:10:3]
db1 ansible_host=10.1.0.1

[win]
win01 ansible_host=10.2.0.1
[win:vars]
ansible_connection=winrm
ansible_winrm_transport=ntlm
ansible_user=CORP\\ops
[prod:children]
web
db
[prod:vars]
ansible_user=prod
ansible_port=22022
[all:vars]
ansible_user=everybody
"""
YAML = """\
---
all:
  vars: {ansible_user: everybody}
  hosts:
    jump: {ansible_host: 10.0.0.9, ansible_user: ops}
  children:
    prod:
      vars: {ansible_user: prod, ansible_port: 22022}
      children:
        web:
          hosts:
            web[01:03].corp.example:
            web-[a:c]: {ansible_port: 2022}
        db:
          vars:
            ansible_user: dba
            ansible_port: 2200
          hosts:
            db1: {ansible_host: 10.1.0.1}
            mail.corp.example:2222:
    ungrouped:
      vars: {ansible_user: nobody}
      hosts: {alone: , db1: }
win:
  hosts:
    win01: {ansible_host: 10.2.0.1}
  vars: {ansible_connection: psrp, ansible_psrp_auth: kerberos, ansible_user: ops@CORP.EXAMPLE}
"""
SAME_DEPTH = """\
[b:vars]
ansible_port=2
[a:vars]
ansible_port=1
ansible_group_priority=10
[c:vars]
ansible_port=3
[a]
one
two
[b]
one
three
[c]
three
[deep:children]
c
[deep:vars]
ansible_port=4
ansible_user=deep
"""
INVENTORIES = {"fleet.ini": INI, "fleet": INI, "fleet.yml": YAML, "depth.ini": SAME_DEPTH}


def listed(path: Path) -> str:
    """What `ansible-inventory --list` prints of an inventory."""
    kept = os.environ | {"LC_ALL": "C.UTF-8", "ANSIBLE_LOCALHOST_WARNING": "false"}
    command = [ansible_program("ansible-inventory"), "-i", str(path), "--list"]
    done = subprocess.run(command, capture_output=True, text=True, env=kept, check=True, cwd=path.parent)
    return done.stdout


def reached(path: Path) -> dict[str, tuple[str, str, int, str]]:
    found = read_inventory(path).hosts
    return {
        host.name: (host.address, host.user, host.port if host.transport == "ssh" else 0, host.transport)
        for host in found
    }


def as_ansible_says(document: dict[str, Any]) -> dict[str, tuple[str, str, int, str]]:
    names = {name for group in document.values() for name in group.get("hosts", ())}
    answer = {}
    for name in names:
        own = document["_meta"]["hostvars"].get(name, {})
        transport = "winrm" if own.get("ansible_connection") in ("winrm", "psrp") else "ssh"
        port = 0 if transport == "winrm" else int(own.get("ansible_port", 22))
        answer[name] = (own.get("ansible_host", name), own.get("ansible_user", ""), port, transport)
    return answer


@pytest.mark.parametrize("name", INVENTORIES)
def test_hosts_are_reached_as_ansible_reaches_them(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(INVENTORIES[name].replace('"db admin\'s"', '"db.admin"'))
    printed = listed(path)
    expected = as_ansible_says(json.loads(printed))
    assert reached(path) == expected
    (tmp_path / "listed.json").write_text(printed)
    assert reached(tmp_path / "listed.json") == expected


def test_variables_of_arcferrys_own_set_its_columns(tmp_path: Path) -> None:
    text = (
        "[taipei]\nweb01\n[taipei:vars]\narcferry_site=taipei\narcferry_location=East Asia\n"
        "arcferry_tags='a=1,b=2'\n"
    )
    (tmp_path / "a.ini").write_text(text)
    (host,) = read_inventory(tmp_path / "a.ini").hosts
    assert (host.site, host.place.location, host.tags) == ("taipei", "eastasia", {"a": "1", "b": "2"})
    (tmp_path / "a.yml").write_text("all:\n  hosts:\n    web01:\n      arcferry_tags: {a: 1, b: '2, 3'}\n")
    assert read_inventory(tmp_path / "a.yml").hosts[0].tags == {"a": "1", "b": "2, 3"}


def test_what_is_left_out_or_not_read_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.ini"
    path.write_text(
        "localhost ansible_connection=local\nweb01 ansible_password=hunter2 ansible_python_interpreter=/x\n"
    )
    found = read_inventory(path)
    assert [host.name for host in found.hosts] == ["web01"]
    assert found.notes == (
        "left out, as Ansible's connection to them is local: localhost",
        "not read of Ansible's variables: ansible_password",
    )


REFUSED = {
    "vaulted address": (
        "a.yml",
        "all:\n  hosts:\n    a:\n      ansible_host: !vault |\n        $ANSIBLE_VAULT;1.1\n        66\n",
        4,
        "ansible_host is encrypted or a template",
        "--list",
    ),
    "template": ("a.ini", "a ansible_host='{{ other }}'\n", 1, "is encrypted or a template", "--list"),
    "vaulted file": ("a.yml", "$ANSIBLE_VAULT;1.1;AES256\n663\n", 1, "encrypted by Ansible Vault", "--list"),
    "plugin": ("a.yml", "plugin: amazon.aws.aws_ec2\nregions: [x]\n", 1, "'amazon.aws.aws_ec2'", "--list"),
    "connection": ("a.ini", "[c]\na ansible_connection=docker\n", 2, "'docker' is not one of", "Take"),
    "CredSSP": ("a.ini", "a ansible_connection=winrm ansible_winrm_transport=credssp\n", 1, "'credssp'", ""),
    "unknown of arcferry": ("a.ini", "a arcferry_sit=x\n", 1, "'arcferry_sit' is none", "arcferry_site"),
    "no variable": ("a.ini", "[c]\na 10.0.0.1\n", 2, "not written as variable=value", "One name a line"),
    "quotes": ("a.ini", "[c]\na b='\n", 2, "No closing quotation", ""),
    "kind": ("a.ini", "[c:host]\na\n", 1, "'host' is not known", ""),
    "section": ("a.ini", "[c\na\n", 1, "is no section", ""),
    "variables of nobody": ("a.ini", "[c]\na\n[d:vars]\nb=1\n", 3, "group that is not there", ""),
    "setting": ("a.ini", "[c]\na\n[c:vars]\nb\n", 4, "not written as variable=value", ""),
    "within itself": ("a.ini", "[c:children]\nd\n[d:children]\nc\n[d]\na\n", 1, "is within itself", ""),
    "empty range": ("a.ini", "[c]\na[1:]\n", 2, "says no end", ""),
    "backward range": ("a.ini", "[c]\na[3:1]\n", 2, "ends before it begins", ""),
    "unlike range": ("a.ini", "[c]\na[01:100]\n", 2, "unlike lengths", ""),
    "mixed range": ("a.ini", "[c]\na[a:9]\n", 2, "neither of numbers nor of letters", ""),
    "huge range": ("a.ini", "[c]\na[1:999999999]\n", 2, "more than 100,000 hosts", ""),
    "many ranges": ("a.ini", f"[c]\na{'[0:1]' * 800}\n", 2, "no range", ""),
    "brackets": ("a.ini", "[c]\na[1\n", 2, "no range", ""),
    "group of a list": ("a.yml", "all:\n  hosts: [a, b]\n", 2, "hosts is not a mapping", ""),
    "part of a group": ("a.yml", "all:\n  hosts: {a: }\n  host: {b: }\n", 3, "'host' is nothing", ""),
    "no group": ("a.yml", "hosts:\n  a:\nweb:\n  hosts: {b: }\n", 2, "hosts is a mapping", "all:"),
    "alias": ("a.yml", "all:\n  hosts:\n    a: &x {b: 1}\n    c: *x\n", 4, "alias", "Write out"),
    "name": ("a.ini", "[c]\nweb_01!\n", 2, "cannot be a machine's", ""),
    "list of no lists": ("a.json", '{"_meta": {}, "web": {"hosts": "a"}}', 1, "hosts is not a list", ""),
    "named like a table": ("a.csv", "[web]\na\n", 1, "is named .csv", ".ini"),
    "a table named otherwise": ("a.ini", "name,address\na,10.0.0.1\n", 1, "is named .ini", ".csv"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_line_and_way_out(tmp_path: Path, case: str) -> None:
    name, text, line, says, hint = REFUSED[case]
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(FileInputError) as caught:
        read_inventory(path)
    assert caught.value.message.startswith(f"{path}:{line}: "), caught.value.message
    assert says in caught.value.message
    assert hint in caught.value.hint


def test_variables_beside_the_inventory_are_not_left_out_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "a.ini"
    path.write_text("[web]\nweb01\n")
    (tmp_path / "group_vars").mkdir()
    assert read_inventory(path).hosts[0].address == "web01"
    (tmp_path / "group_vars" / "web").write_text("ansible_host: 10.0.0.1\n")
    with pytest.raises(FileInputError, match="reads group_vars beside it too") as caught:
        read_inventory(path)
    assert "ansible-inventory -i FILE --list" in caught.value.hint
    (tmp_path / "fleet.json").write_text(listed(path))
    assert read_inventory(tmp_path / "fleet.json").hosts[0].address == "10.0.0.1"


@given(text=st.text(alphabet="[]:=ab01'\"{}# \nall hosts vars children", max_size=120))
@pytest.mark.parametrize("name", ["any.ini", "any.yml", "any"])
def test_any_text_is_an_inventory_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, name: str, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_text(f"[a]\n{text}" if name == "any.ini" else f"all:\n  hosts:\n    a:\n{text}")
    refused = ""
    try:
        assert read_inventory(path).hosts
    except FileInputError as error:
        refused = error.message
    assert not refused or str(path) in refused
