import json
from typing import Any

import pytest

from arcferry.evidence.case import Kind
from arcferry.evidence.reading import read_document

CHECK = {
    "schema": 1,
    "kind": "check",
    "cloud": "AzureCloud",
    "location": "eastasia",
    "taken": "2026-11-23T08:00:00Z",
    "endpoints": [
        {
            "host": "agentserviceapi.guestconfiguration.azure.com",
            "reachable": False,
            "address": "20.43.64.1",
            "failure": {"stage": "tcp", "kind": "timeout", "says": "no answer"},
        }
    ],
}
FACTS: dict[str, Any] = {"schema": 1, "verb": "facts", "ok": True, "path": CHECK}
CONNECT: dict[str, Any] = {
    "schema": 1,
    "verb": "connect",
    "ok": False,
    "code": "AZCM0042",
    "message": "azcmagent connect ended with exit status 42",
    "output": "INFO    Exit Code:  AZCM0042: Failed to create Azure resource\n",
}


def result(*answers: dict[str, Any], path: object = None) -> dict[str, Any]:
    return {"schema": 1, "kind": "host-run", "host": "web01", "answers": list(answers), "path": path}


SHAPES = {
    "a line": json.dumps(CONNECT),
    "lines": "\n".join(json.dumps(one) for one in (FACTS, CONNECT)),
    "a result file": json.dumps(result(FACTS | {"path": None}, CONNECT, path=CHECK), indent=2),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_the_agent_printed_and_the_path_are_read_as_themselves(shape: str) -> None:
    documents = read_document("answers", SHAPES[shape].encode())
    kinds = [document.kind for document in documents]
    paths = [] if shape == "a line" else [Kind.ARCFERRY_CHECK]
    assert kinds == [Kind.HOST_ANSWERS, Kind.AGENT_CONNECT, *paths]
    assert documents[0].notes == ("connect: AZCM0042: azcmagent connect ended with exit status 42",)
    assert [seen.code for document in documents for seen in document.codes] == ["AZCM0042"]
    hosts = {seen.host for document in documents for seen in document.attempts}
    assert hosts == ({"agentserviceapi.guestconfiguration.azure.com"} if paths else set())


@pytest.mark.parametrize(
    "value",
    [
        FACTS | {"schema": 2},
        FACTS | {"verb": "format"},
        FACTS | {"ok": "true"},
        result(),
        result({"verb": "show"}),
        {"kind": "host-run", "answers": 7},
        [FACTS, 7],
    ],
)
def test_what_only_looks_alike_is_not_taken_for_it(value: object) -> None:
    kinds = {document.kind for document in read_document("answers", json.dumps(value).encode())}
    assert Kind.HOST_ANSWERS not in kinds
