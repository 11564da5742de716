"""Calling the host script on a host and reading its answer."""

from arcferry.errors import HostCommandError
from arcferry.fleet.facts import Answer, read_answer
from arcferry.fleet.transport import SshSession
from arcferry.text import clean, one_line

RUN_FOLDER = "/run/arcferry"
"""In memory, root's alone: the lock, an answer on its way, and for a moment the token."""

LOCK_WAIT = 600
_BUSY, _NO_FOLDER = 75, 73
_FLAT_LIMIT = 256 * 1024

# An installer or a connect goes on to its end when the session is cut, and only one runs on a host at a time:
# what comes after it waits, then finds its work done. Descriptor 9 is closed for the child because an agent's
# daemon would inherit it and hold the lock for ever.
_TO_THE_END = f"""
trap '' HUP PIPE
umask 077
folder=$1
mkdir -p -- "$folder" && [ ! -L "$folder" ] && chmod 700 -- "$folder" || exit {_NO_FOLDER}
exec 9>"$folder/lock" || exit {_NO_FOLDER}
if command -v flock >/dev/null 2>&1; then flock -w "$2" 9 || exit {_BUSY}; fi
shift 2
"$@" </dev/null >"$folder/answer.$$" 2>"$folder/errors.$$" 9>&-
status=$?
cat "$folder/answer.$$"
cat "$folder/errors.$$" >&2
rm -f -- "$folder/answer.$$" "$folder/errors.$$"
exit $status
"""


async def ask_unstaged(session: SshSession, script: bytes, verb: str, *, deadline: float = 90.0) -> Answer:
    """Run one verb of a script that is not on the host yet: it travels on standard input.

    Raises:
        HostCommandError: the host did not answer as the script does.
        HostUnreachableError: the session was cut.
    """
    result = await session.run(["sh", "-s", verb], stdin=script, deadline=deadline, limit=_FLAT_LIMIT)
    return _answer(session, verb, result.exit_status, result.stdout, result.says)


async def ask(session: SshSession, script: str, verb: str, *words: str, deadline: float = 120.0) -> Answer:
    """Run one verb of the staged script at the path `script`, without changing anything on the host.

    Raises:
        HostCommandError: the host did not answer as the script does.
        HostUnreachableError: the session was cut.
    """
    argv = ["sh", script, verb, *words]
    result = await session.run(argv, deadline=deadline, limit=_FLAT_LIMIT)
    return _answer(session, verb, result.exit_status, result.stdout, result.says)


async def order(session: SshSession, script: str, verb: str, *words: str, deadline: float = 1200.0) -> Answer:
    """Run one verb that changes the host. It runs to its end even where the session is cut.

    Raises:
        HostCommandError: another arcferry is at work on this host, or it did not answer as the script does.
        HostUnreachableError: the session was cut.
    """
    argv = ["sh", "-c", _TO_THE_END, "sh", RUN_FOLDER, str(LOCK_WAIT), "sh", script, verb, *words]
    result = await session.run(argv, deadline=deadline + LOCK_WAIT, limit=_FLAT_LIMIT)
    if result.exit_status == _BUSY:
        raise HostCommandError(
            f"{session.place}: another installation or connect by arcferry has held this host for "
            f"{LOCK_WAIT // 60} minutes",
            hint=f"Look at what runs there: fuser -v {RUN_FOLDER}/lock",
        )
    if result.exit_status == _NO_FOLDER:
        raise HostCommandError(f"{session.place}: {RUN_FOLDER} cannot be made: {result.says}")
    return _answer(session, verb, result.exit_status, result.stdout, result.says)


def _answer(session: SshSession, verb: str, status: int, stdout: bytes, says: str) -> Answer:
    answer = read_answer(verb, clean(stdout, limit=_FLAT_LIMIT))
    if answer is None:
        raise HostCommandError(
            f"{session.place}: no answer to `{verb}` that can be read (exit {status}): {one_line(says)}",
            hint="The host needs a POSIX shell and the base system's tools.",
        )
    return answer
