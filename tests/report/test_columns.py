"""Text and tables within a window: nothing is broken but at a blank, and nothing is lost."""

from itertools import chain

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arcferry.report.columns import Pieces, labelled, laid_out, paragraph
from arcferry.text import width

WORDS = (
    "a",
    "of",
    "filter",
    "203.0.113.7",
    "2026-11-23T08:00:00Z",
    "a.name.of.letters." * 3,
    "x" * 64,
    "台北",
)
SENTENCE = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)
ROOM = st.integers(20, 200)
NAME = "agentserviceapi.guestconfiguration.azure.com"
COMMAND = "az network route-filter show --resource-group rg --name rf --output json > route-filter.json"


def lines_of(table: list[list[Pieces]]) -> list[str]:
    return ["".join(text for text, _ in line).rstrip() for row in table for line in row]


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    columns = draw(st.integers(1, 5))
    cells = st.lists(SENTENCE, min_size=columns, max_size=columns)
    return [[f"H{place}" for place in range(columns)], *draw(st.lists(cells, min_size=1, max_size=3))]


def latin(text: str) -> set[str]:
    """The words that no line may end within; a line may end beside a wide letter."""
    return {word for word in text.split() if word.isascii()}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables(), ROOM)
def test_no_cell_of_a_table_is_broken_within_a_word_or_lost(table: list[list[str]], room: int) -> None:
    headings, *rows = table
    found = list(laid_out(headings, rows, room))
    assert len(found) == len(table)
    for row, lines in zip(rows, found[1:], strict=True):
        told = "\n".join(lines_of([lines]))
        assert latin(" ".join(row)) <= latin(told) | {word.rstrip() for word in told.split()}
        assert "".join("".join(row).split()) or not told.strip()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables(), ROOM)
def test_a_line_is_wider_than_the_window_only_for_one_word(table: list[list[str]], room: int) -> None:
    headings, *rows = table
    for line in lines_of(list(laid_out(headings, rows, room))):
        assert width(line) <= room or any(width(word) > room - 4 for word in line.split()), line


@given(st.lists(st.tuples(SENTENCE, SENTENCE), max_size=6), ROOM)
def test_labels_and_texts_are_whole(rows: list[tuple[str, str]], room: int) -> None:
    told = [label + text for label, text in labelled(rows, room, indent=2)]
    assert latin(" ".join(chain.from_iterable(rows))) <= set(" ".join(told).split())


def test_a_label_stays_beside_a_text_without_blanks() -> None:
    told = [label + text for label, text in labelled([("1.", "下面的指令會在執行當時規則的內容之上")], 24)]
    assert told == ["1.  下面的指令會在執行當", "    時規則的內容之上"]


@pytest.mark.parametrize(
    ("room", "lines"),
    [
        (90, ["NAME ANSWER CARRIED", f"{NAME} 40.115.144.3 no"]),
        (60, ["NAME", "  ANSWER        CARRIED", NAME, "  40.115.144.3  no"]),
        (20, [NAME, "  ANSWER:", "    40.115.144.3", "  CARRIED: no"]),
    ],
)  # fmt: skip
def test_the_three_forms(room: int, lines: list[str]) -> None:
    found = lines_of(list(laid_out(("NAME", "ANSWER", "CARRIED"), [(NAME, "40.115.144.3", "no")], room)))
    assert [" ".join(line.split()) for line in found] == [" ".join(line.split()) for line in lines]


def test_the_last_column_is_wrapped_beneath_itself() -> None:
    found = lines_of(list(laid_out(("HOST", "WHY"), [("web01", "one two three four five six seven")], 32)))
    assert found == ["HOST   WHY", "web01  one two three four five", "       six seven"]


def test_an_id_loses_its_middle_where_its_row_does_not_fit() -> None:
    row = ("linux/azcmagent.deb", "a" * 32 + "b" * 32)
    (whole,) = lines_of(list(laid_out(("FILE", "SHA-256"), [row], 100, cut=(1,)))[1:])
    (short,) = lines_of(list(laid_out(("FILE", "SHA-256"), [row], 60, cut=(1,)))[1:])
    assert whole.split() == list(row)
    assert (width(short), short.endswith("bb"), "a…b" in short or "…" in short) == (60, True, True)


@pytest.mark.parametrize("room", [30, 60, 80])
def test_a_command_in_a_text_stays_whole(room: int) -> None:
    lines = paragraph(f"Fetch the filter again first: {COMMAND}; then run this again", room, rest="  ")
    assert f"  {COMMAND};" in lines
    assert lines[-1] == "  then run this again"
