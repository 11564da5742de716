"""Resource ids of the twin's own network resources."""

from arcferry_lab.azure.state import ROUTE_FILTER, AzureState

CIRCUIT = "er-onprem"
PEERING = "MicrosoftPeering"
FILTERS = "Microsoft.Network/routeFilters"
CIRCUITS = "Microsoft.Network/expressRouteCircuits"


def filter_id(state: AzureState, name: str = ROUTE_FILTER) -> str:
    """A route filter's."""
    return f"{_group(state)}/providers/{FILTERS}/{name}"


def circuit_id(state: AzureState) -> str:
    """The circuit's."""
    return f"{_group(state)}/providers/{CIRCUITS}/{CIRCUIT}"


def peering_id(state: AzureState) -> str:
    """The Microsoft peering's."""
    return f"{circuit_id(state)}/peerings/{PEERING}"


def _group(state: AzureState) -> str:
    return f"/subscriptions/{state.subscription_id}/resourceGroups/{state.network_group}"
