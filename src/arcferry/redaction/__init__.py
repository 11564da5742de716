"""The one place where credentials are taken out of what comes from outside.

`redact` knows the shapes in which secrets are written, and is applied to all that is read before a reader
sees it. `mask` also hides each word that looks like a secret, and is applied to every text that is quoted,
kept or sent on: to words out of files, to what a host printed, to what a router shows. Both leave lines
where they are.
"""

from arcferry.redaction.text import (
    mask,
    mask_fields,
    mask_value,
    redact,
    redact_fields,
    redact_json,
    redact_value,
)
from arcferry.redaction.words import HIDDEN

__all__ = [
    "HIDDEN",
    "mask",
    "mask_fields",
    "mask_value",
    "redact",
    "redact_fields",
    "redact_json",
    "redact_value",
]
