"""The JSON documents that commands write, as far as a page shows them: every text in them is hostile.

What a command has at hand and what is read from a file comes in by the same models, so that both are bounded
and cleaned alike.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from arcferry import catalog
from arcferry.diagnosis.names import region_name
from arcferry.errors import InputError, first_problem
from arcferry.report.as_json import SCHEMA
from arcferry.text import clean, one_line, quoted
from arcferry.times import from_text

KINDS = (
    "check", "findings", "audit", "route-plan", "run", "runs", "collected", "verification", "watch-history",
)  # fmt: skip
"""What a page can be made of."""

_HINT = f"A page is made of what --output json of a command wrote: {', '.join(KINDS)}."


def _text(value: object, *, limit: int, lines: bool = False) -> object:
    if not isinstance(value, str):
        return "" if value is None else value
    return clean(value, limit=limit) if lines else one_line(value, limit=limit)


def _instant(value: object) -> object:
    return from_text(value) if isinstance(value, str) and value else value or None


def _by_name(value: object) -> object:
    """Hosts that are listed by their names, as those that have one."""
    if not isinstance(value, Mapping):
        return value
    return [{**told, "name": name} for name, told in value.items() if isinstance(told, Mapping)]


Line = Annotated[str, BeforeValidator(partial(_text, limit=600))]
"""A text on one line; null is an empty one."""

Name = Annotated[str, BeforeValidator(partial(_text, limit=120))]
Block = Annotated[str, BeforeValidator(partial(_text, limit=16 * 1024, lines=True))]
"""A text of several lines, such as a letter."""

Instant = Annotated[datetime | None, BeforeValidator(_instant)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Affected(_Part):
    """An endpoint that a finding is about."""

    host: Name = ""
    address: Name = ""
    region: Name = ""
    service_tag: Name = ""
    community: Name = ""


class Told(_Part):
    """A line of evidence."""

    origin: Name = ""
    says: Line = ""
    taken: Instant = None


class Command(_Part):
    """A command line for one tool."""

    tool: Name
    text: Block = ""
    does: Name = ""


class Remedy(_Part):
    """What to change, and the letter that asks for it."""

    summary: Line = ""
    steps: tuple[Line, ...] = ()
    commands: tuple[Command, ...] = ()
    request: Block = ""
    to: Name = ""


class Finding(_Part):
    """One cause."""

    cause: Name
    title: Line
    severity: Name
    confidence: Name = ""
    owner: Name = ""
    endpoints: tuple[Affected, ...] = ()
    evidence: tuple[Told, ...] = ()
    would_decide: tuple[Name, ...] = ()
    remedy: Remedy = Remedy()
    hosts: tuple[Name, ...] = ()


class Failure(_Part):
    """Where an attempt ended, and how."""

    stage: Name = ""
    kind: Name = ""
    says: Line = ""


class Attempt(_Part):
    """An endpoint that was tried: of `arcferry check`, or in the evidence of a server."""

    host: Name = ""
    required: bool | None = None
    reachable: bool = False
    address: Name = ""
    failure: Failure | None = None


class Filter(_Part):
    """A route filter's name."""

    name: Name = ""


class Kept(_Part):
    """A document of the evidence; `servers` is the number of its group."""

    name: Name = ""
    kind: Name = ""
    taken: Instant = None
    attempts: tuple[Attempt, ...] = ()
    servers: int | None = None
    route_filter: Filter | None = None


class Evidence(_Part):
    """What was judged by."""

    servers: tuple[tuple[Name, ...], ...] = ()
    documents: tuple[Kept, ...] = ()


class Input(_Part):
    """What a file was taken for."""

    name: Name
    kind: Name = ""
    taken: Instant = None


class Ahead(_Part):
    """What begins or ends on a day."""

    day: Name
    host: Name = ""
    says: Line
    source: Line = ""


class Expected(_Part):
    """What tags, filter and circuit say of an endpoint."""

    region: Name = ""
    community: Name = ""
    route_filter: Name = ""
    says: Line = ""


class Observed(_Part):
    """What routes and connections show of it."""

    says: Line = ""
    connection: Line = ""


class Audited(Attempt):
    """An endpoint of an audit; `path` is there, missing or unknown."""

    path: Name = ""
    addresses: tuple[Name, ...] = ()
    expected: Expected = Expected()
    observed: Observed = Observed()


class Planned(_Part):
    """A community of a plan."""

    value: Name
    name: Name = ""
    region: Name = ""
    hosts: tuple[Name, ...] = ()
    why: Line = ""
    in_filter: bool | None = None


