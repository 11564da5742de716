"""The guest configuration service, as far as the agent's connectivity check goes: it is there."""

from collections.abc import Sequence

from aiohttp import web

from arcferry_lab.azure.service import service
from arcferry_lab.azure.state import AzureState


def guest_configuration(state: AzureState, names: Sequence[str]) -> web.Application:
    """`agentserviceapi…` and `<region>-gas…`: every path is answered 404."""
    return service(state, names, ())
