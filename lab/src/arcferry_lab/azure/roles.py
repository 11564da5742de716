"""What an application may do: Azure's role definitions, as far as the twin has operations for them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Role:
    """A role definition of Azure's own.

    Attributes:
        actions: what it allows, stars included.
        not_actions: what it takes out again.
    """

    id: str
    title: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()


ROLES: Mapping[str, Role] = {
    "onboarding": Role(
        "b64e21ea-ac4e-4cdf-9dc9-5b892992bee7",
        "Azure Connected Machine Onboarding",
        (
            "Microsoft.HybridCompute/machines/read",
            "Microsoft.HybridCompute/machines/write",
            "Microsoft.HybridCompute/privateLinkScopes/read",
            "Microsoft.GuestConfiguration/guestConfigurationAssignments/read",
        ),
    ),
    "reader": Role("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader", ("*/read",)),
    "contributor": Role(
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        "Contributor",
        ("*",),
        (
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
        ),
    ),
    "owner": Role("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner", ("*",)),
    "none": Role("00000000-0000-0000-0000-000000000000", "None", ()),
}
"""Roles by the twin's short name for them (Azure's built-in roles, learn.microsoft.com, 2026-08)."""


def role_with(definition_id: str) -> Role | None:
    """The role of this definition's id, in whatever scope it is named."""
    wanted = definition_id.rstrip("/").rpartition("/")[2].lower()
    return next((role for role in ROLES.values() if role.id == wanted and role.title != "None"), None)
