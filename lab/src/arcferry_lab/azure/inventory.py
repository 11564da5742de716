"""Every resource of the subscription, whatever its type: for `/resources` and for Resource Graph."""

from arcferry_lab.azure import machines
from arcferry_lab.azure.circuit_requests import circuits
from arcferry_lab.azure.extensions import KIND as EXTENSIONS
from arcferry_lab.azure.extensions import extensions
from arcferry_lab.azure.licenses import licenses
from arcferry_lab.azure.network import route_filters
from arcferry_lab.azure.plane import Document
from arcferry_lab.azure.state import AzureState


def resources(state: AzureState) -> list[Document]:
    """Every resource as ARM shows it, in the order of their ids."""
    found = [machines.shown(state, one) for one in state.machines.values()]
    found += [*extensions(state), *licenses(state), *route_filters(state), *circuits(state)]
    found += state.private_link_scopes.values()
    return sorted(found, key=lambda one: str(one["id"]).lower())


def full_name(document: Document) -> str:
    """The name that a list of all resources has, which is the machine's too for an extension."""
    name = str(document["name"])
    if document["type"] != EXTENSIONS:
        return name
    return f"{str(document['id']).split('/')[-3]}/{name}"


def group_of(document: Document) -> str:
    """The name of the resource group that a resource lies in."""
    _, _, rest = str(document["id"]).partition("/resourceGroups/")
    return rest.partition("/")[0]
