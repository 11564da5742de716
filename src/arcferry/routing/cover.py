"""The smallest set of communities that meets every need."""

from collections.abc import Collection, Iterable, Mapping

Need = frozenset[str]
"""Communities of which one suffices."""


def smallest(needs: Iterable[Need], prefixes: Mapping[str, int] | None = None) -> tuple[str, ...]:
    """A set with the fewest communities of which each need holds at least one; exact, not greedy.

    A need is one name in one region where it may answer, and its alternatives are true ones: each alone
    carries that answer. A name that may answer in three regions is three needs, so a service's community can
    stand for three regional ones, and one regional value never passes for the whole name.

    Of several smallest sets the one that brings the fewest prefixes is taken, then the first by name, so that
    one question always has one answer.

    Args:
        needs: what has to be carried.
        prefixes: how many prefixes each community brings; one that is missing here counts as none.

    Returns:
        The communities in order of their text.

    Raises:
        ValueError: a need has no alternative at all.
    """
    asked = set(needs)
    if frozenset() in asked:
        raise ValueError("a need without an alternative cannot be met")
    search = _Search(prefixes or {})
    search.descend(_irreducible(asked), ())
    return search.best


def _irreducible(needs: Collection[Need]) -> list[Need]:
    """The needs that no narrower one implies, the narrowest first, so that what is forced comes first."""
    return sorted(
        (need for need in needs if not any(other < need for other in needs)),
        key=lambda need: (len(need), sorted(need)),
    )


class _Search:
    """Branch and bound: meet the narrowest open need in each possible way, and drop what cannot win."""

    def __init__(self, prefixes: Mapping[str, int]) -> None:
        self._prefixes = prefixes
        self._score: tuple[int, int, tuple[str, ...]] | None = None

    @property
    def best(self) -> tuple[str, ...]:
        return self._score[2] if self._score else ()

    def descend(self, needs: list[Need], chosen: tuple[str, ...]) -> None:
        """Complete `chosen` to a set that meets `needs` too, wherever that may beat the best one so far."""
        if self._score and len(chosen) + _apart(needs) > self._score[0]:
            return
        if not needs:
            ordered = tuple(sorted(chosen))
            score = len(ordered), sum(self._prefixes.get(value, 0) for value in ordered), ordered
            self._score = min(self._score or score, score)
            return
        for value in sorted(needs[0], key=lambda value: (-_met(value, needs), value)):
            self.descend([need for need in needs if value not in need], (*chosen, value))


def _met(value: str, needs: Iterable[Need]) -> int:
    return sum(value in need for need in needs)


def _apart(needs: Iterable[Need]) -> int:
    """How many of the needs share no alternative with each other: each takes a community of its own."""
    seen: set[str] = set()
    count = 0
    for need in needs:
        if seen.isdisjoint(need):
            seen |= need
            count += 1
    return count
