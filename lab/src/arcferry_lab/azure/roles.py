"""What an application may do: Azure's role definitions, as far as the twin has operations for them."""

from collections.abc import Mapping

# Onboarding is Azure's own Azure Connected Machine Onboarding, b64e21ea-ac4e-4cdf-9dc9-5b892992bee7.
ROLES: Mapping[str, tuple[str, ...]] = {
    "onboarding": (
        "Microsoft.HybridCompute/machines/read",
        "Microsoft.HybridCompute/machines/write",
        "Microsoft.HybridCompute/privateLinkScopes/read",
        "Microsoft.GuestConfiguration/guestConfigurationAssignments/read",
    ),
    "reader": ("*/read",),
    "contributor": ("*",),
    "none": (),
}
"""The actions that a role allows, stars included, by the twin's short name for it."""
