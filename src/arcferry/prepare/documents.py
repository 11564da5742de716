"""The documents that `prepare --status` reads, as far as it needs them. Other fields are let pass."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from arcferry.errors import FileInputError, first_problem
from arcferry.files import read_bounded
from arcferry.text import from_json, one_line, quoted

_LIMIT = 64 * 1024 * 1024
_Text = Annotated[str, Field(max_length=4000)]


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Failure(_Read):
    """Where a probe ended."""

    stage: _Text


class Endpoint(_Read):
    """One name that was probed."""

    host: _Text
    required: bool
    reachable: bool
    dns: Mapping[str, Any] | None = None
    failure: Failure | None = None

    @property
    def failed_in(self) -> str:
        """The stage in which it failed; empty where it did not."""
        return self.failure.stage if self.failure else ""


class Finding(_Read):
    """A finding's head."""

    cause: _Text
    title: _Text
    severity: _Text


class _Judged(_Read):
    findings: Annotated[tuple[Finding, ...], Field(max_length=1000)] = ()

    @property
    def titles(self) -> tuple[str, ...]:
        """What is wrong, in the words of the findings."""
        return tuple(one.title for one in self.findings if one.severity == "error")


class CheckSeen(_Judged):
    """What `arcferry check --output json` wrote."""

    location: _Text
    cloud: _Text
    taken: _Text
    endpoints: Annotated[tuple[Endpoint, ...], Field(min_length=1, max_length=1000)]

    @property
    def required(self) -> tuple[Endpoint, ...]:
        """The endpoints without which the agent fails."""
        return tuple(one for one in self.endpoints if one.required)

    @property
    def when(self) -> str:
        """For a sentence."""
        return f"({one_line(self.taken, limit=30)})"


class AuditRow(_Read):
    """One name of an audit."""

    host: _Text
    required: bool
    path: _Text


class AuditSeen(_Judged):
    """What `arcferry routes audit --output json` wrote."""

    location: _Text | None
    cloud: _Text
    endpoints: Annotated[tuple[AuditRow, ...], Field(max_length=10_000)]

    @property
    def cut_off(self) -> tuple[str, ...]:
        """The required names to which there is no path."""
        return tuple(row.host for row in self.endpoints if row.required and row.path == "missing")


class Check(_Read):
    """One line of a preflight."""

    name: _Text
    answer: Annotated[_Text, Field(validation_alias=AliasChoices("answer", "status"))]
    says: _Text


class PreflightSeen(_Read):
    """What `arcferry azure preflight --output json` wrote, or `arcferry onboard plan`."""

    checks: Annotated[
        tuple[Check, ...], Field(max_length=1000, validation_alias=AliasChoices("checks", "preflight"))
    ]


@dataclass(frozen=True, slots=True)
class Seen:
    """The documents at hand; None where one was not handed in."""

    check: CheckSeen | None = None
    preflight: PreflightSeen | None = None
    audit: AuditSeen | None = None


Document = TypeVar("Document", CheckSeen, AuditSeen, PreflightSeen)
_WRITTEN_BY = {
    CheckSeen: (("check",), "arcferry check --output json"),
    AuditSeen: (("audit",), "arcferry routes audit --output json"),
    PreflightSeen: (("preflight", "plan"), "arcferry azure preflight --output json"),
}


def read_documents(given: Mapping[str, Path | None], *, cloud: str, location: str) -> Seen:
    """The documents that were handed in, by `check`, `preflight` and `audit`.

    Raises:
        FileInputError: as for `read_document`.
    """
    check, preflight, audit = (given.get(name) for name in ("check", "preflight", "audit"))
    place = {"cloud": cloud, "location": location}
    return Seen(
        check=read_document(check, CheckSeen, **place) if check else None,
        preflight=read_document(preflight, PreflightSeen, **place) if preflight else None,
        audit=read_document(audit, AuditSeen, **place) if audit else None,
    )


def read_document(path: Path, kind: type[Document], *, cloud: str, location: str) -> Document:
    """A document of this kind, about the place that the folder was prepared for.

    Raises:
        FileInputError: it is missing, another document, or about another place.
    """
    kinds, command = _WRITTEN_BY[kind]
    hint = f"{command} writes it."
    try:
        found = from_json(read_bounded(path, limit=_LIMIT))
    except (ValueError, RecursionError) as error:
        raise FileInputError(path, "is no JSON", hint=hint) from error
    is_of = found.get("kind") if isinstance(found, dict) else None
    if is_of not in kinds:
        says = f"is a document of kind {quoted(str(is_of))}" if is_of else "is no document of arcferry's"
        raise FileInputError(path, f"{says}, not {kinds[0]}", hint=hint)
    try:
        read = kind.model_validate(found)
    except ValidationError as error:
        raise FileInputError(path, first_problem(error), hint=hint) from error
    _check_place(path, read, cloud, location)
    return read


def _check_place(path: Path, read: CheckSeen | AuditSeen | PreflightSeen, cloud: str, location: str) -> None:
    if isinstance(read, PreflightSeen):
        return
    # An audit that nobody told a location is about whatever its evidence is.
    if read.cloud != cloud or (read.location and read.location != location):
        about = f"{quoted(str(read.location))} in {quoted(read.cloud)}"
        raise FileInputError(path, f"is about {about}, and the letters are about {location} in {cloud}")
