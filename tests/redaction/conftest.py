import json
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from arcferry.diagnosis import judge
from arcferry.errors import FileInputError
from arcferry.evidence.case import Document
from arcferry.evidence.reading import read_document
from arcferry.report import as_json, findings, junit

SHAPES = json.loads(Path(__file__).with_name("shapes.json").read_text(encoding="utf-8"))
SECRETS = {
    "entra": "Qp7~hT2.yV6_oKl1-Sq8Xa3Mb5Gc0Ie4Fr9Pz",
    "short": "hunter2",
    "hex": "9f86d081884c7d659a2feaa0c55ad015",
    "base64": "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=",
    "base64url": "dGhpc19pc19h-bG9uZ19yYW5kb21fc3Ry_aW5n",
    "signs": "k9$Lm!2xR#vT^4pW",
}
Documents = tuple[Document, ...]
_TOLD: dict[tuple[Callable[[Documents], str], str], str] = {}


def containers(text: str) -> Iterator[tuple[str, bytes]]:
    """Files of many kinds in which somebody may have left this text."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    fatal = 'time="2026-11-20T06:00:00Z" level=fatal msg="'
    show = (
        "Agent Version : 1.60\nAgent Status : Disconnected\nAgent Last Heartbeat : 2026-01-01T00:00:00Z\n"
        "Agent Error Code : AZCM0044\n"
    )
    table = (
        "BGP table version is 5, local router ID is 10.0.0.1\n"
        "     Network          Next Hop            Metric LocPrf Weight Path\n"
        " *>  13.71.0.0/16   10.0.0.1   0 12076 i\n"
    )
    answer = {"schema": 1, "verb": "connect", "ok": False, "code": "AZCM0044", "message": text}
    yield "log", f'{fatal}AZCM0044: {escaped}"\n'.encode()
    dial = "dial tcp 20.1.1.1:443: i/o timeout"
    yield (
        "network",
        f'{fatal}Get \\"https://gbl.his.arc.azure.com/x\\": {dial} {escaped}"'.encode(),
    )
    yield "connect", f"INFO    Connecting machine to Azure...\nERROR   AZCM0044: {text}\n{text}\n".encode()
    yield "error", f"AADSTS7000215: {text}\n".encode()
    yield "wide", f"INFO    Connecting machine to Azure...\nERROR   AZCM0044: {text}\n".encode("utf-16")
    yield "show", f"{show}Agent Error Details : {text}\nUsing HTTPS Proxy : {text}\n".encode()
    yield "json", json.dumps({"error": {"code": "AuthorizationFailed", "message": text}}).encode()
    yield "host", json.dumps({**answer, "output": f"ERROR   AZCM0044: {text}"}).encode()
    yield "xml", f"<x>{text}</x>\nAZCM0044: {text}\n".encode()
    yield "router", f"r1# show running-config\n{text}\nr1# show ip bgp {text}\n{table} *> {text}\n".encode()
    yield "prefixes", f"13.71.0.0/16 12076:51010\n{text}\n".encode()
    yield "alone", text.encode()


def everything_known(data: bytes) -> str:
    """What documents and findings hold, from which alone every form is drawn, or the error."""
    return _read(data, _findings)


def everything_said(data: bytes) -> str:
    """All that could reach a person or a file: documents, findings in each form, and errors."""
    return _read(data, _drawn)


def _read(data: bytes, tell: Callable[[Documents], str]) -> str:
    try:
        documents = read_document("handed-in", data)
    except FileInputError as error:
        return f"{error} {error.hint}"
    held = repr(documents)
    # Where a secret is masked, the documents are as for any other secret, and so is all that is told of them.
    if (tell, held) not in _TOLD:
        _TOLD[tell, held] = tell(documents)
    return f"{held}\n{_TOLD[tell, held]}"


def _findings(documents: Documents) -> str:
    return repr(judge(documents))


def _drawn(documents: Documents) -> str:
    diagnosis = judge(documents)
    drawn = StringIO()
    findings.draw(diagnosis, Console(file=drawn, width=200))
    told = (
        json.dumps([as_json.findings(diagnosis), *as_json.finding_lines(diagnosis)]),
        junit.findings(diagnosis),
        drawn.getvalue(),
    )
    return "\n".join(told)


@pytest.fixture(scope="session")
def hostile() -> list[dict[str, str]]:
    """The shapes beside the checkout, which are nobody's here."""
    path = Path(__file__).parents[3] / "shared/cases/hostile-2026-11/secrets.json"
    if not path.exists():
        pytest.skip("no shared cases beside the checkout")
    found: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return found
