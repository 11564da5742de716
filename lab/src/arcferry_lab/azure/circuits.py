"""The twin's ExpressRoute circuit as ARM shows it, with its peering, under whatever faults are on."""

from dataclasses import replace
from typing import Any

from arcferry_lab.azure.etags import stamped
from arcferry_lab.azure.groups import group_named
from arcferry_lab.azure.ids import CIRCUIT, CIRCUITS, PEERING, circuit_id, filter_id, peering_id
from arcferry_lab.azure.plane import Document
from arcferry_lab.azure.routes import ArmRequest
from arcferry_lab.azure.state import AzureState, CircuitState
from arcferry_lab.peering import far_location

_OTHER_FILTER = "rf-office-only"
IPV6_FILTER = "rf-msp-ipv6"
"""The filter of the peering's IPv6 side, where that has one of its own."""
_MICROSOFT_AS = 12076


def circuit_now(state: AzureState) -> CircuitState:
    """The circuit as the faults that are switched on have it."""
    now, holds = state.circuit, state.faults.holds
    if holds("route/peering-down"):
        now = replace(now, peering_state="Disabled")
    if holds("route/no-route-filter"):
        now = replace(now, filter_attached=False)
    if holds("route/outside-sku-geography"):
        now = replace(now, tier="Standard", peering_location=far_location(state.location))
    if holds("tcp/nat-prefix-not-validated"):
        now = replace(now, advertised_state="ValidationNeeded")
    if holds("route/ipv6-filtered") or holds("route/ipv6-swallowed"):
        now = replace(now, ipv6=True)
    return now


def ipv6_filter(state: AzureState) -> str:
    """The id of the route filter that is attached to the IPv6 side."""
    own = state.faults.holds("route/ipv6-filtered")
    return filter_id(state, IPV6_FILTER) if own else attached_filter(state)


def attached_filter(state: AzureState) -> str:
    """The id of the route filter that is attached to the peering, empty where none is."""
    now = circuit_now(state)
    if not now.filter_attached:
        return ""
    if state.faults.holds("route/filter-not-attached"):
        return filter_id(state, _OTHER_FILTER)
    return now.other_filter or filter_id(state)


def attached_to(state: AzureState, place: str) -> bool:
    """Whether the filter of this id is the one that is attached to the peering."""
    there = circuit_there(state) and state.circuit.has_peering
    return there and attached_filter(state).lower() == place.lower()


def circuit_there(state: AzureState) -> bool:
    """Whether the twin's own circuit exists."""
    return state.has_network and circuit_id(state).lower() not in state.plane.deleted


def circuit(state: AzureState) -> dict[str, Any]:
    """The circuit with its Microsoft peering, in the REST shape (api-version 2024-05-01)."""
    now = circuit_now(state)
    document = {
        "id": circuit_id(state),
        "name": CIRCUIT,
        "type": CIRCUITS,
        "location": state.location,
        "sku": {"name": f"{now.tier}_{now.family}", "tier": now.tier, "family": now.family},
        "properties": {
            "provisioningState": state.plane.provisioning(circuit_id(state)),
            "circuitProvisioningState": "Enabled",
            "serviceProviderProvisioningState": now.provisioning,
            "serviceProviderProperties": {
                "serviceProviderName": now.provider,
                "peeringLocation": now.peering_location,
                "bandwidthInMbps": now.bandwidth,
            },
            "peerings": peerings(state),
            "authorizations": [],
            "allowClassicOperations": False,
            "globalReachEnabled": False,
        },
    }
    return stamped(document | ({"tags": now.tags} if now.tags else {}))


def peerings(state: AzureState) -> list[Document]:
    """The peerings of the twin's circuit: the Microsoft peering, and what clients wrote beside it."""
    others = [
        stamped(one) for one in state.plane.under(circuit_id(state)) if one["type"] == f"{CIRCUITS}/peerings"
    ]
    return ([peering(state)] if state.circuit.has_peering else []) + others


def peering(state: AzureState) -> dict[str, Any]:
    """The Microsoft peering, in the REST shape."""
    now, attached = circuit_now(state), attached_filter(state)
    primary, secondary = now.links
    properties: dict[str, Any] = {
        "provisioningState": state.plane.provisioning(peering_id(state)),
        "peeringType": PEERING,
        "state": now.peering_state,
        "azureASN": _MICROSOFT_AS,
        "peerASN": now.peer_asn,
        "primaryPeerAddressPrefix": primary,
        "secondaryPeerAddressPrefix": secondary,
        "vlanId": now.vlan,
        "microsoftPeeringConfig": {
            "advertisedPublicPrefixes": list(now.advertised_prefixes),
            "advertisedPublicPrefixesState": now.advertised_state,
            "advertisedCommunities": [],
            "legacyMode": 0,
            "customerASN": 0,
            "routingRegistryName": "NONE",
        },
    }
    if attached:
        properties["routeFilter"] = {"id": attached}
    if now.ipv6:
        properties["ipv6PeeringConfig"] = {
            "state": now.peering_state,
            "routeFilter": {"id": ipv6_filter(state)},
        }
    return stamped(
        {
            "id": peering_id(state),
            "name": PEERING,
            "type": f"{CIRCUITS}/peerings",
            "properties": properties,
        }
    )


def network_there(asked: ArmRequest) -> bool:
    """Whether filter and circuit lie where a list was asked for: in one group, or anywhere.

    Raises:
        ArmError: 404, there is no such group.
    """
    if "group" not in asked.names:
        return asked.state.has_network
    return asked.state.network_in(group_named(asked.state, asked.names["group"]).name)
