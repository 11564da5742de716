"""A terminal capture: which commands were typed, and which lines answer them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from arcferry.redaction import HIDDEN, mask
from arcferry.routing.route import Vantage
from arcferry.routing.tables.source import Line
from arcferry.routing.tables.values import address, community
from arcferry.text import one_line

_PROMPT = re.compile(
    # VRP's `<ne40>` and `[~ne40-bgp]` end with their bracket; RouterOS has its menu behind it.
    r"(?:[<\[][~*]?[\w.-]{1,64}[>\]]\s*(?=dis(?:p\w*)?\s)"
    r"|\[[^\]\n]{1,60}\](?:\s[\w/ -]{1,60})?\s?>\s*(?=/|(?:ip|routing|print)\b)"
    # SR OS shows where in its configuration one is: `*A:sr-1>config>router#`.
    r"|(?:\[[^\]\n]{1,60}\]\s?|\*?[AB]:[\w.@-]{1,60}(?:>[\w-]{1,40}){1,6}"
    r"|\*?[\w.@/:~()\[\]{}+-]{1,80}(?:\s~|\s\([\w.-]{1,40}\))?\s?)[#>$%]\s*"
    r"(?=$|(?:do\s+|sudo\s+)?(?:sh|sho|show|run|bgpctl|birdcl?|birdc|vtysh|cat|exit|quit|logout|conf\w*|term\w*"
    r"|en|enable|ping|trace\w*|set|debug|clear|wr|write|cli|date|uname|echo|more|get|end|test|admin)\b))"
)
_BARE = re.compile(
    r"(?:do\s+)?show\s+(?:ip|ipv4|ipv6|bgp|route|router|routing|protocols|version|run\w*|vrf)\b"
    r"|display\s+(?:ip|bgp)\b|get\s+router\s+info\b|/(?:ip|routing)[ /]"
)
_TOLD = re.compile(
    r"(?i)((?:pass(?:word|phrase|wd)?|secret|shared[-_]?key|pre-shared-key|key-string|auth(?:entication)?-key"
    r"|encrypted-password|md5|key-chain-key|tcp-ao|(?:tacacs|radius)(?:-server)?\s+(?:host\s+\S+\s+)?key"
    r"|(?:service|access|api|private)[-_]?key|token|snmp-server\s+community|snmp\s+community"
    r"|snmpv?\d?\s+.{0,40}community|ntp\s+authentication-key\s+\d+|\bkey\s+[0-9]+)\b[\"']?[\s:=]*)\S.*$"
)
"""A router's setting of which nothing needs to be quoted that comes after its name."""
_ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7})(?:/\d{1,3})?(?![\w.:])"
)
_OF_NEIGHBOUR = re.compile(
    r"(?i)\b(?:neighbou?rs?|nei\w*|(?:receive|advertising)-protocol\s+bgp|peer|protocol|(?<!-)table|vrf|instance)\s+\S+"
)
_RECEIVED = re.compile(
    r"(?i)\breceived-routes\b|\breceive-protocol\b|\breceived\s+routes\b|\bfiltered-routes\b|\badj-(?:rib-)?in\b"
    r"|\brib\s+in\b|\bimport\s+table\b"
)
_ADVERTISED = re.compile(
    r"(?i)\badvertised-routes\b|\badvertising-protocol\b|\badj-(?:rib-)?out\b|\brib[\s-]out\b|\broute\s.*\bexport\b"
)
LEFT_OUT = "left out, because it lists what the router sends"
_FILTERED = re.compile(r"(?i)\bfiltered(?:-routes)?\b|\broute\b.*\bhidden\b")
_PART = re.compile(
    r"(?i)\b(?:community|communities|regexp?|as-path|aspath-regex|filter-list|prefix-list|route-map|where|for|cidr-only"
    r"|longer-prefixes|longer|subnets|exact|orlonger|match-prefix|source-as|selected|next-hop|best|limit)\b"
    r"|\|\s*(?:i|inc\w*|e|exc\w*|b|beg\w*|s|sec\w*|match|grep|egrep|except|find|last|head|tail)\b"
)


