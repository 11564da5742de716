"""Sheets in the words of firewalls, each by its vendor's syntax, and by the real program if there is one."""

import shutil
import subprocess
from ipaddress import ip_network
from pathlib import Path

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Parser

from arcferry import catalog
from arcferry.report.firewall_forms import FORMS, Content, listable, write
from arcferry.routing.firewall import name_rules

TAGS = {
    "AzureArcInfrastructure": [ip_network("20.0.0.0/24"), ip_network("2603:1036::/48")],
    "Storage.EastAsia": [ip_network("20.60.3.4/32"), ip_network("20.0.0.0/24")],
}
HELD = Content(
    ("held as of a day", "TCP 443"), TAGS, gone={"AzureArcInfrastructure": [ip_network("20.9.0.0/16")]}
)
NAMED = Content(("held as of a day",), {}, ("login.example.com", "*.example.com"))

WRITTEN = {
    # docs.paloaltonetworks.com, "Formatting Guidelines for an External Dynamic List": a comment stands
    # after a space on the line of an address, and nowhere else.
    "edl": """\
20.0.0.0/24 # held as of a day TCP 443
2603:1036::/48
20.60.3.4/32
""",
    # PAN-OS CLI, configure mode: set address NAME ip-netmask VALUE; set address-group NAME static MEMBER.
    "panos": """\
# held as of a day
# TCP 443
set address arcferry_20-0-0-0_24 ip-netmask 20.0.0.0/24
set address arcferry_2603-1036--_48 ip-netmask 2603:1036::/48
set address arcferry_20-60-3-4_32 ip-netmask 20.60.3.4/32
set address-group arcferry_AzureArcInfrastructure static arcferry_20-0-0-0_24
set address-group arcferry_AzureArcInfrastructure static arcferry_2603-1036--_48
set address-group arcferry static arcferry_AzureArcInfrastructure
set address-group arcferry_Storage-EastAsia static arcferry_20-60-3-4_32
set address-group arcferry_Storage-EastAsia static arcferry_20-0-0-0_24
set address-group arcferry static arcferry_Storage-EastAsia
delete address-group arcferry_AzureArcInfrastructure static arcferry_20-9-0-0_16
delete address arcferry_20-9-0-0_16
""",
    # docs.fortinet.com, CLI reference, "firewall {address | address6}" and addrgrp, addrgrp6.
    "fortios": """\
# held as of a day
# TCP 443
config firewall address
    edit "arcferry_20-0-0-0_24"
        set subnet 20.0.0.0 255.255.255.0
    next
    edit "arcferry_20-60-3-4_32"
        set subnet 20.60.3.4 255.255.255.255
    next
end
config firewall address6
    edit "arcferry_2603-1036--_48"
        set ip6 2603:1036::/48
    next
end
config firewall addrgrp
    edit "arcferry_AzureArcInfrastructure"
        set member "arcferry_20-0-0-0_24"
    next
    edit "arcferry_Storage-EastAsia"
        set member "arcferry_20-60-3-4_32" "arcferry_20-0-0-0_24"
    next
end
config firewall address
    delete "arcferry_20-9-0-0_16"
end
config firewall addrgrp6
    edit "arcferry_AzureArcInfrastructure"
        set member "arcferry_2603-1036--_48"
    next
end
""",
    # cisco.com, ASA firewall configuration guide 9.17, "Objects for Access Control": both families in one.
    "asa": """\
! held as of a day
! TCP 443
object-group network arcferry_AzureArcInfrastructure
 no network-object 20.9.0.0 255.255.0.0
 network-object 20.0.0.0 255.255.255.0
 network-object 2603:1036::/48
object-group network arcferry_Storage-EastAsia
 network-object 20.60.3.4 255.255.255.255
 network-object 20.0.0.0 255.255.255.0
object-group network arcferry
 group-object arcferry_AzureArcInfrastructure
 group-object arcferry_Storage-EastAsia
""",
}


@pytest.mark.parametrize("form", WRITTEN)
def test_prefixes_in_the_words_of_a_firewall(form: str) -> None:
    assert write(form, HELD) == WRITTEN[form]


def test_names_in_the_words_of_a_firewall() -> None:
    assert write("edl", NAMED) == "login.example.com\n*.example.com\n"
    assert (
        "set address arcferry_login-example-com fqdn login.example.com" in write("panos", NAMED).splitlines()
    )
    assert '        set type fqdn\n        set fqdn "*.example.com"\n' in write("fortios", NAMED)
    assert "object network arcferry_login-example-com\n fqdn v4 login.example.com\n" in write("asa", NAMED)


@pytest.mark.parametrize(
    ("form", "pattern", "odd"), [("edl", True, False), ("fortios", True, False), ("panos", False, False)]
)
def test_patterns_that_a_form_cannot_write_are_left_to_be_told(form: str, pattern: bool, odd: bool) -> None:
    rules = name_rules(catalog.cloud("AzureCloud"), catalog.region("eastasia"))
    held, left = listable(form, rules)
    assert ("*.his.arc.azure.com" in held, "azgn*.servicebus.windows.net" in held) == (pattern, odd)
    assert "azgn*.servicebus.windows.net" in left
    assert {*held, *left} == {rule.host for rule in rules}


def _nft() -> str:
    own = Path(__file__).parents[2] / ".tools" / "usr" / "sbin" / "nft"
    return shutil.which("nft", path="/usr/sbin:/sbin:/usr/bin") or (str(own) if own.is_file() else "")


@pytest.mark.skipif(not _nft(), reason="nft is not installed here")
def test_nft_takes_the_set(tmp_path: Path) -> None:
    path = tmp_path / "arcferry.nft"
    path.write_text(write("nftables", HELD))
    inside = ["unshare", "--user", "--map-root-user", "--net", _nft(), "-c", "-f", str(path)]
    if subprocess.run([*inside[:4], "true"], capture_output=True, check=False).returncode:
        pytest.skip("no network namespace of its own to check rules in")
    checked = subprocess.run(inside, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_windows_form_is_powershell_of_one_rule_a_tag() -> None:
    text = write("windows", HELD)
    tree = Parser(Language(tree_sitter_powershell.language())).parse(text.encode())
    assert not tree.root_node.has_error
    assert text.count("New-NetFirewallRule -Name ") == len(TAGS)
    assert "-RemoteAddress @(\n    '20.60.3.4/32',\n    '20.0.0.0/24'\n)" in text


@pytest.mark.parametrize("form", FORMS)
def test_nothing_that_a_file_says_leaves_its_place(form: str) -> None:
    hostile = "A'; Remove-Item x #\n} accept\x1b[31m"
    text = write(form, Content((hostile,), {hostile: [ip_network("20.0.0.0/24")]}))
    assert "\x1b" not in text
    assert not [line for line in text.splitlines() if line.startswith(("}", " accept")) and "accept" in line]
    assert "'; Remove" not in text.replace("# A'; Remove", "").replace("! A'; Remove", "")
