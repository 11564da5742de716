"""Reading JSON objects whose fields may be missing, of another type, or one where several are expected."""

from collections.abc import Iterator


def mapping(value: object) -> dict[str, object]:
    """The object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def several(value: object) -> list[object]:
    """The array's elements; anything else is one element, and null none."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def text(value: object) -> str:
    """The text or number as text, empty for anything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def words(value: object) -> str:
    """Every text within a value, with spaces between: a router gives a list as text, array or table."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return text(value) if inner is None else " ".join(map(words, inner))


def truth(value: object) -> bool | None:
    """True or False, also as text; None for anything else."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def first(tree: dict[str, object], *names: str) -> object:
    """The first of these fields that is there and not null."""
    return next((tree[name] for name in names if tree.get(name) is not None), None)


def objects(value: object) -> Iterator[dict[str, object]]:
    """The objects of an array, or the one object."""
    return (item for item in several(value) if isinstance(item, dict))
