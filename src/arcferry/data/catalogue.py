"""The endpoint catalogue as a document of its own, newer than the one that arcferry came with."""

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from arcferry.catalog import Carrier, Steering, When
from arcferry.catalog.places import CLOUD_NAMES
from arcferry.errors import FileInputError
from arcferry.text import one_line, quoted

NAME = "endpoints"
_LIMIT = 4 * 1024 * 1024
_MARK = re.compile(rb"^AzureCloud\s*=\s*\[", re.MULTILINE)
_ROWS = 2000
M = TypeVar("M", bound=BaseModel)

_Host = Annotated[
    str,
    StringConstraints(pattern=r"^(?:[a-z0-9*{}-]{1,63}\.)+[a-z]{2,24}(?::[1-9]\d{1,4})?$", max_length=259),
]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=400)]
_Word = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]


class _EndpointRow(BaseModel):
    """One endpoint; fields that arcferry adds later are let through."""

    model_config = ConfigDict(strict=True, extra="allow")

    host: _Host
    when: Annotated[When, Field(strict=False)]
    carrier: Annotated[Carrier, Field(strict=False)]
    source: str
    purpose: _Text
    required: bool = False
    private_link: bool = False
    steering: Annotated[Steering, Field(strict=False)] = Steering.NONE_KNOWN
    features: list[_Word] = []
    since: date | None = None
    until: date | None = None
    answers_in: Annotated[
        str, StringConstraints(pattern=r"^(?:[a-z0-9]{1,40}|tags:[A-Za-z0-9.,]{1,200})?$")
    ] = ""
    locations: list[_Word] = []


class _CatalogueSource(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    text: _Text
    taken: date


class _CatalogueHead(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    source: _Text
    taken: date
    sources: dict[str, _CatalogueSource]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A whole, checked endpoint catalogue.

    Attributes:
        content: as TOML gives it.
        taken: the day it was true.
        entries: how many endpoints it has.
    """

    content: dict[str, Any]
    taken: date
    entries: int


def looks_right(data: bytes) -> bool:
    """Whether this is meant to be an endpoint catalogue: TOML with a cloud's rows."""
    return data.lstrip()[:1] not in (b"{", b"[") and bool(_MARK.search(data[:_LIMIT]))


def read_catalogue(name: str, data: bytes) -> Catalogue:
    """Read a catalogue in the form of arcferry's own `catalog/data/endpoints.toml`, and check all of it.

    Raises:
        FileInputError: something in it is wrong; the row is named.
    """
    if len(data) > _LIMIT:
        raise FileInputError(name, f"larger than the {_LIMIT:,} bytes that are read of a catalogue")
    try:
        content = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FileInputError(name, f"no TOML: {one_line(str(error))}") from error
    except ValueError:  # of int alone: tomllib maps all others
        raise FileInputError(name, "no TOML: it holds a number of thousands of digits") from None
    head = _validated(_CatalogueHead, content, name, "")
    if columns := content.pop("columns", None):
        content |= {cloud: _named(content.get(cloud), columns) for cloud in CLOUD_NAMES}
    entries = sum(_check_cloud(name, cloud, content.get(cloud), head) for cloud in CLOUD_NAMES)
    return Catalogue(content, head.taken, entries)


def _named(rows: object, columns: object) -> object:
    """Rows by name of a catalogue as arcferry wrote it before, by columns; bundles may still carry one."""
    if not isinstance(rows, list) or not isinstance(columns, list):
        return rows
    return [
        dict(zip(map(str, columns), row, strict=True))
        if isinstance(row, list) and len(row) == len(columns)
        else row
        for row in rows
    ]


def _check_cloud(name: str, cloud: str, rows: object, head: _CatalogueHead) -> int:
    if not isinstance(rows, list) or not 0 < len(rows) <= _ROWS:
        raise FileInputError(name, f"{cloud}: expected a list of at most {_ROWS:,} endpoints")
    required = 0
    for number, row in enumerate(rows):
        place = f"{cloud}[{number}]"
        found = _validated(_EndpointRow, row, name, place)
        if found.since and found.until and found.until < found.since:
            raise FileInputError(name, f"{place}: it ends before it begins")
        if found.source not in head.sources:
            raise FileInputError(name, f"{place}: its source {quoted(found.source)} is not among the sources")
        required += found.required
    if not required:
        raise FileInputError(name, f"{cloud}: no endpoint is required, which cannot be")
    return len(rows)


def _validated(model: type[M], value: object, name: str, place: str) -> M:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join([place, *map(str, first["loc"])]).strip(".")
        raise FileInputError(name, f"{where}: {one_line(first['msg'])}") from None
