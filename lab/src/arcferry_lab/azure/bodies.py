"""Parts of a request's body, or the answer that tells a client what is wrong with them."""

from typing import Any

from arcferry_lab.azure.errors import ArmError

FORMAT, CONTENT = "InvalidRequestFormat", "InvalidRequestContent"
"""The code for a body that is wrong: Microsoft.Network's, and that of the others."""


def part(body: object, key: str, code: str = CONTENT) -> dict[str, Any]:
    """The object under a key, empty where there is none.

    Raises:
        ArmError: 400, it is something else.
    """
    value = (body.get(key) if isinstance(body, dict) else None) or {}
    if not isinstance(value, dict):
        raise ArmError(400, code, f"'{key}' must be a JSON object.")
    return value


def parts(body: object, key: str, code: str = CONTENT) -> list[dict[str, Any]]:
    """The list of objects under a key, empty where there is none.

    Raises:
        ArmError: 400, it is something else.
    """
    value = (body.get(key) if isinstance(body, dict) else None) or []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ArmError(400, code, f"'{key}' must be a list of JSON objects.")
    return value


def tags(body: object, code: str = CONTENT) -> dict[str, str]:
    """The tags, empty where there are none.

    Raises:
        ArmError: 400, they are no object.
    """
    return {str(key): str(value) for key, value in part(body, "tags", code).items()}


def number(body: dict[str, Any], key: str, otherwise: int, code: str = CONTENT) -> int:
    """The number under a key, and another where there is none.

    Raises:
        ArmError: 400, it is something else.
    """
    value = body.get(key) or otherwise
    if not isinstance(value, int):
        raise ArmError(400, code, f"'{key}' must be a number.")
    return value


def location(body: dict[str, Any]) -> str:
    """The region's ARM name.

    Raises:
        ArmError: 400, there is none.
    """
    value = str(body.get("location") or "").replace(" ", "").lower()
    if not value:
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    return value
