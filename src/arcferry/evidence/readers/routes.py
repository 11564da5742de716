"""What routers print: routes, in any format that `routing.tables` reads, and BGP sessions."""

from dataclasses import replace
from pathlib import Path

from arcferry.evidence.case import Document, Kind
from arcferry.evidence.readers import values
from arcferry.routing.route import RouteTable, Vantage
from arcferry.routing.tables import (
    Progress,
    may_hold_routes,
    read_route_file,
    read_route_table,
)
from arcferry.routing.tables.capture import LEFT_OUT, advertised, typed
from arcferry.routing.tables.sessions import read_sessions

_MOST_LOOKED_AT = 1_000_000
"""Characters in which sessions are looked for: a summary is short, and a table of routes may be long."""


def _routes(table: RouteTable | None) -> tuple[Document, ...]:
    if table is None:
        return ()
    if not table.size and any(note.startswith(LEFT_OUT) for note in table.notes):
        return (Document(table.name, Kind.SERVER_STATE, table.taken, notes=table.notes),)
    kind = Kind.AZURE_ROUTES if table.vantage is Vantage.AZURE else Kind.RECEIVED_ROUTES
    return (Document(table.name, kind, table.taken, route_table=table, notes=table.notes),)


def may_hold(text: str) -> bool:
    """Whether a line has the sign of a router's table, or a session of BGP, so that it is worth a reading."""
    return len(text) < _MOST_LOOKED_AT and (
        may_hold_routes(text) or bool(read_sessions(text)) or bool(advertised(text))
    )


def read(name: str, data: bytes) -> tuple[Document, ...]:
    """The routes of a router or of Azure, and a router's BGP sessions; none if `data` holds neither.

    A capture that lists only what the router sends tells of its state, and of no route that it received.

    Raises:
        FileInputError: it is one, and something is wrong in it.
    """
    text = values.text_of(data[: 4 * _MOST_LOOKED_AT]) or ""
    table = read_route_table(name, data)
    found = (*_routes(table), *sessions(name, text[:_MOST_LOOKED_AT]))
    if table is None and (sent := advertised(text[:_MOST_LOOKED_AT])):
        notes = tuple(f"{LEFT_OUT}: {one}" for one in sent)
        return (*found, Document(name, Kind.SERVER_STATE, notes=notes))
    return found


def answers_a_router(prompt: str) -> bool:
    """Whether a line is a router's prompt, so that what follows may be one of several answers of it."""
    return typed(prompt) is not None


def sessions(name: str, text: str) -> tuple[Document, ...]:
    """The BGP sessions that a router's text tells of."""
    found = read_sessions(text)
    return (Document(name, Kind.BGP_SESSIONS, sessions=found),) if found else ()


def read_dump(path: Path, name: str, progress: Progress | None = None) -> tuple[Document, ...]:
    """The same of a file that is too long to be held, which is read as a stream.

    Args:
        path: where it lies.
        name: how it is called in findings.
        progress: is told how many routes were read.
    """
    table = read_route_file(path, progress=progress)
    return _routes(replace(table, name=name) if table else None)
