"""Calling the host script on a host, and its answer: the host's claim, bounded and cleaned, never obeyed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from arcferry.errors import HostCommandError
from arcferry.fleet.transport.ssh import Result, SshSession
from arcferry.redaction import mask, mask_value, redact_value
from arcferry.text import clean, from_json, one_line

RUN_FOLDER = "/run/arcferry"
"""In memory, root's alone: the lock, an answer on its way, and for a moment the token."""

LOCK_WAIT = 600
_BUSY, _NO_FOLDER = 75, 73
_ANSWER_LIMIT = 256 * 1024

# An installer or a connect goes on to its end when the session is cut, and only one runs on a host at a time:
# what comes after it waits, then finds its work done. Descriptor 9 is closed for the child because an agent's
# daemon would inherit it and hold the lock for ever. The token is taken from standard input once the lock is
# held, so that whatever token lies there before is of an attempt that was killed.
_TO_THE_END = f"""
trap '' HUP PIPE
umask 077
folder=$1
mkdir -p -- "$folder" && [ ! -L "$folder" ] && chmod 700 -- "$folder" || exit {_NO_FOLDER}
exec 9>"$folder/lock" || exit {_NO_FOLDER}
if command -v flock >/dev/null 2>&1; then flock -w "$2" 9 || exit {_BUSY}; fi
rm -f -- "$folder"/connect-*.json
secret=
[ "$3" != token ] || secret=$folder/connect-$$.json
shift 3
[ -z "$secret" ] || {{ head -c 65536 >"$secret" && set -- "$@" "$secret"; }} || exit {_NO_FOLDER}
"$@" </dev/null >"$folder/answer.$$" 2>"$folder/errors.$$" 9>&-
status=$?
cat "$folder/answer.$$"
cat "$folder/errors.$$" >&2
rm -f -- "$folder/answer.$$" "$folder/errors.$$" ${{secret:+"$secret"}}
exit $status
"""

# Who holds the lock removes its own token, and what it found when it began.
_SWEEP = f"""
[ -d "$1" ] && [ ! -L "$1" ] || exit 0
exec 9>"$1/lock" || exit {_NO_FOLDER}
if command -v flock >/dev/null 2>&1; then flock -n 9 || exit 0; fi
rm -f -- "$1"/connect-*.json
"""

_COMPARED = (
    "hostname",
    "resource_id",
    "resource_name",
    "subscription_id",
    "resource_group",
    "location",
    "vm_id",
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
    session: SshSession, script: str | bytes, verb: str, *words: str, deadline: float = 90.0
) -> ScriptAnswer:
    """Run one verb of the script, without changing anything on the host.

    `script` is its path on the host or, before it is there, its content, which travels on standard input.

    Raises:
        HostCommandError: the host did not answer as the script does.
        HostUnreachableError: the session was cut.
    """
    there, stdin = (script, b"") if isinstance(script, str) else ("-s", script)
    result = await session.run(
        ["sh", there, verb, *words], stdin=stdin, deadline=deadline, limit=_ANSWER_LIMIT
    )
    return _answer(session, verb, result)


async def sweep(session: SshSession) -> None:
    """Remove tokens that an attempt which was killed has left on the host; not one that is at work right now.

    Raises:
        HostCommandError: one could not be removed.
        HostUnreachableError: the session was cut.
    """
    result = await session.run(["sh", "-c", _SWEEP, "sh", RUN_FOLDER], deadline=60)
    if result.exit_status:
        raise HostCommandError(
            f"{session.place}: a file with a token that an earlier attempt left could not be removed: "
            f"{result.says}",
            hint=f"Remove {RUN_FOLDER}/connect-*.json on the host. It lies in memory, is root's alone, and "
            "the token in it ends within the hour.",
        )


async def run_to_end(
    session: SshSession,
    script: str,
    verb: str,
    *words: str,
    token: bytes = b"",
    deadline: float = 1200.0,
) -> ScriptAnswer:
    """Run one verb that changes the host. It runs to its end even where the session is cut.

    Args:
        session: with the host.
        script: the staged script's path.
        verb: the script's verb.
        words: its arguments.
        token: a file with a token, whose path becomes the last argument; it exists while the verb runs.
        deadline: seconds for the verb, beside those for its turn.

    Raises:
        HostCommandError: another arcferry is at work on this host, or it did not answer as the script does.
        HostUnreachableError: the session was cut.
    """
    argv = ["sh", "-c", _TO_THE_END, "sh", RUN_FOLDER, str(LOCK_WAIT), "token" if token else ""]
    argv += ["sh", script, verb, *words]
    result = await session.run(argv, stdin=token, deadline=deadline + LOCK_WAIT, limit=_ANSWER_LIMIT)
    if result.exit_status == _BUSY:
        raise HostCommandError(
            f"{session.place}: another installation or connect by arcferry has held this host for "
            f"{LOCK_WAIT // 60} minutes",
            hint=f"Look at what runs there: fuser -v {RUN_FOLDER}/lock",
        )
    if result.exit_status == _NO_FOLDER:
        raise HostCommandError(f"{session.place}: {RUN_FOLDER} cannot be made or written: {result.says}")
    return _answer(session, verb, result)


def _answer(session: SshSession, verb: str, result: Result) -> ScriptAnswer:
    answer = read_answer(verb, clean(result.stdout, limit=_ANSWER_LIMIT))
    if answer is None:
        says = f"no answer to `{verb}` that can be read (exit {result.exit_status}): {result.says}"
        raise HostCommandError(
            f"{session.place}: {says}",
            hint="The host needs a POSIX shell and the base system's tools.",
        )
    return answer
