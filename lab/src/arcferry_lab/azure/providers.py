"""Resource providers: whether each is registered, and where its types exist."""

import re

from aiohttp import web

from arcferry import catalog
from arcferry_lab.azure.errors import ArmError
from arcferry_lab.azure.paging import page
from arcferry_lab.azure.routes import ArmRequest, Operation
from arcferry_lab.azure.state import AzureState
from arcferry_lab.azure.versions import versions_of

HYBRID_COMPUTE = "Microsoft.HybridCompute"
_FREE = {"Microsoft.Authorization", "Microsoft.Management"}
"""What no subscription has to register for."""

_NEVER = "arm/provider-not-registered"
_OF_PROVIDER = re.compile(r"/providers/(Microsoft\.[A-Za-z]+)/")
_TYPES = {
    HYBRID_COMPUTE: ("machines", "machines/extensions", "privateLinkScopes", "licenses"),
    "Microsoft.GuestConfiguration": ("guestConfigurationAssignments",),
    "Microsoft.HybridConnectivity": ("endpoints",),
    "Microsoft.Network": ("routeFilters", "expressRouteCircuits"),
    "Microsoft.Resources": ("resourceGroups",),
    "Microsoft.AzureArcData": ("sqlServerInstances",),
}


def locations() -> dict[str, str]:
    """Where a machine can be created: ARM name to display name, of the public cloud."""
    public = catalog.cloud("AzureCloud")
    return {region.name: region.display for region in catalog.regions(public)}


def check_registered(state: AzureState, template: str) -> None:
    """Refuse whatever is asked of a provider that the subscription does not use yet, reading included.

    Raises:
        ArmError: 409 MissingSubscriptionRegistration.
    """
    found = _OF_PROVIDER.search(template)
    if found and found[1] not in _FREE and not is_registered(state, found[1]):
        raise ArmError(
            409,
            "MissingSubscriptionRegistration",
            f"The subscription is not registered to use namespace '{found[1]}'. "
            "See https://aka.ms/rps-not-found for how to register subscriptions.",
        )


def is_registered(state: AzureState, namespace: str) -> bool:
    """Whether the subscription may use a provider now."""
    waits = state.registering.get(namespace, 0) > 0 or state.faults.holds(_NEVER)
    return state.registered.get(namespace, False) and not waits


def _namespace(asked: ArmRequest) -> str:
    wanted = asked.names["namespace"]
    for known in asked.state.registered:
        if known.lower() == wanted.lower():
            return known
    raise ArmError(404, "InvalidResourceNamespace", f"The resource namespace '{wanted}' is invalid.")


def _registration(state: AzureState, namespace: str) -> str:
    if is_registered(state, namespace):
        return "Registered"
    return "Registering" if state.registered[namespace] else "NotRegistered"


def _shown(state: AzureState, namespace: str) -> dict[str, object]:
    return {
        "id": f"/subscriptions/{state.subscription_id}/providers/{namespace}",
        "namespace": namespace,
        "registrationPolicy": "RegistrationRequired",
        "registrationState": _registration(state, namespace),
        "resourceTypes": [
            {
                "resourceType": kind,
                "locations": list(locations().values()),
                "apiVersions": list(versions_of(namespace)),
                "capabilities": "SupportsTags, SupportsLocation",
            }
            for kind in _TYPES[namespace]
        ],
    }


async def _list(asked: ArmRequest) -> web.Response:
    return page(asked, [_shown(asked.state, namespace) for namespace in asked.state.registered])


async def _get(asked: ArmRequest) -> web.Response:
    namespace = _namespace(asked)
    shown = _shown(asked.state, namespace)
    if asked.state.registering.get(namespace):
        asked.state.registering[namespace] -= 1
    return web.json_response(shown)


async def _register(asked: ArmRequest) -> web.Response:
    namespace = _namespace(asked)
    asked.state.registered[namespace] = True
    asked.state.registering[namespace] = asked.state.looks_until_registered
    return web.json_response(_shown(asked.state, namespace))


async def _unregister(asked: ArmRequest) -> web.Response:
    asked.state.registered[_namespace(asked)] = False
    return await _get(asked)


_PROVIDERS = "/subscriptions/{subscription}/providers"
_READ = "Microsoft.Resources/subscriptions/providers/read"
ROUTES = (
    Operation("GET", _PROVIDERS, _list, _READ),
    Operation("GET", f"{_PROVIDERS}/{{namespace}}", _get, _READ),
    Operation("POST", f"{_PROVIDERS}/{{namespace}}/register", _register, "{namespace}/register/action"),
    Operation("POST", f"{_PROVIDERS}/{{namespace}}/unregister", _unregister, "{namespace}/unregister/action"),
)
