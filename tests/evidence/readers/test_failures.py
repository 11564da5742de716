"""What any program says of a failure becomes a finding; what says nothing of one does not."""

import pytest

from arcferry.diagnosis import judge
from arcferry.evidence.case import Document
from arcferry.evidence.readers import failures, scripts, words
from arcferry.evidence.reading import read_document


def _read(text: str) -> tuple[Document, ...]:
    return read_document("pasted.txt", text.encode())


def _told(text: str) -> list[tuple[str, str]]:
    return [(one.cause, one.severity.value) for one in judge(_read(text)).findings]


@pytest.mark.parametrize(
    "line",
    [
        'time="2026-01-20T15:23:24Z" level=fatal msg="context canceled"',
        'time="2026-01-20T15:23:24Z" level=error msg="the store gave no key"',
        "FATAL   the key store gave no key",
        "FATAL[0032] the key store gave no key",
        "ERROR[0002] the key store gave no key",
        "ERROR: step 3 failed",
        "2026-04-01 10:00:00,123 ERROR something broke",
        "[2026-04-01 10:00:00] [CRITICAL] something broke",
        "setup ended with exit code 17",
        "Process exited with code 0x80070643",
        "  Process: 812 ExecStart=/opt/x (code=exited, status=203/EXEC)",
        "Status : Failed",
        "State: Stopped",
        "Agent state: Disconnected",
        "setup: fatal: cannot read the settings",
        "The operation could not be completed",
        "作業失敗",
        "Der Vorgang ist fehlgeschlagen",
    ],
)
@pytest.mark.parametrize("around", ["{}", "Starting ...\n{}\nDone.", "Starting ...\r\n{}\r\n"])
def test_one_line_that_says_so_is_enough(line: str, around: str) -> None:
    assert [cause for cause, _ in _told(around.format(line))] == ["agent/unexplained-error"]


@pytest.mark.parametrize(
    "text",
    [
        "0 errors, 0 warnings",
        "Failed: 0",
        "finished without errors, exit code 0",
        "errors: none",
        "1.2.3.4 up, 0 input errors, 0 CRC errors",
        "ERROR agentErrorCode :",
        "Status : Running",
        "Result: 0x0",
    ],
)
def test_what_says_nothing_of_a_failure_gives_none(text: str) -> None:
    assert failures.error_lines(text, "x") == ()


def test_a_failure_beside_a_finding_of_the_same_run_is_told_once() -> None:
    run = "INFO    Exit Code:  AZCM0067: Machine Already Connected\nFATAL   machine is already connected\n"
    assert _told(run + "install.sh: exited with error, exit code 67") == [
        ("agent/already-connected", "warning")
    ]


_SCRIPT = """$env:TENANT_ID = "x";
try {
    Invoke-WebRequest -Uri "https://gbl.his.arc.azure.com/azcmagent-windows" -OutFile "$env:TEMP\\i.ps1"
    if ($LASTEXITCODE -ne 0) { throw "exit code $LASTEXITCODE" }
}
catch {
    Write-Host "ERROR: failed to download from https://gbl.his.arc.azure.com/log";
}
"""
_SHELL = """#!/bin/bash
export subscriptionId="x";
output=$(wget https://gbl.his.arc.azure.com/azcmagent-linux -O /tmp/install.sh 2>&1);
if [ $? != 0 ]; then wget --method=PUT https://gbl.his.arc.azure.com/log; fi;
echo "ERROR: failed";
"""


@pytest.mark.parametrize("text", [_SCRIPT, _SHELL])
def test_a_script_alone_tells_of_nothing(text: str) -> None:
    assert _told(text) == []
    assert scripts.without(text).strip() == ""


def test_an_error_behind_a_script_is_evidence() -> None:
    found = _read(_SHELL + "\nwget: unable to resolve host address 'packages.microsoft.com'\n")
    assert {seen.host for one in found for seen in one.attempts} == {"packages.microsoft.com"}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("You must be root to execute /usr/bin/azcmagent", "must be root"),
        (
            "This command has to be run with superuser privileges (under the root user on most systems).",
            "must be root",
        ),
        ("Error: This command has to be run as root", "must be root"),
        ("the requested operation requires elevation.", "must be root"),
        ("fork/exec /bin/sh: exec format error", "not a valid Win32 application"),
        ('Error="Failed to obtain FqdnDNS: "', "FqdnDNS"),
        ("mkdir /opt/azcmagent/datastore: permission denied", "access denied to its folder"),
        (
            "No indication of Private Link Scope but found private endpoint for gbl.his.arc.azure.com",
            "a private endpoint without a scope",
        ),
        ("bash: azcmagent: command not found", "azcmagent not found"),
        ("sudo: azcmagent: command not found", "azcmagent not found"),
        ("The specified data could not be decrypted.", "could not be decrypted"),
        ("W: GPG error: NO_PUBKEY EB3E94ADBE1229CF", "NO_PUBKEY"),
        ("Error: GPG check FAILED", "NO_PUBKEY"),
        ("No match for argument: azcmagent", "Unable to locate package"),
        ("NTP synchronized: no", "clock not synchronized"),
    ],
)
def test_words_that_are_known(line: str, code: str) -> None:
    assert [seen.code for seen in words.codes_in([(None, line)], "x")] == ([code] if code else [])


@pytest.mark.parametrize(
    "line",
    [
        "Private Link Scope resource ID must be provided as endpoint {} is configured private",
        "No indication of Private Link Scope but found private endpoint for {}",
    ],
)
@pytest.mark.parametrize("host", ["gbl.his.arc.azure.com", "https://gbl.his.arc.azure.com"])
@pytest.mark.parametrize(
    "form",
    [
        "FATAL   {}",
        "FATAL[0031] {}",
        "INFO    Exit Code:  AZCM0026: Network Error\nFATAL   {}",
        'time="2026-05-05T10:25:32+01:00" level=fatal msg="{}"',
        '{{"level":"fatal","msg":"{}","time":"2026-05-05T10:25:32Z"}}',
        '{{"status":"Failed","errorCode":"AZCM0026","error":{{"code":"AZCM0026","message":"{}"}}}}',
    ],
)
def test_a_scope_that_is_wanted_in_every_form(form: str, host: str, line: str) -> None:
    (finding,) = judge(_read(form.format(line.format(host)))).findings
    assert finding.cause == "private-link/scope-not-given"
    assert [one.host for one in finding.endpoints] == ["gbl.his.arc.azure.com"]
