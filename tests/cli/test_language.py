"""`--lang`: people read findings in their language, programs always the same."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from tests import forked

from arcferry.cli.app import ALWAYS_ENGLISH, COMMANDS
from arcferry.diagnosis.refusal import way_out, way_out_of_page
from arcferry.language import speaking
from arcferry.text import width

CHINESE = "路由篩選器缺少該區域的社群值"
ENGLISH = "The route filter lacks the community"
HEADING = re.compile(r"^(?:[A-Z][A-Z-]+(?: [A-Z]+)*(?:  +|$)){2,}")
"""A line of a table's headings, in English."""
CJK = re.compile(r"[\u4e00-\u9fff]")
SLUG = "route/community-not-in-filter"


def run(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"} | variables
    line = [*forked.arcferry(), *words]
    return subprocess.run(line, env=environment, capture_output=True, encoding="utf-8", check=False)


@pytest.mark.parametrize(
    ("words", "variables", "expected"),
    [
        ((), {}, ENGLISH),
        (("--lang", "zh-TW"), {}, CHINESE),
        ((), {"LC_ALL": "zh_TW.UTF-8"}, CHINESE),
        ((), {"ARCFERRY_LANG": "zh-TW"}, CHINESE),
        (("--lang", "en"), {"LC_ALL": "zh_TW.UTF-8"}, ENGLISH),
        (("--lang", "zh-TW", "--output", "json"), {}, ENGLISH),
        (("--output", "jsonl"), {"LC_ALL": "zh_TW.UTF-8"}, ENGLISH),
    ],
)
def test_who_reads_it_decides(words: tuple[str, ...], variables: dict[str, str], expected: str) -> None:
    told = run("explain", SLUG, *words, **variables)
    assert told.returncode == 0, told.stderr
    assert expected in told.stdout


def test_another_language_is_refused_with_those_that_there_are() -> None:
    told = run("explain", SLUG, "--lang", "fr")
    assert told.returncode == 2
    assert told.stderr == "error: unknown language 'fr'\nhint: Known: en, zh-TW\n"


INVENTORY = "name,address,port\nweb01,10.0.0.1,22\nweb02,10.0.0.2,99999\n"
ID = "00000000-0000-0000-0000-000000000000"
AZURE = ("--tenant-id", ID, "--subscription-id", ID, "--client-id", ID, "--resource-group", "rg")
SEALED = ("--bundle", "b.zip", "--bundle-key", "k.pub")
ERRORS = [
    (("explain", "gone.log"), "gone.log: 沒有這個檔案\n", "error: gone.log: no such file\n"),
    (
        ("onboard", "plan", "servers.csv", *AZURE, *SEALED, "--location", "eastasia"),
        "servers.csv:3: port 99999 大於 65535",
        "servers.csv:3: port 99999 is above 65535",
    ),
    (("check", "--location", "eastasi"), "不認得位置 'eastasi'\n", "error: unknown location 'eastasi'\n"),
    (
        ("bundle", "verify", "b.zip", "--bundle-key", "k.pub"),
        "k.pub: 不是 minisign 公開金鑰",
        "k.pub: is not a",
    ),
    (("verify", "servers.csv", *AZURE), "請設定 AZURE_CLIENT_SECRET、傳入", "Set AZURE_CLIENT_SECRET, pass"),
]


@pytest.mark.parametrize(("words", "chinese", "english"), ERRORS, ids=lambda one: one[0])
def test_an_error_is_in_the_language_of_its_reader(
    words: tuple[str, ...], chinese: str, english: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("servers.csv").write_text(INVENTORY)
    Path("k.pub").write_text("untrusted comment: a key\nAAAA\n")
    Path("b.zip").write_bytes(b"no zip")
    told = run(*words, ARCFERRY_LANG="zh-TW")
    assert told.returncode
    assert chinese in told.stderr
    assert english in run(*words, "--output", "json", ARCFERRY_LANG="zh-TW").stderr


def test_what_is_remembered_and_handed_on_is_english_in_every_language() -> None:
    """An error's hint stands in a run's journal, and what a watch keeps is read by whoever comes next."""
    code = "RequestDisallowedByPolicy"
    english = way_out(code)
    assert english
    with speaking("zh-TW"):
        assert way_out(code) == english
        assert way_out_of_page("login.microsoftonline.com").isascii()
    assert {name.split()[0] for name in ALWAYS_ENGLISH} <= set(COMMANDS)


def test_json_is_the_same_in_both() -> None:
    english, chinese = (
        json.loads(run("explain", "AZCM0026", "--output", "json", "--lang", one).stdout)
        for one in ("en", "zh-TW")
    )
    assert english == chinese


@pytest.mark.parametrize(
    ("words", "label"),
    [
        (("explain", "AZCM0026"), "重試有用嗎？"),  # Chinese
        (("routes", "plan", "--location", "eastasia"), "注意事項"),
        (("routes", "firewall", "--location", "eastasia"), "經對等互連"),
        (("features", "--location", "eastasia"), "在這條路徑上"),
        (("alternatives", "--location", "eastasia"), "何時需要"),
    ],
)
def test_labels_and_headings_are_chinese_and_json_is_not(words: tuple[str, ...], label: str) -> None:
    told = {language: run(*words, "--lang", language, COLUMNS="160").stdout for language in ("en", "zh-TW")}
    assert label in told["zh-TW"]
    assert label not in told["en"]
    assert [line for line in told["zh-TW"].splitlines() if HEADING.match(line)] == []
    assert not CJK.search(run(*words, "--lang", "zh-TW", "--output", "json").stdout)


def test_the_letter_of_a_plan_is_in_one_language() -> None:
    told = run("routes", "plan", "--location", "eastasia", "--lang", "zh-TW", COLUMNS="160").stdout
    letter = told.partition("主旨：")[2].partition("\n---")[0]  # Chinese
    assert "12076:51010" in letter
    assert [line for line in letter.splitlines() if line.strip() and not CJK.search(line)] == [
        line for line in letter.splitlines() if "management.azure.com" in line and "(Azure " in line
    ]
    assert not CJK.search(run("routes", "plan", "--location", "eastasia", "--output", "json").stdout)


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_chinese_lines_fit_their_window(columns: int) -> None:
    told = run("routes", "firewall", "--location", "eastasia", "--lang", "zh-TW", COLUMNS=str(columns))
    lines = [line for line in told.stdout.splitlines() if CJK.search(line)]
    assert lines
    assert max(map(width, lines)) <= columns
