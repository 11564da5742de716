"""Whose host keys are trusted, and what arcferry signs in with."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from arcferry.errors import FileInputError, HostKeyError, InputError
from arcferry.files import read_bounded
from arcferry.fleet.inventory import Host
from arcferry.fleet.transport.winrm_trust import WinrmTrust
from arcferry.text import clean

_LIMIT = 16 * 1024 * 1024
_HOST_KEY_KINDS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)


@dataclass(frozen=True, slots=True)
class SshTrust:
    """What every session of a run has in common.

    Attributes:
        key: the key to sign in with, None to use the SSH agent's.
        user: the user where the inventory names none.
    """

    known_hosts_file: Path
    known_hosts: asyncssh.SSHKnownHosts = field(repr=False)
    user: str
    key: asyncssh.SSHKey | None = field(repr=False)
    agent_path: str | None = None

    def recorded(self, host: Host) -> list[asyncssh.SSHKey]:
        """The keys on record for the host, as the known_hosts file has them."""
        return list(self.known_hosts.match(host.address, "", host.port)[0])

    def host_key_algorithms(self, host: Host) -> list[str] | tuple[()]:
        """Kinds of host key to ask for: those on record first, then the others, to be named when refused."""
        host_keys, authorities, *_ = self.known_hosts.match(host.address, "", host.port)
        if authorities:
            return ()
        recorded = [name.decode() for key in host_keys for name in key.sig_algorithms]
        return list(dict.fromkeys([*recorded, *_HOST_KEY_KINDS]))


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a run signs in to its hosts with: a field a transport, None where no host takes that."""

    ssh: SshTrust | None = None
    winrm: WinrmTrust | None = None


def read_trust(known_hosts: Path, key_file: Path | None, user: str) -> SshTrust:
    """Read the known_hosts file and the private key.

    Raises:
        FileInputError: a file is missing, unreadable, or not what it should be.
        InputError: no key file was given and no SSH agent runs.
    """
    text = read_bounded(known_hosts, limit=_LIMIT).decode("utf-8", errors="replace")
    try:
        records = asyncssh.import_known_hosts(text)
    except (ValueError, asyncssh.Error) as error:
        says = f"is not a known_hosts file: {clean(str(error), limit=200)}"
        raise FileInputError(known_hosts, says) from None
    if key_file is not None:
        return SshTrust(known_hosts, records, user, _private_key(key_file))
    agent = os.environ.get("SSH_AUTH_SOCK")
    if not agent:
        raise InputError(
            "no key to sign in to the hosts with",
            hint="Pass --ssh-key FILE, or start an SSH agent that holds one.",
        )
    return SshTrust(known_hosts, records, user, None, agent)


def _private_key(path: Path) -> asyncssh.SSHKey:
    data = read_bounded(path, limit=64 * 1024)
    try:
        return asyncssh.import_private_key(data)
    except (asyncssh.KeyEncryptionError, asyncssh.KeyImportError, ValueError) as error:
        # asyncssh raises KeyEncryptionError for a wrong passphrase, KeyImportError for a missing one.
        if isinstance(error, asyncssh.KeyEncryptionError) or "passphrase" in str(error).lower():
            hint = "Add it to an SSH agent with ssh-add and leave --ssh-key out."
            raise FileInputError(path, "the private key has a passphrase", hint=hint) from None
        raise FileInputError(path, "is not a private key that SSH can use") from None


class HostKeyRecorder(asyncssh.SSHClient):
    """Remembers the host key that was presented and not on record. It never accepts one."""

    def __init__(self) -> None:
        self.presented: asyncssh.SSHKey | None = None

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Called by asyncssh for a key that no record vouches for."""
        del host, addr, port
        self.presented = key
        return False


def refused_key(host: Host, place: str, trust: SshTrust, presented: asyncssh.SSHKey) -> HostKeyError:
    """The error for a host that is unknown or not who it was, with both fingerprints and the way out."""
    kind = presented.get_algorithm()
    fingerprint = presented.get_fingerprint()
    name = f"[{host.address}]:{host.port}" if host.port != 22 else host.address  # noqa: PLR2004  # SSH's own port
    console = "on its console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub (or its other key files)"
    recorded = trust.recorded(host)
    if not recorded:
        return HostKeyError(
            f"{place}: no host key on record in {trust.known_hosts_file}; it presents {kind} {fingerprint}",
            hint=f"Compare that {console}. If it is the same: "
            f"ssh-keyscan -p {host.port} {host.address} >> {trust.known_hosts_file}",
        )
    known = ", ".join(f"{key.get_algorithm()} {key.get_fingerprint()}" for key in recorded[:4])
    return HostKeyError(
        f"{place}: the host key is not the one on record: it presents {kind} {fingerprint}, "
        f"on record is {known}",
        hint=f"Another machine may answer at this address. If the server was reinstalled, compare {console}, "
        f"then ssh-keygen -R '{name}' -f {trust.known_hosts_file} and record the new key.",
    )
