"""Tags for machines in Azure, as users write them."""

import re
from collections.abc import Iterable

from arcferry.text import clean

_MOST = 50
_LONGEST_NAME, _LONGEST_VALUE = 512, 256
_FORBIDDEN = re.compile(r"[<>%&\\?/]")


def parse_tags(parts: Iterable[str]) -> dict[str, str]:
    """Tags from texts of the form `key=value`, empty ones left out.

    Raises:
        ValueError: not written so, or a name is given twice.
    """
    tags: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in parts)):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not name:
            raise ValueError(f"tag {part!r} is not written as key=value")
        if name in tags:
            raise ValueError(f"tag {name!r} is given twice")
        tags[name] = value
    return tags


def check_tags(tags: dict[str, str]) -> dict[str, str]:
    """The same tags, where Azure Resource Manager takes them.

    Source: Microsoft's "Use tags to organize your Azure resources", limitations.

    Raises:
        ValueError: too many, too long, or with letters that it refuses.
    """
    if len(tags) > _MOST:
        raise ValueError(f"{len(tags)} tags; ARM takes {_MOST}")
    for name, value in tags.items():
        if not name or len(name) > _LONGEST_NAME or _FORBIDDEN.search(name):
            raise ValueError(f"tag name {name[:60]!r} is not one that ARM accepts")
        if len(value) > _LONGEST_VALUE:
            raise ValueError(f"tag {name!r} has a value of {len(value)} characters; ARM takes 256")
        if clean(value) != value or "\n" in value or clean(name) != name:
            raise ValueError(f"tag {name!r} has control characters in it")
    if len({name.lower() for name in tags}) < len(tags):
        raise ValueError("two tag names differ only in case")
    return tags
