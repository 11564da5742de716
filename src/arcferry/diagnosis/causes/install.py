"""Installations of the agent that fail: refused downloads, and what the installers say."""

from arcferry import catalog, command_line
from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.causes.coded import asking, coded, leftover
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Command, Owner, Remedy, Severity, command
from arcferry.evidence.case import Case
from arcferry.probe.observation import Stage

_LOG = r"$env:SystemRoot\AzureConnectedMachineAgent\temp\installationlog.txt"


def _download_refused(facts: Destination, _: Case) -> Match | None:
    failure = facts.failure
    if failure is None or failure.stage is not Stage.HTTP or not failure.kind.startswith("http-"):
        return None
    return Match(signature=(failure.kind,))


def _status(group: Group) -> str:
    failure = group.first.failure
    return failure.kind.removeprefix("http-") if failure else "an error"


DOWNLOAD_REFUSED = Cause(
    slug="install/download-refused",
    title="The download's server, or something in its place, answers with an error",
    severity=Severity.ERROR,
    owner=Owner.SERVER,
    applies=_download_refused,
    headline=lambda group: f"{group.subject} answers the download with HTTP {_status(group)}",
    remedy=lambda group: Remedy(
        summary="Install from the bundle; the download is not needed.",
        steps=(
            "403 and 5xx often come from a proxy or a block page, 404 from an address that has moved.",
            "arcferry bundle build fetches and verifies the packages on a connected machine.",
        ),
        commands=(command("sh", "curl -sSIL https://{name}/", name=command_line.host(group.hosts[0])),),
    ),
)


def _tail_of_log(_: Group) -> tuple[Command, ...]:
    return (
        Command(
            "powershell",
            "Select-String -Path installationlog.txt -Pattern 'Return value 3' -Context 30,2",
        ),
        Command(
            "powershell",
            "Get-WinEvent -ProviderName MsiInstaller -MaxEvents 20 | Format-List TimeCreated, Message",
        ),
    )


def _running_installers(_: Group) -> tuple[Command, ...]:
    return (
        Command(
            "powershell", "Get-Process msiexec, TiWorker, TrustedInstaller -ErrorAction SilentlyContinue"
        ),
        Command("sh", "sudo fuser -v /var/lib/dpkg/lock-frontend /var/lib/rpm/.rpm.lock"),
    )


def _agent_code(group: Group) -> Remedy:
    """The catalogue's own advice; Microsoft's list for a code that the catalogue does not have."""
    name = group.match.signature[0]
    code = catalog.code(name) if catalog.is_code(name) else None
    summary = code.remedy if code else "Look the code up in Microsoft's list for the agent's version."
    again = (
        "The same command may succeed later." if code and code.retry else "The same command will fail again."
    )
    return Remedy(
        summary=summary,
        steps=(again,) if code else (),
        commands=(command("arcferry", "arcferry explain {code}", code=command_line.word(name, "CODE")),),
        request=asking(
            f"Azure Arc: the agent ends with {name}",
            group,
            [
                code.meaning if code else "The code is in no list that we have.",
                f"Documented way out: {summary}",
            ],
        ),
    )


def _agent_headline(group: Group) -> str:
    name = group.match.signature[0]
    meaning = (
        catalog.code(name).meaning if catalog.is_code(name) else "a code that the catalogue does not know"
    )
    return f"{name}: {meaning}".rstrip(".")


AGENT_CODE = Cause(
    slug="install/agent-code",
    title="The agent or its installer ended with a code",
    severity=Severity.ERROR,
    owner=Owner.SERVER,
    concerns=lambda case: tuple(_owned(match) for match in leftover(case)),
    headline=_agent_headline,
    remedy=_agent_code,
)
_OWNERS = {"auth": Owner.IDENTITY, "arm": Owner.AZURE, "network": Owner.NETWORK}


def _owned(match: Match) -> Match:
    """The match with the owner that the code's own phase tells."""
    name = match.signature[0]
    phase = catalog.code(name).phase if catalog.is_code(name) else "auth" if name.startswith("AADSTS") else ""
    return Match(
        signature=match.signature,
        evidence=match.evidence,
        severity=match.severity,
        owner=_OWNERS.get(phase, Owner.SERVER),
    )


