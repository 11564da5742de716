"""A file of metrics that Prometheus' node_exporter or windows_exporter reads."""

import os
from dataclasses import dataclass
from pathlib import Path

from arcferry.errors import InputError
from arcferry.files import write_whole
from arcferry.watch.notifiers.message import Message


@dataclass(frozen=True, slots=True)
class Textfile:
    """How things stand, whole after every round; the time of the last one is the sign of life."""

    path: Path
    wants_state: bool = True

    @classmethod
    def at(cls, text: str) -> "Textfile":
        """The file of this path.

        Raises:
            InputError: its name is not one that is read, or its folder is missing.
        """
        path = Path(text).absolute()
        if path.suffix != ".prom":
            hint = "The exporter reads files whose names end in .prom and no other."
            raise InputError(f"--notify textfile:{path}: the name does not end in .prom", hint=hint)
        if not os.access(path.parent, os.W_OK) or not path.parent.is_dir():
            hint = "Give the folder of the exporter's --collector.textfile.directory."
            raise InputError(
                f"--notify textfile:{path}: there is no folder {path.parent} to write into", hint=hint
            )
        return cls(path)

    @property
    def name(self) -> str:
        """As it is given."""
        return f"textfile:{self.path}"

    async def send(self, message: Message) -> None:
        """Write it beside, and rename it into place.

        Raises:
            FileInputError: it cannot be written.
        """
        write_whole(self.path, message.text.encode())
