"""What the onboarding scripts print: the portal's, and the installation scripts for Windows and Linux."""

import re
from dataclasses import replace

from arcferry import catalog
from arcferry.evidence.case import CodeSeen, Document, Kind
from arcferry.evidence.readers import agent_log, codes, scripts, values
from arcferry.probe.observation import Attempt

_SCRIPT = re.compile(
    r"install_(?:windows|linux)_azcmagent|OnboardingScript\.(?:ps1|sh)|azcmagent-(?:windows|linux)\b|"
    r"AzureConnectedMachineAgent\.msi|Installation of azcmagent completed|azcmagent_[\d.]+_\w+\.deb|"
    r"azcmagent-[\d.]+[\w.-]*\.rpm|EnableAzureArc\.ps1|AzureArcOnboarding",
    re.IGNORECASE,
)
_MSIEXEC = re.compile(r"msiexec|\.msi\b|MsiInstaller|installationlog|AZCM0149|AZCM0156", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\d.:/-])(\d{2,4})(?![\d.:/-]*\d)")
_DOWNLOAD = {"AZCM0146", "AZCM0148"}
_PACKAGES = "packages.microsoft.com"
_WINDOWS_CODES = ("112", "1259")
_LONG_MESSAGE = 8000
_LEAST_NUMBER = 1600
"""Codes of msiexec begin here, but for two of Windows; a smaller number in a line is most often another."""


def _msiexec_codes(lines: list[str], name: str) -> tuple[CodeSeen, ...]:
    """Exit codes of msiexec in lines that speak of it; a number that is no such code is something else."""
    found: dict[str, CodeSeen] = {}
    for line in filter(_MSIEXEC.search, lines):
        for number in _NUMBER.findall(line):
            code = f"msiexec {number}"
            likely = int(number) >= _LEAST_NUMBER or number in _WINDOWS_CODES
            if likely and code not in found and catalog.known_code(code):
                found[code] = CodeSeen(code, values.short(line, 300), name)
    return tuple(found.values())


def _downloads(found: list[str], lines: list[str], name: str) -> tuple[Attempt, ...]:
    """Where a script could not download from; the Linux one says 0146 of one host only."""
    hosts = [_PACKAGES] if "AZCM0146" in found else []
    if _DOWNLOAD & set(found):
        beside = [line for line in lines if any(code in line for code in _DOWNLOAD)]
        hosts += [host for line in beside for host in values.hosts_in_urls(line)]
    wanted = [host for host in dict.fromkeys(hosts) if host != "aka.ms" or len(set(hosts)) == 1]
    return tuple(Attempt(host, name, reachable=False, install=True) for host in wanted)


def read(name: str, text: str) -> Document | None:
    """The scripts' own codes and those of msiexec, or None if `text` is no output of theirs."""
    text = scripts.without(text)
    lines, found = values.lines(text), list(filter(codes.is_scripts, codes.agent_codes(text)))
    if not found and not any(map(_SCRIPT.search, lines)):
        return None
    installer = _msiexec_codes(lines, name)
    if not found and not installer and "Installation of azcmagent completed" not in text:
        return None
    return Document(
        name,
        Kind.ONBOARDING_SCRIPT,
        attempts=_downloads(found, lines, name),
        codes=(*codes.seen(found, lines, name), *installer),
    )


def looks_right(value: object) -> bool:
    """Whether this is the JSON that the installation script writes with `-OutFile` or `--output`."""
    fields = values.mapping(value)
    status = str(fields.get("status", "")).lower()
    return status == "failed" and "code" in values.lowered(fields.get("error"))


def read_json(name: str, value: object) -> Document:
    """The code in the result of an installation script."""
    error = values.lowered(values.mapping(value).get("error"))
    words = " ".join(values.short(error.get(key), 900) for key in ("code", "message", "details"))
    if scripts := read(name, words):
        return scripts
    # A code of the agent's own, with its words and every endpoint that they name.
    said = "\n".join(values.short(error.get(key), _LONG_MESSAGE) for key in ("message", "details"))
    agents = agent_log.read_console(name, f"Exit Code: {values.short(error.get('code'), 40)}\nFATAL   {said}")
    return replace(agents, kind=Kind.ONBOARDING_SCRIPT) if agents else Document(name, Kind.ONBOARDING_SCRIPT)
