"""What was run on a host, as the host itself wrote it down."""

from dataclasses import dataclass

from arcferry_lab.hosts.host import LabHost


@dataclass(frozen=True, slots=True)
class HostJournal:
    """Command lines in the order in which they came.

    Attributes:
        commands: what each SSH session asked for.
        agent: the agent's arguments, one tuple a call, program name first.
    """

    commands: tuple[str, ...]
    agent: tuple[tuple[str, ...], ...]

    def mentions(self, text: str) -> bool:
        """Whether any command line has `text` in it."""
        words = (word for call in self.agent for word in call)
        return any(text in line for line in (*self.commands, *words))


def read_journal(host: LabHost) -> HostJournal:
    """Everything since the host was made; empty parts where nothing ran."""
    commands = _records(host, "var/log/commands.log")
    agent = _records(host, "var/log/argv.log")
    return HostJournal(tuple(commands), tuple(tuple(record.split("\x1f")) for record in agent))


def _records(host: LabHost, name: str) -> list[str]:
    path = host.root / name
    data = path.read_bytes() if path.is_file() else b""
    return [record.decode("utf-8", errors="replace") for record in data.split(b"\0") if record]
