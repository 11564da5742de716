"""The guest notification service: which Service Bus names a region's agents are to keep open."""

from collections.abc import Sequence

from aiohttp import web

from arcferry import catalog
from arcferry.errors import ArcferryError
from arcferry_lab.azure.errors import ArmError
from arcferry_lab.azure.routes import ArmRequest, Operation
from arcferry_lab.azure.service import service
from arcferry_lab.azure.state import AzureState
from arcferry_lab.names import bus_host


def notification(state: AzureState, names: Sequence[str]) -> web.Application:
    """`guestnotificationservice.azure.com`; its allow-list needs no token."""
    return service(state, names, (Operation("GET", "/urls/allowlist", _allow_list),))


def service_bus(state: AzureState, names: Sequence[str]) -> web.Application:
    """`azgn*.servicebus.windows.net`: it answers, and takes nobody in."""
    return service(state, names, (), otherwise=401)


async def _allow_list(asked: ArmRequest) -> web.Response:
    try:
        region = catalog.region(asked.parameter("location"), catalog.cloud("AzureCloud"))
    except ArcferryError as error:
        raise ArmError(400, "InvalidLocation", "The location is not supported.") from error
    return web.json_response([bus_host(region.name)])
