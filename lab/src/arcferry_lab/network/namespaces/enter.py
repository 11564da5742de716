"""Running a command as a host of a network of namespaces, from a process outside."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arcferry.errors import InputError, UnknownNameError
from arcferry_lab.errors import LabError
from arcferry_lab.system import program

# the working directory is another mount's when a process enters, and has to be found anew
_SCRIPT = 'cd -- "$1" 2>/dev/null || cd /; shift; exec "$@"'
_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy"})


@dataclass(frozen=True, slots=True)
class Entrance:
    """How to become a command that runs on a host: for `os.execve`."""

    program: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]


def entrance(document: Mapping[str, Any], host: str, command: Sequence[str]) -> Entrance:
    """The way to run a command on a host, with this computer's files and the host's network and names.

    It enters the lab's PID namespace too, so that it ends with the lab. Programs that ask the environment
    for a CA trust the lab's; proxies of this computer are none of the host's.

    Args:
        document: lab.json of the running lab.
        host: the host's name.
        command: the program and its arguments.

    Raises:
        InputError: the lab has no such hosts, no host is called so, or there is no command.
        LabError: nsenter(1) is missing.
    """
    hosts = {one["name"]: one for one in document.get("inner_hosts", [])}
    if not hosts:
        raise InputError(
            "the hosts of a loopback lab are reached over SSH",
            hint="arcferry lab status prints how; arcferry lab up --network namespaces has hosts for exec.",
        )
    if host not in hosts:
        raise UnknownNameError("host", host, hosts)
    if not command:
        raise InputError("no command to run", hint=f"arcferry lab exec {host} -- arcferry check -l eastasia")
    nsenter = program("nsenter")
    if nsenter is None:
        raise LabError("nsenter is not installed", hint="Its Debian package is util-linux.")
    own = ["--user", "--preserve-credentials"] if hosts[host]["rootless"] else []
    arguments = [
        nsenter, "--target", str(hosts[host]["pid"]), *own, "--mount", "--uts", "--net", "--pid", "--",
        "/bin/sh", "-c", _SCRIPT, "sh", str(Path.cwd()), *command,
    ]  # fmt: skip
    return Entrance(nsenter, tuple(arguments), _environment(document))


def _environment(document: Mapping[str, Any]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name.lower() not in _PROXIES}
    of_loopback = {name for name in kept if name.startswith("ARCFERRY_") and name != "ARCFERRY_TOOLS"}
    ours = {name: value for name, value in kept.items() if name not in of_loopback}
    ca = {name: str(document["ca_file"]) for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE")}
    return ours | ca | dict(document["environment"])
