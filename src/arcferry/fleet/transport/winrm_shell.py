"""WinRM's command shell, request by request, as pypsrp's WS-Management carries it. All of it blocks.

pypsrp's own `WinRS` is not used: it cannot ask for standard input as a pipe (by default it is a console's,
which changes bytes), and would repeat a Receive for minutes.
"""

import base64
import xml.etree.ElementTree as ET
from dataclasses import dataclass

from pypsrp.exceptions import WinRMTransportError, WSManFaultError
from pypsrp.wsman import NAMESPACES, WSManAction

from arcferry.fleet.transport.winrm_line import Line, NotWinrmError
from arcferry.text import whole

OPERATION_TIMED_OUT, SHELL_IS_GONE = 2150858793, 2150858843
TOO_LARGE = frozenset((413, 2150858823, 2150858824, 2150858825))
"""A status and faults: the message is longer than the server takes."""

_SHELL_IDLE = 900
_TERMINATE = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/signal/Terminate"
_DONE = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Done"
_RSP = NAMESPACES["rsp"]


@dataclass(frozen=True, slots=True)
class Received:
    """What a command printed since it was asked before; its exit code once it has ended."""

    stdout: bytes
    stderr: bytes
    done: bool
    exit_code: int


def create(line: Line) -> str:
    """Open a shell and return its id. Idle for a quarter of an hour, it is removed by the server."""
    body = ET.Element(f"{{{_RSP}}}Shell")
    ET.SubElement(body, f"{{{_RSP}}}InputStreams").text = "stdin"
    ET.SubElement(body, f"{{{_RSP}}}OutputStreams").text = "stdout stderr"
    ET.SubElement(body, f"{{{_RSP}}}IdleTimeOut").text = f"PT{_SHELL_IDLE}S"
    answer = line.ask(WSManAction.CREATE, body, options={"WINRS_CODEPAGE": "65001"})
    for path in (".//rsp:Shell/rsp:ShellId", ".//wsman:Selector[@Name='ShellId']"):
        found = answer.find(path, NAMESPACES)
        if found is not None and found.text:
            return found.text
    raise NotWinrmError


def start(line: Line, shell: str, command_line: str) -> str:
    """Start a command, its standard input a pipe and not a console's, and return its id."""
    body = ET.Element(f"{{{_RSP}}}CommandLine")
    ET.SubElement(body, f"{{{_RSP}}}Command").text = command_line
    answer = line.ask(WSManAction.COMMAND, body, shell, {"WINRS_CONSOLEMODE_STDIN": "FALSE"})
    found = answer.find(".//rsp:CommandResponse/rsp:CommandId", NAMESPACES)
    if found is None or not found.text:
        raise NotWinrmError
    return found.text


def send(line: Line, shell: str, command: str, data: bytes, *, end: bool) -> None:
    """Send to a command's standard input, and end that if this is all."""
    body = ET.Element(f"{{{_RSP}}}Send")
    stream = ET.SubElement(body, f"{{{_RSP}}}Stream", Name="stdin", CommandId=command)
    if end:
        stream.set("End", "true")
    stream.text = base64.b64encode(data).decode("ascii")
    try:
        line.ask(WSManAction.SEND, body, shell)
    except (WSManFaultError, WinRMTransportError) as refused:
        if refused.code not in TOO_LARGE:
            raise
        line.lower()
        if len(data) <= line.payload:
            raise
        # It was refused as a whole, so nothing of it has arrived.
        size = line.payload
        for begin in range(0, len(data), size):
            last = end and begin + size >= len(data)
            send(line, shell, command, data[begin : begin + size], end=last)


def receive(line: Line, shell: str, command: str) -> Received:
    """Wait for output or the end of a command, at most as long as an operation may take."""
    body = ET.Element(f"{{{_RSP}}}Receive")
    ET.SubElement(body, f"{{{_RSP}}}DesiredStream", CommandId=command).text = "stdout stderr"
    try:
        answer = line.ask(WSManAction.RECEIVE, body, shell, {"WSMAN_CMDSHELL_OPTION_KEEPALIVE": "TRUE"})
    except WSManFaultError as fault:
        if fault.code == OPERATION_TIMED_OUT:
            return Received(b"", b"", done=False, exit_code=-1)
        raise
    parts: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
    for stream in answer.iterfind(".//rsp:ReceiveResponse/rsp:Stream", NAMESPACES):
        if stream.text and (name := stream.get("Name")) in parts:
            parts[name].append(base64.b64decode(stream.text))
    state = answer.find(".//rsp:ReceiveResponse/rsp:CommandState", NAMESPACES)
    done = state is not None and state.get("State") == _DONE
    code = state.findtext("rsp:ExitCode", "", NAMESPACES).strip() if state is not None else ""
    return Received(b"".join(parts["stdout"]), b"".join(parts["stderr"]), done, _exit_code(code))


def terminate(line: Line, shell: str, command: str) -> None:
    """End a command, or let go of one that has ended."""
    body = ET.Element(f"{{{_RSP}}}Signal", CommandId=command)
    ET.SubElement(body, f"{{{_RSP}}}Code").text = _TERMINATE
    line.ask(WSManAction.SIGNAL, body, shell)


def delete(line: Line, shell: str) -> None:
    """Remove a shell, and end what still runs in it."""
    line.ask(WSManAction.DELETE, None, shell)


def _exit_code(text: str) -> int:
    """An exit code as Windows counts it, from 0 to 2^32 - 1; -1 where there is none."""
    number = whole(text.removeprefix("-"), most=(1 << 32) - 1)
    if number is None:
        return -1
    return (-number if text.startswith("-") else number) & 0xFFFFFFFF
