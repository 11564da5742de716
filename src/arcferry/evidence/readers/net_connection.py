"""What PowerShell's `Test-NetConnection` prints; the names of its properties are English on every system."""

import re

from arcferry.evidence.document import Attempt, Document, Kind
from arcferry.evidence.readers import values
from arcferry.probe.observation import DnsAnswer, Failure, Stage

_PAIR = re.compile(
    r"^\s*(ComputerName|RemoteAddress|RemotePort|TcpTestSucceeded|NameResolutionSucceeded|"
    r"SourceAddress)\s*: ?(\S{0,254})\s*$"
)
_NO_MORE = 500


def _records(text: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for line in text.splitlines():
        pair = _PAIR.match(line[:400])
        if pair and (pair[1] == "ComputerName" or found):
            if pair[1] == "ComputerName":
                found.append({})
            found[-1][pair[1]] = pair[2]
    return found[:_NO_MORE]


def _attempt(record: dict[str, str], name: str) -> Attempt | None:
    """A failed test; a TCP test that succeeds proves no more than TCP, and so says nothing."""
    host = values.host(record.get("ComputerName", ""))
    address = values.address(record.get("RemoteAddress", ""))
    port = record.get("RemotePort", "")
    if not host or values.address(host) or record.get("TcpTestSucceeded", "").lower() != "false":
        return None
    if not address:
        says = f"Test-NetConnection got no address for {host}"
        return Attempt(host, name, reachable=False, failure=Failure(Stage.DNS, "no-addresses", says))
    says = f"TCP to {address} port {port or 'unknown'} did not come about (Test-NetConnection)"
    failure = Failure(Stage.TCP, "timeout", says)
    return Attempt(host, name, reachable=False, address=address, failure=failure)


def _answer(record: dict[str, str], name: str) -> DnsAnswer | None:
    host, address = (
        values.host(record.get("ComputerName", "")),
        values.address(record.get("RemoteAddress", "")),
    )
    return (
        DnsAnswer(host, (), (address,), origin=name)
        if host and address and not values.address(host)
        else None
    )


def read(name: str, text: str) -> Document | None:
    """The tests that failed and the addresses that were used, or None where `text` has no such test."""
    records = [one for one in _records(text) if "TcpTestSucceeded" in one or "RemoteAddress" in one]
    if not records:
        return None
    only_tcp = any(one.get("TcpTestSucceeded", "").lower() == "true" for one in records)
    note = (
        "a TCP test that succeeds does not prove that the endpoint was reached: firewalls answer in its place"
    )
    return Document(
        name,
        Kind.CONNECTION_TEST,
        attempts=tuple(seen for one in records if (seen := _attempt(one, name))),
        answers=tuple(answer for one in records if (answer := _answer(one, name))),
        notes=(note,) if only_tcp else (),
    )
