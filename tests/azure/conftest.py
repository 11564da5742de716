from arcferry import azure
from arcferry.azure import AzureTarget, ServicePrincipal
from arcferry_lab.twin import RESOURCE_GROUP, Twin


def aim(twin: Twin, **changes: str) -> AzureTarget:
    settings = {
        "cloud": "AzureCloud",
        "tenant_id": twin.azure.tenant_id,
        "subscription_id": twin.azure.subscription_id,
        "resource_group": RESOURCE_GROUP,
        "location": twin.azure.location,
        "arm_url": twin.azure.arm_url,
        "authority": twin.azure.authority,
    }
    return azure.target(**(settings | changes), ca_file=twin.paths.ca)


async def token_of(twin: Twin) -> str:
    """An access token, as an administrator has one made."""
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        return (await session.token()).text


def principal(twin: Twin) -> ServicePrincipal:
    return azure.with_secret(twin.client.client_id, twin.client.secret)
