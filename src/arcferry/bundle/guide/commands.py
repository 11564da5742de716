"""The commands of the guide, filled with what is in the bundle."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from arcferry.bundle.guide.packed import Packed, System
from arcferry.bundle.guide.source import load_toml
from arcferry.bundle.manifest import AgentPackage
from arcferry.text import one_line

UNKNOWN_LOCATION = "LOCATION"


@dataclass(frozen=True, slots=True)
class Command:
    """A line to type; `about` says what it is for where several lines are offered."""

    text: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Commands:
    """Lines to type one after the other, on a server of a system or, where None, elsewhere."""

    system: System | None
    lines: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class PackedCertificate:
    """A certificate of the bundle.

    Attributes:
        file: in DER, for Windows.
        linux_file: the same in PEM, or empty where Linux servers have no use for it.
        root: issued by itself; an intermediate one otherwise.
        sha1: the thumbprint, as Windows shows it.
        sha256: the fingerprint, as the host script names it.
    """

    file: str
    linux_file: str
    subject: str
    root: bool
    sha1: str
    sha256: str


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with each `{{name}}` replaced by its value."""
    for name, value in values.items():
        text = text.replace(f"{{{{{name}}}}}", value)
    return text


def place(packed: Packed) -> dict[str, str]:
    """Where the machine is to be, as the commands take it."""
    return {"location": packed.location or UNKNOWN_LOCATION, "cloud": packed.cloud}


def commands(name: str, packed: Packed) -> tuple[Commands, ...]:
    """What is typed at a place of the guide, for each system that the bundle has an agent for."""
    data = load_toml("commands.toml")
    if name in data["plain"] and (elsewhere := data["plain"][name].get("anywhere")):
        return (Commands(None, tuple(map(Command, elsewhere))),)
    systems = [system for system in System if packed.agents_for(system)]
    found = [Commands(system, tuple(_lines(name, system, packed, data))) for system in systems]
    return tuple(one for one in found if one.lines)


def sample(name: str, packed: Packed) -> str:
    """The file that the administrator writes for `connect`."""
    text: str = load_toml("commands.toml")["sample"][name]
    return fill(text.strip(), place(packed))


def certificates(packed: Packed) -> tuple[PackedCertificate, ...]:
    """The bundle's certificates, by the names of their files."""
    return tuple(_certificate(name, der, packed) for name, der in sorted(packed.certificates.items()))


def on_system(name: str, system: System) -> str:
    """A path of the bundle as it is typed on a system."""
    return name.replace("/", "\\") if system is System.WINDOWS else name


def _lines(name: str, system: System, packed: Packed, data: dict[str, Any]) -> Iterator[Command]:
    if name == "certificates":
        yield from _certificate_lines(system, packed, data["certificates"])
    elif name in data["plain"]:
        yield from map(Command, data["plain"][name].get(system, ()))
    else:
        words = fill(data["script"][name][system], place(packed))
        shell: str = data["shell"][system]
        if name == "install":
            yield from _install_lines(shell, words, packed.agents_for(system), packed, system)
        else:
            yield Command(fill(shell, {"words": words}))


def _install_lines(
    shell: str, words: str, agents: tuple[AgentPackage, ...], packed: Packed, system: System
) -> Iterator[Command]:
    for agent in agents:
        values = {"agent": on_system(agent.file, system), "sha256": packed.sha256(agent.file)}
        about = f"{agent.format} {agent.architecture}".strip() if len(agents) > 1 else ""
        yield Command(fill(shell, {"words": fill(words, values)}), about)


def _certificate_lines(system: System, packed: Packed, texts: Mapping[str, str]) -> Iterator[Command]:
    if system is System.WINDOWS:
        for one in certificates(packed):
            text = texts["windows-root" if one.root else "windows-intermediate"]
            yield Command(fill(text, {"certificate": on_system(one.file, system)}), one.subject)
        return
    offered = [one for one in certificates(packed) if one.linux_file]
    for package_format in dict.fromkeys(agent.format for agent in packed.agents_for(system)):
        for one in offered:
            text = fill(texts[package_format], {"certificate": one.linux_file})
            yield Command(text, f"{package_format}: {one.subject}")
        if offered:
            yield Command(texts[f"{package_format}-end"], package_format)


def _certificate(name: str, der: bytes, packed: Packed) -> PackedCertificate:
    certificate = x509.load_der_x509_certificate(der)
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    subject = str(common[0].value) if common else certificate.subject.rfc4514_string()
    in_pem = str(PurePosixPath(name).with_suffix(".crt"))
    return PackedCertificate(
        file=name,
        linux_file=in_pem if any(file.name == in_pem for file in packed.files) else "",
        subject=one_line(subject, limit=100),  # it may come out of a file that others made
        root=certificate.issuer == certificate.subject,
        sha1=hashlib.sha1(der, usedforsecurity=False).hexdigest().upper(),
        sha256=hashlib.sha256(der).hexdigest(),
    )
