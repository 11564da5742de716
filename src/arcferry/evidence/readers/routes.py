"""Routes of a router or of Azure, in every format that `routing.tables` reads."""

from dataclasses import replace
from pathlib import Path

from arcferry.evidence.document import Document, Kind
from arcferry.routing.route import RouteTable, Vantage
from arcferry.routing.tables import read_route_file, read_route_table


def _document(table: RouteTable) -> Document:
    kind = Kind.AZURE_ROUTES if table.vantage is Vantage.AZURE else Kind.RECEIVED_ROUTES
    return Document(table.name, kind, table.taken, route_table=table, notes=table.notes)


def read(name: str, data: bytes) -> Document | None:
    """The routes, or None where `data` is in no format of routes.

    Raises:
        FileInputError: it is one, and something is wrong in it.
    """
    table = read_route_table(name, data)
    return _document(table) if table else None


def read_file(path: Path, name: str) -> Document | None:
    """The same of a file that is too long to be held, which is read as a stream.

    Raises:
        FileInputError: as `read`.
    """
    table = read_route_file(path)
    return _document(replace(table, name=name)) if table else None
