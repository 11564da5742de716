"""Which lines of `az` that change something the real az is run with, and when another is like one of them."""

from pathlib import Path

from tests.commands.az_lines import Line, lines
from tests.commands.texts import filter_texts, paged, printed, written

KEPT = Path(__file__).with_name("az-sent.json")
NOT_RUN = {
    "ad app delete": "az asks Microsoft Graph, which nothing here answers for",
    "deployment group create": "az compiles Bicep by a program that it first downloads",
    "deployment sub create": "az compiles Bicep by a program that it first downloads",
    "lock delete": "scripts/az_twin.py runs it against the twin; by an id az reads that lock first",
    "role assignment delete": "az lists assignments and roles first, and deletes what it found",
    "role definition create": "it sends the file, which tests/rights holds against Azure's form",
    "role definition delete": "az lists roles first, and deletes the one of this name",
}


WRONG = (
    "network route-filter rule update -g rg --filter-name rf --name allow --add communities=12076:51012",
    "network route-filter rule update -g rg --filter-name rf --name allow --set communities=12076:51012",
    "network express-route update --resource-group rg --name er --sku-tier Premium",
)
"""What az's parser takes, and does not send as it is meant: run too, to see that this is seen."""


def changing(of: tuple[Line, ...]) -> tuple[Line, ...]:
    """Those that change something, and are whole."""
    return tuple(one for one in of if one.path and one.changes and not one.is_mention)


def to_run() -> tuple[Line, ...]:
    """The lines of the pages, and of the change of a filter: one of each, with their own values."""
    found = changing(lines((*paged(), *filter_texts())))
    return tuple({one.text: one for one in found if one.path not in NOT_RUN}.values())


def every() -> tuple[Line, ...]:
    """All lines that change something."""
    return changing(lines((*written(), *printed())))


def shape(line: Line) -> tuple[str, ...]:
    """What az makes a request of, whatever the values: the command, its options, and what `--add` adds to."""
    words = line.argv
    added = [words[words.index("--add") + 1]] if "--add" in words else []
    return (line.path, *sorted(set(line.options)), *added)
