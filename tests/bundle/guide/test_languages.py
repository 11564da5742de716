"""Both languages say the same, each in its own words."""

import re

import pytest
from tests.bundle.guide.typed import typed

from arcferry.bundle.guide import BundleFacts, guide_files
from arcferry.bundle.guide.text import LANGUAGES, Chapter, MarkdownBlock, load_guide

CODE = re.compile(r"`[^`]+`")
# Letters of Simplified Chinese, and words of the mainland for which Taiwan has others.
SIMPLIFIED = set(
    "这个们来时为会国对发经过还进没关开间问题东车长见书学实现给请让说认识证钥处装连务资讯机网络统录权"
)
SIMPLIFIED -= set(
    "個們來時為會國對發經過還進沒關開間問題東車長見書學實現給請讓說認識證鑰處裝連務資訊機網絡統錄權"
)
MAINLAND = (
    "服務器", "文件夾", "網絡", "默認", "信息", "軟件", "腳本", "鏈接", "令牌", "哈希", "證書", "訪問",
    "運行", "卸載", "粘貼", "保存", "U盤", "重啟", "命令", "代理服務", "密鑰", "端口", "租戶", "訂閱",
)  # fmt: skip


def shape(chapter: Chapter) -> list[object]:
    """What must not differ: kinds of blocks, their conditions, and what they point at."""
    found: list[object] = [chapter.slug, chapter.when]
    for block in chapter.parts:
        assert isinstance(block, MarkdownBlock)
        text = block.markdown
        found += [block.when, text if text.startswith("@") else (text[:2] in {"- ", "> "}, codes(text))]
    return found


def codes(markdown: str) -> list[str]:
    return sorted(CODE.findall(markdown))


def test_the_sections_agree_block_by_block() -> None:
    english, *others = (load_guide(language) for language in LANGUAGES)
    assert len(english.chapters) > 10
    for other in others:
        for one, same in zip(english.chapters, other.chapters, strict=True):
            assert shape(one) == shape(same)
        assert english.labels.keys() == other.labels.keys()
        assert {name: table.keys() for name, table in english.tables.items()} == {
            name: table.keys() for name, table in other.tables.items()
        }


def test_the_same_is_typed_in_both(facts: BundleFacts) -> None:
    files = guide_files(facts)
    english, chinese = (typed(files[name]) for name in ("START-HERE.txt", "START-HERE.zh-TW.txt"))
    assert [(one.where, one.text) for one in english] == [(one.where, one.text) for one in chinese]


def test_each_is_in_its_language() -> None:
    english, chinese = (load_guide(language) for language in ("en", "zh-TW"))
    assert (english.language, chinese.language) == ("en", "zh-TW")
    for section in english.chapters:
        assert section.heading.isascii()
    for section in chinese.chapters:
        assert re.search(r"[\u4e00-\u9fff]", section.heading)


@pytest.mark.parametrize("name", ["START-HERE.zh-TW.txt", "START-HERE.zh-TW.html"])
def test_it_is_the_chinese_of_taiwan(facts: BundleFacts, name: str) -> None:
    text = guide_files(facts)[name].decode("utf-8-sig")
    assert not SIMPLIFIED & set(text)
    assert [word for word in MAINLAND if word in text] == []
    assert text.count("用戶") == text.count("租用戶") > 0  # Microsoft's word for a tenant


def test_marks_beside_chinese_are_full_width(facts: BundleFacts) -> None:
    text = guide_files(facts)["START-HERE.zh-TW.txt"].decode("utf-8-sig")
    assert re.findall(r"[\u4e00-\u9fff][,;:?!()]", text) == []
    assert re.findall(r"[\u3000-\u303f\uff00-\uff60] (?! )\S", text) == []


@pytest.mark.parametrize("name", ["START-HERE.html", "START-HERE.zh-TW.html"])
def test_every_mark_of_strong_text_and_code_is_taken_for_one(facts: BundleFacts, name: str) -> None:
    """CommonMark takes `**` beside a Chinese letter and a mark for text; the guide may not be written so."""
    page = guide_files(facts)[name].decode()
    shown = re.sub(r"<(pre|style)>.*?</\1>", "", page, flags=re.DOTALL)
    assert "**" not in shown
    assert "`" not in shown
    assert shown.count("<strong>") > 10
