"""Commands about the circuit of a finding, with its own names where the documents have them."""

from arcferry import command_line, typed
from arcferry.command_line import Word
from arcferry.diagnosis.causes.cause import Group
from arcferry.diagnosis.causes.filter_change import filter_name
from arcferry.diagnosis.finding import Command, command
from arcferry.routing.route_filter import RouteFilter


def circuit_name(group: Group) -> str:
    """The first circuit's name, or `CIRCUIT`."""
    known = group.case.circuits
    return typed.resource(known[0].name if known else "") or "CIRCUIT"


def _where(group: Group) -> dict[str, Word]:
    known = group.case.circuits
    return {
        "group": command_line.group(known[0].resource_group if known else ""),
        "circuit": command_line.resource(circuit_name(group), "CIRCUIT"),
    }


def show_peering(group: Group) -> Command:
    """The Microsoft peering as Azure has it."""
    return command(
        "az",
        "az network express-route peering show --resource-group {group} --circuit-name {circuit} "
        "--name MicrosoftPeering --output json",
        **_where(group),
    )


def show_prefixes(group: Group, query: str) -> Command:
    """What Azure says of the prefixes that are advertised over the Microsoft peering.

    Args:
        group: the finding.
        query: a way into the peering's document, such as `microsoftPeeringConfig`.
    """
    return command(
        "az",
        "az network express-route peering show --resource-group {group} --circuit-name {circuit} "
        "--name MicrosoftPeering --query {query} --output json",
        **_where(group),
        query=command_line.word(query, "QUERY"),
    )


def _reference(group: Group, name: str, seen: RouteFilter | None) -> str:
    """A filter as a circuit's command takes it: the name in the circuit's own group, else the whole id."""
    circuits = group.case.circuits
    own = circuits[0].resource_group.lower() if circuits else ""
    if seen and own and seen.resource_group.lower() == own:
        return name
    if seen and typed.resource_id(seen.resource_id):
        return seen.resource_id
    place = (seen.resource_group if seen else "") or "RESOURCE-GROUP-OF-THE-FILTER"
    within = f"/subscriptions/SUBSCRIPTION-ID/resourceGroups/{place}"
    return f"{within}/providers/Microsoft.Network/routeFilters/{name}"


def fetch_filter(reference: str) -> Command:
    """What fetches a filter that a circuit names by its id or its name."""
    if typed.resource_id(reference):
        return command(
            "az",
            "az network route-filter show --ids {id} --output json > route-filter-YYYY-MM-DD.json",
            id=command_line.resource_id(reference, "ID"),
        )
    return command(
        "az",
        "az network route-filter show --resource-group RESOURCE-GROUP --name {filter} --output json "
        "> route-filter-YYYY-MM-DD.json",
        filter=command_line.resource(reference, "ROUTE-FILTER"),
    )


def attach_filter(group: Group, seen: RouteFilter | None) -> Command:
    """A route filter attached to the Microsoft peering, in place of any other."""
    name = filter_name(seen)
    reference = _reference(group, name, seen)
    return command(
        "az",
        "az network express-route peering update --resource-group {group} --circuit-name {circuit} "
        "--name MicrosoftPeering --route-filter {filter}",
        **_where(group),
        filter=command_line.resource_id(reference, name)
        if "/" in reference
        else command_line.resource(name, "ROUTE-FILTER"),
    )


def raise_to_premium(group: Group) -> Command:
    """The SKU that reaches every region: family and tier together, because the SKU's name holds both."""
    known = group.case.circuits
    return command(
        "az",
        "az network express-route update --resource-group {group} --name {circuit} "
        "--sku-family {family} --sku-tier Premium",
        **_where(group),
        family=command_line.word(known[0].family if known else "", "SKU-FAMILY"),
    )


def show_azure_routes(group: Group) -> Command:
    """Azure's own route table of the peering."""
    return command(
        "az",
        "az network express-route list-route-tables --resource-group {group} --name {circuit} "
        "--path primary --peering-name MicrosoftPeering --output json",
        **_where(group),
    )


def show_azure_sessions(group: Group) -> Command:
    """The state of the BGP session as Azure sees it."""
    return command(
        "az",
        "az network express-route list-route-tables-summary --resource-group {group} --name {circuit} "
        "--path primary --peering-name MicrosoftPeering --output json",
        **_where(group),
    )
