"""A route filter's one rule, written for each tool.

`az` and PowerShell add to what the rule holds when they are run. Bicep, Terraform and REST put a whole list
in its place, which is right only for as long as the filter is as it was known.

The lines of `az` are those that azure-cli 2.91.0 takes (run, 2026-11-28): its `rule update` has no option
`--communities`, and its `rule create` replaces a rule of the same name, so that one looks before. Other
shapes, read in 2026-11: the references of Az.Network's RouteFilter cmdlets,
learn.microsoft.com/azure/templates for `Microsoft.Network/routeFilters` of API 2023-11-01 and
`expressRouteCircuits/peerings`; of hashicorp/terraform-provider-azurerm the page of `azurerm_route_filter`
and the source of `azurerm_express_route_circuit_peering`, which sends the whole peering as its state has it,
and `shared_key` empty unless it is written.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from arcferry.command_line import Word, communities, group, line, location, resource, resource_id

LOCATION_UNKNOWN = "LOCATION-OF-THE-CIRCUIT"
REPLACING = ("bicep", "terraform")
"""The tools whose list takes the place of the rule's."""
_API = "2023-11-01"
_PEERINGS = "Microsoft.Network/expressRouteCircuits/peerings@2024-10-01"
"""The first API that knows `advertisedPublicPrefixInfo`: an older one would write the peering without it."""
_KEPT = (
    "vlan_id",
    "peer_asn",
    "ipv4_enabled",
    "primary_peer_address_prefix",
    "secondary_peer_address_prefix",
    "microsoft_peering_config",
    "ipv6",
    "shared_key",
)
_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Rule:
    """Where the communities go; every name is one that Azure could have given, or a placeholder.

    Attributes:
        values: all that the rule is to hold.
        lacking: those of them that it does not hold yet.
        known: whether the rule is there already, and is updated.
        new: whether the filter itself has to be made, and attached.
        location: empty if unknown.
        its_group: the circuit's resource group.
        caution: what is to stand above a whole list: of which day the filter is that it is right for.
    """

    group: str
    route_filter: str
    name: str
    location: str
    values: tuple[str, ...]
    lacking: tuple[str, ...]
    known: bool
    new: bool
    subscription: str
    circuit: str
    its_group: str
    caution: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The filter's resource id."""
        return self._id(self.group, f"routeFilters/{self.route_filter}")

    @property
    def peering(self) -> str:
        """The resource id of the circuit's Microsoft peering."""
        return self._id(self.its_group, f"expressRouteCircuits/{self.circuit}/peerings/MicrosoftPeering")

    def _id(self, group: str, path: str) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{group}/providers/Microsoft.Network/{path}"

    @property
    def to_attach(self) -> Word:
        """The filter as the circuit's command takes it: by name in the circuit's own group, else by id."""
        if self.group == self.its_group:
            return resource(self.route_filter, self.route_filter)
        return resource_id(self.path, self.path)

    def line(self, template: str) -> str:
        """A command line about the filter, with the words that the template names."""
        words: dict[str, Word | Sequence[Word]] = {
            "group": group(self.group),
            "filter": resource(self.route_filter, self.route_filter),
            "rule": resource(self.name, self.name),
            "location": location(self.location, LOCATION_UNKNOWN),
            "values": communities(self.values),
            "lacking": communities(self.lacking),
            "circuit": resource(self.circuit, self.circuit),
            "its_group": group(self.its_group),
            "to_attach": self.to_attach,
        }
        return line(template, **{name: words[name] for name in _FIELD.findall(template)})


