import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from arcferry.data.store import Store

SHARED = Path(__file__).parents[3] / "shared" / "data"


def tag(name: str, region: str, *prefixes: str) -> dict[str, Any]:
    return {"name": name, "id": name, "properties": {"region": region, "addressPrefixes": list(prefixes)}}


def tags_file(change: int = 7, cloud: str = "Public", *more: dict[str, Any]) -> bytes:
    values = [
        tag("AzureCloud", "", "20.0.0.0/8", "2603::/16"),
        tag("AzureCloud.eastasia", "eastasia", "20.187.128.0/17", "2603:1::/32"),
        tag("AzureArcInfrastructure.EastAsia", "eastasia", "20.187.194.204/30"),
        *more,
    ]
    return json.dumps({"changeNumber": change, "cloud": cloud, "values": values}).encode()


def community(value: str, name: str, *prefixes: str) -> dict[str, Any]:
    return {"communityValue": value, "communityName": name, "communityPrefixes": list(prefixes)}


def community_file(*entries: dict[str, Any]) -> bytes:
    found = entries or (community("12076:51006", "Azure West US", "20.187.128.0/17", "2603:1:2::/48"),)
    return json.dumps([{"name": "Azure", "bgpCommunities": list(found)}]).encode()


def filter_file(*values: str) -> bytes:
    rule = {"name": "allow", "properties": {"access": "Allow", "communities": list(values)}}
    return json.dumps(
        {"name": "rf", "properties": {"provisioningState": "Succeeded", "rules": [rule]}}
    ).encode()


def circuit_file() -> bytes:
    peering = {
        "name": "MicrosoftPeering",
        "properties": {
            "peeringType": "MicrosoftPeering",
            "state": "Enabled",
            "peerASN": 65001,
            "sharedKey": "canary-shared",
            "microsoftPeeringConfig": {"advertisedPublicPrefixes": ["198.51.100.0/24"]},
        },
    }
    return json.dumps(
        {
            "name": "er1",
            "type": "Microsoft.Network/expressRouteCircuits",
            "sku": {"name": "Standard_MeteredData", "tier": "Standard", "family": "MeteredData"},
            "properties": {
                "ServiceKey": "canary-service",
                "authorizations": [{"properties": {"authorizationKey": "canary-authorization"}}],
                "circuitProvisioningState": "Enabled",
                "serviceProviderProvisioningState": "Provisioned",
                "serviceProviderProperties": {"peeringLocation": "Hong Kong"},
                "peerings": [peering],
            },
        }
    ).encode()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "data")


@pytest.fixture
def public_file() -> bytes:
    path = SHARED / "ServiceTags_Public_20251028.json"
    if not path.exists():
        pytest.skip(f"{path.name} is not beside the checkout")
    return path.read_bytes()


@pytest.fixture
def make() -> SimpleNamespace:
    """Small documents of every kind, as Azure gives them."""
    return SimpleNamespace(
        tag=tag,
        tags=tags_file,
        community=community,
        communities=community_file,
        route_filter=filter_file,
        circuit=circuit_file,
    )
