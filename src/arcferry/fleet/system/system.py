"""The one table that tells systems apart: every step asks the row of its host."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache
from importlib import resources

from arcferry.errors import HostCommandError


class Ended(IntEnum):
    """How a program of `scripts` ends, on every system, where it could not do its work."""

    FULL = 28
    NOT_WHOLE = 65
    FAILED = 73
    HALF = 74
    BUSY = 75
    THERE = 76
    POLICY = 77
    RESTRICTED = 78
    TOO_OLD = 79
    NO_TOOL = 127
    NO_ENGINE = 9009  # cmd.exe's own, for a program that it does not find


_REFUSED: dict[int, tuple[str, str]] = {
    Ended.POLICY: (
        "its execution policy, set by Group Policy, lets no script run that is not signed",
        (
            "For the time of the run set “Turn on Script Execution” to “Allow local scripts and remote "
            "signed scripts” for it, then gpupdate there. Or take it in by hand (START-HERE.html in the "
            "bundle)."
        ),
    ),
    Ended.RESTRICTED: (
        "a policy (AppLocker or App Control) holds its PowerShell in the constrained language",
        (
            "Let the policy allow this user's scripts there for the time of the run, or take the server in "
            "by hand with scripts that you signed."
        ),
    ),
    Ended.TOO_OLD: (
        "its PowerShell is older than 3.0",
        "Install Windows Management Framework 5.1 there first.",
    ),
    Ended.NO_ENGINE: (
        "it has no Windows PowerShell where Windows has it",
        r"Bring back powershell.exe in %SystemRoot%\System32\WindowsPowerShell\v1.0; else go by hand.",
    ),
}
"""What keeps a program from running at all, and the way out."""


def refused(place: str, status: int) -> HostCommandError | None:
    """The error for a program that a policy or its engine kept from running; None where it ran."""
    if status not in _REFUSED:
        return None
    says, hint = _REFUSED[status]
    return HostCommandError(f"{place}: {says}", hint=hint)


@dataclass(frozen=True, slots=True)
class Room:
    """What must be free under a folder, as multiples of the package's size.

    Attributes:
        fact: the fact in which the host script tells what is.
    """

    folder: str
    fact: str
    copies: int


@dataclass(frozen=True, slots=True)
class System:
    r"""One row. What it runs beside the host script are the short programs in `scripts`, `*.sh` or `*.ps1`.

    Each does the same on every system, takes the same words and ends with a status of `Ended` or 0:

    - `look PATH…` prints `SHA256  PATH` for each file that is there, `BYTES  PATH.part` for each half one.
    - `folder PATH BASE` makes a folder that administrators alone can enter, on Windows all of BASE too, in
      which it lies; a link in its place is refused.
    - `append PATH START SHA256` adds standard input to `PATH.part`, or begins it anew where START is 0, and
      gives it its name once it is whole. Where `blind`, START may be -1: then it ends with THERE if the
      file is there, and with HALF and the line that `look` prints if half of one is.
    - `sweep FOLDER` removes tokens that an attempt which was killed has left; not one that is at work.
    - `to-end FOLDER SECONDS token|none SCRIPT VERB WORD…` runs a verb of the staged host script, with the
      host's lock in FOLDER, for which it waits. A token is on standard input; the verb is told as its last
      word where to read it.

    Attributes:
        name: as the host script calls the system.
        suffix: of the programs' files.
        program: the command for a program's text and words.
        script: the command for the host script, at its path or, where that is None, on standard input.
        staging: the folder that bundles are carried to.
        run_folder: the private folder with the lock.
        token_files: where a token that was left would lie, for people.
        formats: the packages that the agent comes in.
        architectures: what the host script calls the processors that it is made for; `processors`, people.
        rooms: what it takes to install it.
        needs: what the host script runs on, for people.
        lock_hint: how to find out who holds the lock.
        dotnet: the .NET Framework that the host script itself needs; empty where it needs none.
        agent_log: where the agent writes down its heartbeats.
        at_once: the word by which the host script's `connect` does not wait for the agent's first heartbeat.
        for_proxy: the words by which its `facts`, `check` and `connect` go through a proxy.
        for_scope: those by which `facts` looks at the names that a private link scope serves.
        blind: whether a program takes so long to start that files are carried without looking first.
    """

    name: str
    suffix: str
    program: Callable[[str, Sequence[str]], list[str]] = field(repr=False)
    script: Callable[[str | None, Sequence[str]], list[str]] = field(repr=False)
    staging: str
    run_folder: str
    token_files: str
    formats: Mapping[str, str]
    architectures: frozenset[str]
    processors: str
    rooms: tuple[Room, ...]
    needs: str
    lock_hint: str
    agent_log: str
    dotnet: str
    at_once: tuple[str, ...]
    for_proxy: tuple[str, ...]
    for_scope: tuple[str, ...]
    blind: bool = False

    def proxied(self, proxy: str) -> tuple[str, ...]:
        """The words for an agent that uses this proxy; none where it uses none."""
        return tuple(word.format(proxy) for word in self.for_proxy) if proxy else ()

    def scoped(self, scope: str) -> tuple[str, ...]:
        """The words for a private link scope of this id; none where there is none."""
        return tuple(word.format(scope) for word in self.for_scope) if scope else ()

    def takes_proxy(self, script: bytes) -> bool:
        """Whether a host script, which may be an older one, knows those words."""
        return self.for_proxy[0].partition("{")[0].encode() in script

    def command(self, name: str, *words: str) -> list[str]:
        """The command for a program of `scripts`."""
        return self.program(text_of(f"{name}{self.suffix}"), words)

    def staged(self, bundle: str, name: str = "") -> str:
        """Where a bundle's files lie on the host, or one of them."""
        return self.joined(self.staging, bundle, *filter(None, (name.rpartition("/")[2],)))

    def joined(self, *parts: str) -> str:
        """A path on the host."""
        return ("\\" if "\\" in self.staging else "/").join(parts)


@cache
def text_of(name: str) -> str:
    """A program, without what only its readers need."""
    text = resources.files("arcferry.fleet.system").joinpath("scripts", name).read_text(encoding="ascii")
    return re.sub(r"^[ \t]*(#.*)?\n|^[ \t]+", "", text, flags=re.MULTILINE)
