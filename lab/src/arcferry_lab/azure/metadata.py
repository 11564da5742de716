"""The instance metadata service of an Azure VM: tokens for its managed identities, over plain HTTP."""

import time
from collections.abc import Sequence

from aiohttp import web

from arcferry_lab.azure.routes import ArmRequest, Operation
from arcferry_lab.azure.service import service
from arcferry_lab.azure.state import Application, AzureState

IDENTITY = "/metadata/identity/oauth2/token"


def metadata(state: AzureState, own: Application | None, names: Sequence[str]) -> web.Application:
    """The service as one machine sees it; `own` is its identity, None where it has none."""

    async def token(asked: ArmRequest) -> web.Response:
        if asked.request.headers.get("Metadata", "").lower() != "true":
            return _refused(400, "bad_request_102", "Required metadata header not specified")
        wanted = asked.parameter("client_id")
        if own is None or (wanted and wanted.lower() != own.client_id):
            return _refused(400, "invalid_request", "Identity not found")
        seconds, resource = int(asked.state.signer.life.total_seconds()), asked.parameter("resource")
        text = state.signer.access_token(
            tenant=state.tenant_id, client=own.client_id, object_id=own.object_id, audience=resource
        )
        return web.json_response(
            {
                "access_token": text,
                "client_id": own.client_id,
                "expires_in": str(seconds),
                "expires_on": str(int(time.time()) + seconds),
                "resource": resource,
                "token_type": "Bearer",
            }
        )

    return service(state, names, (Operation("GET", IDENTITY, token),))


def _refused(status: int, error: str, description: str) -> web.Response:
    return web.json_response({"error": error, "error_description": description}, status=status)
