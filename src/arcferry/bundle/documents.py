"""The dated documents that a bundle carries, and how each is checked before it is packed."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from arcferry import files
from arcferry.bundle.manifest import Role
from arcferry.errors import FileInputError
from arcferry.routing.communities import read_community_list
from arcferry.routing.route_filter import read_route_filter
from arcferry.routing.service_tags import read_service_tags

_LARGEST = 64 * 1024 * 1024

READERS: Mapping[Role, Callable[[object, str], object]] = {
    Role.SERVICE_TAGS: read_service_tags,
    Role.COMMUNITIES: read_community_list,
    Role.ROUTE_FILTER: read_route_filter,
}
"""The roles of documents, each with what reads a JSON document and refuses another one by its file's name."""


def read_checked(role: Role, path: Path) -> bytes:
    """The file's bytes, when they are a document of this role.

    Raises:
        FileInputError: it cannot be read, is no JSON, or another document.
    """
    data = files.read_bounded(path, limit=_LARGEST)
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FileInputError(path, "is not JSON") from error
    READERS[role](document, path.name)
    return data
