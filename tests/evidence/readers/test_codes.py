"""Which code means which cause: catalogue and causes name each other, and the most telling code wins."""

import re

import pytest

from arcferry import catalog
from arcferry.diagnosis import judge
from arcferry.diagnosis.causes import CAUSES
from arcferry.evidence.case import CodeSeen, Document, Kind
from arcferry.evidence.readers import codes
from arcferry.probe.observation import Attempt

_FAMILIES = {"agent", "install", "signin", "arm"}
_PLACES = {"endpoint:entra", "endpoint:arm", "endpoint:regional", "endpoint", "download"}
_NO_CODE = {
    "agent/expired",
    "agent/disconnected",
    "agent/unexplained-error",
    "install/agent-code",
    "install/download-refused",
}


def test_every_cause_that_a_code_names_exists() -> None:
    named = {code.cause for code in catalog.codes() if code.cause}
    assert named <= set(CAUSES)
    assert {slug for slug in CAUSES if slug.partition("/")[0] in _FAMILIES} - named == _NO_CODE


def test_what_a_code_yields_to_is_a_family_or_a_place() -> None:
    for code in catalog.codes():
        assert set(code.yields) <= _FAMILIES | _PLACES, code.code
        re.compile(code.only_with)


def _causes(*names: str, attempts: tuple[Attempt, ...] = ()) -> list[str]:
    seen = tuple(CodeSeen(name, "in words", "file") for name in names)
    document = Document("file", Kind.AGENT_CONNECT, codes=seen, attempts=attempts)
    return [finding.cause for finding in judge([document]).findings]


@pytest.mark.parametrize(
    ("names", "causes"),
    [
        (("AZCM0042", "AuthorizationFailed"), ["arm/not-authorized"]),
        (("AZCM0042",), ["arm/machine-not-created"]),
        (("AZCM0041", "AADSTS7000222"), ["signin/secret-expired"]),
        (("AZCM0149", "msiexec 1618"), ["install/another-in-progress"]),
        (("AZCM0156", "msiexec 1603"), ["install/failed"]),
        (("AZCM0149", "msiexec 1603"), ["install/failed"]),
        (("AZCM0156", "msiexec 1603", "msi error 1920"), ["install/service-not-started"]),
        (("msiexec 1603", "msi error 1925"), ["agent/not-elevated"]),
        (("msiexec 3010",), ["install/restart-needed"]),
        (("msiexec 3010", "AZCM0149"), ["install/agent-code", "install/restart-needed"]),
        (("AZCM0000",), []),
        (("AZCM9999",), ["install/agent-code"]),
    ],
)
def test_the_most_telling_code_wins(names: tuple[str, ...], causes: list[str]) -> None:
    assert _causes(*names) == causes
    assert _causes(*reversed(names)) == causes


def test_an_endpoint_that_is_not_reached_explains_a_sign_in_that_fails() -> None:
    entra = Attempt("login.microsoftonline.com", "file", reachable=False, required=True)
    other = Attempt("gbl.his.arc.azure.com", "file", reachable=False, required=True)
    assert "install/agent-code" not in _causes("AZCM0041", attempts=(entra,))
    assert "install/agent-code" in _causes("AZCM0041", attempts=(other,))


def test_codes_stand_where_codes_stand() -> None:
    assert codes.service_codes("a Conflict arose in prose") == []
    assert codes.service_codes("Code: Conflict httpStatusCode:409") == ["Conflict"]
    assert codes.service_codes('{"error":{"code":"ScopeLocked"}}') == ["ScopeLocked"]
    assert codes.service_codes("(AuthorizationFailed) The client") == ["AuthorizationFailed"]
    assert codes.service_codes("AADSTS50076: x AADSTS50076") == ["AADSTS50076"]
