"""A plan that is kept in a file, and applied only while what it was made of is as it was."""

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from arcferry.errors import BlockedError, FileInputError, first_problem
from arcferry.files import read_bounded, write_whole
from arcferry.fleet.events import EventKind
from arcferry.fleet.following import entries
from arcferry.fleet.inventory import Host
from arcferry.fleet.plan import FleetPlan, HostPlan, plan_hosts
from arcferry.fleet.run_folder import RunFolder, target_to_json
from arcferry.fleet.task import RunContext, RunRequest
from arcferry.text import from_json, one_line
from arcferry.times import from_text, now, to_text

SCHEMA: Literal[1] = 1
_KIND: Literal["saved-plan"] = "saved-plan"
_LIMIT = 64 * 1024 * 1024
_MOST_NAMED = 20
_APPLIED = "plan.txt"
_ANEW = "Make the plan anew, read it, and apply that: arcferry onboard plan --save FILE."


class _Decided(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    action: Literal["run", "skip", "block"]
    why: str = ""


class _PlannedHost(BaseModel):
    """One host: what it is, and what was decided of each step; nothing where it could not be read."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    name: str
    digest: str
    decided: dict[str, _Decided] = Field(default_factory=dict)


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)
    schema_: Literal[1] = Field(alias="schema")
    kind: Literal["saved-plan"]
    made: datetime
    run: str
    bundle: str
    target: dict[str, str]
    hosts: list[_PlannedHost]


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan as it was read from its file.

    Attributes:
        digest: of the file; an apply that goes on with the same plan is known by it.
        hosts: what each host was, and the action and reason of each of its steps, by its name.
    """

    path: Path
    digest: str
    made: datetime
    run: str
    bundle: str
    target: Mapping[str, str]
    hosts: Mapping[str, tuple[str, Mapping[str, tuple[str, str]]]]


def save(plan: FleetPlan, path: Path) -> None:
    """Keep a plan in a file. It holds what was decided and no secret.

    Raises:
        FileInputError: the file cannot be written.
    """
    request = plan.request
    document = {
        "schema": SCHEMA,
        "kind": _KIND,
        "made": to_text(now()),
        "run": request.run,
        "bundle": request.bundle.id,
        "target": target_to_json(request.target),
        "hosts": [
            {"name": one.host.name, "digest": _digest(one.host), "decided": _decided(one)}
            for one in plan.hosts
        ],
    }
    write_whole(path, f"{json.dumps(document, indent=1, ensure_ascii=False)}\n".encode(), mode=0o600)


def read(path: Path) -> SavedPlan:
    """The plan in a file.

    Raises:
        FileInputError: it is none, or of another version of arcferry.
    """
    data = read_bounded(path, limit=_LIMIT)
    hint = "It is written by arcferry onboard plan --save FILE."
    try:
        document = _Document.model_validate(from_json(data))
    except ValidationError as error:
        raise FileInputError(path, f"is no saved plan: {first_problem(error)}", hint=hint) from None
    except (ValueError, RecursionError):
        raise FileInputError(path, "is no saved plan: it is not JSON", hint=hint) from None
    hosts = {
        host.name: (host.digest, {step: (one.action, one.why) for step, one in host.decided.items()})
        for host in document.hosts
    }
    made = from_text(document.made.isoformat())
    digest = hashlib.sha256(data).hexdigest()
    return SavedPlan(path, digest, made, document.run, document.bundle, document.target, hosts)


async def refuse_moved(saved: SavedPlan, context: RunContext, folder: RunFolder) -> None:
    """Refuse to apply a plan that no longer says what would be done; reads hosts, and changes none.

    What this plan's own earlier apply has worked on is not compared: that is what moved it.

    Raises:
        BlockedError: bundle, inventory, target or a host's decisions are others now. Nothing was begun.
    """
    request = context.request
    moved = list(_of_request(saved, request))
    if not moved:
        worked_on = _worked_on(saved, folder)
        left = [host for host in request.inventory.hosts if host.name not in worked_on]
        moved = [line for planned in await plan_hosts(context, left) for line in _of_host(saved, planned)]
    if moved:
        more = f"; and {len(moved) - _MOST_NAMED} more" if len(moved) > _MOST_NAMED else ""
        raise BlockedError(
            f"the plan {saved.path} of {to_text(saved.made)} is not what would be done now: "
            f"{'; '.join(moved[:_MOST_NAMED])}{more}",
            hint=_ANEW,
        )
    await asyncio.to_thread(write_whole, folder.path / _APPLIED, saved.digest.encode(), mode=0o600)


def _of_request(saved: SavedPlan, request: RunRequest) -> Iterator[str]:
    if saved.bundle != request.bundle.id:
        yield f"it is for the bundle {saved.bundle}, and this one is {request.bundle.id}"
    if request.bundle.manifest.created > saved.made:
        yield f"it is older than the bundle, which is of {to_text(request.bundle.manifest.created)}"
    target = target_to_json(request.target)
    for name in sorted(target.keys() | saved.target.keys()):
        planned, here = saved.target.get(name, ""), target.get(name, "")
        if planned != here:
            yield one_line(f"{name.replace('_', ' ')} was {planned or 'none'}, and is {here or 'none'}")
    hosts = {host.name: host for host in request.inventory.hosts}
    yield from (f"{name} is not in the inventory any more" for name in saved.hosts if name not in hosts)
    for name, host in hosts.items():
        if name not in saved.hosts:
            yield f"{name} is not in the plan"
        elif saved.hosts[name][0] != _digest(host):
            yield f"{name} has another address, port, user, site or tags in the inventory"


def _of_host(saved: SavedPlan, now_: HostPlan) -> Iterator[str]:
    planned = saved.hosts[now_.host.name][1]
    if now_.error is not None:
        if planned:
            yield f"{now_.host.name} could be read then, and cannot now: {now_.error.message}"
        return
    if not planned:
        yield f"{now_.host.name} could not be read then, and can now"
        return
    for step, decision in now_.steps:
        action, why = planned.get(step, ("", ""))
        if action != decision.action.value:
            before = f"{action} ({why})" if action else "nothing"
            yield one_line(
                f"{now_.host.name}: {step} was {before}, and is {decision.action.value} ({decision.why})",
                limit=400,
            )


def _worked_on(saved: SavedPlan, folder: RunFolder) -> set[str]:
    """The hosts that an earlier apply of this very plan has begun.

    Raises:
        BlockedError: another apply has worked on the run since the plan was made.
    """
    begun = [
        entry.event
        for entry in entries(folder.journal)
        if entry.event.get("event") != EventKind.BEGUN and _at(entry.event) > saved.made
    ]
    hosts = {str(event["host"]) for event in begun if event.get("host")}
    if not hosts or _applied(folder) == saved.digest:
        return hosts
    raise BlockedError(
        f"the plan {saved.path} of {to_text(saved.made)} is older than an apply of the same run, which "
        f"worked on {len(hosts)} of its hosts at {to_text(_at(begun[0]))}",
        hint=_ANEW,
    )


def _at(event: Mapping[str, Any]) -> datetime:
    try:
        return from_text(str(event.get("time", "")))
    except ValueError:
        return from_text("1970-01-01")


def _applied(folder: RunFolder) -> str:
    path = folder.path / _APPLIED
    return read_bounded(path, limit=_LIMIT).decode(errors="replace") if path.is_file() else ""


def _decided(plan: HostPlan) -> dict[str, dict[str, str]]:
    return {step: {"action": one.action.value, "why": one.why} for step, one in plan.steps}


def _digest(host: Host) -> str:
    text = json.dumps(host.identity(), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
