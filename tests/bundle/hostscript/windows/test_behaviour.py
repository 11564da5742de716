"""What the host script for Windows does, case by case in the engine that tests share.

What the real registry, installer and agent can show is in test_on_windows.
"""

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.powershell import PowerShell, windows

from arcferry.evidence.readers import arcferry_check
from arcferry.fleet.script import read_answer

FOLDER = Path(__file__).parents[4] / "src/arcferry/bundle/hostscripts"
HARNESS = Path(__file__).parent / "harness.ps1"
TOKEN = "eyJ0-a-canary-token"
CONFIG = {
    "access-token": TOKEN,
    "subscription-id": "1f5a",
    "resource-group": "rg-arc",
    "resource-name": "web01",
    "cloud": "AzureCloud",
    "tags": 'a="resource-name": "evil"',
}
ID = "/subscriptions/1F5A/resourceGroups/RG-arc/providers/Microsoft.HybridCompute/machines/web01"
CONNECTED = f"$CaseShown = 'Agent Status : Connected' + [char]10 + 'Resource Id : {ID}'\n"
Run = Callable[[str], dict[str, Any]]

pytestmark = pytest.mark.xdist_group("powershell")


@pytest.fixture
def run(tmp_path: Path, powershell: PowerShell) -> Run:
    def case(text: str) -> dict[str, Any]:
        (tmp_path / "case.ps1").write_text(text, encoding="ascii")
        done = powershell.call(HARNESS, windows(FOLDER), windows(tmp_path))
        assert (done.returncode, done.stderr) == (0, b""), done.stdout
        assert TOKEN.encode() not in done.stdout + done.stderr
        answer: dict[str, Any] = json.loads(done.stdout.decode("ascii").splitlines()[-1])
        return answer

    return case


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIG), encoding="utf-8")
    return path


def test_json_is_ascii_and_strict(run: Run) -> None:
    answer = run(
        '$Answer[\'text\'] = [string][char]0x7E41 + [char]0xD83D + [char]0xDE00 + "`"\\`t`0"\n'
        "$Answer['none'] = $null; $Answer['one'] = @('a'); $Answer['empty'] = @(); $Answer['part'] = 0.5\n"
        "$Answer['flag'] = $true\n"
        "$Answer['inner'] = [ordered]@{ list = @([ordered]@{ n = [long]5000000000 }) }\n"
    )
    assert answer["text"] == '繁😀"\\\t\0'
    assert (answer["none"], answer["one"], answer["empty"], answer["part"]) == (None, ["a"], [], 0.5)
    assert (answer["flag"], answer["inner"]) == (True, {"list": [{"n": 5_000_000_000}]})


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("plain", "plain"),
        ("", '""'),
        ("a b", '"a b"'),
        ('a"b', r'"a\"b"'),
        ("a b\\", '"a b\\\\"'),
        (r"a\b", r"a\b"),
    ],
)
def test_arguments_are_quoted_as_windows_splits_them(run: Run, word: str, quoted: str) -> None:
    assert run(f"$Answer['said'] = Format-Argument '{word}'")["said"] == quoted


