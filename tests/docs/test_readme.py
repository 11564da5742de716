"""The README in its two languages: the same commands, outputs, pictures and pages."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh-TW.md").read_text(encoding="utf-8")
WHAT = {
    "blocks": re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL),
    "pictures": re.compile(r"!\[[^\]]+\]\(([^)]+)\)"),
    "pages": re.compile(r"\]\(((?!README)[^)]+\.md[^)]*|[a-z/]+)\)"),
    "sections": re.compile(r"^##(?= )", re.MULTILINE),
}


@pytest.mark.parametrize("what", WHAT)
def test_both_languages_have_the_same(what: str) -> None:
    found = WHAT[what].findall(ENGLISH)
    assert found
    assert WHAT[what].findall(CHINESE) == found


def test_each_leads_to_the_other() -> None:
    assert "(README.zh-TW.md)" in ENGLISH
    assert "(README.md)" in CHINESE
