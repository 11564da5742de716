"""The hybrid identity service: discovery, telemetry, a machine's certificate, and its heartbeats."""

from collections.abc import Sequence
from datetime import UTC, datetime

from aiohttp import web
from cryptography import x509

from arcferry import catalog, times
from arcferry.errors import ArcferryError
from arcferry_lab.azure.arm import authenticated
from arcferry_lab.azure.errors import ArmError
from arcferry_lab.azure.machines import resource_id, status
from arcferry_lab.azure.routes import ArmRequest, Operation
from arcferry_lab.azure.service import service
from arcferry_lab.azure.state import ArcMachine, AzureState
from arcferry_lab.names import his_code


def global_his(state: AzureState, names: Sequence[str]) -> web.Application:
    """`gbl.his.arc.azure.com`: any unknown path is answered 400."""
    routes = (Operation("GET", "/discovery", _discovery), Operation("PUT", "/log", _log))
    return service(state, names, routes, otherwise=400)


def regional_his(state: AzureState, names: Sequence[str]) -> web.Application:
    """`<code>.his.arc.azure.com`: certificates for a bearer token, heartbeats for a certificate."""
    routes = (
        Operation("POST", "/machine/{vm}/identity", _identity),
        Operation("POST", "/machine/{vm}/heartbeat", _heartbeat),
    )
    return service(state, names, routes)


async def _discovery(asked: ArmRequest) -> web.Response:
    if asked.state.faults.take("path/discovery-failed"):
        raise ArmError(500, "InternalServerError", "The discovery service is not available.")
    try:
        region = catalog.region(asked.parameter("location"), catalog.cloud("AzureCloud"))
    except ArcferryError as error:
        raise ArmError(400, "InvalidLocation", "The location is not supported.") from error
    return web.json_response(f"https://{his_code(region.name)}.his.arc.azure.com")


async def _log(asked: ArmRequest) -> web.Response:
    del asked
    return web.Response(status=200)


async def _identity(asked: ArmRequest) -> web.Response:
    """The twin makes key and certificate itself, where the real service signs a request of the agent's."""
    state = asked.state
    authenticated(state, asked.request)
    machine = _machine(asked)
    wanted = str(asked.body.get("resourceId") or "")
    if wanted.lower() != resource_id(state, machine).lower():
        raise ArmError(404, "ResourceNotFound", "No such machine has this vmId.")
    if machine.written_again and state.faults.take("his/machine-exists"):
        raise ArmError(409, "Conflict", "The resource already exists.")
    if state.faults.take("his/no-certificate") or state.issue_identity is None:
        raise ArmError(500, "InternalServerError", "The certificate could not be issued.")
    certificate, key = state.issue_identity(machine)
    end = x509.load_pem_x509_certificate(certificate).not_valid_after_utc
    return web.json_response(
        {"certificate": certificate.decode(), "privateKey": key.decode(), "notAfter": times.to_text(end)}
    )


async def _heartbeat(asked: ArmRequest) -> web.Response:
    if asked.state.faults.take("his/no-heartbeat"):
        raise ArmError(503, "ServiceUnavailable", "Heartbeats are not taken now.")
    _check_certificate(asked)
    machine = _machine(asked)
    was = status(asked.state, machine)
    machine.last_heartbeat = datetime.now(UTC)
    if asked.body.get("agentVersion"):
        machine.properties["agentVersion"] = str(asked.body["agentVersion"])
    if was != "Connected":
        machine.changed = machine.last_heartbeat
    return web.Response(status=204)


def _machine(asked: ArmRequest) -> ArcMachine:
    machine = asked.state.machine_with(asked.names["vm"])
    if machine is None:
        raise ArmError(404, "ResourceNotFound", "No machine has this vmId.")
    return machine


def _check_certificate(asked: ArmRequest) -> None:
    transport = asked.request.transport
    certificate = transport.get_extra_info("peercert") if transport else None
    if not certificate:
        raise ArmError(401, "ClientCertificateRequired", "A heartbeat needs the machine's own certificate.")
    names = [value for rdn in certificate["subject"] for key, value in rdn if key == "commonName"]
    if names != [asked.names["vm"]]:
        raise ArmError(403, "ClientCertificateMismatch", "The certificate is another machine's.")
