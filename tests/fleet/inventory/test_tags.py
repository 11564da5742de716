"""Tags as people write them in one cell or one option."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.fleet.inventory.tags import check_tags, parse_tags, tags_text

READ = {
    "commas": ("site=taipei,role=web", {"site": "taipei", "role": "web"}),
    "semicolons": ("site=taipei;role=web", {"site": "taipei", "role": "web"}),
    "blanks around": (" site = taipei , role = web team ", {"site": "taipei", "role": "web team"}),
    "an end left over": ("site=taipei;", {"site": "taipei"}),
    "one": ("site=taipei", {"site": "taipei"}),
    "none": (" ", {}),
    "no value": ("site=,role=web", {"site": "", "role": "web"}),
    "an equals sign in a value": ("owner=cn=ops", {"owner": "cn=ops"}),
    "a comma in quotes": ("site='taipei, 101',role=web", {"site": "taipei, 101", "role": "web"}),
    "both in quotes": ("""a="1,2;3";b=4""", {"a": "1,2;3", "b": "4"}),
    "quotes within quotes": (r"""a='O\'Neill, Ann',b="it's" """, {"a": "O'Neill, Ann", "b": "it's"}),
    "an apostrophe": ("owner=O'Neill,role=web", {"owner": "O'Neill", "role": "web"}),
    "a quoted name": ("'cost center'='a=b c=d'", {"cost center": "a=b c=d"}),
}

AMBIGUOUS = {
    "a comma that may belong to the value": ("site=taipei,101", "comma", "'101' lacks"),
    "a semicolon that may": ("site=taipei;101;role=web", "semicolon", "'101' lacks"),
    "both separators": ("site=taipei,role=web;owner=ops", "comma", "semicolon"),
    "both, one within a value": ("note=a, b;role=web", "comma", "semicolon"),
    "separated by blanks": ("site=taipei role=web", "role=web", "blank"),
    "separated by bars": ("site=taipei|role=web", "role=web", "|"),
    "separated by lines": ("site=taipei\nrole=web", "role=web", "blank"),
}


@pytest.mark.parametrize("case", READ)
def test_both_forms_are_read(case: str) -> None:
    text, tags = READ[case]
    assert parse_tags([text]) == tags


@pytest.mark.parametrize("case", AMBIGUOUS)
def test_what_can_be_read_in_two_ways_is_refused_with_the_way_out(case: str) -> None:
    text, *says = AMBIGUOUS[case]
    with pytest.raises(ValueError, match="quotes") as caught:
        parse_tags([text])
    for words in says:
        assert words in str(caught.value)


def test_a_tag_may_be_given_once() -> None:
    with pytest.raises(ValueError, match="given twice"):
        parse_tags(["site=taipei,role=web", "site=tainan"])
    with pytest.raises(ValueError, match="not written as key=value"):
        parse_tags(["site"])


TEXT = st.text(st.sampled_from("ab1 ,;='\"|\\é"), max_size=12).map(str.strip)


@given(st.dictionaries(TEXT.filter(bool), TEXT, min_size=1, max_size=4))
def test_what_is_written_for_the_agent_is_read_back(tags: dict[str, str]) -> None:
    assert parse_tags([tags_text(tags)]) == tags


SECRETS = {
    "a password": ("site=taipei,password=hunter2", "password", "hunter2"),
    "by its name in two words": ("'client secret'=hunter2", "client secret", "hunter2"),
    "a token": ("note=eyJhbGciOiJSUzI1NiJ9.eyJhIjoxfQ.c2lnbmF0dXJl", "note", "eyJhbGci"),
    "a user with a password": ("source=git+https+me:hunter2@git.example", "source", "hunter2"),
    "an account key": ("store=AccountKey=bm90IGEga2V5IG5vdCBhIGtleSBub3QgYSBrZXk+", "store", "bm90IGEg"),
}


@pytest.mark.parametrize("case", SECRETS)
def test_a_secret_is_no_tag_and_is_not_repeated(case: str) -> None:
    text, name, secret = SECRETS[case]
    tags = parse_tags([text])
    with pytest.raises(ValueError, match=f"tag '{name}' seems to hold a secret") as caught:
        check_tags(tags)
    assert secret not in str(caught.value)


@pytest.mark.parametrize("text", ["password=hunter2,a=b;c", "password=hunter2 a=b", "password=hunter2,x"])
def test_what_cannot_be_read_repeats_no_secret(text: str) -> None:
    with pytest.raises(ValueError, match="quotes") as caught:
        parse_tags([text])
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["cost_center=1234", "key vault=kv-prod", "owner=O'Neill", "password policy=90 days", "token=", "a=b=c"],
)
def test_what_is_only_about_secrets_is_a_tag(text: str) -> None:
    tags = parse_tags([text])
    assert check_tags(tags) == tags