_ALL_OF_BGP = re.compile(r"(?i)\bwhere\s+bgp(?:=yes)?\s*$")
"""RouterOS has one table of routes, of which this is every one of BGP's."""

_EXACT = re.compile(
    r"(?i)\b(?:longer-prefixes|longer|subnets|exact|orlonger|communit\w+|regexp?|bgp routes)\b"
    r"|\bdst-address\s*="
    r"|\d\s+\d{1,3}(?:\s|$)"
)
"""What makes a query one for a prefix, or for several: `A subnets`, VRP's `A 24`, SR OS's `bgp routes A`."""


def excerpt(text: str) -> str:
    """A line of a document as it may stand in an error or a note: one line, short, without secrets."""
    return one_line(mask(_TOLD.sub(rf"\1{HIDDEN}", text)), limit=80)


@dataclass(frozen=True, slots=True)
class TypedCommand:
    """A command line that was typed, without the prompt.

    Attributes:
        text: what was typed; secrets in it are kept out of `shown` only.
    """

    text: str

    @property
    def shown(self) -> str:
        """The command as it may be printed."""
        return excerpt(self.text)

    @property
    def vantage(self) -> Vantage:
        """Whether it asks for what the neighbour sent or for what the router made of it."""
        return Vantage.RECEIVED if _RECEIVED.search(self.text) or self.filtered else Vantage.ROUTER

    @property
    def advertised(self) -> bool:
        """Whether it lists what the router sends, which says nothing of what it receives."""
        return _ADVERTISED.search(self.text) is not None

    @property
    def filtered(self) -> bool:
        """Whether it lists the routes that the router's own policy dropped."""
        return _FILTERED.search(self.text) is not None

    @property
    def communities(self) -> tuple[str, ...]:
        """The communities that every answer carries, because it was asked for by them."""
        after = re.search(r"(?i)\bcommunity\s+(.+?)(?:\||$)", self.text)
        if after is None:
            return ()
        found = []
        for word in after[1].split():
            if (value := community(word)) is None:
                break
            found.append(value)
        return tuple(found)

    @property
    def asked(self) -> tuple[str, ...]:
        """The one address that it asks about, so that an answer without a route means that there is none.

        A prefix, or an address with a mask, asks for that prefix alone; a shorter one may hold the address.
        """
        text = _OF_NEIGHBOUR.sub("", self.text.partition("|")[0])
        found = _ADDRESS.findall(text)
        if len(found) != 1 or "/" in found[0] or self.advertised or self.filtered or _EXACT.search(text):
            return ()
        return (address(found[0]),) if address(found[0]) else ()

    @property
    def whole(self) -> bool:
        """Whether it asks for a whole table, so that a prefix's absence means something."""
        rest = _OF_NEIGHBOUR.sub("", _ALL_OF_BGP.sub("", self.text))
        return not (_PART.search(rest) or _ADDRESS.search(rest) or self.filtered)


def typed(line: str) -> TypedCommand | None:
    """The command on a prompt line; an empty one where there is a prompt only; None for any other line."""
    if line[:1].isspace():
        return None
    if (prompt := _PROMPT.match(line)) is not None:
        return TypedCommand(line[prompt.end() :].strip()[:500])
    return TypedCommand(line.strip()[:500]) if _BARE.match(line) else None


def advertised(text: str) -> tuple[str, ...]:
    """The commands of a capture that list what the router sends, as they may be printed."""
    return tuple(
        one.shown for line in text.splitlines() if (one := typed(line)) is not None and one.advertised
    )


def sections(lines: Iterator[Line]) -> Iterator[tuple[TypedCommand | None, Iterator[Line]]]:
    """The capture's commands with their answers, in order; asking for the next skips what is left of one.

    The command is None if the capture begins without one.
    """
    following: list[TypedCommand | None] = [None]

    def answer() -> Iterator[Line]:
        for number, line in lines:
            if (command := typed(line)) is not None:
                following.append(command)
                return
            yield number, line

    while following:
        left = answer()
        yield following.pop(), left
        for _ in left:
            pass
