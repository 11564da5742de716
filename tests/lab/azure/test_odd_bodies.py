"""Whatever stands in a request's body, Resource Manager answers it, and never with a failure of the twin."""

import re

import pytest
from tests.lab.azure.control import Control

from arcferry_lab.azure.arm import ROUTES
from arcferry_lab.azure.routes import Operation

pytestmark = pytest.mark.lab
NAMES = {"group": "rg-arc", "circuit": "er-onprem", "peering": "AzurePrivatePeering", "link": "primary"}
NAMES |= {"extension": "monitor", "rule": "allow", "namespace": "Microsoft.HybridCompute"}
WITHIN = {"routeFilters": "rf-other", "machines": "web01", "licenses": "esu"}
ODD: tuple[object, ...] = (
    None,
    [],
    [1],
    "text",
    7,
    {"tags": "x", "location": "eastasia"},
    {"tags": [1], "location": ["eastasia"]},
    {"location": "eastasia", "properties": [1]},
    {"location": "eastasia", "properties": {"rules": [1], "peerings": ["x"], "publisher": {}, "type": 1}},
    {"location": "eastasia", "properties": {"rules": {"a": 1}, "peerings": {"a": 1}, "communities": "x"}},
    {"location": "eastasia", "properties": {"peerASN": "x", "vlanId": [], "routeFilter": "x"}},
    {"sku": "x", "properties": {"serviceProviderProperties": [1]}},
    {"sku": {"tier": "Premium", "family": "MeteredData"}, "properties": {"peerings": [{"name": 1}]}},
    {"extensionTargets": {"a": 1}, "query": {"a": 1}, "options": 1},
)

OTHER_SCOPES = re.compile(
    r"(/providers/Microsoft.Management/.+|/subscriptions/\{\w+\}|.+/\{resource\}|)/providers/Microsoft.Auth.+"
)
WRITES = tuple(
    one
    for one in ROUTES
    if one.method in {"PUT", "PATCH", "POST"} and not OTHER_SCOPES.fullmatch(one.template)
)
"""Of Microsoft.Authorization those of a resource group, which stand for the same ones of every scope."""


def path(control: Control, route: Operation) -> str:
    """The template's path with names that exist, where the twin brings any."""
    known = next((name for kind, name in WITHIN.items() if f"/{kind}/" in route.template), "x")
    names = NAMES | {"subscription": control.twin.azure.subscription_id, "name": known}
    return re.sub(r"\{(\w+)\}", lambda found: names.get(found[1], "x"), route.template)


@pytest.mark.parametrize("route", WRITES, ids=lambda route: f"{route.method} {route.template}")
async def test_an_odd_body_is_answered(control: Control, route: Operation) -> None:
    """On what was made for it: the twin's own filter, emptied, would take Resource Manager out of reach."""
    for kind in ("Microsoft.HybridCompute/machines/web01", "Microsoft.Network/routeFilters/rf-other"):
        await control.ask("PUT", kind, {"location": "eastasia"})
    for body in ODD:
        answer = await control.ask(route.method, path(control, route), body)
        assert answer.status < 500, (body, answer.body)
        assert answer.status < 400 or answer.code, (body, answer.body)
