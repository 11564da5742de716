"""Policy definitions of Azure's own, with the rules that they have.

Of https://github.com/Azure/azure-policy, built-in-policies/policyDefinitions, as of 2026-11.
"""

from typing import Any

_TAG = "[concat('tags[', parameters('tagName'), ']')]"


def _definition(
    number: str, title: str, rule: dict[str, Any], *parameters: str, mode: str = "Indexed"
) -> dict[str, Any]:
    declared: dict[str, dict[str, Any]] = {
        name: {"type": "Array" if name.startswith("listOf") else "String"} for name in parameters
    }
    if "effect" in declared:
        declared["effect"]["defaultValue"] = "Deny"
    return {
        "id": f"/providers/Microsoft.Authorization/policyDefinitions/{number}",
        "name": number,
        "type": "Microsoft.Authorization/policyDefinitions",
        "properties": {
            "displayName": title,
            "policyType": "BuiltIn",
            "mode": mode,
            "parameters": declared,
            "policyRule": {"then": {"effect": "deny"}} | rule,
        },
    }


_ALL = (
    _definition(
        "e56962a6-4747-49cd-b67b-bf8b01975c4c",
        "Allowed locations",
        {
            "if": {
                "allOf": [
                    {"field": "location", "notIn": "[parameters('listOfAllowedLocations')]"},
                    {"field": "location", "notEquals": "global"},
                    {"field": "type", "notEquals": "Microsoft.AzureActiveDirectory/b2cDirectories"},
                ]
            }
        },
        "listOfAllowedLocations",
    ),
    _definition(
        "a08ec900-254a-4555-9bf5-e42af04b5c5c",
        "Allowed resource types",
        {"if": {"not": {"field": "type", "in": "[parameters('listOfResourceTypesAllowed')]"}}},
        "listOfResourceTypesAllowed",
    ),
    _definition(
        "6c112d4e-5bc7-47ae-a041-ea2d9dccd749",
        "Not allowed resource types",
        {
            "if": {
                "allOf": [
                    {"field": "type", "in": "[parameters('listOfResourceTypesNotAllowed')]"},
                    {"value": "[field('type')]", "exists": True},
                ]
            },
            "then": {"effect": "[parameters('effect')]"},
        },
        "listOfResourceTypesNotAllowed",
        "effect",
        mode="All",
    ),
    _definition(
        "871b6d14-10aa-478d-b590-94f262ecfa99",
        "Require a tag on resources",
        {"if": {"field": _TAG, "exists": "false"}},
        "tagName",
    ),
    _definition(
        "1e30110a-5ceb-460c-a204-c1c3969c6d62",
        "Require a tag and its value on resources",
        {"if": {"not": {"field": _TAG, "equals": "[parameters('tagValue')]"}}},
        "tagName",
        "tagValue",
    ),
    _definition(
        "ea3f2387-9b95-492a-a190-fcdc54f7b070",
        "Inherit a tag from the resource group if missing",
        {
            "if": {
                "allOf": [
                    {"field": _TAG, "exists": "false"},
                    {"value": "[resourceGroup().tags[parameters('tagName')]]", "notEquals": ""},
                ]
            },
            "then": {"effect": "modify"},
        },
        "tagName",
    ),
)
BUILT_IN = {str(one["id"]).lower(): one for one in _ALL}
"""By their ids in lower case."""
