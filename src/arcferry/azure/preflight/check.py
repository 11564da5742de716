"""What a check of the preflight says, and what all of them are asked about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from arcferry import command_line
from arcferry.azure.machines import Machine
from arcferry.azure.preflight.identity import Who
from arcferry.azure.session import AzureSession
from arcferry.text import one_line

_LONGEST = 900


class CheckStatus(StrEnum):
    """How a check came out; unknown means that this identity may not look, or that it cannot be decided."""

    OK = "ok"
    WARNING = "warning"
    HINDRANCE = "hindrance"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PreflightCheck:
    """One line of the preflight.

    Attributes:
        hint: the way out, or the command by which an owner finds out.
        of_identity: whether it is the sign-in or its rights that hinder.
    """

    name: str
    answer: CheckStatus
    says: str
    hint: str = ""
    of_identity: bool = False


@dataclass(frozen=True, slots=True)
class Preflight:
    """What the preflight saw, and the machines that are there already, by lower-case name."""

    checks: tuple[PreflightCheck, ...]
    machines: dict[str, Machine]

    @property
    def hindrances(self) -> tuple[PreflightCheck, ...]:
        """What keeps every host from being connected."""
        return tuple(check for check in self.checks if check.answer is CheckStatus.HINDRANCE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be made in Azure.

    Attributes:
        machines: the tags of each machine by its name; empty where no inventory was given.
        private_link_scope: the ARM id of the scope that machines are to join; empty for none.
    """

    machines: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    private_link_scope: str = ""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What every check has at hand.

    Attributes:
        machines: those that are in the group; None where they cannot be read.
    """

    session: AzureSession
    wanted: Wanted
    who: Who
    machines: Mapping[str, Machine] | None = None

    @property
    def subscription(self) -> str:
        """The subscription's path."""
        return f"/subscriptions/{self.session.target.subscription_id}"

    @property
    def group(self) -> str:
        """The resource group's path."""
        return f"{self.subscription}/resourceGroups/{self.session.target.resource_group}"

    def line(self, template: str) -> str:
        """A command of `az`, with this place and identity for its `{subscription}`, `{scope}` and others."""
        target = self.session.target
        words = {
            "subscription": command_line.guid(target.subscription_id, "SUBSCRIPTION"),
            "group": command_line.group(target.resource_group),
            "scope": command_line.resource_id(self.group, "SCOPE"),
            "who": command_line.guid(self.who.object_id, "OBJECT-ID"),
        }
        return command_line.line(
            template, **{name: word for name, word in words.items() if f"{{{name}}}" in template}
        )


def ok(name: str, says: str) -> PreflightCheck:
    """All is well."""
    return PreflightCheck(name, CheckStatus.OK, one_line(says, limit=_LONGEST))


def warning(name: str, says: str, hint: str = "") -> PreflightCheck:
    """It will work, and somebody should look."""
    return PreflightCheck(name, CheckStatus.WARNING, one_line(says, limit=_LONGEST), hint)


def hindrance(name: str, says: str, hint: str = "", *, of_identity: bool = False) -> PreflightCheck:
    """No host could be connected."""
    return PreflightCheck(name, CheckStatus.HINDRANCE, one_line(says, limit=_LONGEST), hint, of_identity)


def unknown(name: str, says: str, command: str) -> PreflightCheck:
    """This identity cannot see it; `command` is what an owner runs to tell."""
    hint = f"An owner of the subscription can tell: {command}"
    return PreflightCheck(name, CheckStatus.UNKNOWN, one_line(says, limit=_LONGEST), hint)
