"""What is missing is named, with the way out, before anything is made."""

import os
from pathlib import Path

import pytest

from arcferry.errors import BlockedError, InputError
from arcferry_lab.network.namespaces import tools as module
from arcferry_lab.network.namespaces.enter import entrance


def test_missing_programs_are_named_by_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCFERRY_TOOLS", str(tmp_path))
    monkeypatch.setattr(
        module, "program", lambda name: None if name in {"bird", "dnsmasq"} else f"/usr/{name}"
    )
    with pytest.raises(BlockedError, match=r"bird2, dnsmasq-base$") as caught:
        module.tools()
    assert "apt install bird2 dnsmasq-base" in caught.value.hint


def test_unpacked_programs_come_with_their_libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "usr/sbin").mkdir(parents=True)
    library = tmp_path / f"usr/lib/{os.uname().machine}-linux-gnu"
    library.mkdir(parents=True)
    (tmp_path / "usr/sbin/bird").write_text("#!/bin/sh\n")
    (tmp_path / "usr/sbin/bird").chmod(0o755)
    monkeypatch.setenv("ARCFERRY_TOOLS", str(tmp_path))
    monkeypatch.setattr(module, "program", lambda name: f"/usr/{name}")
    found = module.tools()
    assert found["bird"] == str(tmp_path / "usr/sbin/bird")
    assert found["ip"] == "/usr/ip"
    assert found.environment["LD_LIBRARY_PATH"] == str(library)


def test_a_host_gets_the_labs_environment_and_none_of_this_machines_proxies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.contoso.example:3128")
    monkeypatch.setenv("ARCFERRY_RESOLVER", "127.0.0.1:5353")
    document = {
        "ca_file": "/lab/ca.pem",
        "environment": {"ARCFERRY_CA_FILE": "/lab/ca.pem"},
        "inner_hosts": [{"name": "host1", "pid": 4711, "rootless": True}],
    }
    way = entrance(document, "host1", ["ls", "-l"])
    assert way.arguments[-2:] == ("ls", "-l")
    assert "--user" in way.arguments
    assert "HTTPS_PROXY" not in way.environment
    assert "ARCFERRY_RESOLVER" not in way.environment
    assert way.environment["ARCFERRY_CA_FILE"] == "/lab/ca.pem"


def test_a_loopback_lab_has_no_hosts_for_exec() -> None:
    with pytest.raises(InputError, match="over SSH"):
        entrance({"ca_file": "", "environment": {}}, "host1", ["true"])