def test_verify_compares_files_in_the_protocol_of_the_fleet(run: Run, tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes(b"good")
    good = hashlib.sha256(b"good").hexdigest()
    answer = run(f"Invoke-Case 'verify' @('{windows(tmp_path / 'good')}', '{good.upper()}')")
    assert answer["files"] == [{"name": windows(tmp_path / "good"), "sha256": good, "ok": True}]
    read = read_answer("verify", json.dumps(answer))
    assert read is not None
    assert read.ok
    gone = windows(tmp_path / "gone")
    missing = run(f"Invoke-Case 'verify' @('{windows(tmp_path / 'good')}', '{good}', '{gone}', '{good}')")
    assert (missing["ok"], missing["code"], missing["files"][1]["sha256"]) == (False, "hash-mismatch", "")


def bundle(folder: Path, content: bytes = b"msi", name: str = "agent.msi") -> Path:
    folder.mkdir()
    (folder / "agent.msi").write_bytes(content)
    file = {"name": name, "sha256": hashlib.sha256(b"msi").hexdigest()}
    (folder / "manifest.json").write_text(json.dumps({"files": [file]}), encoding="ascii")
    return folder


def test_verify_takes_a_whole_bundle(run: Run, tmp_path: Path) -> None:
    folder = bundle(tmp_path / "b")
    answer = run(f"Invoke-Case 'verify' @('{windows(folder)}')")
    assert answer["ok"], answer
    assert answer["manifest"]["sha256"] == hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    assert answer["signature"]["ok"] is True


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ("", ""),
        ("$CaseSigned['ok'] = $false\n", "signature-invalid"),
        ("[IO.File]::WriteAllText((Join-Path $CaseFolder 'b/extra.txt'), 'x')\n", "extra-file"),
        ("[IO.File]::WriteAllText((Join-Path $CaseFolder 'b/agent.msi'), 'x')\n", "hash-mismatch"),
        ("[IO.File]::Delete((Join-Path $CaseFolder 'b/agent.msi'))\n", "hash-mismatch"),
        ("[IO.File]::Delete((Join-Path $CaseFolder 'b/manifest.json'))\n", "no-manifest"),
        ("[IO.File]::WriteAllText((Join-Path $CaseFolder 'b/manifest.json'), '{')\n", "bad-manifest"),
    ],
)
def test_a_bundle_that_is_not_as_sealed_is_refused(run: Run, tmp_path: Path, setting: str, code: str) -> None:
    folder = bundle(tmp_path / "b")
    answer = run(f"{setting}Invoke-Case 'verify' @('{windows(folder)}')")
    assert (answer["ok"], answer.get("code", "")) == (not code, code)


@pytest.mark.parametrize("name", ["../agent.msi", "C:/agent.msi", "a\\b", "/agent.msi", ""])
def test_a_manifest_cannot_name_what_lies_outside(run: Run, tmp_path: Path, name: str) -> None:
    answer = run(f"Invoke-Case 'verify' @('{windows(bundle(tmp_path / 'b', name=name))}')")
    assert answer["code"] == "bad-manifest"


def install(run: Run, tmp_path: Path, setting: str = "", sha256: str = "") -> dict[str, Any]:
    (tmp_path / "a.msi").write_bytes(b"msi")
    sha256 = sha256 or hashlib.sha256(b"msi").hexdigest()
    return run(f"{setting}\nInvoke-Case 'install' @('{tmp_path / 'a.msi'}', '{sha256}')")


@pytest.mark.parametrize(("status", "reboot"), [(0, False), (3010, True), (1641, True)])
def test_install_takes_the_three_codes_of_success(
    run: Run, tmp_path: Path, status: int, reboot: bool
) -> None:
    answer = install(run, tmp_path, f"$CaseExits.Enqueue({status})")
    assert (answer["ok"], answer["changed"], answer["exit"], answer["reboot_required"]) == (
        True,
        True,
        status,
        reboot,
    )
    assert answer["ran"][0].split()[:1] == ["msiexec.exe"]
    assert {"/i", "/qn", "/norestart", "REBOOT=ReallySuppress", "/l*v"} <= set(answer["ran"][0].split())
    assert answer["work_left"] is False


def test_install_waits_for_another_installation_within_bounds(run: Run, tmp_path: Path) -> None:
    answer = install(
        run, tmp_path, "$CaseExits.Enqueue(1618); $CaseExits.Enqueue(1618); $CaseExits.Enqueue(0)"
    )
    assert (answer["ok"], [word for word in answer["ran"] if word == "sleep 30"]) == (True, ["sleep 30"] * 2)
    never = install(run, tmp_path, "foreach ($time in 1..20) { $CaseExits.Enqueue(1618) }")
    assert (never["ok"], never["code"], never["exit"]) == (False, "install-failed", 1618)
    assert len([word for word in never["ran"] if word.startswith("msiexec")]) == 10


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ("$CaseSigned['ok'] = $false", "signature-invalid"),
        ("function Test-Elevated { $false }", "not-root"),
    ],
)
def test_what_must_not_be_installed_never_reaches_msiexec(
    run: Run, tmp_path: Path, setting: str, code: str
) -> None:
    answer = install(run, tmp_path, setting)
    assert (answer["ok"], answer["code"], answer["ran"], answer["work_left"]) == (False, code, [], False)


