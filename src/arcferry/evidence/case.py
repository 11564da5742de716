"""Everything that was handed in, and what of it is missing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from arcferry.evidence.document import AgentState, CodeSeen, Document, Kind
from arcferry.probe.observation import Attempt, DnsAnswer
from arcferry.routing.circuit import Circuit
from arcferry.routing.communities import CommunityList
from arcferry.routing.route import RouteTable, Vantage
from arcferry.routing.route_filter import RouteFilter
from arcferry.routing.service_tags import ServiceTags


def at_midnight(day: date | None) -> datetime | None:
    """The instant at which a dated document's day begins."""
    return datetime.combine(day, time.min, tzinfo=UTC) if day else None


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that is judged together; dated sources newest first.

    Attributes:
        handed_in: every document of the evidence, and those held documents that count beside it.
    """

    handed_in: tuple[Document, ...]

    @classmethod
    def of(cls, evidence: Iterable[Document], held: Iterable[Document] = ()) -> "Case":
        """The evidence in its own order, then what is held of the kinds that it lacks.

        What another command kept of filters, circuits, tags, lists and routes yields to a document that was
        handed in for itself, and is left aside if an address came in that it was not shortened to: that it
        lacks that one means nothing.
        """
        given = tuple(evidence)
        whole = {one.kind for one in given if one.excerpt is None}
        addresses = cls(given).addresses
        counts = [
            one
            for one in given
            if one.excerpt is None
            or (one.kind not in whole and (addresses <= one.excerpt or one.route_filter or one.circuit))
        ]
        kinds = {one.kind for one in counts}
        return cls((*counts, *(one for one in held if one.kind not in kinds)))

    @property
    def documents(self) -> tuple[Document, ...]:
        """Those that were recognised."""
        return tuple(one for one in self.handed_in if one.kind is not Kind.UNRECOGNISED)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """What every document says of every endpoint."""
        return tuple(seen for one in self.documents for seen in one.attempts)

    @property
    def answers(self) -> tuple[DnsAnswer, ...]:
        """Every DNS answer."""
        return tuple(answer for one in self.documents for answer in one.answers)

    @property
    def addresses(self) -> frozenset[str]:
        """Every address that a name answered with, or that was tried."""
        answered = [address for answer in self.answers for address in answer.addresses]
        return frozenset((*answered, *(seen.address for seen in self.attempts if seen.address)))

    @property
    def codes(self) -> tuple[CodeSeen, ...]:
        """Every exit code of the agent."""
        return tuple(code for one in self.documents for code in one.codes)

    @property
    def filters(self) -> tuple[RouteFilter, ...]:
        """Every route filter."""
        return tuple(one.route_filter for one in self.documents if one.route_filter)

    @property
    def route_tables(self) -> tuple[RouteTable, ...]:
        """Every route table, the customer's and Azure's."""
        return tuple(one.route_table for one in self.documents if one.route_table)

    @property
    def circuits(self) -> tuple[Circuit, ...]:
        """Every circuit."""
        return tuple(one.circuit for one in self.documents if one.circuit)

    @property
    def attached_filters(self) -> tuple[str, ...]:
        """The filters that the circuits' Microsoft peerings hold, by resource id or name, each once."""
        both = [side for one in self.circuits for side in (one.microsoft, one.microsoft_ipv6) if side]
        return tuple(dict.fromkeys(side.route_filter for side in both if side.route_filter))

    @property
    def filters_in_effect(self) -> tuple[RouteFilter, ...]:
        """The filters that are attached, where a circuit tells and one of them is here; else every filter."""
        attached = tuple(
            seen
            for seen in self.filters
            if any(seen.is_named_by(reference) for reference in self.attached_filters)
        )
        return attached or self.filters

    @property
    def newest(self) -> datetime | None:
        """The newest instant at which anything was seen: a check, an answer, routes, an agent's state."""
        taken = [seen.taken for seen in self.attempts]
        taken += [answer.taken for answer in self.answers]
        taken += [table.taken for table in self.route_tables]
        taken += [agent.taken for agent in self.agents]
        return max(filter(None, taken), default=None)

    @property
    def links(self) -> tuple[str, ...]:
        """The prefixes between the company's routers and Microsoft, of every circuit."""
        peerings = [one for circuit in self.circuits for one in (circuit.microsoft, circuit.microsoft_ipv6)]
        return tuple(link for peering in peerings if peering for link in peering.links)

    @property
    def agents(self) -> tuple[AgentState, ...]:
        """What every agent says of itself."""
        return tuple(one.agent_state for one in self.documents if one.agent_state)

    @property
    def private_link_scope(self) -> str:
        """The private link scope that an agent was connected with, as far as a document tells; else empty."""
        return next((one.private_link_scope for one in self.agents if one.private_link_scope), "")

    @property
    def service_tags(self) -> tuple[ServiceTags, ...]:
        """Every service-tag file, the newest first; an undated one counts as old."""
        found = [one.service_tags for one in self.documents if one.service_tags]
        return tuple(
            sorted(
                found, key=lambda tags: (tags.taken or date.min, tags.change_number, tags.name), reverse=True
            )
        )

    @property
    def community_lists(self) -> tuple[CommunityList, ...]:
        """Every community list, the newest first; an undated one counts as old."""
        found = [one.community_list for one in self.documents if one.community_list]
        return tuple(sorted(found, key=lambda known: (known.taken or date.min, known.name), reverse=True))

    def lacks(self, host: str = "") -> tuple[str, ...]:
        """The kinds of evidence that routing needs and that are not there, the most telling first.

        Args:
            host: the endpoint that DNS answers are wanted for; any will do where it is empty.
        """
        answered = any(answer.addresses and host in ("", answer.host) for answer in self.answers)
        addressed = any(seen.address and host in ("", seen.host) for seen in self.attempts)
        wanted = (
            (Kind.DNS_ANSWERS, answered or addressed),
            (Kind.ROUTE_FILTER, bool(self.filters)),
            (Kind.SERVICE_TAGS, bool(self.service_tags)),
            (Kind.COMMUNITY_LIST, bool(self.community_lists)),
            (Kind.RECEIVED_ROUTES, any(table.vantage is not Vantage.AZURE for table in self.route_tables)),
        )
        return tuple(kind.value for kind, there in wanted if not there)

    @property
    def skew(self) -> float:
        """The middle of all clock differences, in seconds: one odd server proves nothing. 0 without any."""
        measured = sorted(seen.clock_skew for seen in self.attempts if seen.clock_skew is not None)
        return measured[len(measured) // 2] if measured else 0.0