FAMILY = (
    DOWNLOAD_REFUSED,
    coded(
        "install/another-in-progress",
        "Another installation is running",
        Owner.SERVER,
        "Wait until the other installation has ended, then install again.",
        steps=(
            (
                "Windows Update, an update of security software or a deployment tool holds Windows "
                "Installer for minutes."
            ),
            "One that hangs ends with a restart of the server.",
        ),
        commands=_running_installers,
    ),
    coded(
        "install/restart-needed",
        "The installation succeeded; a restart completes it",
        Owner.SERVER,
        "Restart the server when that suits; connecting need not wait for it.",
        severity=Severity.INFO,
        steps=("Tools that treat every code but 0 as a failure report this one wrongly.",),
        commands=lambda _: (Command("powershell", "Restart-Computer"),),
    ),
    coded(
        "install/disk-full",
        "The disk has no room for the installation",
        Owner.SERVER,
        "Make room on the system drive, then install again.",
        commands=lambda _: (
            Command("powershell", "Get-PSDrive -PSProvider FileSystem"),
            Command("sh", "df -h / /var /opt /tmp"),
        ),
    ),
    coded(
        "install/package-unusable",
        "The installation package is damaged, cut short or not what it should be",
        Owner.SERVER,
        "Take the package from the bundle again, and verify it before it is run.",
        steps=(
            (
                "A proxy's or a portal's error page that was saved under the name of the package looks "
                "like this too."
            ),
            "Run it from a local disk: a share that breaks off in the middle has the same effect.",
        ),
        commands=lambda _: (
            Command("arcferry", "arcferry bundle verify BUNDLE --key KEY.pub"),
            Command("powershell", "Get-FileHash .\\AzureConnectedMachineAgent.msi -Algorithm SHA256"),
            Command(
                "powershell",
                (
                    "Get-AuthenticodeSignature .\\AzureConnectedMachineAgent.msi | Format-List Status, "
                    "StatusMessage"
                ),
            ),
        ),
    ),
    coded(
        "install/not-allowed",
        "A policy or missing rights forbid the installation",
        Owner.SERVER,
        "Have the package or the script allowed by the owner of the policy.",
        steps=(
            (
                "AppLocker, software restriction, the Windows Installer policy DisableMSI, the execution "
                "policy of "
                "PowerShell, and security software all do this; the message and the event log name which."
            ),
        ),
        commands=lambda _: (
            Command("powershell", "Get-ExecutionPolicy -List"),
            Command(
                "powershell",
                "Get-WinEvent -LogName 'Microsoft-Windows-AppLocker/MSI and Script' -MaxEvents 20",
            ),
        ),
        subject="Please allow the installation of the Azure Connected Machine agent",
        ask=lambda _: (
            (
                "The package is AzureConnectedMachineAgent.msi, signed by Microsoft Corporation; its "
                "hash is in the "
                "bundle's manifest. A policy or security software on the servers stops it."
            ),
            "Please allow it by its publisher for the servers that are taken into Azure Arc.",
        ),
    ),
    coded(
        "install/service-not-started",
        "A service of the agent could not be installed or started",
        Owner.SERVER,
        "Give the service's account the right to log on as a service, then install again.",
        steps=(
            (
                'NT SERVICE\\himds needs "Log on as a service"; a group policy that lists the accounts with '
                "this right takes it away again at the next refresh, so the policy has to be changed."
            ),
            (
                "Where the right is there: security software that holds the service's files, or a "
                "remainder of an older "
                "installation that a restart clears."
            ),
        ),
        commands=lambda _: (
            Command(
                "powershell",
                (
                    "secedit /export /areas USER_RIGHTS /cfg rights.inf; Select-String "
                    "SeServiceLogonRight rights.inf"
                ),
            ),
            Command(
                "powershell",
                (
                    "Get-WinEvent -FilterHashtable "
                    "@{LogName='System'; ProviderName='Service Control Manager'} -MaxEvents 20"
                ),
            ),
        ),
        subject="Group policy: NT SERVICE\\himds needs the right to log on as a service",
        ask=lambda _: (
            (
                "The Azure Connected Machine agent runs as NT SERVICE\\himds (SID "
                "S-1-5-80-4215458991-2034252225-"
                "2287069555-1155419622-2701885083). Its service does not start during the installation."
            ),
            'Please add it to "Log on as a service" in the policy that applies to these servers.',
        ),
    ),
    coded(
        "install/failed",
        "The installation failed; its log names the action",
        Owner.SERVER,
        "Find the action that failed in the installation log and mend what it names.",
        steps=(
            (
                'In a verbose log of Windows Installer, the first line with "Return value 3" ends the action '
                "that failed; the reason stands in the lines above it."
            ),
            (
                "Hand the log to arcferry explain; install with msiexec /i FILE /qn /l*v "
                "installationlog.txt to get one."
            ),
        ),
        commands=_tail_of_log,
    ),
    coded(
        "install/unsupported-system",
        "The agent does not support this system",
        Owner.SERVER,
        "Compare the system with those that the agent supports.",
        steps=("Where a part is missing only (PowerShell, .NET Framework, systemd), install that part.",),
        commands=lambda _: (
            Command(
                "powershell",
                (
                    "$PSVersionTable.PSVersion; Get-CimInstance Win32_OperatingSystem | Format-List "
                    "Caption, OSArchitecture"
                ),
            ),
            Command("sh", "cat /etc/os-release; uname -m; systemctl --version"),
        ),
    ),
    coded(
        "install/on-azure-vm",
        "The server is a virtual machine of Azure, which needs no agent",
        Owner.SERVER,
        "Take it off the list: Azure manages its own virtual machines without Azure Arc.",
        commands=lambda _: (
            Command(
                "powershell",
                (
                    "[Net.WebRequest]::DefaultWebProxy = $null; "
                    "Invoke-RestMethod -Headers @{Metadata='true'} "
                    "'http://169.254.169.254/metadata/instance/compute?api-version=2019-06-01'"
                ),
            ),
        ),
    ),
    AGENT_CODE,
)
