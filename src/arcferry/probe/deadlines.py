"""How long each step of a probe may take, in seconds.

Every endpoint is probed at once, so a run lasts as long as its slowest endpoint, whatever their number. Only
the regional HIS endpoint takes two turns: discovery, then the name that it found. A healthy path needs about
six round trips, which is 1.8 s even at 300 ms each.
"""

from typing import Final

RESEND: Final = 1.0
"""A name server that is silent for so long is asked again, or the next one beside it: a lost datagram or a
dead first server costs a second, not the lookup."""

DNS: Final = 3.0
"""Three datagrams. A resolver that needs longer would fail the agent's own lookups as well."""

SECOND_FAMILY: Final = 0.2
"""What a late AAAA answer may cost once the A answer is there. IPv4 is tried first anyway."""

STAGGER: Final = 0.25
"""The pause before the next address is tried beside the ones under way (RFC 8305, section 5)."""

TCP: Final = 3.5
"""Linux and Windows send a SYN after 0, 1 and 3 s: two of three may be lost before this says timeout."""

CONNECT: Final = 3.5
"""A proxy opens its own connection before it answers CONNECT, so it is given as long as TCP."""

TLS: Final = 3.0
"""Two round trips and one retransmission, with room for a middlebox that inspects."""

HTTP: Final = 2.5
"""One round trip, one retransmission and a slow front end."""

PROBE: Final = 4.5
"""All steps of one endpoint together: each gets its own limit, or what is left of this if less."""

RUN: Final = 2 * PROBE
"""Discovery and the endpoint it found, one after the other. The rest of ten seconds is for the process."""
