"""Which row of the inventory a server answered for: one server is one row's, and no row's but its own."""

from collections.abc import Mapping

from arcferry.fleet.host_state import Decision, HostFacts, block
from arcferry.fleet.inventory import Host
from arcferry.text import one_line

_NOBODY: Mapping[str, Host] = {}


class Claims:
    """The servers that answered in this run; the first row to reach one has it.

    Args:
        names: the inventory's hosts by their lower-case names.
    """

    def __init__(self, names: Mapping[str, Host] = _NOBODY) -> None:
        self._names = names
        self._held: dict[tuple[str, str, str], Host] = {}

    def objection(self, host: Host, facts: HostFacts) -> Decision | None:
        """Why what answered must not be onboarded under this name; None where nothing speaks against it."""
        return self._another_rows(host, facts) or self._held_already(host, facts)

    def _another_rows(self, host: Host, facts: HostFacts) -> Decision | None:
        """Whether what answers calls itself by the name of another row, which is no accident."""
        calls = facts.hostname.partition(".")[0].lower()
        own = {host.name.lower(), host.name.partition(".")[0].lower()}
        other = next(
            (self._names[name] for name in (facts.hostname.lower(), calls) if name in self._names), None
        )
        if other is None or other.name == host.name or calls in own:
            return None
        return block(
            f"the server at {host.address} calls itself {one_line(facts.hostname, limit=80)}, which is the "
            f"name of line {other.line} of the inventory ({other.address}), and not {host.name}",
            f"Two addresses may have been exchanged: compare lines {host.line} and {other.line}, and what "
            "the names mean in DNS.",
        )

    def _held_already(self, host: Host, facts: HostFacts) -> Decision | None:
        """Whether another row has reached this very server."""
        if not facts.machine_id:
            return None
        key = (facts.machine_id.lower(), facts.vm_uuid.lower(), facts.hostname.lower())
        holder = self._held.setdefault(key, host)
        if holder.name == host.name:
            return None
        return block(
            f"it is the server that {holder.name} is too (line {holder.line}, {holder.address}): both have "
            "the same ids and the same host name",
            f"Take line {host.line} or line {holder.line} out of the inventory. Where they are two servers, "
            "one is a clone of the other: give it a machine id and a host name of its own first.",
        )