def _az(rule: Rule) -> str:
    if rule.known:
        return rule.line(
            "az network route-filter rule update --resource-group {group} --filter-name {filter} "
            "--name {rule} --add communities {lacking}"
        )
    allow = rule.line(
        "az network route-filter rule create --resource-group {group} --filter-name {filter} "
        "--name {rule} --access Allow --communities {values}"
    )
    if not rule.new:
        look = rule.line(
            "az network route-filter rule list --resource-group {group} --filter-name {filter} --output json"
        )
        return f"{look}\n{allow}"
    make = rule.line(
        "az network route-filter create --resource-group {group} --name {filter} --location {location}"
    )
    attach = rule.line(
        "az network express-route peering update --resource-group {its_group} --circuit-name {circuit} "
        "--name MicrosoftPeering --route-filter {to_attach}"
    )
    return f"{make}\n{allow}\n{attach}"


def _powershell(rule: Rule) -> str:
    allow = "-Access Allow -RouteFilterRuleType Community -CommunityList"
    if rule.new:
        made = rule.line("$rule = New-AzRouteFilterRuleConfig -Name {rule}")
        attached = rule.line(
            "$filter = New-AzRouteFilter -ResourceGroupName {group} -Name {filter} -Location {location} "
            "-Rule $rule\n"
            "$circuit = Get-AzExpressRouteCircuit -ResourceGroupName {its_group} -Name {circuit}\n"
            "$peering = $circuit.Peerings | Where-Object PeeringType -eq 'MicrosoftPeering'\n"
            "$peering.RouteFilter = $filter\n"
            "Set-AzExpressRouteCircuit -ExpressRouteCircuit $circuit"
        )
        return f"{made} {allow} {_listed(rule.values)}\n{attached}"
    get = rule.line("$filter = Get-AzRouteFilter -ResourceGroupName {group} -Name {filter}")
    store = "Set-AzRouteFilter -RouteFilter $filter"
    if not rule.known:
        add = rule.line("$filter = Add-AzRouteFilterRuleConfig -RouteFilter $filter -Name {rule}")
        return f"{get}\n{add} {allow} {_listed(rule.values)}\n{store}"
    # The rule is read when this runs, so that what somebody added since stays.
    return "\n".join(
        (
            get,
            "$rule = $filter.Rules | Where-Object Access -eq 'Allow' | Select-Object -First 1",
            f"$values = @($rule.Communities) + @({_listed(rule.lacking)}) | Select-Object -Unique",
            f"$filter = Set-AzRouteFilterRuleConfig -RouteFilter $filter -Name $rule.Name {allow} $values",
            store,
        )
    )


def _listed(values: tuple[str, ...]) -> str:
    """Communities as PowerShell lists texts."""
    return ",".join(f"'{value}'" for value in communities(values))


def _bicep(rule: Rule) -> str:
    deploy = rule.line(
        "az deployment group create --resource-group {group} --template-file route-filter.bicep"
    )
    made = [f"  location: {_bicep_text(rule.location or LOCATION_UNKNOWN)}"] if rule.new else []
    existing = "" if rule.new else "existing "
    return "\n".join(
        (
            f"// {deploy}",
            *(f"// {line}" for line in rule.caution),
            f"resource filter 'Microsoft.Network/routeFilters@{_API}' {existing}= {{",
            f"  name: {_bicep_text(rule.route_filter)}",
            *made,
            "}",
            "",
            f"resource rule 'Microsoft.Network/routeFilters/routeFilterRules@{_API}' = {{",
            "  parent: filter",
            f"  name: {_bicep_text(rule.name)}",
            "  properties: {",
            "    access: 'Allow'",
            "    routeFilterRuleType: 'Community'",
            "    communities: [",
            *(f"      {_bicep_text(value)}" for value in rule.values),
            "    ]",
            "  }",
            "}",
            *(_bicep_attachment(rule) if rule.new else ()),
        )
    )


