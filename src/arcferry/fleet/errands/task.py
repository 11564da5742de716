"""The work on one host: its session, the host script that comes with arcferry, and its machine in Azure."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path

from arcferry.azure import AzureSession, Machine, get_machine, list_extensions
from arcferry.bundle import BundleFile
from arcferry.bundle.manifest import Role
from arcferry.errors import ConflictError, HostCommandError
from arcferry.fleet.claims import Claims
from arcferry.fleet.errands.errand import ErrandRequest, HostNow
from arcferry.fleet.events import Event, EventKind, Observer
from arcferry.fleet.host_state import HostAgent, is_connected_to, read_agent, read_facts
from arcferry.fleet.inventory import Host
from arcferry.fleet.place import target_of
from arcferry.fleet.script import ScriptAnswer, ask, run_to_end
from arcferry.fleet.steps.leave import is_own, place_of
from arcferry.fleet.system import SYSTEMS
from arcferry.fleet.transport import Session, open_session
from arcferry.fleet.transport.upload import make_folder, put
from arcferry.text import clean

_LOOK_AGAIN = "Run the same command again without --apply: it shows how it stands now."


@cache
def own_script(name: str, suffix: str) -> BundleFile:
    """The host script that comes with this arcferry: an errand needs no bundle."""
    file = f"{name}{suffix}"
    path = Path(str(resources.files("arcferry.bundle") / "hostscripts" / file))
    data = path.read_bytes()
    return BundleFile(f"host/{file}", path, len(data), hashlib.sha256(data).hexdigest(), Role.HOST_SCRIPT)


class ErrandTask:
    """One host. Its session is opened when first needed.

    Attributes:
        now: what was learned of it, from when `survey` has ended.
        step: the step that is being run.
    """

    def __init__(
        self, host: Host, request: ErrandRequest, azure: AzureSession | None, observer: Observer
    ) -> None:
        self.host = host
        self.request = request
        self.target = target_of(request.target, host.place)
        self.step = ""
        self.now = HostNow(host, self.target, request.wishes)
        self._azure = azure
        self._observer = observer
        self._session: Session | None = None
        self._script = ""

    @property
    def has_azure(self) -> bool:
        """Whether there is a session with Azure."""
        return self._azure is not None

    @property
    def azure(self) -> AzureSession:
        """The session with Azure."""
        if self._azure is None:
            raise RuntimeError("this errand was begun without a session with Azure")
        return self._azure

    def see(self, kind: EventKind, step: str, says: str = "", seconds: float = 0.0) -> None:
        """Tell whoever watches what became of a step."""
        self._observer(Event(self.host.name, kind, step, says, seconds=seconds))

    @property
    def tell(self) -> Callable[[str], None]:
        """Tells whoever watches what the step does beside."""
        return lambda says: self.see(EventKind.WAITING, self.step, says)

    async def session(self) -> Session:
        """The host's session.

        Raises:
            HostError: it cannot be had.
        """
        if self._session is None or self._session.closed:
            self._session = await open_session(self.host, self.request.sign_in)
        return self._session

    async def close(self) -> None:
        """End the session, if there is one."""
        if self._session is not None:
            await self._session.close()

    async def survey(self, claims: Claims, machine: Machine | None) -> HostNow:
        """What there is to learn before anything is decided; changes nothing.

        Raises:
            HostError: the host cannot be reached, or does not answer as the host script does.
            AzureError: Azure does not say which extensions there are.
        """
        reads = self.request.errand.reads
        self.now = replace(self.now, machine=machine, azure_known=self._azure is not None)
        if machine is not None and "extensions" in reads:
            names = await list_extensions(self.azure, self.host.name)
            self.now = replace(self.now, extensions=names)
        if not self.request.asks_host:
            return self.now
        session = await self.session()
        system = SYSTEMS[session.system]
        answer = await ask(session, own_script(system.name, system.suffix).read(), "facts")
        if answer.text("os").lower() != system.name:
            raise HostCommandError(f"{session.place}: it takes commands as {system.name} does, and is none")
        facts = read_facts(answer, skew=None, staged={})
        proxy = answer.part("proxy")
        self.now = replace(
            self.now,
            facts=facts,
            left=await self.left() if "left" in reads else (),
            proxy=proxy.text("url") if proxy.text("source") == "proxy.url" else "",
            objection=claims.objection(self.host, facts),
        )
        return self.now

    async def left(self, *, remove: bool = False) -> tuple[str, ...]:
        """Folders of arcferry's own that are on the server, once they were removed where that is wanted.

        Raises:
            HostError: the session was cut, or something of them cannot be removed.
        """
        session = await self.session()
        system = SYSTEMS[session.system]
        folders = dict.fromkeys((system.staging, system.run_folder))
        command = system.command("leave", "remove" if remove else "look", *folders)
        result = await session.run(command, deadline=120)
        if result.exit_status:
            raise HostCommandError(
                f"{session.place}: what arcferry keeps there cannot be removed: {result.says}",
                hint=system.lock_hint,
            )
        lines = {line.strip() for line in clean(result.stdout).splitlines()}
        return tuple(folder for folder in folders if folder in lines)

    async def run(self, verb: str, *words: str, token: bytes = b"", deadline: float = 1200.0) -> ScriptAnswer:
        """Run one verb of the host script to its end, under the host's lock.

        Raises:
            HostError: as for `script.run_to_end`.
        """
        session = await self.session()
        if not self._script:
            system = SYSTEMS[session.system]
            own = own_script(system.name, system.suffix)
            folder = system.staged(f"hostscript-{own.sha256[:12]}")
            await make_folder(session, folder)
            path = system.joined(folder, own.name.rpartition("/")[2])
            await put(session, own, path)
            self._script = path
        return await run_to_end(session, self._script, verb, *words, token=token, deadline=deadline)

    async def look_again(self) -> tuple[HostAgent, Machine | None]:
        """The agent and the machine as they are right now, if they are the ones that were meant.

        Raises:
            ConflictError: one is another meanwhile. Nothing was done.
            HostError: the host does not say.
            AzureError: Azure does not say.
        """
        agent = HostAgent()
        if self.now.facts is not None and self.now.agent.installed:
            agent = read_agent(await self.run("show", deadline=120))
            if agent.has_machine and not is_connected_to(agent, self.target, self.host.name):
                differs = place_of(agent, self.target, self.host.name)
                raise _another(f"its agent is connected to another {differs} meanwhile")
            if agent.has_machine and agent.vm_id.lower() != self.now.agent.vm_id.lower():
                raise _another("its agent has another identity than a moment ago")
        machine = await get_machine(self.azure, self.host.name) if self._azure is not None else None
        if machine is not None:
            self._refuse_another(machine, agent if agent.vm_id else self.now.agent)
        return agent, machine

    def _refuse_another(self, machine: Machine, agent: HostAgent) -> None:
        if self.now.facts is not None and not is_own(machine, self.now.facts, agent):
            raise _another(f"the machine {machine.name} in Azure is another server's meanwhile")
        before = self.now.machine
        if before is not None and machine.vm_id.lower() != before.vm_id.lower():
            raise _another(f"the machine {machine.name} in Azure has another vmId than a moment ago")


def _another(says: str) -> ConflictError:
    return ConflictError(f"{says}: nothing was done with it", hint=_LOOK_AGAIN)
