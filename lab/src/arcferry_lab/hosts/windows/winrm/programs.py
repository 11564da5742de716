"""What the service needs of the server it runs on: its name, and programs."""

import asyncio
from collections.abc import Mapping
from typing import Protocol


class RunningProgram(Protocol):
    """A program that was started, and its streams."""

    stdin: asyncio.StreamWriter
    stdout: asyncio.StreamReader
    stderr: asyncio.StreamReader

    async def wait(self) -> int:
        """Its whole exit code, once it ended."""

    async def end(self) -> None:
        """End it and its children."""


class Computer(Protocol):
    """A server."""

    @property
    def name(self) -> str:
        """Its computer name."""

    @property
    def domain(self) -> str:
        """The DNS domain that it is in."""

    @property
    def address(self) -> str:
        """Where it listens."""

    async def start(
        self, command_line: str, *, folder: str = "", variables: Mapping[str, str] = {}, user: str = ...
    ) -> RunningProgram:
        """Start a program by its command line, as CreateProcess takes it."""
