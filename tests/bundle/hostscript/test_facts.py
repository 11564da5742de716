"""What decides whether an installation goes well: told as it is, and unknown where it is not known."""

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from arcferry.bundle.certificates import by_stem, server_certificates

if TYPE_CHECKING:
    from conftest import ClosedNetwork, PrivateRoot

WORKSPACES = ("0a1b2c3d-0000-4000-8000-000000000001", "0a1b2c3d-0000-4000-8000-000000000002")


def with_proc(root: "PrivateRoot") -> "PrivateRoot":
    return type(root)(root.path, "usr proc")


def test_a_plain_server_has_nothing_to_tell(shell: list[str], root: "PrivateRoot") -> None:
    answer = with_proc(root).run(shell, "facts")
    assert (answer["pending_reboot"], answer["installer_busy"]) == ([], False)
    assert answer["legacy_agent"] == {"installed": False, "workspaces": []}
    assert answer["proxy"] == {"url": "", "source": ""}
    assert answer["process_64_bit"] is (platform.architecture()[0] == "64bit")
    assert answer["libc"] == " ".join(platform.libc_ver())
    assert answer["tools"] == {
        name: shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin") is not None
        for name in ("curl", "wget", "openssl", "gpg")
    }
    assert answer["missing_certificates"] is None


def test_the_log_analytics_agent_is_named_with_its_workspaces(shell: list[str], root: "PrivateRoot") -> None:
    (root.path / "opt/microsoft/azuremonitoragent").mkdir(parents=True)
    assert root.run(shell, "facts")["legacy_agent"]["installed"] is False
    (root.path / "opt/microsoft/omsagent").mkdir()
    folder = "etc/opt/microsoft/omsagent"
    for name in WORKSPACES:
        root.put(f"{folder}/{name}/conf/omsadmin.conf", f"WORKSPACE_ID={name}\nAGENT_GUID=x\n")
    (root.path / folder / "conf").symlink_to(f"{WORKSPACES[0]}/conf")
    root.put(f"{folder}/evil/conf/omsadmin.conf", 'WORKSPACE_ID="],"ok":false\nWORKSPACE_ID=$(reboot)\n')
    assert root.run(shell, "facts")["legacy_agent"] == {"installed": True, "workspaces": list(WORKSPACES)}


@pytest.mark.parametrize("name", ["run/reboot-required", "run/reboot-needed"])
def test_a_pending_reboot_is_told(dash: list[str], root: "PrivateRoot", name: str) -> None:
    root.put(name, "")
    assert root.run(dash, "facts")["pending_reboot"] == ["package-update"]


def test_a_kernel_whose_modules_are_gone_wants_a_reboot(busybox_root: "PrivateRoot") -> None:
    libraries = f"usr/lib/{platform.machine()}-linux-gnu"
    if not Path("/", libraries).is_dir():
        pytest.skip(f"needs /{libraries}")
    root = type(busybox_root)(busybox_root.path, f"{libraries} usr/lib64 proc")
    for folder in (libraries, "usr/lib/modules/1.2.3"):
        (root.path / folder).mkdir(parents=True)
    assert root.run(["sh"], "facts")["pending_reboot"] == ["kernel"]
    (root.path / "usr/lib/modules" / os.uname().release).mkdir()
    assert root.run(["sh"], "facts")["pending_reboot"] == []


@pytest.mark.parametrize("name", ["dpkg/lock-frontend", "rpm/.rpm.lock"])
def test_another_installation_is_noticed_by_its_lock(
    shell: list[str], root: "PrivateRoot", name: str
) -> None:
    root = with_proc(root)
    with root.put(f"var/lib/{name}", "", 0o640).open("r+") as lock:
        assert root.run(shell, "facts")["installer_busy"] is False
        fcntl.lockf(lock, fcntl.LOCK_EX)
        assert root.run(shell, "facts")["installer_busy"] is True


@pytest.mark.parametrize(
    ("number", "busy"), [("this process", True), ("4194999", False), ("", False), ("x/..", False)]
)
def test_another_installation_is_noticed_by_its_process(
    dash: list[str], root: "PrivateRoot", number: str, busy: bool
) -> None:
    number = str(os.getpid()) if number == "this process" else number
    root.put("run/yum.pid", f"{number}\n")
    assert with_proc(root).run(dash, "facts")["installer_busy"] is busy


