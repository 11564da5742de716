"""What clients ask before they ask for anything: the cloud's endpoints, tenants, the regions."""

from aiohttp import web

from arcferry import catalog
from arcferry_lab.azure.paging import page
from arcferry_lab.azure.plane import Document
from arcferry_lab.azure.routes import ArmRequest, Operation
from arcferry_lab.azure.state import AzureState

# What an Azure Stack Hub of any version and every public region answers without a token.
OPEN = ("/metadata/endpoints",)


def _endpoints(state: AzureState) -> Document:
    """One cloud, in the shape that api-versions from 2019-05-01 on have."""
    arm = state.arm_url.rstrip("/")
    return {
        "name": "AzureCloud",
        "portal": "https://portal.azure.com",
        "authentication": {
            "loginEndpoint": state.authority,
            "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "media": "https://rest.media.azure.net",
        "graphAudience": "https://graph.windows.net/",
        "graph": "https://graph.windows.net/",
        "microsoftGraphResourceId": "https://graph.microsoft.com/",
        "resourceManager": arm,
        "suffixes": {"keyVaultDns": "vault.azure.net", "storage": "core.windows.net"},
        "batch": "https://batch.core.windows.net/",
        "sqlManagement": "https://management.core.windows.net:8443/",
        "gallery": "https://gallery.azure.com/",
    }


async def answer(state: AzureState, request: web.Request) -> web.Response:
    """The cloud as azure-cli reads it: alone from 2022-09-01 on, before in a list, and flat at first."""
    cloud, version = _endpoints(state), request.query.get("api-version", "")
    if version >= "2022-09-01":
        return web.json_response(cloud)
    if version >= "2019-05-01":
        return web.json_response([cloud])
    return web.json_response(
        {
            "galleryEndpoint": cloud["gallery"],
            "graphEndpoint": cloud["graph"],
            "portalEndpoint": cloud["portal"],
            "authentication": {
                "loginEndpoint": f"{state.authority}/",
                "audiences": cloud["authentication"]["audiences"],
            },
        }
    )


async def _tenants(asked: ArmRequest) -> web.Response:
    tenant = asked.state.tenant_id
    return page(
        asked,
        [
            {
                "id": f"/tenants/{tenant}",
                "tenantId": tenant,
                "countryCode": "TW",
                "displayName": "arcferry twin",
                "domains": ["twin.example"],
                "tenantCategory": "Home",
                "defaultDomain": "twin.example",
                "tenantType": "AAD",
            }
        ],
    )


async def _locations(asked: ArmRequest) -> web.Response:
    base = f"/subscriptions/{asked.state.subscription_id}/locations"
    rows = [
        {
            "id": f"{base}/{region.name}",
            "name": region.name,
            "type": "Region",
            "displayName": region.display,
            "regionalDisplayName": region.display,
            "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
        }
        for region in catalog.regions(catalog.cloud("AzureCloud"))
    ]
    return web.json_response({"value": rows})


_SUBSCRIPTION = "/subscriptions/{subscription}"
ROUTES = (
    Operation("GET", "/tenants", _tenants),
    Operation(
        "GET",
        f"{_SUBSCRIPTION}/locations",
        _locations,
        "Microsoft.Resources/subscriptions/locations/read",
    ),
)