def _bicep_attachment(rule: Rule) -> tuple[str, ...]:
    """What attaches the filter: the peering's properties as they are, with the filter put in.

    A template of a peering replaces it whole, and a resource cannot be read and written in one file.
    """
    group = f"resourceGroup({_bicep_text(rule.its_group)})"
    return (
        "",
        f"resource peering '{_PEERINGS}' existing = {{",
        f"  scope: {group}",
        f"  name: {_bicep_text(f'{rule.circuit}/MicrosoftPeering')}",
        "}",
        "",
        "module attach 'attach-route-filter.bicep' = {",
        "  name: 'attach-route-filter'",
        f"  scope: {group}",
        "  dependsOn: [rule]",
        "  params: {",
        f"    peering: {_bicep_text(f'{rule.circuit}/MicrosoftPeering')}",
        "    properties: union(peering.properties, { routeFilter: { id: filter.id } })",
        "  }",
        "}",
        "",
        "// The second file, beside it: attach-route-filter.bicep",
        "param peering string",
        "param properties object",
        "",
        f"resource written '{_PEERINGS}' = {{",
        "  name: peering",
        "  properties: properties",
        "}",
    )


def _terraform(rule: Rule) -> str:
    read = not (rule.new or rule.location)
    live = "data.azurerm_route_filter.live.location" if read else _hcl(rule.location or LOCATION_UNKNOWN)
    names = (
        f"  name                = {_hcl(rule.route_filter)}",
        f"  resource_group_name = {_hcl(rule.group)}",
    )
    # Another location replaces the filter, and with it every route; a tag that is not written is taken away.
    kept = ("", *_lifecycle("location", "tags"))
    return "\n".join(
        (
            *(f"# {line}" for line in rule.caution),
            *(() if rule.new else _adopted("azurerm_route_filter.arc", rule.path)),
            *(('data "azurerm_route_filter" "live" {', *names, "}", "") if read else ()),
            'resource "azurerm_route_filter" "arc" {',
            *names,
            f"  location            = {live}",
            "",
            "  rule {",
            f"    name      = {_hcl(rule.name)}",
            '    access    = "Allow"',
            '    rule_type = "Community"',
            "    communities = [",
            *(f"      {_hcl(value)}," for value in rule.values),
            "    ]",
            "  }",
            *(() if rule.new else kept),
            "}",
            *(_terraform_attachment(rule) if rule.new else ()),
        )
    )


def _terraform_attachment(rule: Rule) -> tuple[str, ...]:
    """What attaches the filter, and leaves what the peering holds: Terraform then sends what it has read."""
    return (
        "",
        "# With a shared key on the BGP session write shared_key here, and take it out of ignore_changes:",
        "# the provider cannot read it, and sends an empty one.",
        *_adopted("azurerm_express_route_circuit_peering.microsoft", rule.peering),
        'resource "azurerm_express_route_circuit_peering" "microsoft" {',
        '  peering_type               = "MicrosoftPeering"',
        f"  express_route_circuit_name = {_hcl(rule.circuit)}",
        f"  resource_group_name        = {_hcl(rule.its_group)}",
        "  vlan_id                    = 1 # needed, and ignored",
        "  route_filter_id            = azurerm_route_filter.arc.id",
        "",
        *_lifecycle(*_KEPT),
        "}",
    )


def _adopted(name: str, path: str) -> tuple[str, ...]:
    return ("import {", f"  to = {name}", f"  id = {_hcl(path)}", "}", "")


def _lifecycle(*kept: str) -> tuple[str, ...]:
    return (
        "  lifecycle {",
        "    prevent_destroy = true",
        "    ignore_changes = [",
        *(f"      {name}," for name in kept),
        "    ]",
        "  }",
    )


def _bicep_text(text: str) -> str:
    """A Bicep string, in which a backslash, a quote and `${` would end or expand it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${")
    return f"'{escaped}'"


def _hcl(text: str) -> str:
    """An HCL string, in which a backslash, a quote, `${` and `%{` would end or expand it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "$${").replace("%{", "%%{")
    return f'"{escaped}"'


WRITERS = {"az": _az, "powershell": _powershell, "bicep": _bicep, "terraform": _terraform}
