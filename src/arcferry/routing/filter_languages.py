"""A route filter's one rule, written for each tool.

Shapes, read in 2026-11: the references of `az network route-filter` and Az.Network's RouteFilter cmdlets,
learn.microsoft.com/azure/templates for `Microsoft.Network/routeFilters` of API 2023-11-01, and
website/docs/r/route_filter.html.markdown of hashicorp/terraform-provider-azurerm.
"""

import shlex
from dataclasses import dataclass

CIRCUIT_UNKNOWN = "CIRCUIT"
SUBSCRIPTION_UNKNOWN = "SUBSCRIPTION-ID"
_API = "2023-11-01"
_BICEP_FILE = "route-filter.bicep"


@dataclass(frozen=True, slots=True)
class Rule:
    """Where the communities go; every name is one that Azure could have given, or a placeholder.

    Attributes:
        known: whether the rule is there already, and is updated.
        new: whether the filter itself has to be made, and attached.
    """

    group: str
    route_filter: str
    name: str
    location: str
    values: tuple[str, ...]
    known: bool
    new: bool


def _az(rule: Rule) -> str:
    group, name = f"--resource-group {shlex.quote(rule.group)}", shlex.quote(rule.route_filter)
    verb, access = ("update", "") if rule.known else ("create", " --access Allow")
    allow = (
        f"az network route-filter rule {verb} {group} --filter-name {name} --name {shlex.quote(rule.name)}"
        f"{access} --communities {' '.join(map(shlex.quote, rule.values))}"
    )
    if not rule.new:
        return allow
    make = f"az network route-filter create {group} --name {name} --location {shlex.quote(rule.location)}"
    attach = (
        f"az network express-route peering update {group} --circuit-name {CIRCUIT_UNKNOWN} "
        f"--name MicrosoftPeering --route-filter {name}"
    )
    return f"{make}\n{allow}\n{attach}"


def _powershell(rule: Rule) -> str:
    listed = ",".join(_ps(value) for value in rule.values)
    allow = f"-Access Allow -RouteFilterRuleType Community -CommunityList {listed}"
    where = f"-ResourceGroupName {_ps(rule.group)} -Name {_ps(rule.route_filter)}"
    if rule.new:
        circuit = f"-ResourceGroupName {_ps(rule.group)} -Name {_ps(CIRCUIT_UNKNOWN)}"
        return "\n".join(
            (
                f"$rule = New-AzRouteFilterRuleConfig -Name {_ps(rule.name)} {allow}",
                f"$filter = New-AzRouteFilter {where} -Location {_ps(rule.location)} -Rule $rule",
                f"$circuit = Get-AzExpressRouteCircuit {circuit}",
                "$peering = $circuit.Peerings | Where-Object PeeringType -eq 'MicrosoftPeering'",
                "$peering.RouteFilter = $filter",
                "Set-AzExpressRouteCircuit -ExpressRouteCircuit $circuit",
            )
        )
    cmdlet = "Set-AzRouteFilterRuleConfig" if rule.known else "Add-AzRouteFilterRuleConfig"
    return "\n".join(
        (
            f"$filter = Get-AzRouteFilter {where}",
            f"$filter = {cmdlet} -RouteFilter $filter -Name {_ps(rule.name)} {allow}",
            "Set-AzRouteFilter -RouteFilter $filter",
        )
    )


def _bicep(rule: Rule) -> str:
    head = f"// az deployment group create --resource-group {rule.group} --template-file {_BICEP_FILE}"
    made = [f"  location: {_bicep_text(rule.location)}"] if rule.new else []
    existing = "" if rule.new else "existing "
    return "\n".join(
        (
            head,
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
    path = (
        f"/subscriptions/{SUBSCRIPTION_UNKNOWN}/resourceGroups/{rule.group}"
        f"/providers/Microsoft.Network/routeFilters/{rule.route_filter}"
    )
    adopt = ["import {", "  to = azurerm_route_filter.arc", f"  id = {_hcl(path)}", "}", ""]
    return "\n".join(
        (
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


def _ps(text: str) -> str:
    """A single-quoted PowerShell string, in which nothing is expanded."""
    return f"'{text.replace(chr(39), chr(39) * 2)}'"


def _bicep_text(text: str) -> str:
    """A Bicep string, in which a backslash, a quote and `${` would end or expand it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${")
    return f"'{escaped}'"


def _hcl(text: str) -> str:
    """An HCL string, in which a backslash, a quote, `${` and `%{` would end or expand it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "$${").replace("%{", "%%{")
    return f'"{escaped}"'


WRITERS = {"az": _az, "powershell": _powershell, "bicep": _bicep, "terraform": _terraform}
