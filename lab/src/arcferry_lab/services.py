"""Which application answers at which place."""

from collections.abc import Callable, Sequence

from aiohttp import web

from arcferry_lab.azure.arm import arm
from arcferry_lab.azure.entra import entra
from arcferry_lab.azure.his import global_his, regional_his
from arcferry_lab.azure.notification import notification, service_bus
from arcferry_lab.azure.service import service
from arcferry_lab.azure.state import AzureState
from arcferry_lab.network.plan import Place, Service


def _bare(state: AzureState, names: Sequence[str]) -> web.Application:
    """A service that is there, and answers every path 404: all that a check of the path asks of it."""
    return service(state, names, ())


_BUILDERS: dict[Service, Callable[[AzureState, Sequence[str]], web.Application]] = {
    Service.HIS: regional_his,
    Service.GLOBAL_HIS: global_his,
    Service.GAS: _bare,
    Service.AGENT_SERVICE: _bare,
    Service.NOTIFICATION: notification,
    Service.SERVICE_BUS: service_bus,
    Service.ENTRA: entra,
    Service.ARM: arm,
    Service.EDGE: _bare,
    Service.OTHER: _bare,
}


def application_at(state: AzureState) -> Callable[[Place], web.Application]:
    """A function that makes the application of a place, all of them over one state."""

    def build(place: Place) -> web.Application:
        return _BUILDERS[place.service](state, place.names)

    return build