def test_the_agents_ports_are_told_where_they_are_taken(shell: list[str], closed: "ClosedNetwork") -> None:
    assert closed.run(shell, "facts")["ports_in_use"] == []
    closed.ports = (40342, 40343)
    assert closed.run(shell, "facts")["ports_in_use"] == [40342, 40343]


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_the_proxy_of_the_environment_is_told_without_its_password(
    shell: list[str], root: "PrivateRoot", monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for given, told in [
        ("http://user:s3/cr@t@proxy:8080/", "http://proxy:8080/"),
        ("user:s3cret@proxy:8080", "proxy:8080"),
        ("http://proxy:8080", "http://proxy:8080"),
    ]:
        monkeypatch.setenv(name, given)
        answer = root.run(shell, "facts")
        assert answer["proxy"] == {"url": told, "source": "HTTPS_PROXY"}
        assert b"cr@t" not in answer.raw
        assert b"s3cret" not in answer.raw


def offer_certificates(root: "PrivateRoot") -> None:
    for stem, certificate in by_stem(server_certificates()).items():
        for name, data in certificate.files(stem):
            root.put(name, data, 0o644)


def test_missing_certificates_are_told_and_never_installed(shell: list[str], root: "PrivateRoot") -> None:
    roots = [certificate for certificate in server_certificates() if certificate.for_tls]
    offer_certificates(root)
    root.put("certificates/broken.cer", b"x")
    held = b"# a comment\r\n" + b"".join(one.pem.replace(b"\n", b"\r\n") for one in roots[2:])
    store = root.put("etc/ssl/certs/ca-certificates.crt", held, 0o644)
    assert root.run(shell, "facts")["missing_certificates"] == [
        {
            "file": f"certificates/{one.name.replace(' ', '_')}.crt",
            "name": one.name,
            "sha256": hashlib.sha256(one.der).hexdigest(),
        }
        for one in roots[:2]
    ]
    store.write_bytes(held + roots[0].pem + roots[1].pem)
    assert root.run(shell, "facts")["missing_certificates"] == []


def test_busybox_knows_missing_certificates_too(busybox_root: "PrivateRoot") -> None:
    offer_certificates(busybox_root)
    missing = busybox_root.run(["sh"], "facts")["missing_certificates"]
    assert [one["sha256"] for one in missing] == [one.sha256 for one in server_certificates() if one.for_tls]


FAILING = "[ $1 != connect ] || { echo AZCM0026; exit 26; }\n"
CONFIG = {
    "access-token": "eyJ0-a-canary-token",
    "subscription-id": "1f5a",
    "resource-group": "rg-arc",
    "tenant-id": "t",
    "location": "eastasia",
    "cloud": "AzureCloud",
}


def connect(closed: "ClosedNetwork", agent: str, behave: str) -> None:
    closed.root.put("opt/azcmagent/bin/azcmagent", agent, 0o755)
    closed.root.put("behave", behave)
    closed.root.put("run/c.json", json.dumps(CONFIG))


def test_a_failure_is_reported_where_that_is_asked_for(
    shell: list[str], closed: "ClosedNetwork", agent_script: str
) -> None:
    connect(closed, agent_script, FAILING)
    answer = closed.run(shell, "connect", "/run/c.json")
    assert ("reported" in answer.document, closed.seen) == (False, "")
    connect(closed, agent_script, FAILING)
    answer = closed.run(shell, "--report-failure", "connect", "/run/c.json")
    assert (answer["ok"], answer["code"], answer["reported"]) == (False, "AZCM0026", True)
    head, body = closed.seen.replace("\r\n", "\n").split("\n\n", 1)
    assert head.startswith("PUT /log HTTP/1.1\nHost: gbl.his.arc.azure.com\n")
    assert json.loads(body) == {
        "operation": "onboarding",
        "osType": "linux",
        "namespace": "Microsoft.HybridCompute",
        "messageType": "AZCM0026",
        "message": "azcmagent connect ended with exit status 26",
        "subscriptionId": "1f5a",
        "resourceGroup": "rg-arc",
        "tenantId": "t",
        "location": "eastasia",
    }
    assert "canary" not in closed.seen


def test_wget_reports_too_and_a_long_message_is_cut(dash: list[str], closed: "ClosedNetwork") -> None:
    if not shutil.which("wget"):
        pytest.skip("wget is not on PATH")
    arguments = ("install", f"/{'x' * 700}", "0" * 64, "--report-failure")
    command = closed.command(dash, *arguments, hidden="curl")
    answer = json.loads(subprocess.run(command, capture_output=True, check=False).stdout)
    assert (answer["code"], answer["reported"]) == ("no-package", True)
    report = json.loads(closed.seen.replace("\r\n", "\n").split("\n\n", 1)[1])
    assert (report["messageType"], len(report["message"]), report["tenantId"]) == ("no-package", 500, "")


@pytest.mark.parametrize("does", ["inspected", "refuse", "silent"])
def test_a_report_goes_to_azure_alone_and_holds_nothing_up(
    dash: list[str], closed: "ClosedNetwork", agent_script: str, does: str
) -> None:
    connect(closed, agent_script, FAILING)
    closed.hosts["gbl.his.arc.azure.com"]["does"] = does
    answer = closed.run(dash, "connect", "/run/c.json", "--report-failure", timeout=40)
    assert (answer["code"], answer["reported"]) == ("AZCM0026", False)
    assert closed.seen == ""


def test_a_success_is_not_reported(dash: list[str], closed: "ClosedNetwork", agent_script: str) -> None:
    connect(closed, agent_script, "")
    answer = closed.run(dash, "connect", "/run/c.json", "--report-failure")
    assert (answer["ok"], "reported" in answer.document, closed.seen) == (True, False, "")


def test_what_tells_a_server_from_others(shell: list[str], root: "PrivateRoot") -> None:
    plain = with_proc(root)
    answer = plain.run(shell, "facts")
    assert (answer["vm_uuid"], answer["machine_id"]) == ("", "")
    root.put("sys/class/dmi/id/product_uuid", "4C4C4544-0043-4A10-8052-B4C04F4D3333\n")
    root.put("etc/machine-id", f"{'ab' * 16}\n")
    answer = plain.run(shell, "facts")
    assert answer["vm_uuid"] == "4C4C4544-0043-4A10-8052-B4C04F4D3333"
    assert answer["machine_id"] == hashlib.sha256(f"arcferry:{'ab' * 16}".encode()).hexdigest()[:32]
    root.put("etc/machine-id", "uninitialized\n")
    assert plain.run(shell, "facts")["machine_id"] == ""
