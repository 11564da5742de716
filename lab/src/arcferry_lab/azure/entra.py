"""Entra ID: discovery documents, signing keys, and tokens for applications."""

from collections.abc import Mapping, Sequence

from aiohttp import web

from arcferry_lab.azure.assertion import check_assertion, check_federated, is_federated
from arcferry_lab.azure.errors import EntraError
from arcferry_lab.azure.routes import ArmRequest, Operation
from arcferry_lab.azure.service import service
from arcferry_lab.azure.state import Application, AzureState

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ARM = "https://management.azure.com"
_RESOURCES = (_ARM, "https://management.core.windows.net", "https://graph.microsoft.com")


def entra(state: AzureState, names: Sequence[str]) -> web.Application:
    """The sign-in service, as MSAL and azure-identity use it."""
    return service(
        state,
        names,
        (
            Operation("GET", "/common/discovery/instance", _instance),
            Operation("GET", "/{tenant}/v2.0/.well-known/openid-configuration", _configuration),
            Operation("GET", "/{tenant}/.well-known/openid-configuration", _configuration),
            Operation("GET", "/{tenant}/discovery/v2.0/keys", _keys),
            Operation("POST", "/{tenant}/oauth2/v2.0/token", _token),
        ),
    )


def _base(asked: ArmRequest) -> str:
    return f"https://{asked.request.host}"


async def _instance(asked: ArmRequest) -> web.Response:
    tenant = asked.state.tenant_id
    document = {
        "tenant_discovery_endpoint": f"{_base(asked)}/{tenant}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [
            {
                "preferred_network": asked.request.host,
                "preferred_cache": asked.request.host,
                "aliases": [asked.request.host],
            }
        ],
    }
    return web.json_response(document)


async def _configuration(asked: ArmRequest) -> web.Response:
    tenant = _tenant(asked)
    base = f"{_base(asked)}/{tenant}"
    document = {
        "issuer": f"{base}/v2.0",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "response_types_supported": ["code", "id_token", "token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "tenant_region_scope": "AS",
        "cloud_instance_name": "microsoftonline.com",
    }
    return web.json_response(document)


async def _keys(asked: ArmRequest) -> web.Response:
    return web.json_response(asked.state.signer.key_set())


async def _token(asked: ArmRequest) -> web.Response:
    form = {key: value for key, value in (await asked.request.post()).items() if isinstance(value, str)}
    correlation = asked.request.headers.get("client-request-id", "")
    try:
        return web.json_response(_grant(asked, form), headers={"Cache-Control": "no-store"})
    except EntraError as error:
        return error.response(correlation)


def _grant(asked: ArmRequest, form: Mapping[str, str]) -> dict[str, object]:
    state = asked.state
    if state.faults.take("entra/unavailable"):
        raise EntraError(503, "temporarily_unavailable", 90033, "A transient error has occurred.")
    tenant = _tenant(asked)
    if form.get("grant_type") != "client_credentials":
        raise EntraError(400, "unsupported_grant_type", 70003, "Only client_credentials is granted here.")
    client = _client(state, form, tenant)
    _authenticate(asked, client, form)
    audience = _audience(state, form.get("scope", ""))
    token = state.signer.access_token(
        tenant=state.tenant_id, client=client.client_id, object_id=client.object_id, audience=audience
    )
    seconds = int(state.signer.life.total_seconds())
    return {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}


def _tenant(asked: ArmRequest) -> str:
    name = asked.names["tenant"]
    if name.lower() != asked.state.tenant_id.lower():
        raise EntraError(400, "invalid_tenant", 90002, f"Tenant '{name}' not found.")
    return asked.state.tenant_id


def _client(state: AzureState, form: Mapping[str, str], tenant: str) -> Application:
    name = form.get("client_id", "")
    if not name:
        raise EntraError(400, "invalid_request", 900144, "The body must contain 'client_id'.")
    client = state.clients.get(name.lower())
    if client is None:
        raise EntraError(
            400, "unauthorized_client", 700016, f"Application '{name}' was not found in directory '{tenant}'."
        )
    return client


def _authenticate(asked: ArmRequest, client: Application, form: Mapping[str, str]) -> None:
    if form.get("client_assertion_type") == ASSERTION_TYPE:
        base, given = f"{_base(asked)}/{asked.state.tenant_id}", form.get("client_assertion", "")
        if is_federated(given, client):
            check_federated(given, client)
            return
        check_assertion(given, client, audiences=(f"{base}/oauth2/v2.0/token", f"{base}/v2.0"))
        return
    secret = form.get("client_secret")
    if not secret:
        raise EntraError(401, "invalid_client", 7000216, "A client secret or a client assertion is required.")
    if asked.state.faults.take("entra/expired-secret"):
        raise EntraError(
            401, "invalid_client", 7000222, f"The secret keys of app '{client.client_id}' are expired."
        )
    if secret != client.secret:
        raise EntraError(
            401, "invalid_client", 7000215, f"Invalid client secret given for app '{client.client_id}'."
        )


def _audience(state: AzureState, scope: str) -> str:
    resource = scope.removesuffix("/.default")
    if not scope.endswith("/.default") or " " in scope:
        raise EntraError(
            400,
            "invalid_scope",
            1002012,
            f"The scope '{scope}' must be one resource followed by '/.default'.",
        )
    if resource.rstrip("/") not in {*_RESOURCES, state.arm_url, state.arm_url.removesuffix(":443")}:
        raise EntraError(
            400, "invalid_resource", 500011, f"The resource principal named '{resource}' was not found."
        )
    return resource
