"""Walking JSON documents whose keys come in several letter cases, with errors that name the place."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from arcferry import typed
from arcferry.errors import FileInputError, InputError
from arcferry.redaction import mask
from arcferry.routing.prefixes import prefix_key
from arcferry.text import one_line

CIRCUIT_ID = re.compile(r"/expressRouteCircuits/([^/\s]{1,80})", re.IGNORECASE)
"""The circuit's name in the resource id of anything of its."""
_GROUP_ID = re.compile(r"/resourceGroups/([^/\s]{1,90})/", re.IGNORECASE)
_DATE = re.compile(r"(?<!\d)(20\d\d)-?(0[1-9]|1[0-2])(?:-?([0-2]\d|3[01]))?(?!\d)")


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a JSON document and where it stands, such as `value[3].properties`.

    Azure's REST API, the `az` command line and PowerShell write the same objects with keys in different
    letter case; fields are found whatever the case.
    """

    value: object
    file: str
    place: str = ""

    def problem(self, says: str) -> InputError:
        """An error that names the file and this place."""
        told = mask(says)
        return FileInputError(self.file, f"{self.place}: {told}" if self.place else told)

    def _child(self, value: object, step: str) -> "Node":
        separator = "." if self.place and not step.startswith("[") else ""
        return Node(value, self.file, f"{self.place}{separator}{step}")

    @property
    def is_object(self) -> bool:
        """Whether this is a JSON object."""
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        """Whether this is a JSON array."""
        return isinstance(self.value, list)

    def field(self, name: str) -> "Node | None":
        """The object's field of this name in any letter case; None if it is missing or null."""
        if not isinstance(self.value, dict):
            return None
        value = self.value.get(name)
        if value is None:
            wanted = name.lower()
            value = next((found for key, found in self.value.items() if str(key).lower() == wanted), None)
        return None if value is None else self._child(value, name)

    def flat(self) -> "Node":
        """This object's `properties` where it has them, else itself, as `az` flattens them away."""
        properties = self.field("properties")
        return properties if properties is not None and properties.is_object else self

    def items(self) -> "Iterator[Node]":
        """The array's elements.

        Raises:
            InputError: this is no array.
        """
        if not isinstance(self.value, list):
            raise self.problem("expected a list")
        return (self._child(value, f"[{index}]") for index, value in enumerate(self.value))

    def text(self, name: str) -> str:
        """A field's text, cleaned and on one line; empty if it is missing.

        Raises:
            InputError: the field is there and no text.
        """
        found = self.field(name)
        if found is None:
            return ""
        if not isinstance(found.value, str):
            raise found.problem("expected text")
        return one_line(found.value)

    def texts(self, name: str) -> list[str]:
        """A field's array of texts; empty if it is missing.

        Raises:
            InputError: the field is no array, or an element is no text.
        """
        found = self.field(name)
        if found is None:
            return []
        if isinstance(found.value, list) and all(isinstance(value, str) for value in found.value):
            return found.value
        for item in found.items():
            if not isinstance(item.value, str):
                raise item.problem("expected text")
        raise found.problem("expected a list of texts")

    def prefixes(self, name: str) -> list[str]:
        """A field's array of IP prefixes; empty if it is missing.

        Raises:
            InputError: the field is no array, or an element is no prefix.
        """
        found = self.texts(name)
        for index, text in enumerate(found):
            try:
                prefix_key(text)
            except ValueError as error:
                raise self._child(None, f"{name}[{index}]").problem(one_line(str(error))) from error
        return found


def date_in(name: str) -> date | None:
    """The first day or month (taken as its first day) in a file name: 20251028, 2019-05-30, 2024-01."""
    for year, month, day in _DATE.findall(name):
        try:
            return date(int(year), int(month), int(day or 1))
        except ValueError:
            continue
    return None


def resource_name(text: str) -> str:
    """A resource's name; a word that says so if it is none that Azure could have given."""
    return typed.resource(text) or (typed.NAME_IS_NONE if text else "")


def resource_group(node: Node) -> str:
    """A resource's group: by its id, or by its field, which PowerShell names otherwise than `az` does."""
    found = _GROUP_ID.search(node.text("id"))
    named = found[1] if found else node.text("resourceGroup") or node.text("resourceGroupName")
    return typed.resource_group(named)