def test_connect_sets_the_proxy_first_and_removes_the_token(run: Run, config: Path) -> None:
    answer = run(f"Invoke-Case 'connect' @('{windows(config)}', 'http://proxy.corp:8080')")
    assert (answer["ok"], answer["changed"], answer["token_left"]) == (True, True, False)
    assert answer["ran"] == [
        "azcmagent show",
        "azcmagent config set proxy.url http://proxy.corp:8080",
        f"azcmagent connect --config {windows(config)}",
        "azcmagent show",
    ]
    assert (answer["heard_from"], answer["status"]) == (False, "Disconnected")
    assert not config.exists()


def test_connect_does_nothing_where_it_is_connected(run: Run, config: Path) -> None:
    answer = run(f"{CONNECTED}Invoke-Case 'connect' @('{windows(config)}')")
    assert (answer["ok"], answer["changed"], set(answer["ran"])) == (True, False, {"azcmagent show"})
    assert (answer["heard_from"], answer["status"]) == (True, "Connected")
    assert not config.exists()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16-le", "utf-16"])
def test_what_the_agent_would_not_read_reaches_it_as_a_private_copy(
    run: Run, config: Path, encoding: str
) -> None:
    config.write_bytes(json.dumps(CONFIG).encode(encoding))
    answer = run(f"Invoke-Case 'connect' @('{windows(config)}')")
    assert (answer["ok"], answer["work_left"], config.exists()) == (True, False, False)
    assert re.fullmatch(
        r"azcmagent connect --config C:\\windows\\Temp\\arcferry-\d+-[0-9a-f]{32}\\config\.json",
        answer["ran"][1],
    )


def test_an_empty_config_holds_no_token(run: Run, config: Path) -> None:
    config.write_bytes(b"")
    answer = run(f"Invoke-Case 'connect' @('{windows(config)}')")
    assert (answer["code"], answer["ran"], config.exists()) == ("config-no-token", [], True)


