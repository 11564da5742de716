from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.routing.cover import Need, smallest

VALUES = "abcdefgh"
NEEDS = st.lists(st.frozensets(st.sampled_from(VALUES), min_size=1, max_size=4), max_size=10)
PREFIXES = st.dictionaries(st.sampled_from(VALUES), st.integers(0, 9))


def by_trying_all(needs: list[Need], prefixes: dict[str, int]) -> tuple[str, ...]:
    sets = chain.from_iterable(combinations(VALUES, size) for size in range(len(VALUES) + 1))
    meeting = [one for one in sets if all(need & {*one} for need in needs)]
    return min(meeting, key=lambda one: (len(one), sum(prefixes.get(value, 0) for value in one), one))


@given(NEEDS, PREFIXES)
def test_it_is_what_trying_every_set_finds(needs: list[Need], prefixes: dict[str, int]) -> None:
    assert smallest(needs, prefixes) == by_trying_all(needs, prefixes)


def test_where_the_greedy_choice_is_wrong() -> None:
    # "g" meets four needs at once, more than any other, and yet "a" and "b" alone meet all six.
    assert smallest([*map(frozenset, ("agx", "agy", "az", "bgx", "bgy", "bz"))]) == ("a", "b")


def test_a_service_community_stands_for_regions_it_alone_covers() -> None:
    needs = [frozenset({"service", region}) for region in ("r1", "r2", "r3")]
    assert smallest(needs) == ("service",)
    assert smallest([*needs, frozenset({"r1"})]) == ("r1", "service")
    assert smallest([*needs, *(frozenset({region}) for region in ("r1", "r2", "r3"))]) == ("r1", "r2", "r3")


def test_among_equals_the_fewest_prefixes_then_the_first_name() -> None:
    assert smallest([frozenset("ab")], {"a": 5, "b": 2}) == ("b",)
    assert smallest([frozenset("ab")]) == ("a",)


def test_nothing_needed_is_nothing_chosen() -> None:
    assert smallest([]) == ()


def test_a_need_that_nothing_meets_is_an_error() -> None:
    with pytest.raises(ValueError, match="cannot be met"):
        smallest([frozenset("a"), frozenset()])


def test_the_size_of_a_whole_cloud() -> None:
    regions = [f"12076:510{number:02d}" for number in range(60)]
    arm = [frozenset({"12076:5070", region}) for region in regions]
    assert smallest(arm) == ("12076:5070",)
    assert smallest([*arm, *(frozenset({region}) for region in regions)]) == tuple(regions)
    all_but_two = regions[:-2]
    forced = [frozenset({region}) for region in all_but_two]
    assert smallest([*arm, *forced]) == ("12076:5070", *all_but_two)
