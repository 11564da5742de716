"""What a client of the twin may do: Azure's role definitions, as far as the twin has operations for them."""

from dataclasses import dataclass
from fnmatch import fnmatch

from arcferry.errors import UnknownNameError


@dataclass(frozen=True, slots=True)
class Role:
    """A role by the twin's short name, and the actions it allows, stars included.

    `onboarding` is Azure's own Azure Connected Machine Onboarding, b64e21ea-ac4e-4cdf-9dc9-5b892992bee7.
    """

    name: str
    actions: tuple[str, ...]

    def allows(self, action: str) -> bool:
        """Whether an action such as `Microsoft.HybridCompute/machines/write` is allowed."""
        return any(fnmatch(action.lower(), pattern.lower()) for pattern in self.actions)


ROLES = (
    Role(
        "onboarding",
        (
            "Microsoft.HybridCompute/machines/read",
            "Microsoft.HybridCompute/machines/write",
            "Microsoft.HybridCompute/privateLinkScopes/read",
            "Microsoft.GuestConfiguration/guestConfigurationAssignments/read",
        ),
    ),
    Role("reader", ("*/read",)),
    Role("contributor", ("*",)),
    Role("none", ()),
)


def role(name: str) -> Role:
    """The role called `name`.

    Raises:
        UnknownNameError: the twin has no such role.
    """
    for known in ROLES:
        if known.name == name:
            return known
    raise UnknownNameError("role", name, (known.name for known in ROLES))
