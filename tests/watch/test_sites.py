"""Resolvers of several sites, as they are written."""

import pytest

from arcferry.errors import InputError
from arcferry.watch.sites import by_site


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], {"": []}),
        (["10.1.0.53", "[fd00::53]:5353"], {"": ["10.1.0.53", "[fd00::53]:5353"]}),
        (["taipei=10.1.0.53", "高雄=10.2.0.53"], {"taipei": ["10.1.0.53"], "高雄": ["10.2.0.53"]}),
        (
            ["a=10.1.0.53", "b=10.2.0.53", "a=10.1.0.54"],
            {"a": ["10.1.0.53", "10.1.0.54"], "b": ["10.2.0.53"]},
        ),
    ],
)
def test_resolvers_are_kept_by_site_in_order(words: list[str], found: dict[str, list[str]]) -> None:
    assert by_site(words) == found


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["a=10.1.0.53", "10.2.0.53"], "some have none"),
        (["a=10.1.0.53", "A=10.2.0.53"], "upper and lower case"),
        (["../a=10.1.0.53"], "no name"),
        (["a.b=10.1.0.53"], "no name"),
        (["=10.1.0.53"], "no name"),
        (["a" * 65 + "=10.1.0.53"], "no name"),
    ],
)
def test_what_is_no_site_is_refused_with_a_way_out(words: list[str], says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        by_site(words)
    assert caught.value.hint
