"""The story that every newcomer sees, told with arcferry's own commands on the twin."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from platformdirs import user_cache_path
from rich.align import AlignMethod
from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from arcferry.fleet.run_folder import runs
from arcferry_lab.errors import LabError
from arcferry_lab.hosts.windows import cannot_host
from arcferry_lab.network.block import port_trouble

HOSTS = 6
_OF_AZURE = (53, 443)
_WIDEST = 100


@dataclass(frozen=True, slots=True)
class Scene:
    """One command of the story.

    Attributes:
        says: what it is about, told before it runs.
        command: the arguments after `arcferry`, as a user types them.
        exit_code: what it must end with; the story stops otherwise.
        saved_as: the file that its output goes to instead of the screen.
    """

    says: str
    command: str
    exit_code: int = 0
    saved_as: str = ""


STORY = (
    Scene(
        "A company's servers reach Azure over ExpressRoute with Microsoft peering, and nothing else. "
        "Before a server is touched: does the path carry what Azure Arc needs?",
        "check --location eastasia",
        exit_code=1,
    ),
    Scene(
        "One endpoint is out of reach and all others answer. The same once more, kept in a file.",
        "check --location eastasia --output json",
        exit_code=1,
        saved_as="check.json",
    ),
    Scene(
        "What the network answered, joined with the service tags, the communities and the route filter.",
        "explain check.json {route_filter} {service_tags} {communities}",
        exit_code=1,
    ),
    Scene(
        "That too is kept in a file.",
        "explain check.json {route_filter} {service_tags} {communities} --output json",
        exit_code=1,
        saved_as="explain.json",
    ),
    Scene(
        "The same evidence, planned for: the communities where the names really answered, beside those where "
        "they may answer, and what the change does besides.",
        "routes plan --location eastasia check.json {route_filter} {service_tags} {communities}",
    ),
    Scene(
        "What is known today is kept for every command.",
        "data import {route_filter} {service_tags} {communities}",
    ),
    Scene("The network team adds the community to the route filter.", "lab filter add 12076:51012"),
    Scene(
        "The route appears, and the row turns green. The filter that was kept is older, and is named "
        "as the reason for what looks odd.",
        "check --location eastasia",
    ),
    Scene(
        "On a machine with a connection, a bundle is packed and sealed with a key made for it.",
        "bundle key new seal",
    ),
    Scene(
        "The agent, the host script, the catalogue and the service tags, under one seal.",
        "bundle build --out bundle --secret-key seal {agents} --service-tags {service_tags}",
    ),
    Scene(
        "It is carried across, and proved before anything in it is used.",
        "bundle verify bundle --bundle-key seal.pub",
    ),
    Scene(
        "The servers: one of them proves the path and goes ahead, then all the others. Only Azure says "
        "whether they are connected.",
        "onboard apply {inventory} --bundle bundle --bundle-key seal.pub",
    ),
    Scene(
        "A page for everybody who was not there: what was missing, who had to act and the letter to send, "
        "and how each server went through the run.",
        "report explain.json {run} --out {page}",
    ),
)
PAGE = "report.html"

WHERE_NEXT = """\
That was the twin; your own network next:
  arcferry check --location YOUR-REGION      what your path carries, from where you stand
  arcferry explain FILE...                   an agent's output, DNS answers, a route filter: any of them
  arcferry lab up --folder twin --hosts 2    the same twin, to try things in (docs/lab.md)
