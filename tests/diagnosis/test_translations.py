"""Traditional Chinese of what findings say: whole, of today's English, and in the words of Taiwan."""

import importlib
import importlib.util
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from arcferry.catalog import Code, code, codes, system_codes, told
from arcferry.diagnosis import pages
from arcferry.diagnosis.causes import CAUSES
from arcferry.language import ENGLISH, of_system, speaking

ROOT = Path(__file__).parents[2]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
SET_WRONG = re.compile(r"[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9][\u4e00-\u9fff]|[\u4e00-\u9fff][,:;]")
"""Latin letters without a space before or after Han, or a half-width mark behind it."""
KEPT = re.compile(
    r"(?<!\w)--?[a-zA-Z]+[\w-]*|AZCM\d+|\b[A-Z]+_[A-Z_]+|\b\d{2,}\b|[\w.]+\.(?:log|txt|com|json)\b", re.ASCII
)
"""Options, codes, numbers and files, which stay."""
OF_ELSEWHERE = (
    "默认",
    "網絡",
    "服務器",
    "信息",
    "軟件",
    "鏈接",
    "端口",
    "證書",
    "用戶",
    "登錄",
    "服务",
    "连接",
)
"""Terms of the mainland or in simplified letters; those of Microsoft's pages for Taiwan are others."""
RIGHT_ALL_THE_SAME = (
    "訂用帳戶",
    "使用者",
    "用戶端",
    "租用戶",
    "路由登錄",
    "登錄項目",
    "登錄憑證",
    "登錄機碼",
    "如何登錄",
)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("translations", ROOT / "scripts/translations.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_text_is_translated_from_the_english_of_now(script: ModuleType) -> None:
    assert list(script.problems("zh-TW")) == []


def test_a_text_that_is_missing_or_stale_is_found(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for language in ("en", "zh-TW"):
        (tmp_path / language).mkdir()
    (tmp_path / "en/tcp.toml").write_text('["tcp/refused"]\ntitle = "Refused"\nmeaning = "No."\n')
    monkeypatch.setattr(script, "WORDS", tmp_path)
    given = tmp_path / "zh-TW/tcp.toml"
    assert list(script.problems("zh-TW")) == ["tcp.toml: tcp/refused lacks meaning, title"]
    given.write_text('["tcp/refused"]\ntitle = "拒絕"\nmeaning = "不。"\n', encoding="utf-8")
    assert ["another English text" in one for one in script.problems("zh-TW")] == [True]
    script.write_stamps("zh-TW", "tcp")
    assert list(script.problems("zh-TW")) == []
    (tmp_path / "en/tcp.toml").write_text('["tcp/refused"]\ntitle = "Refused"\nmeaning = "Yes."\n')
    assert ["another English text" in one for one in script.problems("zh-TW")] == [True]


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """What errors say, read from the source: once, as that takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        found: dict[str, str] = importlib.import_module("error_texts").templates()
    return found


@pytest.fixture(scope="module")
def catalogues() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        yield importlib.import_module("catalogues")


def test_every_error_is_translated_from_the_english_of_now(
    catalogues: ModuleType, texts: dict[str, str]
) -> None:
    assert list(catalogues.problems("zh-TW", texts)) == []


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("", "is not translated"),
        ('msgid "no {name}"\nmsgstr ""\n', "is not translated"),
        ('#, fuzzy\nmsgid "no {name}"\nmsgstr "沒有 {name}"\n', "is marked fuzzy"),
        ('msgid "no {name}"\nmsgstr "沒有 {value}"\n', "has other blanks"),
        (
            'msgid "no {name}"\nmsgstr "沒有 {name}"\n\nmsgid "old"\nmsgstr "舊"\n',
            "is not in the source: old",
        ),
        ('msgid "no {name}"\nmsgstr "沒有 {name}"\n', "is not what errors.po compiles to"),
    ],
)
def test_an_error_that_is_not_translated_as_it_is_now_is_found(
    catalogues: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, problem: str
) -> None:
    monkeypatch.setattr(catalogues, "LOCALE", tmp_path)
    (tmp_path / "zh-TW").mkdir()
    (tmp_path / "zh-TW/errors.po").write_text(entry, encoding="utf-8")
    (tmp_path / "zh-TW/errors.mo").write_bytes(b"of another day")
    assert [one for one in catalogues.problems("zh-TW", {"no {name}": "a.py:1"}) if problem in one]


def test_errors_are_said_in_the_words_of_taiwan(catalogues: ModuleType, texts: dict[str, str]) -> None:
    catalogue = catalogues.read(catalogues.LOCALE / "zh-TW/errors.po")
    for text in texts:
        told = str(catalogue[text].string)
        assert not _of_elsewhere(told), told


def test_every_text_of_a_code_is_translated(script: ModuleType) -> None:
    assert list(script.code_problems("zh-TW")) == []


def test_a_text_of_a_code_that_is_missing_or_stale_is_found(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "zh-TW").mkdir()
    (tmp_path / "azcm.toml").write_text("codes = [{ meaning = 'Full.', remedy = 'Make room.' }]\n")
    given = tmp_path / "zh-TW/azcm.toml"
    monkeypatch.setattr(script, "CODES", tmp_path)
    given.write_text('"Full." = "已滿。"\n"Wait." = "請稍候。"\n', encoding="utf-8")
    assert list(script.code_problems("zh-TW")) == [
        "azcm.toml: is not translated: Make room.",
        "azcm.toml: has no English: Wait.",
    ]


@pytest.mark.parametrize("known", [*codes(), *system_codes()], ids=lambda known: known.title)
def test_a_code_is_told_in_chinese(known: Code) -> None:
    with speaking("zh-TW"):
        said = told(known)
    assert told(known) is known
    for english, text in ((known.meaning, said.meaning), (known.remedy, said.remedy)):
        assert CHINESE.search(text), text
        assert not _of_elsewhere(text), text
        assert not SET_WRONG.search(text), text
        assert set(KEPT.findall(english)) <= set(KEPT.findall(text)), text


def test_a_newer_catalogue_s_text_stays_english_until_it_is_translated() -> None:
    newer = replace(code("AZCM0018"), meaning="Told anew.")
    with speaking("zh-TW"):
        said = told(newer)
    assert (said.meaning, said.remedy) == ("Told anew.", "請以本機系統管理員或 root 身分執行。")


@pytest.mark.parametrize("slug", CAUSES)
def test_a_page_is_chinese_and_its_commands_are_the_same(slug: str) -> None:
    english = pages.page(slug)
    with speaking("zh-TW"):
        page = pages.page(slug)
    for text in {page.title, page.meaning, page.tells, *page.fix, page.request}:
        assert not text or CHINESE.search(text) or not re.search(r"[a-z]{3} [a-z]{3}", text), text
        assert not _of_elsewhere(text), text
    assert page.example == english.example
    assert (page.severity, page.owner, page.slug) == (english.severity, english.owner, english.slug)
    assert page.request.startswith("主旨：") == english.request.startswith("Subject: ")  # Chinese


def _of_elsewhere(text: str) -> list[str]:
    for right in RIGHT_ALL_THE_SAME:
        text = text.replace(right, "")
    return [term for term in OF_ELSEWHERE if term in text]


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, ENGLISH),
        ({"LANG": "C.UTF-8"}, ENGLISH),
        ({"LANG": "zh_TW.UTF-8"}, "zh-TW"),
        ({"LANG": "zh_Hant_HK"}, "zh-TW"),
        ({"LANG": "zh_CN.UTF-8"}, ENGLISH),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "zh_TW"}, "zh-TW"),
        ({"LANG": "zh_TW.UTF-8", "LC_MESSAGES": "en_GB"}, ENGLISH),
    ],
)
def test_the_system_says_which_language(variables: dict[str, str], language: str) -> None:
    assert of_system(variables) == language
