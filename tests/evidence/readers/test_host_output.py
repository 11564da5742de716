"""What servers print, in every form: state, settings, answers, words that beat a code, any failure."""

# ruff: noqa: E501  # lines as tools print them

import pytest

from arcferry.diagnosis import judge
from arcferry.diagnosis.finding import Diagnosis, Outcome
from arcferry.evidence.reading import read_document

_SCRIPT = """\
try {
    $env:LOCATION = "eastasia";
    Invoke-WebRequest -UseBasicParsing -Uri "https://gbl.his.arc.azure.com/azcmagent-windows" -OutFile x.ps1;
}
catch {
    $logBody = @{message="$_";};
    Invoke-WebRequest -UseBasicParsing -Uri "https://gbl.his.arc.azure.com/log" -Method "PUT" | out-null;
    Write-Host "failed";
}
"""


def judged(text: str, encoding: str = "utf-8") -> Diagnosis:
    return judge(read_document("handed-in.txt", text.encode(encoding)))


def causes(text: str) -> list[str]:
    return [one.cause for one in judged(text).findings]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("● himdsd.service - Agent\n     Active: failed (Result: exit-code) since Mon", "agent/service-stopped"),
        ("$ systemctl status himdsd\n○ himdsd.service\n     Active: inactive (dead)", "agent/service-stopped"),
        ("Name   : himds\nStatus : Stopped\n", "agent/service-stopped"),
        ("SERVICE_NAME: himds\n        STATE              : 1  STOPPED\n", "agent/service-stopped"),
        ("C:\\>azcmagent config get proxy.url\nhttp://u:pw@10.1.1.1:8080", "proxy/credentials-in-url"),
        ("$ curl -skIL https://gbl.his.arc.azure.com/\nHTTP/1.1 407 Auth", "proxy/authentication-required"),
        ("$ curl -I https://pas.windows.net\nHTTP/2 302\nlocation: https://wall.example/x", "path/captive-page"),
        ("$ curl -I https://pas.windows.net\nHTTP/1.1 403 No\nServer: Zscaler/6.2", "path/captive-page"),
        ("You must be root to execute /usr/bin/azcmagent", "agent/not-elevated"),
        ("Error: This command has to be run with superuser privileges (under the root user).", "agent/not-elevated"),
        ("Root privileges are required to run this command.", "agent/not-elevated"),
        ("No match for argument: azcmagent\nError: Unable to find a match: azcmagent", "install/package-not-found"),
        ("No provider of 'azcmagent' found.", "install/package-not-found"),
        ("error: azcmagent: Header V4 RSA/SHA256 Signature, key ID be1229cf: NOKEY", "install/repository-key"),
        ("Error: GPG check FAILED", "install/repository-key"),
        ("E: Could not get lock /var/lib/dpkg/lock-frontend", "install/another-in-progress"),
        ("Another app is currently holding the yum lock; waiting", "install/another-in-progress"),
        ('time=2026-01-01T00:00:00Z level=fatal msg="access denied to C:\\ProgramData\\AzureConnectedMachineAgent\\Certs"', "agent/folder-not-accessible"),
        ("AZCMAgent command failed with error: >> exitcode: 42", "arm/machine-not-created"),
        ("FATAL   No indication of Private Link Scope but found private endpoint for gbl.his.arc.azure.com", "private-link/scope-not-given"),
        ("Unit himdsd.service could not be found.", "agent/not-installed"),
    ],
)  # fmt: skip
def test_output_of_a_host_gives_its_cause(text: str, cause: str) -> None:
    assert causes(text) == [cause]
    assert [one.cause for one in judged(text.replace("\n", "\r\n"), "utf-16").findings] == [cause]


