"""Which api-versions Resource Manager and its providers take, and how each refuses another."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from arcferry_lab.azure.errors import ArmError

_FORM = re.compile(r"20\d\d-\d\d-\d\d(-\w+)?")
_TYPE = re.compile(r"/providers/(microsoft\.[a-z]+)/([^/{]+)", re.IGNORECASE)
_DATA = "api-versions.toml"


@cache
def api_versions() -> Mapping[str, tuple[str, ...]]:
    """By namespace in lower case, Resource Manager's own under `arm`; any other takes what it likes."""
    text = resources.files(__package__).joinpath(_DATA).read_text("utf-8")
    return {name.lower(): tuple(table["versions"]) for name, table in tomllib.loads(text).items()}


def versions_of(namespace: str) -> tuple[str, ...]:
    """Those of a namespace, in any letter case; Resource Manager's own where none are known."""
    known = api_versions()
    return known.get(namespace.lower(), known["arm"])


def check_version(version: str, template: str, location: str) -> None:
    """Refuse an api-version that the type of a path's template does not have.

    Args:
        version: as the client gave it, empty where it gave none.
        template: the path's template.
        location: the region that the message names, as ARM's does.

    Raises:
        ArmError: 400, in ARM's own words.
    """
    if not version:
        raise ArmError(400, "MissingApiVersionParameter", "The api-version query parameter is required.")
    found = _TYPE.search(template)
    known = api_versions().get(found[1].lower() if found else "arm", ())
    if version in known or (not known and _FORM.fullmatch(version)):
        return
    if found and known and _FORM.fullmatch(version):
        raise ArmError(
            400,
            "NoRegisteredProviderFound",
            f"No registered resource provider found for location '{location}' and API version '{version}' "
            f"for type '{found[2]}'. The supported api-versions are '{', '.join(known)}'.",
        )
    supported = f" The supported versions are '{','.join(known)}'." if known else ""
    raise ArmError(400, "InvalidApiVersionParameter", f"The api-version '{version}' is invalid.{supported}")
