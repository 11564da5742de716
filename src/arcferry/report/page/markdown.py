"""The page as Markdown, for a ticket or a mail: the answer, the causes with their letters, the fleet."""

import re
from collections.abc import Iterator

from arcferry.report.page.page import Cause, Fleet, Page
from arcferry.report.page.words import Words

# A list begins with a number of up to nine digits; how far back Python looks must be known beforehand.
_AFTER_NUMBER = "|".join(rf"(?<=^\d{{{digits}}})[.)]" for digits in range(1, 10))
_MARKUP = re.compile(
    r"([\\`*_{}\[\]<>#|~!&$@]"
    r"|^[-+=]"  # a list, or a line under a heading
    rf"|{_AFTER_NUMBER}"
    r"|:(?=//)|(?<=^www)\.|(?<=\Wwww)\.)",  # what GitHub takes for an address without being asked
    re.IGNORECASE,
)
_MOST_NAMES = 12


def markdown(page: Page, words: Words) -> str:
    """The text. What documents say is escaped, so that nothing in it is a link, an image or HTML."""
    return "\n".join(_lines(page, words)) + "\n"


def _lines(page: Page, words: Words) -> Iterator[str]:
    answer = page.answer
    yield f"# {_escaped(answer.says)}"
    yield ""
    if told := " ".join(filter(None, (answer.act, answer.more))):
        yield from (_escaped(told), "")
    for one in answer.standings:
        yield f"- {words.of('levels', one.level)}: {_escaped(one.says)} ({one.of}, {words.day(one.asof)})"
    for cause in page.causes:
        yield from _cause(cause, words)
    for change in page.changes:
        yield from ("", f"## {words('labels.changes')}", "", *_fenced(change.letter))
    for fleet in page.fleets:
        yield from _fleet(fleet, words)
    yield from ("", f"## {words('labels.data')}", "")
    for datum in page.data:
        yield f"- {_escaped(datum.name)}, {_escaped(datum.kind)}: {words.day(datum.taken)}"


def _cause(cause: Cause, words: Words) -> Iterator[str]:
    yield from ("", f"## {words.of('severity', cause.severity)}: {_escaped(cause.title)}", "")
    since = words("labels.since", day=words.day(cause.since)) if cause.since else ""
    again = words.reached_again(cause.again) if cause.again else ""
    owner = words.of("owners", cause.owner)
    facts = (owner, words.of("confidence", cause.confidence), since, cause.slug)
    yield _escaped(", ".join(filter(None, facts)))
    if cause.hosts.count:
        names = words.listed(cause.hosts.shown, most=_MOST_NAMES)
        yield from ("", _escaped(f"{words.servers(cause.hosts.count)}: {names}"))
    for line in (*map(words.moved, cause.moves), again, cause.summary):
        if line:
            yield from ("", _escaped(line))
    if cause.letter:
        yield from (
            "",
            f"{_escaped(words('labels.letter', to=words.addressee(cause.to)))}:",
            "",
            *_fenced(cause.letter),
        )


def _fleet(fleet: Fleet, words: Words) -> Iterator[str]:
    yield from ("", f"## {_escaped(fleet.source)}, {words.day(fleet.asof)}", "")
    headings = ("state", "host", "agent", "says")
    yield f"| {' | '.join(words(f'labels.{one}') for one in headings)} |"
    yield "|---|---|---|---|"
    for row in fleet.rows:
        names = words.listed(row.names.shown, most=_MOST_NAMES)
        yield f"| {' | '.join(map(_escaped, (row.state, names, row.agent, row.says)))} |"


def _fenced(text: str) -> Iterator[str]:
    """A text as it is, in a fence that is longer than any within it."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from (f"{fence}text", *text.splitlines(), fence)


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text.strip())
