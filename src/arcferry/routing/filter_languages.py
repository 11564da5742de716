"""A route filter's one rule, written for each tool.

`az` and PowerShell add to what the rule holds when they are run. Bicep, Terraform and REST put a whole list
in its place, which is right only for as long as the filter is as it was known.

The lines of `az` are those that azure-cli 2.91.0 takes (run, 2026-11-28): its `rule update` has no option
`--communities`, and its `rule create` replaces a rule of the same name, so that one looks before. Other
shapes, read in 2026-11: the references of Az.Network's RouteFilter cmdlets,
learn.microsoft.com/azure/templates for `Microsoft.Network/routeFilters` of API 2023-11-01, and
website/docs/r/route_filter.html.markdown of hashicorp/terraform-provider-azurerm.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from arcferry.command_line import Word, communities, group, line, location, resource, resource_id

REPLACING = ("bicep", "terraform")
"""The tools whose list takes the place of the rule's."""
_API = "2023-11-01"
_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Rule:
    """Where the communities go; every name is one that Azure could have given, or a placeholder.

    Attributes:
        values: all that the rule is to hold.
        lacking: those of them that it does not hold yet.
        known: whether the rule is there already, and is updated.
        new: whether the filter itself has to be made, and attached.
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
    caution: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The filter's resource id."""
        return (
            f"/subscriptions/SUBSCRIPTION-ID/resourceGroups/{self.group}"
            f"/providers/Microsoft.Network/routeFilters/{self.route_filter}"
        )

    def line(self, template: str) -> str:
        """A command line about the filter, with the words that the template names."""
        words: dict[str, Word | Sequence[Word]] = {
            "group": group(self.group),
            "filter": resource(self.route_filter, self.route_filter),
            "rule": resource(self.name, self.name),
            "location": location(self.location),
            "values": communities(self.values),
            "lacking": communities(self.lacking),
            "circuit": resource("CIRCUIT", "CIRCUIT"),
            "its_group": group("RESOURCE-GROUP-OF-THE-CIRCUIT"),
            "id": resource_id(self.path, self.path),
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
        "--name MicrosoftPeering --route-filter {id}"
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
    made = [f"  location: {_bicep_text(rule.location)}"] if rule.new else []
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
        )
    )


def _terraform(rule: Rule) -> str:
    adopt = ["import {", "  to = azurerm_route_filter.arc", f"  id = {_hcl(rule.path)}", "}", ""]
    return "\n".join(
        (
            *(f"# {line}" for line in rule.caution),
            *([] if rule.new else adopt),
            'resource "azurerm_route_filter" "arc" {',
            f"  name                = {_hcl(rule.route_filter)}",
            f"  resource_group_name = {_hcl(rule.group)}",
            f"  location            = {_hcl(rule.location)}",
            "",
            "  rule {",
            f"    name        = {_hcl(rule.name)}",
            '    access      = "Allow"',
            '    rule_type   = "Community"',
            "    communities = [",
            *(f"      {_hcl(value)}," for value in rule.values),
            "    ]",
            "  }",
            "}",
        )
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
