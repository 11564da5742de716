"""What a reader in Taiwan still meets in English: every command that needs no server, as it is printed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.running import Run
from tests.cli.test_report import CASE, handed_in

EAST = ("--location", "eastasia")
LETTERS = ("prepare", "--out", "letters", *EAST, "--language", "zh-TW")
WALK = {
    "check": ("check", *EAST, "--resolver", "127.0.0.1"),
    "explain": ("explain", *map(str, handed_in())),
    "a code": ("explain", "AZCM0026"),
    "a cause": ("explain", "route/community-not-in-filter"),
    "plan": ("routes", "plan", *EAST),
    "plan of what is there": ("routes", "plan", *EAST, *map(str, handed_in())),
    "audit": ("routes", "audit", *EAST, *map(str, handed_in())),
    "firewall": ("routes", "firewall", *EAST, "--features", "all"),
    "features": ("features", *EAST),
    "alternatives": ("alternatives", *EAST),
    "diff": ("diff", str(CASE / "check.json"), str(CASE / "check.json")),
    "lifecycle": ("lifecycle",),
    "letters": LETTERS,
    "status of letters": ("prepare", "--status", "letters"),
    "data": ("data", "show"),
    "runs": ("onboard", "status"),
    "leave": ("leave",),
    "key": ("bundle", "key", "new", "key"),
    "site file": ("init",),
    "evidence script": ("evidence", "script", *EAST, "-s", "linux", "--out", "script.sh"),
    "no such file": ("explain", "gone.log"),
    "no such option": ("check", "--nope"),
    "no such command": ("explian",),
    "missing option": ("check",),
    "wrong value": ("routes", "plan", *EAST, "--steered", "x"),
}
NOT_OURS = re.compile(
    r"(?:arcferry|azcmagent|az|cat|curl|dig|ip|openssl|nslookup|show|tnc|Test-\w+|Get-\w+) [^，。；：）」、]*"
    r"|(?<!\S)-{1,2}[a-zA-Z][\w-]*|\S*[/._@=:*\\]\S*|'[^']*'|“[^”]*”"
)
"""Commands, options, paths, addresses, and what stands in quotation marks."""
NAMES = re.compile(
    r"Azure Connected Machine|Azure Hybrid Instance Metadata Service|Connection refused|West Central US"
    r"|Microsoft Azure RSA TLS Issuing|Azure RSA TLS Issuing CA|Windows Admin Center|Azure Resource Manager"
    r"|Azure Front Door|Microsoft Entra ID|MicrosoftDocs|Connected Machine Onboarding|Azure Private Link"
    r"|AZURE PRIVATE LINK"
)
ENGLISH = re.compile(r"(?:[A-Za-z][a-z']*[,;:]? ){3}[A-Za-z][a-z]+")


def leftovers(text: str) -> Iterator[str]:
    """Lines with four English words in a row that are no command and no name."""
    for line in text.splitlines():
        bare = NAMES.sub("#", NOT_OURS.sub("#", line))
        if ENGLISH.search(bare):
            yield line


@pytest.mark.parametrize("name", WALK)
def test_no_sentence_is_english(
    arcferry: Run, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")
    if name == "status of letters":
        arcferry(*LETTERS)
    ended = arcferry("--lang", "zh-TW", *WALK[name])
    assert list(leftovers(ended.out + ended.err)) == []


def test_english_is_found() -> None:
    assert list(leftovers("FAIL  web01: nothing tells where it answers")) != []
    assert list(leftovers("請執行 arcferry routes plan --location eastasia --with FILE")) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--lang", "zh-TW", "explain", "gone.log"), "錯誤"),
        (("--lang=zh-TW", "explain", "gone.log"), "錯誤"),
        (("--lang", "zh-TW", "explain", "gone.log", "--lang", "en"), "error"),
        (("check", "--nope", "--lang", "zh-TW"), "沒有選項 --nope"),
        (("--lang", "zh-TW", "diff", "--help"), "用法"),
    ],
)
def test_the_language_may_stand_anywhere(arcferry: Run, words: tuple[str, ...], says: str) -> None:
    ended = arcferry(*words)
    assert says in ended.out + ended.err
