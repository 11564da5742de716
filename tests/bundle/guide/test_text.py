"""The text for a console and for Notepad."""

import codecs
import json
import os
import pty
import shutil
import subprocess
import termios
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.bundle.guide.conftest import DEB, MSI, RPM, MakeFacts, make_certificate
from tests.bundle.guide.typed import lines_of, typed

from arcferry.bundle.guide import NAMES, BundleFacts, guide_files
from arcferry.text import width


def test_the_names_are_the_files(facts: BundleFacts) -> None:
    assert tuple(guide_files(facts)) == NAMES
    assert set(NAMES) == {f"START-HERE{one}" for one in (".html", ".txt", ".zh-TW.html", ".zh-TW.txt")}


def test_the_same_bundle_gives_the_same_bytes(make: MakeFacts) -> None:
    assert guide_files(make()) == guide_files(make())
    later = make(location="westeurope")
    assert guide_files(later)["START-HERE.txt"] != guide_files(make())["START-HERE.txt"]


def test_old_notepad_can_show_it(facts: BundleFacts, text_name: str) -> None:
    text = guide_files(facts)[text_name]
    assert text.count(b"\n") == text.count(b"\r\n") > 200
    assert text.startswith(codecs.BOM_UTF8) == ("zh" in text_name)
    assert text.isascii() == ("zh" not in text_name)


def test_no_line_but_a_command_is_wider_than_a_console(facts: BundleFacts, text_name: str) -> None:
    lines = [line for line in lines_of(guide_files(facts)[text_name]) if not line.startswith("      ")]
    assert max(map(width, lines)) <= 80


@pytest.mark.parametrize(
    ("language", "phrase"),
    [("", "whereonlyadministratorscanwrite"), (".zh-TW", "只有系統管理員可以寫入的位置")],
)
@pytest.mark.parametrize("kind", ["html", "txt"])
def test_it_says_where_the_bundle_may_lie(facts: BundleFacts, language: str, phrase: str, kind: str) -> None:
    """Before anything is verified: what others can change afterwards is not what was verified."""
    text = "".join(guide_files(facts)[f"START-HERE{language}.{kind}"].decode("utf-8-sig").split())
    assert phrase in text
    assert text.index(phrase) < text.index("Get-FileHash")


@pytest.mark.parametrize(
    "fact",
    [
        "20261123064300",
        "2026-11-23 06:43 UTC",
        "2027-02-21 06:43 UTC",
        "1F5A00C0FFEE1234",
        "1.67.0-1",
        MSI,
        RPM,
    ],
)
def test_it_tells_the_bundles_own_facts(facts: BundleFacts, text_name: str, fact: str) -> None:
    assert fact in guide_files(facts)[text_name].decode()


def test_where_the_location_is_known_nobody_has_to_replace_it(make: MakeFacts, text_name: str) -> None:
    placed = guide_files(make(location="eastasia", cloud="AzureUSGovernment"))[text_name]
    assert b"LOCATION" not in placed
    assert b" eastasia AzureUSGovernment" in placed
    assert b'"location": "eastasia"' in placed
    unplaced = guide_files(make(location=""))[text_name]
    assert b" LOCATION AzureCloud" in unplaced
    assert b"`LOCATION`" in unplaced


def test_a_bundle_for_linux_alone_says_nothing_of_windows(make: MakeFacts, text_name: str) -> None:
    text = guide_files(make(DEB, certificates={}))[text_name].decode()
    for word in ("windows.ps1", "PowerShell (", "icacls", "thumbprint", "msiexec", "[Linux]", "[Windows]"):
        assert word not in text
    assert {one.where for one in typed(text.encode())} == {"linux", "anywhere"}
    assert "package_format" not in text  # there is nothing to choose from


def test_a_bundle_for_windows_alone_says_nothing_of_linux(make: MakeFacts, text_name: str) -> None:
    text = guide_files(make(MSI))[text_name].decode()
    for word in ("linux.sh", "sudo", "umask", "dpkg", "update-ca", "[Windows]"):
        assert word not in text
    assert {one.where for one in typed(text.encode())} == {"windows", "anywhere"}


def test_certificates_are_told_of_where_there_are_some(make: MakeFacts, text_name: str) -> None:
    assert b"certutil" not in guide_files(make(certificates={}))[text_name]
    lines = [one for one in typed(guide_files(make())[text_name]) if "certificates" in one.text]
    windows = [one.text for one in lines if one.where == "windows"]
    assert windows == [
        r"certutil -addstore CA certificates\Intermediate.cer",
        r"certutil -addstore Root certificates\Root.cer",
    ]
    assert [one.text for one in lines if one.where == "linux" and "crt" in one.text] == [
        "cp certificates/Root.crt /etc/pki/ca-trust/source/anchors/",
        "cp certificates/Root.crt /usr/local/share/ca-certificates/",
    ]


def test_certificates_that_linux_has_no_use_for_are_not_told_of_there(
    make: MakeFacts, text_name: str
) -> None:
    only = {"certificates/X": make_certificate("Example CA 1", "Example Root")}
    text = guide_files(make(DEB, certificates=only))[text_name]
    assert b"certificates/X" not in text
    assert b"missing_certificates" not in text


@pytest.mark.skipif(not shutil.which("dash"), reason="dash is not on PATH")
def test_what_connect_is_given_on_linux_is_json_with_its_place(
    facts: BundleFacts, text_name: str, tmp_path: Path
) -> None:
    """The lines as they stand, at a terminal of their own, but for the host script, in whose place is cat."""
    lines = [one.text for one in typed(guide_files(facts)[text_name]) if one.where == "linux"]
    (begin,) = (at for at, line in enumerate(lines) if line.startswith("settings="))
    settings, paste, connect, forget = lines[begin : begin + 4]
    given = connect.partition(" | ")[0]
    parent, child = pty.openpty()
    script = "; ".join((settings, paste, f"{given} >given", forget, 'printf "left:%s" "$token" >left'))
    running = subprocess.Popen(["dash", "-c", script], stdin=child, stdout=child, stderr=child, cwd=tmp_path)
    while termios.tcgetattr(child)[3] & termios.ECHO:
        assert running.poll() is None
    os.write(parent, b"eyJ0.a-canary\n")
    assert running.wait(30) == 0
    assert json.loads((tmp_path / "given").read_text()) == {
        "subscription-id": "SUBSCRIPTION-ID",
        "resource-group": "RESOURCE-GROUP",
        "tenant-id": "TENANT-ID",
        "location": "eastasia",
        "cloud": "AzureCloud",
        "resource-name": "SERVER-NAME",
        "access-token": "eyJ0.a-canary",
    }
    os.close(child)
    shown = b""
    with suppress(OSError):
        shown = os.read(parent, 4096)
    os.close(parent)
    assert b"canary" not in shown
    assert (tmp_path / "left").read_text() == "left:"


def test_the_dates_are_the_manifests(make: MakeFacts) -> None:
    facts = make()
    later = replace(
        facts, manifest=replace(facts.manifest, expires=facts.manifest.expires + timedelta(days=1))
    )
    assert b"2027-02-22 06:43 UTC" in guide_files(later)["START-HERE.txt"]
