"""The dated documents that a bundle carries, and how each is checked before it is packed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from arcferry import files
from arcferry.bundle.manifest import Role
from arcferry.errors import FileInputError, first_problem
from arcferry.routing.azure_json import read_community_list, read_service_tags
from arcferry.routing.route_filter import read_route_filter
from arcferry.text import from_json

_LARGEST = 64 * 1024 * 1024
_Host = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,252}$")]


@dataclass(frozen=True, slots=True)
class _Dated:
    schema: Literal[1]
    cloud: str
    location: str
    taken: date


@dataclass(frozen=True, slots=True)
class HisDiscovery(_Dated):
    """Which HIS host serves a location, as the discovery call answered on a day."""

    kind: Literal["his-discovery"]
    host: _Host


@dataclass(frozen=True, slots=True)
class NotificationHosts(_Dated):
    """Which Service Bus names a location's agents keep open, as the notification service listed them."""

    kind: Literal["notification-hosts"]
    hosts: Annotated[tuple[_Host, ...], Field(min_length=1, max_length=1000)]


def _reader(kind: type[HisDiscovery | NotificationHosts]) -> Callable[[object, str], object]:
    adapter = TypeAdapter(kind)

    def read(document: object, name: str) -> object:
        try:
            return adapter.validate_python(document)
        except ValidationError as error:
            raise FileInputError(name, f"is not what it was given as: {first_problem(error)}") from error

    return read


READERS: Mapping[Role, Callable[[object, str], object]] = {
    Role.SERVICE_TAGS: read_service_tags,
    Role.COMMUNITIES: read_community_list,
    Role.ROUTE_FILTER: read_route_filter,
    Role.DISCOVERY: _reader(HisDiscovery),
    Role.NOTIFICATION_HOSTS: _reader(NotificationHosts),
}
"""The roles of documents, each with what reads a JSON document and refuses another one by its file's name."""


def read_checked(role: Role, path: Path) -> bytes:
    """The file's bytes, if they are a document of this role.

    Raises:
        FileInputError: it cannot be read, is no JSON, or another document.
    """
    data = files.read_bounded(path, limit=_LARGEST)
    try:
        document = from_json(data)
    except (ValueError, RecursionError) as error:
        raise FileInputError(path, "is not JSON") from error
    READERS[role](document, path.name)
    return data