class Step(_Part):
    """A step on a host."""

    step: Name
    state: Name = ""
    says: Line = ""
    hint: Line = ""
    seconds: Annotated[float, Field(ge=0, le=1e9)] = 0.0


class Machine(_Part):
    """A machine as Azure shows it."""

    status: Name = ""
    agent_version: Name = ""
    location: Name = ""
    last_status_change: Instant = None


class Fault(_Part):
    """What is wrong with a machine besides its state."""

    kind: Name = ""
    says: Line = ""


class Past(_Part):
    """How a run left a server."""

    run: Name = ""
    at: Instant = None
    ended: Name = ""


class Host(_Part):
    """A host of a run or a collection, or a machine of a verification."""

    name: Name
    outcome: Name = ""
    state: Name = ""
    step: Name = ""
    good: bool | None = None
    extra: bool = False
    says: Line = ""
    since: Instant = None
    time: Instant = None
    steps: tuple[Step, ...] = ()
    failure: Step | None = None
    faults: tuple[Fault, ...] = ()
    machine: Machine | None = None
    last_run: Past | None = None


class Run(_Part):
    """A run as the journals have it."""

    run: Name
    started: Instant = None
    state: Name = ""
    says: Line = ""
    hosts_total: int = 0
    hosts: Annotated[tuple[Host, ...], BeforeValidator(_by_name)] = ()


class Span(_Part):
    """How long a name answered the same, or was reached or not."""

    host: Name = ""
    resolver: Name = ""
    addresses: tuple[Name, ...] = ()
    region: Name = ""
    community: Name = ""
    carried: Name | bool = ""
    reached: bool | None = None
    says: Line = ""
    first: Instant = None
    last: Instant = None


class Written(_Part):
    """A document of any of `KINDS`; a field that its kind does not have is empty."""

    kind: Name
    file: Name = ""
    run: Name = ""
    cloud: Name = ""
    location: Name = ""
    taken: Instant = None
    asked: Instant = None
    started: Instant = None
    ended: Instant = None
    first: Instant = None
    last: Instant = None
    outcome: Name = ""
    refusal: Line = ""
    good: bool | None = None
    whole: bool = True
    asked_azure: bool = False
    route_filter: Name = ""
    findings: tuple[Finding, ...] = ()
    inputs: tuple[Input, ...] = ()
    endpoints: tuple[Audited, ...] = ()
    hosts: tuple[Host, ...] = ()
    machines: tuple[Host, ...] = ()
    runs: tuple[Run, ...] = ()
    missing: tuple[Name, ...] = ()
    communities: tuple[Planned, ...] = ()
    changes: tuple[Command, ...] = ()
    effects: tuple[Line, ...] = ()
    doubts: tuple[Line, ...] = ()
    answers: tuple[Span, ...] = ()
    reach: tuple[Span, ...] = ()
    sources: tuple[Line, ...] = ()
    ahead: tuple[Ahead, ...] = ()
    evidence: Evidence = Evidence()

    @property
    def day(self) -> datetime | None:
        """As of when it is; where it has no day of its own, that of the newest thing it tells of."""
        own = self.taken or self.asked or self.ended or self.last or self.started
        told = [one.taken for one in self.inputs] + [one.time for run in self.runs for one in run.hosts]
        return own or max(filter(None, told), default=None)


def read(document: object, name: str = "") -> Written:
    """A document as far as a page shows it.

    Args:
        document: what a command made, or the JSON of a file.
        name: the file's.

    Raises:
        InputError: it is none that a page can be made of; the text names the file.
    """
    whose = quoted(name) if name else "the document"
    if not isinstance(document, Mapping) or document.get("kind") not in KINDS:
        raise InputError(f"{whose} is no result that a page can be made of", hint=_HINT)
    if document.get("schema") != SCHEMA:
        raise InputError(
            f"{whose} is of another schema than {SCHEMA}", hint="Write it anew with this arcferry."
        )
    fields = {**document, "file": name}
    if document["kind"] == "route-plan":  # whose `first` is no instant, but what is to be told first
        fields["doubts"] = fields.pop("first", ())
    try:
        return Written.model_validate(fields)
    except ValidationError as error:
        raise InputError(f"{whose}: {one_line(first_problem(error))}", hint=_HINT) from None


def every(documents: Sequence[Written], field: str) -> list[Any]:
    """What all documents have in this field, in their order."""
    return [one for document in documents for one in getattr(document, field)]


def located(span: Span) -> str:
    """The region or the service whose community carries the answer; empty if neither is known."""
    known = catalog.community(span.community)
    return known.name if known else region_name(span.region) if span.region else span.community
