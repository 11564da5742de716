import tomllib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter

from arcferry.errors import UnknownNameError

_STRICT = ConfigDict(extra="forbid")


class Scope(StrEnum):
    """What a role is to be assigned on."""

    GROUP = "group"
    NETWORK_GROUP = "network-group"
    SUBSCRIPTION = "subscription"

    @property
    def words(self) -> str:
        """For a sentence."""
        named = {
            Scope.GROUP: "the resource group of the machines",
            Scope.NETWORK_GROUP: "the resource group of the circuit",
            Scope.SUBSCRIPTION: "the subscription",
        }
        return named[self]


class User(StrEnum):
    """Who makes use of a right."""

    ARCFERRY = "arcferry"
    AGENT = "agent"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Right:
    """One action of Azure's, and what it is for."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    action: Annotated[
        str, Field(pattern=r"^Microsoft(\.[A-Za-z]+)+(/[A-Za-z]+)+/(read|write|delete|action)$")
    ]
    by: User
    why: str


@dataclass(frozen=True, slots=True)
class Task:
    """Something that arcferry does, or has a person do, in Azure.

    Attributes:
        commands: the commands that do it.
        role: the least of Microsoft's roles that is enough.
        fit: how that role compares with the rights.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: Annotated[str, Field(pattern=r"^[a-z]+$")]
    title: str
    commands: tuple[str, ...]
    scope: Scope
    role: str
    role_id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    fit: str
    rights: Annotated[tuple[Right, ...], Field(min_length=1)]

    @property
    def actions(self) -> tuple[str, ...]:
        """The names of the rights."""
        return tuple(right.action for right in self.rights)

    @property
    def custom_role(self) -> str:
        """What the custom role with exactly these rights is called."""
        return f"arcferry {self.name}"


@dataclass(frozen=True, slots=True)
class Rights:
    """Every task, as of a day.

    Attributes:
        actions: where Microsoft lists the actions.
        roles: where it lists its roles, and as of when they were read.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    schema: int
    taken: date
    actions: str
    roles: str
    task: tuple[Task, ...]


@cache
def rights() -> Rights:
    """All that is known of rights."""
    text = resources.files(__package__).joinpath("tasks.toml").read_text(encoding="utf-8")
    return TypeAdapter(Rights).validate_python(tomllib.loads(text))


def task(name: str) -> Task:
    """The task of this name.

    Raises:
        UnknownNameError: there is none.
    """
    known = {one.name: one for one in rights().task}
    if name not in known:
        raise UnknownNameError("task", name, known)
    return known[name]
