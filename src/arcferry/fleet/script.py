"""Calling the host script on a host, and its answer: the host's claim, bounded and cleaned, never obeyed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from arcferry.errors import HostCommandError
from arcferry.fleet.system import system_of
from arcferry.fleet.system.system import Ended, refused
from arcferry.fleet.transport.session import Result, Session
from arcferry.redaction import mask, mask_value, redact_value
from arcferry.text import clean, from_json, one_line

LOCK_WAIT = 600
_ANSWER_LIMIT = 256 * 1024

_COMPARED = (
    "hostname",
    "resource_id",
    "resource_name",
    "subscription_id",
    "resource_group",
    "location",
    "vm_id",
    "vm_uuid",
    "tenant_id",
    "machine_id",
)
"""What is compared with Azure's own words, and would differ once a word of it was hidden for its looks."""


@dataclass(frozen=True, slots=True)
class ScriptAnswer:
    """One line of the host script. Missing or wrongly typed fields read as empty."""

    verb: str
    ok: bool
    fields: Mapping[str, Any] = field(default_factory=dict)

    def text(self, key: str, *, limit: int = 300) -> str:
        """A field as one clean line, empty if it is no text."""
        return one_line(self._string(key), limit=limit)

    def output(self, *, limit: int = 16_000) -> str:
        """The end of what a program printed, cleaned, its lines kept."""
        # Again, now that no terminal sequence can part a name any more.
        return mask(clean(self._string("output"), limit=4 * limit))[-limit:]

    def number(self, key: str) -> int | None:
        """A field as a whole number below 2^63."""
        value = self.fields.get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        return value if abs(value) < 1 << 63 else None

    def flag(self, key: str) -> bool | None:
        """A field as true or false."""
        value = self.fields.get(key)
        return value if isinstance(value, bool) else None

    def _string(self, key: str) -> str:
        value = self.fields.get(key)
        # JSON can hold halves of surrogate pairs, which no file and no terminal takes.
        return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""

    def part(self, key: str) -> "ScriptAnswer":
        """An object inside, empty where there is none."""
        value = self.fields.get(key)
        return ScriptAnswer(self.verb, self.ok, value if isinstance(value, dict) else {})


def read_answer(verb: str, text: str) -> ScriptAnswer | None:
    """The last line of the output that answers to `verb`, whatever else the host printed around it."""
    for line in reversed(text.splitlines()):
        if not line.lstrip().startswith("{"):
            continue
        try:
            document = from_json(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(document, dict) and document.get("schema") == 1 and document.get("verb") == verb:
            return ScriptAnswer(verb, document.get("ok") is True, masked_fields(document))
    return None


def masked_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What a host answered as it may be kept: this is where its words come in, and secrets stay out."""
    found: dict[str, Any] = {}
    for key, value in fields.items():
        if key in _COMPARED:
            found |= redact_value({key: value})
        elif key == "agent" and isinstance(value, dict):
            found[key] = masked_fields(value)
        else:
            found |= mask_value({key: value})
    return found


async def ask(
    session: Session, script: str | bytes, verb: str, *words: str, deadline: float = 90.0
) -> ScriptAnswer:
    """Run one verb of the script, without changing anything on the host.

    `script` is its path on the host or, before it is there, its content, which travels on standard input.

    Raises:
        HostCommandError: the host did not answer as the script does.
        HostUnreachableError: the session was cut.
    """
    path, stdin = (script, b"") if isinstance(script, str) else (None, script)
    argv = system_of(session.system).script(path, [verb, *words])
    result = await session.run(argv, stdin=stdin, deadline=deadline, limit=_ANSWER_LIMIT)
    return _answer(session, verb, result)


async def printed(
    session: Session, script: bytes, verb: str, *words: str, deadline: float, limit: int
) -> tuple[bytes, ScriptAnswer]:
    """What a verb printed before its answer, as the host sent it, and the answer; changes nothing there.

    Raises:
        HostCommandError: it printed more than `limit`, or did not answer as the script does.
        HostUnreachableError: the session was cut.
    """
    argv = system_of(session.system).script(None, [verb, *words])
    result = await session.run(argv, stdin=script, deadline=deadline, limit=limit)
    before, _, last = result.stdout.rstrip().rpartition(b"\n")
    return before, _answer(session, verb, Result(result.exit_status, last, result.stderr))


async def sweep(session: Session) -> None:
    """Remove tokens that an attempt which was killed has left on the host; not one that is at work right now.

    Raises:
        HostCommandError: one could not be removed.
        HostUnreachableError: the session was cut.
    """
    system = system_of(session.system)
    result = await session.run(system.command("sweep", system.run_folder), deadline=60)
    if error := refused(session.place, result.exit_status):
        raise error
    if result.exit_status:
        raise HostCommandError(
            f"{session.place}: a file with a token that an earlier attempt left could not be removed: "
            f"{result.says}",
            hint=f"Remove {system.token_files} on the host. None but its administrators can read it, and "
            "the token in it ends within the hour.",
        )


async def run_to_end(
    session: Session,
    script: str,
    verb: str,
    *words: str,
    token: bytes = b"",
    deadline: float = 1200.0,
) -> ScriptAnswer:
    """Run one verb that changes the host, to its end; only one runs on a host at a time.

    What comes after it waits, then finds its work done. Whether it goes on where the session is cut is the
    system's and the transport's: where it does not, the next attempt takes it up.

    Args:
        session: with the host.
        script: the staged script's path.
        verb: the script's verb.
        words: its arguments.
        token: a configuration with a token, which the verb reads; on the host it is there as long as that.
        deadline: seconds for the verb, beside those for its turn.

    Raises:
        HostCommandError: another arcferry is at work on this host, or it did not answer as the script does.
        HostUnreachableError: the session was cut.
    """
    system = system_of(session.system)
    asked = (system.run_folder, str(LOCK_WAIT), "token" if token else "none", script, verb, *words)
    result = await session.run(
        system.command("to-end", *asked), stdin=token, deadline=deadline + LOCK_WAIT, limit=_ANSWER_LIMIT
    )
    if result.exit_status == Ended.BUSY:
        raise HostCommandError(
            f"{session.place}: another installation or connect by arcferry has held this host for "
            f"{LOCK_WAIT // 60} minutes",
            hint=system.lock_hint,
        )
    if result.exit_status == Ended.FAILED:
        says = f"{system.run_folder} cannot be made or written: {result.says}"
        raise HostCommandError(f"{session.place}: {says}")
    return _answer(session, verb, result)


def _answer(session: Session, verb: str, result: Result) -> ScriptAnswer:
    answer = read_answer(verb, clean(result.stdout, limit=_ANSWER_LIMIT))
    if answer is not None:
        return answer
    if error := refused(session.place, result.exit_status):
        raise error
    if not (result.stdout or result.stderr):
        raise HostCommandError(
            f"{session.place}: `{verb}` was ended before it answered (exit {result.exit_status})",
            hint="The server may have restarted, or somebody ended it. Apply again: it goes on where it was.",
        )
    says = f"no answer to `{verb}` that can be read (exit {result.exit_status}): {result.says}"
    raise HostCommandError(f"{session.place}: {says}", hint=system_of(session.system).needs)
