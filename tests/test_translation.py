"""Errors in the reader's language: found by their templates, with the same values, and nothing harmed."""

import re
from gettext import GNUTranslations
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcferry import catalog
from arcferry.language import ENGLISH, speaking
from arcferry.translation import Catalogue, Template, labelled, parsed, translated

HAN = re.compile(r"[\u4e00-\u9fff]")
CATALOGUE = resources.files("arcferry") / "locale/zh-TW/errors.mo"


def entries() -> dict[str, str]:
    with CATALOGUE.open("rb") as file:
        catalogue: dict[str, str] = vars(GNUTranslations(file))["_catalog"]
    return {english: said for english, said in catalogue.items() if english}


TEMPLATES = [parsed(english, said) for english, said in sorted(entries().items())]


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("/srv/a.log: no such file", "/srv/a.log: 沒有這個檔案"),
        ("servers.csv:3: port 99999 is above 65535", "servers.csv:3: port 99999 大於 65535"),
        ("servers.csv:3: location is missing", "servers.csv:3: 缺少 location"),
        ("a.csv: is not JSON\nb.csv: no such file", "a.csv: 不是 JSON\nb.csv: 沒有這個檔案"),
        ("unknown location 'eastasi'", "不認得位置 'eastasi'"),
        ("Stop it first: systemctl disable --now a", "請先停止它：systemctl disable --now a"),
        ("circuit c has no SKU", "線路 c 沒有 SKU"),
        ("sign in to Entra: AADSTS7000215: no", "登入 Entra：AADSTS7000215: no"),
        ("k.pub: is not a minisign public key", "k.pub: 不是 minisign 公開金鑰"),
        ("'a: b' is not part of the bundle", "'a: b' 不屬於這個安裝包"),
        ("Install it anew. Run the same command again.", "請重新安裝它。請重新執行同一個指令。"),
        ("proxy is not true or false", "proxy 不是 true 或 false"),
        ("run r1 paused by root on vm at noon: why", "執行 r1 由 root on vm 於 noon 暫停：why"),
        ("Azure has no machine of this name in rg-arc", "Azure 在 rg-arc 中沒有這個名稱的機器"),
        (
            "changed since 2026-11-30: a was b, and is c now",
            "自 2026-11-30 以來的變更：a 先前是「b」，現在是「c」",
        ),
    ],
)
def test_a_message_is_translated_and_its_values_stay(english: str, chinese: str) -> None:
    with speaking("zh-TW"):
        assert translated(english) == chinese
    assert translated(english) == english


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "w1 reaches every one of 8 required endpoints; w2 does not reach a.b of 8 required endpoints",
            "w1 能連線到全部 8 個必要端點；w2 無法連線到 8 個必要端點中的 a.b",
        ),
        (
            "nothing was begun: the path to Azure is not there. Stop it first.",
            "沒有開始任何動作：沒有通往 Azure 的路徑。請先停止它。",
        ),
        (
            "tags: it lacks the tag a, b; site is 'x y' and should be 'z'",
            "標籤：它缺少標籤 a, b；site 是 'x y'，應該是 'z'",
        ),
        (
            "w1: cannot be read: no such file; w2: cannot be read: no such file; w3: is not JSON",
            "w1：無法讀取：沒有這個檔案；w2：無法讀取：沒有這個檔案；w3: 不是 JSON",
        ),
        ("; ".join(["w: cannot be read: no such file"] * 20), "；".join(["w：無法讀取：沒有這個檔案"] * 20)),
        (
            "sign in to Entra: AADSTS7000215: Not known. Trace ID: 1",
            "登入 Entra：AADSTS7000215: Not known. Trace ID: 1",
        ),
    ],
)
def test_each_sentence_is_of_its_own_template(english: str, chinese: str) -> None:
    with speaking("zh-TW"):
        assert translated(english) == chinese


@pytest.mark.parametrize(
    "code", ["AZCM0026", "AZCM0145", "msiexec 1603", "AADSTS7000222", "AuthorizationFailed"]
)
def test_what_a_step_says_of_a_code_has_the_code_s_own_words(code: str) -> None:
    known = catalog.code(code)
    with speaking("zh-TW"):
        said = catalog.told(known)
        assert translated(f"{code}: {known.meaning}") == f"{code}: {said.meaning}"
        own = translated(f"{code}: {known.meaning} The agent says: dpkg is locked")
        assert own == f"{code}：{said.meaning}代理程式說：dpkg is locked"
        assert translated(known.remedy) == said.remedy
    assert HAN.search(said.meaning)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "what nobody wrote here",
        "the weather of today is not for walks in the hills",
        "no such file" * 1000,
        "a: " * 600 + "b",
        "{name} {0} {value!r:>99}",
    ],
)
def test_what_is_no_template_stays_as_it_is(text: str) -> None:
    with speaking("zh-TW"):
        assert translated(text) == text


# No letters, of which other templates could be made, and no blank, at which a text is taken apart.
VALUES = st.text("0123456789/\\-_%{}…äß高\u200b", min_size=1, max_size=20)


@settings(deadline=None)
@given(st.sampled_from(TEMPLATES), st.lists(VALUES, min_size=8, max_size=8))
def test_any_values_come_back_out_of_any_template(template: Template, given_values: list[str]) -> None:
    values = given_values[: len(template.names)]
    english = "".join(one + value for one, value in zip(template.literals, [*values, ""], strict=False))
    with speaking("zh-TW"):
        told = translated(english)
    assert all(value in told for value in values)
    assert HAN.search(told) or not HAN.search("".join(literal for literal, _ in template.said))


PARTS = [literal for template in TEMPLATES[::40] for literal in template.literals]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from([*PARTS, ": ", "\n", ". ", "'"]), max_size=9))
def test_a_hostile_mixture_of_templates_is_read_all_the_same(parts: list[str]) -> None:
    with speaking("zh-TW"):
        assert isinstance(translated("".join(parts)), str)


def test_the_template_with_most_words_is_meant() -> None:
    catalogue = Catalogue({"{a} of {b} here": "甲 {b} {a}", "{a} of the {b} here": "乙 {b} {a}"})
    assert catalogue.say("1 of the 2 here") == "乙 2 1"
    assert catalogue.say("1 of 2 here") == "甲 2 1"


def test_of_two_blanks_beside_each_other_the_second_begins_with_a_mark() -> None:
    catalogue = Catalogue(
        {
            "leave {name}{here}": "離開 {name}{here}",
            ", at last": "，終於",
            "at {a}{b}: {c} it was": "{c} {a}{b} 甲",
        }
    )
    assert catalogue.say("leave web01") == "離開 web01"
    assert catalogue.say("leave web01, at last") == "離開 web01，終於"
    assert catalogue.say("at x; y: z it was") == "z x; y 甲"


def test_a_value_closes_no_bracket_that_it_did_not_open() -> None:
    catalogue = Catalogue({"read them ({a})": "讀取（{a}）", "write them ({a})": "寫入（{a}）"})
    assert catalogue.say("read them (x); write them (y)") == "讀取（x）；寫入（y）"


@pytest.mark.parametrize(
    ("language", "line"),
    [(ENGLISH, "error: no such file"), ("zh-TW", "錯誤：沒有這個檔案")],
)
def test_a_line_has_its_label_in_the_same_language(language: str, line: str) -> None:
    with speaking(language):
        assert labelled("error", "no such file") == line
