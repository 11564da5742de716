"""ETags: what a client has seen, and the condition that it sets on a change."""

import json
from uuid import NAMESPACE_URL, uuid5

from arcferry_lab.azure.errors import ArmError
from arcferry_lab.azure.plane import Document
from arcferry_lab.azure.routes import ArmRequest

_CHANGED = "arm/412"


def stamped(document: Document) -> Document:
    """A document with its ETag, which is another one after any change."""
    content = json.dumps({key: value for key, value in document.items() if key != "etag"}, sort_keys=True)
    return document | {"etag": f'W/"{uuid5(NAMESPACE_URL, content)}"'}


def check_match(asked: ArmRequest, existing: Document | None) -> None:
    """Hold a change to the condition that came with it.

    Raises:
        ArmError: 412, the resource is another one than the client has seen, or is there, or is not.
    """
    wanted, unwanted = (_named(asked, header) for header in ("If-Match", "If-None-Match"))
    now = str(existing["etag"]) if existing else ""
    if (wanted or unwanted) and asked.state.faults.take(_CHANGED):
        raise _failed(asked, "The resource was changed in the meantime.")
    if wanted and not (existing if wanted == "*" else now == wanted):
        raise _failed(asked, f"The resource does not match the condition {wanted}.")
    if unwanted and (existing if unwanted == "*" else now == unwanted):
        raise _failed(asked, "The resource exists.")


def _named(asked: ArmRequest, header: str) -> str:
    return asked.request.headers.get(header, "").strip()


def _failed(asked: ArmRequest, why: str) -> ArmError:
    return ArmError(412, "PreconditionFailed", f"Precondition failed for {asked.request.path}. {why}")