README.md leads through the rest: “Is my route filter enough?”, “Carry it across”, “Onboard a fleet”.
docs/how-it-works.md says what happens behind each command."""


def where_next() -> str:
    """What to type next, first of all how a shell finds arcferry where it does not yet."""
    if shutil.which("arcferry"):
        return WHERE_NEXT
    activate = f". {shlex.quote(sys.prefix)}/bin/activate"
    return f"To call arcferry by its name in this shell:\n  {activate}\n{WHERE_NEXT}"


def tell(console: Console) -> None:
    """Run the story from a new twin to a connected fleet, and leave nothing behind but its page.

    Raises:
        LabError: a command of the story did not end as it must.
    """
    with _stage() as folder:
        reason = linux_only()
        windows = 0 if reason else 1
        servers = "six servers" + (" with Linux and one with Windows" if windows else "")
        _rule(console, f"Bringing up the twin: Azure, a closed network, {servers}")
        if reason:
            console.print(f"Linux servers only, since no Windows host can run here: {reason}", soft_wrap=True)
        plain = _plain_environment()
        _run(folder, f"lab up --hosts {HOSTS} --windows-hosts {windows} --folder lab --quiet", plain)
        lab = json.loads((folder / "lab" / "lab.json").read_text())
        # What the user of this machine holds is not part of the story, nor does the story add to it.
        environment = plain | lab["environment"] | {"ARCFERRY_DATA": str(folder / "data")}
        for number, scene in enumerate(STORY, start=1):
            console.print()
            _rule(console, f"{number}/{len(STORY)}", align="left", style="dim")
            console.print(scene.says, style="italic")
            _play(console, folder, scene, lab, environment)
        console.print()
        _rule(console, "Where to go next")
        console.print(Text(f"The page, to open in any browser: {_page(folder)}"), soft_wrap=True)
        console.print(Text(where_next()), soft_wrap=True)


def _rule(console: Console, title: str, *, align: AlignMethod = "center", style: str = "rule.line") -> None:
    """A line across the window, and no longer than one where there is none: a pipe has lines without end."""
    line = Rule(Text(title, "bold"), align=align, style=style)
    console.print(line, width=min(console.width, _WIDEST))


def linux_only() -> str:
    """Why the story has no Windows server; empty where it has one."""
    reason = cannot_host()
    if reason:
        return reason
    closed = [port for port in _OF_AZURE if port_trouble("127.0.0.1", port)] if os.geteuid() else []
    return f"ports {', '.join(map(str, closed))} cannot be had, and Windows knows no others" if closed else ""


@contextmanager
def _stage() -> Iterator[Path]:
    """A folder for the story. However the story ends, its twin is taken down and the folder removed."""
    cache = user_cache_path("arcferry")
    cache.mkdir(parents=True, exist_ok=True)
    folder = Path(mkdtemp(prefix="demo-", dir=cache))
    try:
        yield folder
    finally:
        _arcferry(folder, "lab down --folder lab --quiet", _plain_environment())
        shutil.rmtree(folder)


def _page(folder: Path) -> Path:
    """The story's page stays; that of an earlier story makes room."""
    return folder.parent / PAGE


def _plain_environment() -> dict[str, str]:
    """This environment without settings meant for a real fleet."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("ARCFERRY_", "AZURE_"))}
    tools = {"ARCFERRY_TOOLS": os.environ["ARCFERRY_TOOLS"]} if "ARCFERRY_TOOLS" in os.environ else {}
    return kept | tools


def _play(
    console: Console, folder: Path, scene: Scene, lab: dict[str, str], environment: dict[str, str]
) -> None:
    command = scene.command.format(
        route_filter=_near(folder, lab["route_filter_file"]),
        service_tags=_near(folder, lab["service_tags_file"]),
        communities=_near(folder, lab["communities_file"]),
        agents=_agents(folder, lab),
        inventory=_near(folder, lab["inventory_file"]),
        run=next((run.id for run, _ in runs(Path(environment["ARCFERRY_STATE"]))), ""),
        page=_near(folder, str(_page(folder))),
    )
    shown = f"arcferry {command}" + (f" > {scene.saved_as}" if scene.saved_as else "")
    console.print(Text.assemble(("$ ", "bold green"), (shown, "bold")), soft_wrap=True)
    _run(folder, command, environment, exit_code=scene.exit_code, saved_as=scene.saved_as)


def _agents(folder: Path, lab: dict[str, str]) -> str:
    """The agent's packages as options; an MSI's signature leads to the twin's own CA."""
    linux = f"--agent {_near(folder, lab['agent_package'])}"
    if not lab["windows_package"]:
        return linux
    windows = _near(folder, lab["windows_package"])
    return f"{linux} --agent {windows} --signing-root {_near(folder, lab['code_signing_ca_file'])}"


def _near(folder: Path, path: str) -> str:
    return os.path.relpath(path, folder)


def _run(
    folder: Path, command: str, environment: dict[str, str], *, exit_code: int = 0, saved_as: str = ""
) -> None:
    result = _arcferry(folder, command, environment, saved_as=saved_as)
    if result != exit_code:
        raise LabError(f"'arcferry {command}' ended with {result}, and the story needs {exit_code}")


def _arcferry(folder: Path, command: str, environment: dict[str, str], *, saved_as: str = "") -> int:
    line = [sys.executable, "-m", "arcferry", *command.split()]
    if not saved_as:
        return subprocess.run(line, cwd=folder, env=environment, check=False).returncode
    with (folder / saved_as).open("wb") as stream:
        return subprocess.run(line, cwd=folder, env=environment, stdout=stream, check=False).returncode
