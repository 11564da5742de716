"""What a check of the preflight says, and what all of them are asked about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from arcferry import command_line
from arcferry.azure.arm import Document, get, get_list
from arcferry.azure.machines import Machine
from arcferry.azure.preflight.identity import Who
from arcferry.azure.preflight.once import Once
from arcferry.azure.session import AzureSession
from arcferry.diagnosis.finding import Owner
from arcferry.text import one_line

_LONGEST = 900


class CheckStatus(StrEnum):
    """How a check came out; unknown means that this identity may not look, or that it cannot be decided."""

    OK = "ok"
    WARNING = "warning"
    HINDRANCE = "hindrance"
    UNKNOWN = "unknown"


class Subject(StrEnum):
    """What a check is about; for all places that share it, it comes out the same."""

    IDENTITY = "identity"
    SUBSCRIPTION = "subscription"
    PLACE = "place"


@dataclass(frozen=True, slots=True)
class Topic:
    """A kind of check.

    Attributes:
        owner: the team that can mend what it finds.
    """

    name: str
    about: Subject = Subject.PLACE
    owner: Owner = Owner.AZURE


@dataclass(frozen=True, slots=True)
class PreflightCheck:
    """One line of the preflight.

    Attributes:
        way: the way out, in words.
        command: what somebody runs for it, or an owner to find out; empty for none.
        of_identity: whether it is the sign-in or its rights that hinder.
    """

    topic: Topic
    answer: CheckStatus
    says: str
    way: str = ""
    command: str = ""
    of_identity: bool = False

    @property
    def name(self) -> str:
        """What is checked."""
        return self.topic.name

    @property
    def about(self) -> Subject:
        """What of Azure it is about."""
        return self.topic.about

    @property
    def owner(self) -> Owner:
        """The team that can mend it."""
        return self.topic.owner

    @property
    def hint(self) -> str:
        """The way out, with its command, as one line."""
        return f"{self.way} {self.command}".strip()


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
    """What is to be made in Azure, or only seen there.

    Attributes:
        machines: the tags of each machine by its name; empty where no inventory was given.
        private_link_scopes: the ARM ids of the scopes that machines are to join.
        makes: whether machines are to be made; else those that are there are read, and nothing more.
    """

    machines: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    private_link_scopes: tuple[str, ...] = ()
    makes: bool = True


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What every check has at hand.

    Attributes:
        once: what was asked already, here or for another place.
        machines: those that are in the group; None where they cannot be read.
    """

    session: AzureSession
    wanted: Wanted
    who: Who
    once: Once = field(default_factory=Once)
    machines: Mapping[str, Machine] | None = None

    @property
    def subscription(self) -> str:
        """The subscription's path."""
        return f"/subscriptions/{self.session.target.subscription_id}"

    @property
    def group(self) -> str:
        """The resource group's path."""
        return f"{self.subscription}/resourceGroups/{self.session.target.resource_group}"

    async def get(self, path: str, version: str, doing: str) -> Document:
        """The JSON object at a path, asked for once.

        Raises:
            AzureError: as for `arm.get`.
        """
        return await self.once.of(f"{path} {version}", lambda: get(self.session, path, version, doing))

    async def get_list(self, path: str, version: str, doing: str) -> list[Document]:
        """Every object of the list at a path, asked for once.

        Raises:
            AzureError: as for `arm.get_list`.
        """
        return await self.once.of(f"{path} {version}", lambda: get_list(self.session, path, version, doing))

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


def ok(topic: Topic, says: str) -> PreflightCheck:
    """All is well."""
    return PreflightCheck(topic, CheckStatus.OK, one_line(says, limit=_LONGEST))


def warning(topic: Topic, says: str, way: str = "", command: str = "") -> PreflightCheck:
    """It will work, and somebody should look."""
    return PreflightCheck(topic, CheckStatus.WARNING, one_line(says, limit=_LONGEST), way, command)


def hindrance(
    topic: Topic, says: str, way: str = "", command: str = "", *, of_identity: bool = False
) -> PreflightCheck:
    """No host could be connected."""
    says = one_line(says, limit=_LONGEST)
    return PreflightCheck(topic, CheckStatus.HINDRANCE, says, way, command, of_identity)


def unknown(
    topic: Topic, says: str, command: str, *, who: str = "An owner of the subscription"
) -> PreflightCheck:
    """This identity cannot see it; `command` is what `who` runs to tell."""
    way = f"{who} can tell:"
    return PreflightCheck(topic, CheckStatus.UNKNOWN, one_line(says, limit=_LONGEST), way, command)
