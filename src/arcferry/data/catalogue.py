"""The endpoint catalogue as a document of its own, newer than the one that arcferry came with."""

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from arcferry.catalog import Carrier, Steering, When
from arcferry.catalog.places import CLOUD_NAMES
from arcferry.catalog.store import built_in
from arcferry.errors import FileInputError
from arcferry.text import one_line, quoted

NAME = "endpoints"
_LIMIT = 4 * 1024 * 1024
_MARK = re.compile(rb"^columns\s*=\s*\[", re.MULTILINE)
_ROWS = 2000
M = TypeVar("M", bound=BaseModel)

_Host = Annotated[
    str,
    StringConstraints(pattern=r"^(?:[a-z0-9*{}-]{1,63}\.)+[a-z]{2,24}(?::[1-9]\d{1,4})?$", max_length=259),
]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=400)]
_Word = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]


class _EndpointRow(BaseModel):
    """One endpoint, by the names of the columns; columns that arcferry adds later are let through."""

    model_config = ConfigDict(strict=True, extra="allow")

    host: _Host
    when: Annotated[When, Field(strict=False)]
    required: bool
    private_link: bool
    steering: Annotated[Steering, Field(strict=False)]
    carrier: Annotated[Carrier, Field(strict=False)]
    features: list[_Word]
    source: str
    purpose: _Text


class _CatalogueSource(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    text: _Text
    taken: date


class _CatalogueHead(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    source: _Text
    taken: date
    sources: dict[str, _CatalogueSource]
    columns: list[str]


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
    """Whether this is meant to be an endpoint catalogue: TOML with columns."""
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
    head = _validated(TypeAdapter(_CatalogueHead), content, name, "")
    columns = built_in(NAME).content["columns"]
    if head.columns != columns:
        raise FileInputError(
            name, f"its columns are not {', '.join(columns)}", hint="It is for another version of arcferry."
        )
    entries = sum(_check_cloud(name, cloud, content.get(cloud), head) for cloud in CLOUD_NAMES)
    return Catalogue(content, head.taken, entries)


def _check_cloud(name: str, cloud: str, rows: object, head: _CatalogueHead) -> int:
    if not isinstance(rows, list) or not 0 < len(rows) <= _ROWS:
        raise FileInputError(name, f"{cloud}: expected a list of at most {_ROWS:,} endpoints")
    adapter = TypeAdapter(_EndpointRow)
    required = 0
    for number, row in enumerate(rows):
        place = f"{cloud}[{number}]"
        if not isinstance(row, list) or len(row) != len(head.columns):
            raise FileInputError(name, f"{place}: expected {len(head.columns)} columns")
        found = _validated(adapter, dict(zip(head.columns, row, strict=True)), name, place)
        if found.source not in head.sources:
            raise FileInputError(name, f"{place}: its source {quoted(found.source)} is not among the sources")
        required += found.required
    if not required:
        raise FileInputError(name, f"{cloud}: no endpoint is required, which cannot be")
    return len(rows)


def _validated(adapter: TypeAdapter[M], value: object, name: str, place: str) -> M:
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join([place, *map(str, first["loc"])]).strip(".")
        raise FileInputError(name, f"{where}: {one_line(first['msg'])}") from None