@pytest.mark.parametrize(
    "text",
    [
        'psql: error: connection to server failed: FATAL:  password authentication failed for user "x"',
        "fatal: unable to access repository",
        "E: Something of apt that nobody knows",
        "error: cannot open Packages database",
        "ERROR something is off",
        "2026-01-01 10:00:00,123 ERROR [main] it broke",
        "Process exited with code 3",
        "exit code: 17",
        "HRESULT: 0x80004005",
        "Cannot do that now",
        "The operation failed",
        "foo.service: Failed with result 'exit-code'. (Result: exit-code)",
        "程式發生錯誤",
        "State : Failed",
        "FATAL[0003] it broke",
        "Traceback (most recent call last):",
    ],
)
def test_no_failure_passes_as_all_clear(text: str) -> None:
    diagnosis = judged(f"something before\n{text}\n")
    assert [(one.cause, one.confidence, one.severity) for one in diagnosis.findings] == [
        ("agent/unexplained-error", "undetermined", "error")
    ]
    assert text[-5:] in diagnosis.findings[0].evidence[-1].says
    assert diagnosis.findings[0].would_decide


@pytest.mark.parametrize("text", ["0 errors, 0 warnings\n", "Agent Error Code  :\n", "No errors found\n"])
def test_counts_of_none_are_no_failure(text: str) -> None:
    assert [one.kind for one in read_document("x", text.encode())] == ["unrecognised"]


def test_a_script_is_source_and_no_evidence() -> None:
    assert [one.kind for one in read_document("x.ps1", _SCRIPT.encode())] == ["unrecognised"]
    error = (
        "Invoke-WebRequest : The remote name could not be resolved: 'download.microsoft.com'\n"
        "At C:\\x.ps1:3 char:5\n"
        '+     Invoke-WebRequest -Uri "https://download.microsoft.com/a/AzureConnectedMachineAgent.msi"\n'
        "    + FullyQualifiedErrorId : WebCmdletWebResponseException,Microsoft.PowerShell.Commands\n"
    )
    (document,) = read_document("x.txt", (_SCRIPT + error).encode())
    assert [seen.host for seen in document.attempts] == ["download.microsoft.com"]


def test_only_a_success_is_an_all_clear() -> None:
    reached = "ENDPOINT |REACHABLE |PROXY\nhttps://gbl.his.arc.azure.com |true |not used\n"
    assert judged(reached).outcome is Outcome.CLEAR
    assert (
        judged("C:\\>azcmagent config get proxy.url\nhttp://p.example:8080\n").outcome
        is Outcome.NOT_UNDERSTOOD
    )
    assert (
        judged('{"name": "rf", "rules": [], "peerings": [{"name": "MicrosoftPeering"}]}').outcome
        is Outcome.NOTHING_TRIED
    )


_RUN = (
    'time="2026-05-05T10:25:31Z" level=debug msg="Agent Version: 1.58.03228.701"\n'
    'time="2026-05-05T10:25:31Z" level=debug msg="Agent Command: connect"\n'
    'time="2026-05-05T10:25:32Z" level=info msg="Check network connectivity to all endpoints..."\n'
)
_INSTALLING = (
    "MSI (s) (9C:30) [14:07:33:010]: Doing action: InstallFinalize\nMSI (s) (9C:30) [14:07:33:020]: "
)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (_RUN, Outcome.NOTHING_TRIED),
        (f'{_RUN}time="2026-05-05T10:26:40Z" level=info msg="Connected machine to Azure"\n', Outcome.CLEAR),
        (f"{_INSTALLING}Note: 1: 1708\n", Outcome.NOTHING_TRIED),
        (f"{_INSTALLING}MainEngineThread is returning 0\n", Outcome.CLEAR),
    ],
    ids=["a run without an end", "a run that has connected", "an installation without an end", "installed"],
)
def test_a_log_that_breaks_off_is_no_success(text: str, outcome: Outcome) -> None:
    assert judged(text).outcome is outcome


def test_a_resolver_that_others_were_resolved_by_is_not_dead() -> None:
    check = "ENDPOINT |REACHABLE |PROXY\nhttps://pas.windows.net |true |not used\nhttps://management.azure.com |false |not used\n"
    error = 'FATAL   Get "https://management.azure.com": dial tcp: lookup management.azure.com on 10.1.1.53:53: i/o timeout\n'
    assert "dns/resolver-fails" in causes(check + error)


def test_azcm0143_on_linux_is_told_in_its_words() -> None:
    (found,) = judged(
        "AZCM0143: error installing azcmagent (exit code: 100). See 'apt' command logs.\n"
    ).findings
    assert found.title.startswith("The package manager did not install the agent")
    assert not any(one.tool == "powershell" for one in found.remedy.commands)
