"""What must never be kept of a document that Azure gave."""

from collections.abc import Mapping

_SECRET = frozenset({"sharedkey", "servicekey", "authorizationkey", "authorizations", "authorizationuse"})


def without_secrets(value: object) -> object:
    """The same JSON value without the keys of circuits and peerings, in whatever letter case they come."""
    if isinstance(value, Mapping):
        return {
            key: without_secrets(inner)
            for key, inner in value.items()
            if str(key).lower().replace("_", "") not in _SECRET
        }
    if isinstance(value, list):
        return [without_secrets(inner) for inner in value]
    return value
