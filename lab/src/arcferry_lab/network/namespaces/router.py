"""One router: a namespace with BIRD in it, and nftables' rules."""

import asyncio
import re
from pathlib import Path

from arcferry import files
from arcferry.text import clean
from arcferry_lab.errors import LabError
from arcferry_lab.network.namespaces.keeper import Keeper
from arcferry_lab.network.namespaces.tools import Tools

_SECONDS = 20
_POLL_SECONDS = 0.02
_ROUTE = re.compile(r"^(?P<prefix>\S+/\d+)?\s+\w+ \[(?P<protocol>\w+) ")


class Router:
    """A router that runs.

    Its configuration and its log lie in the network's folder, under the name of its namespace.
    """

    def __init__(self, namespace: str, folder: Path, keeper: Keeper, tools: Tools) -> None:
        self.namespace = namespace
        self._folder = folder
        self._keeper = keeper
        self._tools = tools
        self._configuration = ""
        self._rules = ""
        self._number = 0

    async def start(self, configuration: str) -> None:
        """Start BIRD with a configuration; returns when it can be asked.

        Raises:
            LabError: it does not start.
        """
        self._write(configuration)
        command = [self._tools["bird"], "-f", "-c", self._file("conf"), "-s", self._file("ctl")]
        self._number = await self._keeper.launch(self.namespace, command, self._folder)
        async with asyncio.timeout(_SECONDS):
            while not await self._answers():
                if not await self._keeper.is_running(self._number):
                    raise LabError(f"BIRD of {self.namespace} does not start: {self._log()}")
                await asyncio.sleep(_POLL_SECONDS)

    async def configure(self, configuration: str) -> None:
        """Change the configuration, where this is another one.

        Raises:
            LabError: BIRD refuses it.
        """
        if configuration != self._configuration:
            self._write(configuration)
            said = await self.ask("configure")
            if "econfigur" not in said:
                raise LabError(f"BIRD of {self.namespace} refuses its configuration: {clean(said)}")

    async def guard(self, rules: str) -> None:
        """Change nftables' rules, where these are others.

        Raises:
            LabError: the kernel refuses them.
        """
        if rules != self._rules:
            await self._keeper.run(self.namespace, [self._tools["nft"], "-f", "-"], rules)
            self._rules = rules

    async def ask(self, command: str) -> str:
        """What BIRD prints to a command.

        Raises:
            LabError: it does not answer.
        """
        process = await asyncio.create_subprocess_exec(
            self._tools["birdcl"],
            "-s",
            self._file("ctl"),
            *command.split(),
            cwd=self._folder,
            env=self._tools.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        text = output.decode(errors="replace")
        if process.returncode:
            raise LabError(f"BIRD of {self.namespace} does not answer: {clean(text)}")
        return text

    async def learnt(self) -> frozenset[tuple[str, str]]:
        """What is in its table, as prefix and name of the protocol that brought it."""
        found, prefix = set(), ""
        for line in (await self.ask("show route")).splitlines():
            match = _ROUTE.match(line)
            if match:
                prefix = match["prefix"] or prefix
                found.add((prefix, match["protocol"]))
        return frozenset(found)

    async def _answers(self) -> bool:
        try:
            return bool(await self.ask("show status"))
        except LabError:
            return False

    def _file(self, suffix: str) -> str:
        """Short, because a socket's path may have 107 bytes; BIRD runs in the folder."""
        return f"{self.namespace}.{suffix}"

    def _write(self, configuration: str) -> None:
        files.write_whole(self._folder / self._file("conf"), configuration.encode(), mode=0o600)
        self._configuration = configuration

    def _log(self) -> str:
        path = self._folder / f"{self.namespace}.log"
        return clean(path.read_bytes()[-500:]).strip() if path.exists() else "it says nothing"
