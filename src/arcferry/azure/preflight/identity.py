"""Whom a token speaks for, by its claims. It is read, not verified: ARM does that."""

import base64
import binascii
from contextlib import suppress
from dataclasses import dataclass

from arcferry import typed
from arcferry.text import from_json

_PARTS = 3


@dataclass(frozen=True, slots=True)
class Who:
    """The identity that a token was made for; empty where the token does not say.

    Attributes:
        object_id: of the service principal or the user in the tenant.
        client_id: of the application.
        user: whether it is a person.
    """

    object_id: str = ""
    client_id: str = ""
    tenant_id: str = ""
    user: bool = False

    @property
    def principal_type(self) -> str:
        """As role assignments call it."""
        return "User" if self.user else "ServicePrincipal"


def who(token: str) -> Who:
    """The identity in a token; an empty one where it cannot be read."""
    parts = token.split(".")
    claims: object = None
    with suppress(ValueError, binascii.Error, UnicodeDecodeError, RecursionError):
        if len(parts) == _PARTS:
            claims = from_json(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    if not isinstance(claims, dict):
        return Who()
    user = claims.get("idtyp") == "user" or "scp" in claims
    object_id, client_id, tenant_id = (typed.guid(claims.get(name)) for name in ("oid", "appid", "tid"))
    return Who(object_id, client_id, tenant_id, user)
