"""Objects that az prints: a state in which Azure refuses is told as its code, and leads to its cause."""

import json

import pytest

from arcferry.diagnosis import judge
from arcferry.evidence.case import Document, Kind
from arcferry.evidence.reading import read_document

ID = "/subscriptions/7a1f0c2e-5b7d-4a0f-8d53-1f2a3b4c5d6e"
BAD = [
    (
        {"namespace": "Microsoft.HybridCompute", "registrationState": "NotRegistered"},
        "arm/provider-not-registered",
    ),
    ([{"level": "ReadOnly", "name": "freeze"}], "arm/locked"),
    ({"id": ID.rpartition("/")[2], "tenantId": "t", "state": "Disabled"}, "arm/subscription-unusable"),
    ({"enabled": False, "name": "sp-plant"}, "signin/application-unknown"),
    ([{"total": 300000, "used": 300000}], "arm/limit-reached"),
    (
        {"value": [{"appId": "a", "status": {"errorCode": 53003, "failureReason": "Blocked."}}]},
        "signin/conditional-access",
    ),
    (
        {"id": f"{ID}/resourceGroups/rg", "location": "x", "properties": {"provisioningState": "Deleting"}},
        "arm/group-missing",
    ),
]


def read(value: object) -> Document:
    (found,) = read_document("az.json", json.dumps(value).encode())
    assert found.kind is Kind.AZURE_OBJECT
    return found


@pytest.mark.parametrize(("value", "cause"), BAD, ids=[cause for _, cause in BAD])
def test_a_state_in_which_azure_refuses_has_its_cause(value: object, cause: str) -> None:
    assert [one.cause for one in judge([read(value)]).findings] == [cause]


@pytest.mark.parametrize(
    "value",
    [
        {"namespace": "Microsoft.HybridCompute", "registrationState": "Registered"},
        [{"level": "CanNotDelete", "name": "keep"}],
        {"id": "x", "tenantId": "t", "state": "Enabled"},
        {"enabled": True, "name": "sp-plant"},
        [{"total": 300000, "used": 48211}],
        {"value": [{"appId": "a", "status": {"errorCode": 0}}]},
        [{"roleDefinitionName": "Azure Connected Machine Onboarding", "scope": ID, "principalId": "p"}],
        {"fqdn": "gbl.his.arc.azure.com", "ipAddresses": ["10.7.4.6"]},
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_state_that_is_good_concludes_nothing(value: object) -> None:
    assert read(value).codes == ()


def test_a_machine_is_told_as_the_agent_would() -> None:
    machine = {
        "status": "Disconnected",
        "vmId": "v",
        "os": "windows",
        "changed": "2026-11-20T04:50:29.1234567Z",
    }
    state = read(machine).agent_state
    assert state is not None
    assert (state.status, str(state.last_heartbeat)[:19]) == ("Disconnected", "2026-11-20 04:50:29")


@pytest.mark.parametrize(
    "value",
    [
        {"status": {"errorCode": 10**30}, "appId": "a"},
        {"status": "x" * 10**5, "appId": None},
        [{"used": "many", "total": None}],
        {"namespace": 7, "registrationState": ["NotRegistered"]},
    ],
)
def test_what_is_odd_breaks_nothing(value: object) -> None:
    assert all(len(code.says) < 500 for code in read(value).codes)
