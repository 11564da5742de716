"""What az prints of roles, providers, subscriptions, policies, locks and the like, by the fields it has.

`azure_objects.toml` has a shape a kind of object. A state in which Azure refuses what the agent wants is told
as the code with which it would; the rest is known for what it is, and concludes nothing.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from arcferry.evidence.case import AgentState, CodeSeen, Document, Kind
from arcferry.evidence.readers import values

_MOST = 1000
_Fields = Mapping[str, object]


@cache
def _shapes() -> list[dict[str, Any]]:
    file = resources.files(__package__).joinpath("azure_objects.toml")
    found: list[dict[str, Any]] = tomllib.loads(file.read_text(encoding="utf-8"))["object"]
    return found


def _fields(value: object) -> _Fields:
    """An object's own fields and those of its `properties`, with keys in lower case."""
    own = values.lowered(value)
    return {**values.lowered(own.get("properties")), **own}


def _fits(shape: Mapping[str, Any], one: _Fields) -> bool:
    wanted: Mapping[str, str] = shape.get("with", {})
    return set(shape["keys"]) <= set(one) and all(
        re.search(pattern, values.short(one.get(key))) for key, pattern in wanted.items()
    )


def read_json(name: str, value: object) -> Document | None:
    """The document of objects of one shape, or None if they have none; a list is one of REST's too."""
    listed = value if isinstance(value, list) else values.lowered(value).get("value")
    rows = [_fields(one) for one in (listed if isinstance(listed, list) else [value])[:_MOST]]
    rows = [_fields(row.get("directorysizequota")) or row for row in rows]
    shape = next((one for one in _shapes() if rows and all(_fits(one, row) for row in rows)), None)
    if shape is None:
        return None
    machine = rows[0] if shape.get("machine") and len(rows) == 1 else None
    return Document(
        name,
        Kind.AZURE_OBJECT,
        codes=tuple(dict.fromkeys(_codes(shape, rows, name)))[:_MOST],
        agent_state=_state(machine, name) if machine else None,
    )


def _codes(shape: Mapping[str, Any], rows: Iterable[_Fields], name: str) -> Iterator[CodeSeen]:
    for row in rows:
        if shape.get("sign_in"):
            status = values.lowered(row.get("status"))
            number = values.number(status.get("errorcode")) or 0
            if 0 < number < 10**8:  # longer than any of Entra ID's codes is none
                says, at = (
                    values.short(status.get("failurereason")),
                    values.instant(row.get("createddatetime")),
                )
                yield CodeSeen(f"AADSTS{int(number)}", says, name, (), at)
        elif shape.get("full"):
            used, total = values.number(row.get("used")), values.number(row.get("total"))
            if used is not None and total and used >= total:
                yield CodeSeen(shape["code"], f"{int(used):,} of {int(total):,} are used", name)
        elif "bad" in shape and re.search(shape["bad"], state := str(row.get(shape["field"]))[:40]):
            says = f"{values.short(row.get(shape['named']), 100)}: {shape['field']} is {values.short(state)}"
            yield CodeSeen(shape["code"], says, name)


def _state(row: _Fields, name: str) -> AgentState | None:
    """What Azure shows of the machine, as the agent would say it itself."""
    return AgentState(
        name,
        status=values.word(row.get("status"), 40),
        version=values.word(row.get("agentversion"), 40),
        location=values.word(row.get("location"), 40),
        last_heartbeat=values.instant(row.get("changed") or row.get("laststatuschange")),
        properties=tuple(
            (key, values.short(row.get(field), 200))
            for key, field in (("resource id", "id"), ("resource name", "name"))
            if row.get(field)
        ),
    )