def test_a_config_in_another_code_page_is_named_and_left_alone(run: Run, config: Path) -> None:
    config.write_bytes(json.dumps({**CONFIG, "tags": "site=台北"}, ensure_ascii=False).encode("cp950"))
    answer = run(f"Invoke-Case 'connect' @('{windows(config)}')")
    assert (answer["code"], answer["ran"], config.exists()) == ("config-encoding", [], True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-be"])
def test_standard_input_is_no_matter_of_the_consoles_code_page(
    powershell: PowerShell, tmp_path: Path, encoding: str
) -> None:
    if not shutil.which("localedef") or not Path("/usr/share/i18n/locales/zh_TW").is_file():
        pytest.skip("no locale zh_TW can be made here: Debian's package locales")
    made = ["localedef", "-i", "zh_TW", "-f", "UTF-8", str(tmp_path / "zh_TW.UTF-8")]
    subprocess.run(made, check=False, capture_output=True)
    (tmp_path / "case.ps1").write_text(
        "$Answer['page'] = [Console]::InputEncoding.CodePage\n"
        "function Complete-AgentRun($Ran) { $Answer['held'] = [IO.File]::ReadAllText($Config) }\n"
        "Invoke-Case 'connect' @('-')\n"
        "$Answer['held'] = $Answer['held'].Contains('site=' + [char]0x53F0 + [char]0x5317)\n"
    )
    done = powershell.run(
        HARNESS, windows(FOLDER), windows(tmp_path),
        stdin=json.dumps({**CONFIG, "tags": "site=台北"}, ensure_ascii=False).encode(encoding),
        variables={"LC_ALL": "zh_TW.UTF-8", "LOCPATH": str(tmp_path)},
    )  # fmt: skip
    answer = json.loads(done.stdout)
    assert (answer["page"], answer["ok"], answer["held"], answer["work_left"]) == (950, True, True, False)


def test_an_expired_identity_is_named_and_left_alone(run: Run, config: Path) -> None:
    expired = CONNECTED.replace("Connected", "Expired")
    answer = run(f"{expired}Invoke-Case 'connect' @('{windows(config)}')")
    assert (answer["ok"], answer["code"], answer["ran"]) == (False, "expired", ["azcmagent show"])
    assert not config.exists()


def test_a_failed_connect_gives_the_code_and_removes_the_token(run: Run, config: Path) -> None:
    answer = run(f"$CaseExits.Enqueue(26)\nInvoke-Case 'connect' @('{windows(config)}')")
    assert (answer["ok"], answer["code"], answer["exit"], answer["changed"]) == (False, "AZCM0026", 26, False)
    assert not config.exists()


@pytest.mark.parametrize("proxy", ["http://user:secret@proxy:8080", "proxy:8080", "http://proxy/a b"])
def test_a_proxy_with_a_password_never_reaches_a_command_line(run: Run, config: Path, proxy: str) -> None:
    answer = run(f"Invoke-Case 'connect' @('{windows(config)}', '{proxy}')")
    assert (answer["code"], answer["ran"]) == ("bad-proxy", ["azcmagent show"])
    assert "secret" not in json.dumps(answer)


def test_a_file_without_a_token_is_left_alone(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text("{}", encoding="ascii")
    assert run(f"Invoke-Case 'connect' @('{windows(path)}')")["code"] == "config-no-token"
    assert path.exists()


@pytest.mark.parametrize("beside", [CONFIG, {}], ids=["with-a-token", "alone"])
def test_a_long_lived_secret_is_refused(run: Run, config: Path, beside: dict[str, str]) -> None:
    config.write_text(json.dumps(beside | {"service-principal-secret": "s"}), encoding="ascii")
    answer = run(f"Invoke-Case 'connect' @('{windows(config)}')")
    assert (answer["code"], answer["ran"], config.exists()) == ("config-secret", [], False)


def test_the_agents_json_is_read_where_its_text_is_not_known(run: Run) -> None:
    text = json.dumps({"Status": "Connected", "resourceId": ID, "agentVersion": "1.68", "x": [1]})
    answer = run(f"$CaseShown = '{text}'\nInvoke-Case 'show' @()")
    agent = answer["agent"]
    assert (agent["status"], agent["resource_id"], agent["version"]) == ("Connected", ID, "1.68")


@pytest.mark.parametrize(
    "words",
    [
        "'bogus' @()",
        "'Facts' @()",
        "'facts' @('eastasia')",
        "'verify' @()",
        "'verify' @('a', 'b')",
        "'check' @('East Asia', 'AzureCloud')",
        "'check' @('eastasia', 'AzureClown')",
        "'install' @('a', 'x')",
        "'connect' @()",
    ],
)
def test_a_wrong_call_is_a_usage_error(run: Run, words: str) -> None:
    assert run(f"Invoke-Case {words}")["code"] == "usage"


def test_a_path_that_ends_in_tcp_reads_as_a_check(run: Run) -> None:
    answer = run(
        "function Resolve-Endpoint([string]$Name) {\n"
        "    [ordered]@{ chain = @('a.trafficmanager.net')\n"
        "        addresses = @('127.0.0.1'); resolver = '::1' } }\n"
        "function Open-Connection([string]$Name, [int]$Port) {\n"
        "    throw (New-Object Net.Sockets.SocketException 10060) }\n"
        "$Answer['path'] = Measure-Path 'eastasia' 'AzureCloud' ''\n"
    )
    rows = answer["path"]["endpoints"]
    assert len(rows) == 8
    assert {(row["failure"]["stage"], row["failure"]["kind"]) for row in rows if row["host"]} == {
        ("tcp", "timeout")
    }
    assert [row["failure"]["kind"] for row in rows if not row["host"]] == ["discovery-failed"]
    assert arcferry_check.looks_right(answer["path"])
    document = arcferry_check.read("facts.json", answer["path"])
    assert len(document.attempts) == 8
    assert document.answers[0].chain == ("a.trafficmanager.net",)


def test_the_other_ip_version_is_tried_beside_the_one_that_was_used(run: Run) -> None:
    answer = run(
        "$row = @{ host = 'localhost'; address = '127.0.0.1'; dns = @{ addresses = '127.0.0.1', '::1' } }\n"
        "$Stage = 'tcp'\n"
        "$Answer['other'] = Measure-OtherFamily $row\n"
        "$row['dns']['addresses'] = @('127.0.0.1', '127.0.0.2')\n"
        "$Answer['none'] = Measure-OtherFamily $row\n"
    )
    other = answer["other"]
    assert (other["address"], other["failure"]["stage"], other["failure"]["kind"]) == (
        "::1",
        "tcp",
        "refused",
    )
    assert other["first"] in (True, False)
    assert answer["none"] is None


def test_an_agent_that_hangs_costs_no_other_fact(run: Run) -> None:
    answer = run(
        "function Invoke-Program([string]$Path, [string[]]$Arguments, [int]$Seconds, [switch]$LetRun) {\n"
        "    @{ 'exit' = 124; printed = ''; output = '' } }\n"
        "Invoke-Case 'facts' @()\n"
    )
    assert (answer["ok"], answer["agent"]["installed"], answer["agent"]["status"]) == (True, True, "")
    assert answer["missing_facts"] == [
        {"fact": "agent", "says": "azcmagent show did not end within 60 seconds"}
    ]
    assert (answer["os"], answer["package_format"], answer["root"]) == ("windows", "msi", True)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("HTTP/1.1 407 no", "proxy-authentication-required"),
        ("HTTP/1.1 503 no", "proxy-cannot-reach"),
        ("HTTP/1.1 403 no", "proxy-refused"),
        ("SSH-2.0", "proxy-not-http"),
    ],
)
def test_a_proxy_that_refuses_is_named(run: Run, reply: str, kind: str) -> None:
    answer = run(
        "function Open-Connection([string]$Name, [int]$Port) {\n"
        "    $client = New-Object IO.StringWriter\n"
        "    $method = @{ MemberType = 'ScriptMethod'; Name = 'GetStream'; Value = { 1 } }\n"
        "    Add-Member -InputObject $client -PassThru @method }\n"
        f"function Get-Reply($Stream, [string]$Request, [string]$Until) {{ '{reply}' }}\n"
        "$Answer['row'] = Measure-Endpoint 'pas.windows.net' 'http://127.0.0.1:3128' '/' 'x'\n"
    )
    assert (answer["row"]["failure"]["stage"], answer["row"]["failure"]["kind"]) == ("proxy", kind)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_a_script_cut_short_does_nothing(powershell: PowerShell, tmp_path: Path, share: float) -> None:
    text = (FOLDER / "windows.ps1").read_bytes()
    part = tmp_path / "part.ps1"
    part.write_bytes(text[: int(len(text) * share)])
    assert b'"ok":' not in powershell.call(part, "facts").stdout


