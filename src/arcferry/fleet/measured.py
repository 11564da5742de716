"""The path to Azure as a host measures it, before anything was carried to it.

The host script reads its part that opens connections from beside itself. Where nothing may be left on the
host, both travel as one on standard input.
"""

import json
from collections.abc import Mapping, Sequence

from arcferry.bundle import Bundle, BundleFile
from arcferry.errors import HostCommandError
from arcferry.fleet.host_state import host_scripts
from arcferry.fleet.place import Place
from arcferry.fleet.script import ScriptAnswer, ask
from arcferry.fleet.system import SYSTEMS, System
from arcferry.fleet.task import HostTask
from arcferry.fleet.transport import Session

DEADLINE = 180.0
MOST_PATH = 64 * 1024
"""Bytes that are kept of one host: an honest one has some 10 KB, and 1,000 hosts of a run may fail."""

_LAST_CALL = {"linux": b'\nmain "$@"', "windows": b"\nInvoke-Main $Given"}
"""Where each host script begins to act; all before it are definitions."""

_OWN_SCOPE = {"linux": b"\nNETWORK=1", "windows": b"\n$script:Stage = "}
"""What the other part must hold to work from standard input, where a script has no scope of its own."""


def joined(files: Sequence[BundleFile], system: System) -> bytes | None:
    """Both parts of a system's host script as one; None where they are too old for that."""
    parts = [file.read() for file in files]
    script, _, after = parts[0].rpartition(_LAST_CALL[system.name])
    if len(parts) == 1 or not script or after.strip() or _OWN_SCOPE[system.name] not in parts[1]:
        return None
    return b"\n".join((script, parts[1], _LAST_CALL[system.name].lstrip(), b""))


def joined_scripts(bundle: Bundle) -> Mapping[str, bytes]:
    """The joined host script of each system that has one in this bundle."""
    made = {name: joined(host_scripts(bundle, system), system) for name, system in SYSTEMS.items()}
    return {name: text for name, text in made.items() if text is not None}


async def measure(task: HostTask, scripts: Mapping[str, bytes]) -> ScriptAnswer:
    """The host's facts, with the path to Azure that it measured in `path`. Nothing is left on the host.

    Raises:
        HostError: it cannot be reached, or did not measure.
    """
    target = task.target
    return await measure_by(
        await task.session(), task.host.place, target.location, target.cloud.name, scripts=scripts
    )


async def measure_by(
    session: Session, place: Place, location: str, cloud: str, *, scripts: Mapping[str, bytes]
) -> ScriptAnswer:
    """The same of a host that no run is about, for this location and cloud.

    Raises:
        HostError: as `measure`.
    """
    script = scripts.get(session.system)
    if script is None:
        raise HostCommandError(
            f"{session.place}: the bundle's host script is older than that it measures the path",
            hint="Build the bundle anew with this version of arcferry.",
        )
    system = SYSTEMS[session.system]
    words = [location, cloud, *system.proxied(place.proxy), *system.scoped(place.private_link_scope)]
    answer = await ask(session, script, "facts", *words, deadline=DEADLINE)
    if not rows_of(answer):
        why = answer.text("message") or "it gave none"
        raise HostCommandError(f"{session.place}: the path to Azure was not measured: {why}")
    return answer


def path_text(answer: ScriptAnswer) -> str:
    """The measured path as JSON; empty where there is none, or more than a host's may have."""
    path = answer.fields.get("path")
    text = json.dumps(path, separators=(",", ":")) if isinstance(path, dict) else ""
    return text if len(text) <= MOST_PATH else ""


def rows_of(answer: ScriptAnswer) -> list[Mapping[str, object]]:
    """The measured endpoints; what is none of them is left out."""
    path = answer.fields.get("path")
    rows = path.get("endpoints") if isinstance(path, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
