"""Envelopes of WS-Management: requests read, answers written.

Shapes follow [MS-WSMV] and what pypsrp and pywinrm send; answers carry what Windows Server 2016 to 2022 does.
Answers are put together as text: their bulk is base64, which needs no escaping.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from arcferry_lab.hosts.windows.winrm.faultwords import INVALID_TIMEOUT, SCHEMA, WsManFault

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
IDENTITY = "http://schemas.dmtf.org/wbem/wsman/identify/1/wsmanidentity.xsd"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
MICROSOFT = "http://schemas.microsoft.com/wbem/wsman/1"
SHELL = f"{MICROSOFT}/windows/shell"
COMMAND_SHELL = f"{SHELL}/cmd"
CONFIG = f"{MICROSOFT}/config"

_FAULT = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
_ANONYMOUS = f"{ADDRESSING}/role/anonymous"
_OPEN = (
    f'<s:Envelope xml:lang="{{language}}" xmlns:s="{SOAP}" xmlns:a="{ADDRESSING}" xmlns:x="{TRANSFER}" '
    f'xmlns:w="{WSMAN}" xmlns:rsp="{SHELL}" xmlns:p="{MICROSOFT}/wsman.xsd"><s:Header><a:Action>{{action}}'
    f"</a:Action><a:MessageID>uuid:{{id}}</a:MessageID><a:To>{_ANONYMOUS}</a:To>"
    "<a:RelatesTo>{relates}</a:RelatesTo></s:Header><s:Body>"
)
_CLOSE = "</s:Body></s:Envelope>"
_DURATION = re.compile(r"P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,10}(?:\.\d{1,9})?)S)?)?")
_FACTORS = (86400, 3600, 60, 1)
_DEFAULT_ENVELOPE = 150 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as far as the service looks at it.

    Attributes:
        timeout: seconds of its OperationTimeout; None where it names none.
        max_envelope: bytes that the answer may have.
        body: what stands in the SOAP body; None where it is empty.
    """

    action: str
    resource: str
    message_id: str
    timeout: float | None
    max_envelope: int
    selectors: Mapping[str, str]
    options: Mapping[str, str]
    body: Element | None

    def content(self, name: str) -> Element:
        """The body, which must be this element of the shell's namespace.

        Raises:
            WsManFault: it is another, or none.
        """
        if self.body is None or self.body.tag != f"{{{SHELL}}}{name}":
            raise WsManFault(SCHEMA)
        return self.body


class _Builder(ET.TreeBuilder):
    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ET.ParseError(f"a document type: {name}, {pubid}, {system}")


def read(document: bytes) -> Request:
    """Read a request.

    Raises:
        WsManFault: it is no SOAP envelope, or a header's value is none of its kind.
    """
    try:
        envelope = ET.fromstring(document, ET.XMLParser(target=_Builder()))  # noqa: S314 - see _Builder
    except (ET.ParseError, ValueError, LookupError) as error:
        raise WsManFault(SCHEMA) from error
    if envelope.tag != f"{{{SOAP}}}Envelope":
        raise WsManFault(SCHEMA)
    header = envelope.find(f"{{{SOAP}}}Header")
    body = envelope.find(f"{{{SOAP}}}Body")
    if header is None:
        header = Element("none")
    timeout = _text(header, WSMAN, "OperationTimeout")
    size = _text(header, WSMAN, "MaxEnvelopeSize")
    return Request(
        action=_text(header, ADDRESSING, "Action"),
        resource=_text(header, WSMAN, "ResourceURI"),
        message_id=_text(header, ADDRESSING, "MessageID"),
        timeout=seconds(timeout) if timeout else None,
        max_envelope=int(size) if size.isdecimal() and len(size) < 10 else _DEFAULT_ENVELOPE,  # noqa: PLR2004 - digits
        selectors=_named(header, "SelectorSet", "Selector"),
        options=_named(header, "OptionSet", "Option"),
        body=body[0] if body is not None and len(body) else None,
    )


def seconds(duration: str) -> float:
    """Of a duration such as PT20S.

    Raises:
        WsManFault: it is none.
    """
    found = _DURATION.fullmatch(duration)
    if not found or not any(found.groups()):
        raise WsManFault(INVALID_TIMEOUT)
    parts = zip(found.groups(), _FACTORS, strict=True)
    return sum(float(number) * factor for number, factor in parts if number)


def child_text(element: Element, name: str) -> str:
    """What a child of the shell's namespace says; empty where there is none."""
    return (element.findtext(f"{{{SHELL}}}{name}") or "").strip()


def answer(request: Request, content: str, language: str) -> bytes:
    """The answer's envelope around its content; its action is the request's own with Response."""
    return f"{_head(request.message_id, f'{request.action}Response', language)}{content}{_CLOSE}".encode()


def identity(*, version: str) -> bytes:
    """The answer to Identify."""
    return (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{SOAP}"><s:Header/><s:Body>'
        f'<wsmid:IdentifyResponse xmlns:wsmid="{IDENTITY}">'
        f"<wsmid:ProtocolVersion>{WSMAN}</wsmid:ProtocolVersion>"
        "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
        f"<wsmid:ProductVersion>OS: {version} SP: 0.0 Stack: 3.0</wsmid:ProductVersion>"
        f"</wsmid:IdentifyResponse>{_CLOSE}"
    ).encode()


def fault(message_id: str, error: WsManFault, language: str, machine: str) -> bytes:
    """A fault's envelope."""
    text = escape(error.text(language))
    return (
        f"{_head(message_id, _FAULT, language)}<s:Fault><s:Code><s:Value>{error.side}</s:Value>"
        f"<s:Subcode><s:Value>{error.subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="{language}">{text}</s:Text></s:Reason>'
        f'<s:Detail><f:WSManFault xmlns:f="{MICROSOFT}/wsmanfault" Code="{error.code}" '
        f'Machine="{escape(machine)}"><f:Message>{text}</f:Message></f:WSManFault></s:Detail></s:Fault>{_CLOSE}'
    ).encode()


def _head(relates: str, action: str, language: str) -> str:
    return _OPEN.format(
        language=language, action=escape(action), id=str(uuid.uuid4()).upper(), relates=escape(relates)
    )


def _text(header: Element, namespace: str, name: str) -> str:
    return (header.findtext(f"{{{namespace}}}{name}") or "").strip()


def _named(header: Element, group: str, item: str) -> dict[str, str]:
    found = header.findall(f"{{{WSMAN}}}{group}/{{{WSMAN}}}{item}")
    return {one.get("Name", ""): one.text or "" for one in found}
