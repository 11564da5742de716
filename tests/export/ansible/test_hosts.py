"""An inventory that is handed in becomes Ansible's, with every host's own place."""

import json
from pathlib import Path

from arcferry.export.ansible import INVENTORY, write_ansible
from arcferry.export.options import ExportOptions
from arcferry.fleet.inventory import read_inventory

from .conftest import ControlNode, Sealed

TABLE = """\
name,address,port,transport,user,auth,tags,location,resource_group,proxy
web01,10.0.0.1,,,ops,,role=web,,,
web02,10.0.0.2,2222,,,,,japaneast,rg-osaka,http://proxy.example:8080
sql01,,,winrm,ops@CORP.EXAMPLE,kerberos,odd={{ 1 + 1 }},,,
"""


def options_of(sealed: Sealed, folder: Path) -> ExportOptions:
    path = folder / "servers.csv"
    path.write_text(TABLE)
    known = sealed.options("site=taipei")
    return ExportOptions(sealed.bundle, known.target, tags=known.tags, inventory=read_inventory(path))


async def test_ansible_reads_each_host_with_its_own_place(
    sealed: Sealed, tmp_path: Path, sockets: Path
) -> None:
    write_ansible(options_of(sealed, tmp_path), tmp_path / "out")
    node = ControlNode(tmp_path / "out", tmp_path / "home", sockets)
    node.home.mkdir()
    listed = await node.run("ansible-inventory", "--list")
    assert listed.code == 0, listed.err
    hosts = json.loads(listed.out)["_meta"]["hostvars"]
    first, second, third = hosts["web01"], hosts["web02"], hosts["sql01"]
    assert (first["ansible_host"], first["ansible_user"], first.get("ansible_port")) == (
        "10.0.0.1",
        "ops",
        None,
    )
    assert (first["onboard_location"], first["onboard_resource_group"]) == ("eastasia", "rg-arc")
    assert first["onboard_tags"] == {"site": "taipei", "role": "web"}
    assert (second["onboard_location"], second["onboard_resource_group"]) == ("japaneast", "rg-osaka")
    assert (second["ansible_port"], second["onboard_proxy"]) == (2222, "http://proxy.example:8080")
    assert second["onboard_tags"] == {"site": "taipei"}
    assert (third["ansible_connection"], third["ansible_psrp_auth"]) == ("psrp", "kerberos")
    assert "!unsafe '{{ 1 + 1 }}'" in (tmp_path / "out" / INVENTORY).read_text()


def test_what_is_exported_is_an_inventory_again(sealed: Sealed, tmp_path: Path) -> None:
    wanted = options_of(sealed, tmp_path)
    write_ansible(wanted, tmp_path / "out")
    alone = tmp_path / "alone.yml"
    text = (tmp_path / "out" / INVENTORY).read_text()
    alone.write_text(text)
    assert wanted.inventory is not None
    reached = {
        (host.name, host.address, host.port, host.user, host.transport) for host in wanted.inventory.hosts
    }
    again = read_inventory(alone).hosts
    assert {(host.name, host.address, host.port, host.user, host.transport) for host in again} == reached
