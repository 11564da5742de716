"""The options of commands that work in Azure: where, how it is reached, and who signs in."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from arcferry.cli.options import (
    AZURE,
    DEFAULT_CLOUD,
    CaFileOption,
    CloudOption,
    LocationOption,
    ProxyOption,
    UnlistedOption,
    option,
    region_of,
    setting,
)

if TYPE_CHECKING:
    from arcferry.azure import AzureTarget

SECRET_VARIABLE = "AZURE_CLIENT_SECRET"  # noqa: S105  # the variable's name

_SCOPE = setting(
    "--private-link-scope ID",
    "The ARM id of an Azure Arc private link scope.",
    panel=AZURE,
)
ScopeOption = Annotated[str | None, _SCOPE]
GatewayOption = Annotated[
    str,
    setting(
        "--gateway-id ID",
        "The ARM id of an Azure Arc gateway. Front Door serves it, which no Microsoft peering carries.",
        panel=AZURE,
    ),
]
CircuitOption = Annotated[
    str,
    setting("--circuit NAME", "The ExpressRoute circuit as Azure names it; it takes a sign-in.", panel=AZURE),
]
FilterNameOption = Annotated[
    str,
    option(
        "--route-filter-name NAME", "The route filter as Azure names it; it takes a sign-in.", panel=AZURE
    ),
]
TagsOption = Annotated[
    list[str] | None,
    option(
        "--tags K=V",
        "Tags for every machine, with commas between; may be repeated. A value with a comma stands "
        "in quotes.",
        panel=AZURE,
    ),
]

_TENANT = setting("--tenant-id GUID", "The Entra tenant.", panel=AZURE, besides="AZURE_TENANT_ID")
OptionalTenantOption = Annotated[str, _TENANT]
_SUBSCRIPTION = setting(
    "--subscription-id GUID", "The subscription.", panel=AZURE, besides="AZURE_SUBSCRIPTION_ID"
)
_GROUP = setting("--resource-group NAME", "The resource group; it must exist.", "-g", panel=AZURE)
ClientOption = Annotated[
    str | None,
    setting(
        "--client-id GUID", "The service principal's application id.", besides="AZURE_CLIENT_ID", panel=AZURE
    ),
]


@dataclass(frozen=True, kw_only=True)
class PlaceOptions:
    """Where in Azure machines appear."""

    cloud: CloudOption = DEFAULT_CLOUD
    location: LocationOption
    location_unlisted: UnlistedOption = False
    tenant_id: Annotated[str, _TENANT]
    subscription_id: Annotated[str, _SUBSCRIPTION]
    resource_group: Annotated[str, _GROUP]

    def target(self, **access: Any) -> "AzureTarget":  # noqa: ANN401  # as `azure.target` checks them
        """The place, checked.

        Raises:
            InputError: as for `azure.target` and `region_of`.
        """
        from arcferry import azure

        return azure.target(
            cloud=self.cloud,
            tenant_id=self.tenant_id,
            subscription_id=self.subscription_id,
            resource_group=self.resource_group,
            location=region_of(self.location, self.cloud, unlisted=self.location_unlisted),
            **access,
        )


@dataclass(frozen=True, kw_only=True)
class HostPlaceOptions(PlaceOptions):
    """The same for hosts that name no place of their own; each is needed only if there is such a host."""

    location: LocationOption = ""
    subscription_id: Annotated[str, _SUBSCRIPTION] = ""
    resource_group: Annotated[str, _GROUP] = ""

    @property
    def complete(self) -> bool:
        """Whether all of them were given, so that they can be checked before an inventory is read."""
        return bool(self.location and self.subscription_id and self.resource_group)


@dataclass(frozen=True, kw_only=True)
class ConnectOptions:
    """What agents are connected with, where a row of the inventory or its site says nothing else."""

    tags: TagsOption = None
    private_link_scope: Annotated[str, _SCOPE] = ""
    gateway_id: GatewayOption = ""


@dataclass(frozen=True, kw_only=True)
class AccessOptions:
    """How Azure Resource Manager and Entra are reached."""

    arm_url: Annotated[
        str | None,
        setting(
            "--arm-url URL", "Azure Resource Manager's address, if it is not the cloud's own.", panel=AZURE
        ),
    ] = None
    authority: Annotated[
        str | None,
        setting("--authority URL", "Entra's sign-in address, if it is not the cloud's own.", panel=AZURE),
    ] = None
    ca_file: CaFileOption = None
    proxy: ProxyOption = field(default=None, repr=False)  # its URL may hold a password

    def access(self) -> dict[str, Any]:
        """The same for `azure.target`."""
        return {one.name: getattr(self, one.name) for one in fields(AccessOptions)}


@dataclass(frozen=True, kw_only=True)
class IdentityOptions:
    """Who signs in: a service principal, with where its secret or certificate lies, or somebody else."""

    client_id: ClientOption = None
    secret_env: Annotated[
        str,
        option(
            "--secret-env NAME",
            "The environment variable that holds the service principal's secret.",
            panel=AZURE,
        ),
    ] = SECRET_VARIABLE
    secret_file: Annotated[
        Path | None,
        setting("--secret-file FILE", "A file with the secret, readable by its owner alone.", panel=AZURE),
    ] = None
    certificate: Annotated[
        Path | None,
        setting(
            "--certificate FILE",
            "A certificate with its key (PEM, or PFX without a password) in place of a secret.",
            panel=AZURE,
        ),
    ] = None
    federated_token_file: Annotated[
        Path | None,
        option(
            "--federated-token-file FILE",
            "A token of another issuer that the application trusts, as clusters and pipelines write it, in "
            "place of a secret.",
            panel=AZURE,
        ),
    ] = None
    managed_identity: Annotated[
        bool,
        option(
            "--managed-identity",
            "Sign in as this Azure VM or Arc server itself; with --client-id as its user-assigned identity.",
            panel=AZURE,
        ),
    ] = False
    az_login: Annotated[bool, option("--az-login", "Sign in as whoever is signed in to az.", panel=AZURE)] = (
        False
    )


@dataclass(frozen=True, kw_only=True)
class WhereOptions:
    """Where in Azure, as far as it is known."""

    tenant_id: Annotated[str | None, _TENANT] = None
    subscription_id: Annotated[str | None, _SUBSCRIPTION] = None
    resource_group: Annotated[str | None, _GROUP] = None


@dataclass(frozen=True, kw_only=True)
class QueryOptions(WhereOptions, AccessOptions, IdentityOptions):
    """What it takes to ask Azure for communities, a route filter or a circuit; none of it is needed."""


def scope_of(given: str) -> str:
    """The private link scope as it was given; empty where only that there is one was said.

    Raises:
        InputError: it is no scope's id.
    """
    from arcferry import typed
    from arcferry.errors import InputError
    from arcferry.text import quoted

    found = typed.resource_id(given)
    if given and "/privatelinkscopes/" not in found.lower():
        raise InputError(
            f"--private-link-scope {quoted(given)} is not the ARM id of a private link scope",
            hint="It reads /subscriptions/…/providers/Microsoft.HybridCompute/privateLinkScopes/NAME. "
            "Without an id the check goes by the answers alone.",
        )
    return found