def test_a_wrong_call_of_the_whole_script_ends_in_one_line(powershell: PowerShell) -> None:
    done = powershell.call(FOLDER / "windows.ps1", "bogus")
    document = json.loads(done.stdout.decode("ascii"))
    assert (done.returncode, document["verb"], document["code"]) == (2, "usage", "usage")


def test_evidence_is_one_file_without_what_is_secret(run: Run, tmp_path: Path) -> None:
    """What each line hides is told in the tests of Linux, whose rules these are."""
    written = tmp_path / "web01.txt"
    answer = run(
        rf"""
function Test-Elevated {{ $true }}
function Measure-Path {{ [ordered]@{{ schema = 1; kind = 'check'; endpoints = @() }} }}
$log = [Environment]::GetFolderPath('CommonApplicationData') + '\AzureConnectedMachineAgent\Log'
[void](New-Item -ItemType Directory -Path $log -Force)
$held = [IO.File]::Open("$log\himds.log", 'Create', 'Write', 'ReadWrite')
$lines = ('x ' * 600000), 'proxy http://svc:p/w!@proxy:3128', '{{"access-token": "short"}}',
    'password: hunter2', 'client_secret=Zx9~q', ('A' * 64),
    'error getting token: dial tcp 20.0.0.1:443: i/o timeout'
$bytes = [Text.Encoding]::ASCII.GetBytes($lines -join [Environment]::NewLine)
$held.Write($bytes, 0, $bytes.Length)
$held.Flush()
Invoke-Case 'evidence' @('eastasia', 'AzureCloud', '{windows(written)}')
$held.Dispose()
[IO.File]::Delete("$log\himds.log")
"""
    )
    assert (answer["ok"], answer["verb"], answer["file"]) == (True, "evidence", windows(written))
    text = written.read_bytes().decode("utf-8")
    facts = json.loads(text.splitlines()[0])
    assert (facts["verb"], facts["ok"], facts["path"]["kind"]) == ("facts", True, "check")
    assert 1_000_000 < answer["bytes"] == len(text.encode()) < 1_100_000
    assert [secret for secret in ("p/w!", "short", "hunter2", "Zx9~q", "AAAA") if secret in text] == []
    assert "error getting token: dial tcp 20.0.0.1:443: i/o timeout" in text
