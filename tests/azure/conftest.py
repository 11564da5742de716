from arcferry import azure
from arcferry.azure import AzureTarget, ServicePrincipal
from arcferry_lab.twin import RESOURCE_GROUP, Twin


def aim(twin: Twin, **changes: str) -> AzureTarget:
    settings = {
        "cloud": "AzureCloud",
        "tenant_id": twin.azure.tenant_id,
        "subscription_id": twin.azure.subscription_id,
        "resource_group": RESOURCE_GROUP,
        "location": "East Asia",
        "arm_url": twin.azure.arm_url,
        "authority": twin.azure.authority,
    }
    return azure.target(**(settings | changes), ca_file=twin.paths.ca)


def principal(twin: Twin) -> ServicePrincipal:
    return azure.with_secret(twin.client.client_id, twin.client.secret)
