"""The few words of `azcmagent check` that stand in its cells, in text and in JSON."""

_YES, _NO = {"true", "yes"}, {"false", "no"}
_UNPROXIED = {"", "not used", "not set", "bypassed", "unknown", "false", "n/a", "-", "none"}


def is_yes(cell: str) -> bool | None:
    """Whether a cell says yes or no; None for anything else."""
    word = cell.strip().lower()
    return True if word in _YES else False if word in _NO else None


def is_proxied(cell: str) -> bool:
    """Whether a cell says that a proxy was used."""
    return cell.strip().lower() not in _UNPROXIED
