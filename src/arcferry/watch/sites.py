"""The sites that one watch looks from, each by the resolvers that its servers ask."""

import re
from collections.abc import Sequence

from arcferry.errors import InputError
from arcferry.text import quoted

_NAME = re.compile(r"[\w-]{1,64}")
HINT = "Name every resolver's site, such as --resolver taipei=10.1.0.53, or none."


def by_site(resolvers: Sequence[str]) -> dict[str, list[str]]:
    """The resolvers of each site, from `SITE=IP[:PORT]`; all of one without a name where none is named.

    Raises:
        InputError: only some are named, a name is none, or two differ in upper and lower case alone.
    """
    found: dict[str, list[str]] = {}
    for word in resolvers:
        name, named, address = word.rpartition("=")
        if named and not _NAME.fullmatch(name):
            hint = "Give up to 64 letters, digits, - and _ before the =."
            raise InputError(
                f"--resolver {quoted(word)}: the site has no name that a file can have", hint=hint
            )
        found.setdefault(name, []).append(address)
    if "" in found and len(found) > 1:
        raise InputError("--resolver: some have a site and some have none", hint=HINT)
    if len({name.casefold() for name in found}) < len(found):
        raise InputError("--resolver: two sites differ in upper and lower case alone", hint=HINT)
    return found or {"": []}
