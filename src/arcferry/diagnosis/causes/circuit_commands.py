"""Commands about the circuit of a finding, with its own names where the documents have them."""

import shlex

from arcferry.diagnosis.causes.cause import Group
from arcferry.diagnosis.finding import Command
from arcferry.diagnosis.wording import safe_name

_MICROSOFT = "--peering-name MicrosoftPeering"


def circuit_name(group: Group) -> str:
    """The first circuit's name, or `CIRCUIT`."""
    known = group.material.circuits
    return safe_name(known[0].name, "CIRCUIT") if known else "CIRCUIT"


def _where(group: Group, option: str = "--name") -> str:
    known = group.material.circuits
    place = safe_name(known[0].resource_group, "RESOURCE-GROUP") if known else "RESOURCE-GROUP"
    return f"--resource-group {place} {option} {circuit_name(group)}"


def show_peering(group: Group, query: str = "") -> Command:
    """The Microsoft peering as Azure has it."""
    asked = f" --query {query}" if query else ""
    where = _where(group, "--circuit-name")
    return Command("az", f"az network express-route peering show {where} --name MicrosoftPeering{asked}")


def attach_filter(group: Group, name: str) -> Command:
    """A route filter attached to the Microsoft peering, in place of any other."""
    where = _where(group, "--circuit-name")
    change = f"--name MicrosoftPeering --route-filter {shlex.quote(name)}"
    return Command("az", f"az network express-route peering update {where} {change}")


def raise_to_premium(group: Group) -> Command:
    """The SKU that reaches every region."""
    return Command("az", f"az network express-route update {_where(group)} --sku-tier Premium")


def show_azure_routes(group: Group) -> Command:
    """Azure's own route table of the peering."""
    table = f"--path primary {_MICROSOFT}"
    return Command("az", f"az network express-route list-route-tables {_where(group)} {table}")


def show_azure_sessions(group: Group) -> Command:
    """The state of the BGP session as Azure sees it."""
    table = f"--path primary {_MICROSOFT}"
    return Command("az", f"az network express-route list-route-tables-summary {_where(group)} {table}")
