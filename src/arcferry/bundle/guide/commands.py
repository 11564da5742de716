"""What the guide says about its bundle, and its commands filled with that."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from arcferry.bundle.certificates import Certificate
from arcferry.bundle.manifest import AgentPackage, Manifest, PackageFormat
from arcferry.command_line import Does
from arcferry.text import fill, one_line


class System(StrEnum):
    """The operating system of a server."""

    WINDOWS = "windows"
    LINUX = "linux"


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """What the guide says about its bundle.

    Attributes:
        manifest: as it is before the guide's own files are in it: the final one covers the guide, so the
            guide cannot state its hash.
        key_id: of the key that seals the bundle, as minisign prints it.
        certificates: by the names of their files, without the suffix.
        location: the Azure region that the bundle is meant for, or empty if it could be any.
        cloud: as the agent spells it.
    """

    manifest: Manifest
    key_id: str
    certificates: Mapping[str, Certificate] = field(default_factory=dict)
    location: str = ""
    cloud: str = "AzureCloud"

    def agents_for(self, system: System) -> tuple[AgentPackage, ...]:
        """The packages for a system, by the names of their files."""
        windows = system is System.WINDOWS
        fitting = [one for one in self.manifest.agents if (one.format is PackageFormat.MSI) == windows]
        return tuple(sorted(fitting, key=lambda one: one.file))

    def sha256(self, name: str) -> str:
        """The SHA-256 of a file of this name, in hexadecimal."""
        return next(file.sha256 for file in self.manifest.files if file.name == name)

    def holds(self, word: str) -> bool:
        """Whether a condition of the guide's text holds; an empty one always does.

        Raises:
            KeyError: there is no such condition.
        """
        linux, windows = self.agents_for(System.LINUX), self.agents_for(System.WINDOWS)
        return {
            "": True,
            "windows": bool(windows),
            "linux": bool(linux),
            "both": bool(linux and windows),
            "several": len(linux) > 1,
            "rpm": any(agent.format is PackageFormat.RPM for agent in linux),
            "certificates": any(windows or one.for_tls for one in self.certificates.values()),
            "unplaced": not self.location,
        }[word]

    @property
    def values(self) -> dict[str, str]:
        """What stands for the blanks of the guide's text and of its commands."""
        return {
            "location": self.location or "LOCATION",
            "cloud": self.cloud,
            "key_id": self.key_id,
            "version": str(self.manifest.version),
        }


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A line to type; `about` says what it is for if several lines are offered."""

    text: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class CommandBox:
    """Lines to type one after the other, on a server of a system or, if None, on another computer."""

    system: System | None
    lines: tuple[CommandLine, ...]
    does: Does


@cache
def load_toml(name: str) -> dict[str, Any]:
    """A data file that lies beside this one."""
    return tomllib.loads(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))


def commands(name: str, facts: BundleFacts) -> tuple[CommandBox, ...]:
    """What is typed at a place of the guide, for each system that the bundle has an agent for."""
    data = load_toml("commands.toml")
    does = Does.READS if name in data["reads"] else Does.CHANGES
    if elsewhere := data["plain"].get(name, {}).get("anywhere"):
        return (CommandBox(None, tuple(map(CommandLine, elsewhere)), does),)
    systems = [system for system in System if facts.agents_for(system)]
    boxes = [CommandBox(system, tuple(_lines(name, system, facts)), does) for system in systems]
    return tuple(box for box in boxes if box.lines)


def _lines(name: str, system: System, facts: BundleFacts) -> Iterator[CommandLine]:
    data = load_toml("commands.toml")
    if name == "certificates":
        yield from _certificate_lines(system, facts, data["certificates"])
    elif name in data["plain"]:
        yield from (CommandLine(fill(text, facts.values)) for text in data["plain"][name].get(system, ()))
    elif words := data["script"][name].get(system, ""):
        given = data["given"].get(name, {}).get(system, "")
        shell = f"{given} | {data['shell'][system]}" if given else data["shell"][system]
        agents = facts.agents_for(system) if name == "install" else ()
        for agent in agents:
            values = {"agent": _on_system(agent.file, system), "sha256": facts.sha256(agent.file)}
            about = f"{agent.format} {agent.architecture}".strip() if len(agents) > 1 else ""
            yield CommandLine(fill(shell, {"words": fill(words, values)}), about)
        if not agents:
            yield CommandLine(fill(shell, {"words": fill(words, facts.values)}))


def _certificate_lines(system: System, facts: BundleFacts, texts: Mapping[str, str]) -> Iterator[CommandLine]:
    if system is System.WINDOWS:
        for stem, one in facts.certificates.items():
            text = texts["windows-root" if one.is_root else "windows-intermediate"]
            yield CommandLine(
                fill(text, {"certificate": _on_system(f"{stem}.cer", system)}), shown_name(one.name)
            )
        return
    offered = [(f"{stem}.crt", one) for stem, one in facts.certificates.items() if one.for_tls]
    for package_format in dict.fromkeys(agent.format for agent in facts.agents_for(system)):
        for file, one in offered:
            text = fill(texts[package_format], {"certificate": file})
            yield CommandLine(text, f"{package_format}: {shown_name(one.name)}")
        if offered:
            yield CommandLine(texts[f"{package_format}-end"], package_format)


def shown_name(name: str) -> str:
    """A certificate's name on one line: a line feed in it would add a command to type."""
    return one_line(name, limit=100)


def _on_system(name: str, system: System) -> str:
    return name.replace("/", "\\") if system is System.WINDOWS else name
