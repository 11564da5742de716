"""The calls that the agent makes: Entra, ARM, and HIS."""

import time
import uuid
from typing import Any
from urllib.parse import quote, urlencode

from . import layout
from .clouds import CloudHosts
from .failure import AgentError, NetworkError
from .network import AgentHttps, HttpsResponse, Identity
from .options import Options

_ARM_VERSION = "2024-07-10"
_HIS_VERSION = "2.1"
_OK, _CREATED, _NO_CONTENT = 200, 201, 204
_UNAUTHORIZED, _NOT_FOUND, _CONFLICT, _TOO_MANY = 401, 404, 409, 429
_TRIES = 3
_LONGEST_WAIT = 10.0


def access_token(network: AgentHttps, cloud: CloudHosts, options: Options) -> str:
    """The token that was given, or one for the service principal that was given.

    Raises:
        AgentError: no credential (AZCM0041), or Entra refused it (AZCM0041).
    """
    given = options.text("access-token")
    if given:
        return given
    client, secret = options.text("service-principal-id"), options.text("service-principal-secret")
    if not client or not secret:
        raise AgentError(
            41, "no access token and no service principal with a secret: the twin knows no other way"
        )
    options.need("tenant-id")
    fields = {
        "grant_type": "client_credentials",
        "client_id": client,
        "client_secret": secret,
        "scope": f"https://{cloud.arm}/.default",
    }
    url = f"https://{cloud.login}/{quote(options.text('tenant-id'))}/oauth2/v2.0/token"
    try:
        response = network.request("POST", url, form=urlencode(fields))
    except NetworkError as error:
        raise AgentError(41, f"Failed to acquire authorization token: {error}") from error
    token = response.json().get("access_token")
    if response.status != _OK or not token:
        reason = str(response.json().get("error_description", f"httpStatusCode:{response.status}"))
        raise AgentError(41, f"Failed to acquire authorization token: {reason}")
    return str(token)


class Arm:
    """Azure Resource Manager, with one token and one correlation id."""

    def __init__(self, network: AgentHttps, cloud: CloudHosts, token: str, correlation: str) -> None:
        self._network = network
        self._cloud = cloud
        self._token = token
        self.correlation = correlation or str(uuid.uuid4())

    def __repr__(self) -> str:
        return f"Arm({self._cloud.arm})"

    def get(self, resource_id: str) -> dict[str, Any] | None:
        """The resource, or None where there is none.

        Raises:
            AgentError: ARM refused or cannot be reached (AZCM0012, AZCM0042).
        """
        response = self._send("GET", resource_id, 42)
        if response.status == _NOT_FOUND and self._code(response) != "ResourceGroupNotFound":
            return None
        if response.status != _OK:
            raise self._refusal(response, 42)
        return self._resource(response)

    def put(self, resource_id: str, document: dict[str, Any]) -> dict[str, Any]:
        """Create or update the resource.

        Raises:
            AgentError: another machine holds the name (AZCM0044), or ARM refused (AZCM0012, AZCM0042).
        """
        response = self._send("PUT", resource_id, 42, document)
        if response.status == _CONFLICT and self._code(response) == "Conflict":
            raise self._refusal(response, 44)
        if response.status not in (_OK, _CREATED):
            raise self._refusal(response, 42)
        return self._resource(response)

    def delete(self, resource_id: str) -> None:
        """Delete the resource; one that is gone already is as good.

        Raises:
            AgentError: ARM refused (AZCM0012, AZCM0043).
        """
        response = self._send("DELETE", resource_id, 43)
        if response.status not in (_OK, _NO_CONTENT, _NOT_FOUND):
            raise self._refusal(response, 43)

    def _send(self, method: str, resource_id: str, number: int, document: object = None) -> HttpsResponse:
        url = f"https://{self._cloud.arm}{quote(resource_id)}?api-version={_ARM_VERSION}"
        try:
            for attempt in range(_TRIES):
                response = self._network.request(method, url, token=self._token, document=document)
                if response.status != _TOO_MANY or attempt == _TRIES - 1:
                    break
                time.sleep(_wait(response))
        except NetworkError as error:
            raise AgentError(number, str(error)) from error
        return response

    def _resource(self, response: HttpsResponse) -> dict[str, Any]:
        document = response.json()
        if "id" not in document:
            raise AgentError(
                42, f"https://{self._cloud.arm} answered {response.status} with no resource in it"
            )
        return document

    def _code(self, response: HttpsResponse) -> str:
        error = response.json().get("error")
        return str(error.get("code", "")) if isinstance(error, dict) else ""

    def _refusal(self, response: HttpsResponse, number: int) -> AgentError:
        error = response.json().get("error")
        message = str(error.get("message", "")) if isinstance(error, dict) else ""
        number = 12 if response.status == _UNAUTHORIZED else number
        return AgentError(
            number,
            f"RequestCorrelationId:{self.correlation} Message: {message} "
            f"Code: {self._code(response)} httpStatusCode:{response.status}",
        )


def identity_certificate(
    network: AgentHttps, his: str, vm_id: str, resource_id: str, token: str
) -> dict[str, Any]:
    """The machine's own certificate and key, from its region's HIS.

    Raises:
        AgentError: it was not given (AZCM0081).
    """
    url = f"https://{his}/machine/{vm_id}/identity?api-version={_HIS_VERSION}"
    try:
        response = network.request("POST", url, token=token, document={"resourceId": resource_id})
    except NetworkError as error:
        raise AgentError(81, f"Get MSI Certificate: {error}") from error
    document = response.json()
    if response.status != _OK or not document.get("certificate") or not document.get("privateKey"):
        raise AgentError(81, f"Get MSI Certificate: {url}: httpStatusCode:{response.status}")
    return document


def send_heartbeat(network: AgentHttps, his: str, vm_id: str, version: str) -> int:
    """One heartbeat with the machine's certificate; returns the HTTP status, 204 where all is well.

    Raises:
        NetworkError: no answer.
    """
    url = f"https://{his}/machine/{vm_id}/heartbeat?api-version={_HIS_VERSION}"
    identity = Identity(layout.CERTIFICATE, layout.PRIVATE_KEY)
    return network.request("POST", url, document={"agentVersion": version}, identity=identity).status


def _wait(response: HttpsResponse) -> float:
    try:
        return min(max(float(response.headers.get("retry-after", "1")), 0.0), _LONGEST_WAIT)
    except ValueError:
        return 1.0
