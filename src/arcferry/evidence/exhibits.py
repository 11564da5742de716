"""A file is a transcript: what stands in it one after another, cut apart for the readers.

People paste a prompt, a command, a warning, JSON, a second command and three log lines into one file. It is
cut at the prompts of cmd, PowerShell, Unix shells and routers, and around JSON and XML among other text.
"""

import json
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from arcferry.routing.tables.capture import typed
from arcferry.text import json_decoder

_WINDOWS = re.compile(
    r"(?:\[[\w.-]{1,80}\]: )?PS (?:[A-Za-z]{1,20}:|\\\\|/|~|Microsoft\.PowerShell)[^>\n]{0,200}>{1,2}(?!>)\s*"
    r"|[A-Za-z]:\\[^<>|\"*?\n]{0,200}>\s*"
)
_UNIX = re.compile(
    r"(?:\([\w.-]{1,40}\) )?(?:[\w.-]{1,40}@[\w.-]{1,80}[: ][^\s$#%>]{0,120} ?[$#%>]"
    r"|\[[\w.-]{1,40}@[\w.-]{1,80} [^\]\n]{1,100}\][$#]|(?:ba|da|k|z)?sh-\d[\d.]{0,6}[$#])(?:\s+|$)"
    # A sign alone begins comments too: what follows must be a command that somebody would paste.
    r"|[$#%] (?=(?:sudo )?(?:az|azcmagent|apt(?:-get)?|bash|cat|curl|date|dig|dnf|dpkg|getent|host|ip"
    r"|journalctl|nslookup|openssl|ping|rpm|sh|show|systemctl|tail|timedatectl|tracepath|traceroute|vtysh|wget|yum"
    r"|zypper)\b)"
)
_ROOT = re.compile(
    r"\s{0,40}(?:<\?xml\b[^>\n]{0,200}\?>\s{0,10}<([A-Za-z][\w:.-]{0,60})|<(Objs|rpc-reply|[a-z]{1,20}-information))(?=[\s>])"
)
"""What a line of any log may begin with is none, such as the `<GCLOG>` of the extension service."""
_OPENS = re.compile(r"\s{0,40}(?:\{\s*(?:[\"}]|$)|\[\s*(?:[{\"]|$))")
_GOES_ON = re.compile(r"[\[{(,]\s*$")
"""The line before it ends so: the value is a part of an object that PowerShell prints."""
_DECODER = json_decoder()
_MOST_READ = 4
_MOST_PARTS = 500
_MOST_XML = 5000


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One piece of a file.

    Attributes:
        text: the piece; a prompt and its command are the first line of it, but not of JSON or XML.
        line: the number of its first line in the file, from 1.
        prompt: the line with the prompt that it answers, which need not be in `text`; empty without.
        command: what was typed at that prompt.
        is_json: whether it is one JSON value, or one a line.
    """

    text: str
    line: int
    prompt: str = ""
    command: str = ""
    is_json: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands in it but a prompt and a command, or what az warns of before it answers."""
        lines = self.text.splitlines()
        return all(not line.strip() or line == self.prompt or line.startswith("WARNING: ") for line in lines)


def cut(text: str) -> list[Exhibit]:
    """The exhibits of a text, in order, none of them empty; one if nothing shows where to cut."""
    lines = text.splitlines()
    found = [part for answer in _answers(lines) for part in _islands(answer)]
    parts = [one for one in _joined(found) if not one.is_empty]
    return parts if len(parts) <= _MOST_PARTS else [Exhibit(text, 1)]


def command(line: str) -> str | None:
    """What was typed on a line with a prompt, which may be nothing; None for any other line."""
    for prompt in (_WINDOWS, _UNIX):
        if found := prompt.match(line):
            return line[found.end() :].strip()
    on_a_router = typed(line)
    return on_a_router.text if on_a_router and on_a_router.text else None


def _answers(lines: Sequence[str]) -> Iterator[Exhibit]:
    """What stands before the first prompt, then each command with its answer."""
    start, prompt, told = 0, "", ""
    for place, line in enumerate(lines):
        if (typed_here := command(line[:600])) is not None:
            yield Exhibit("\n".join(lines[start:place]), start + 1, prompt, told)
            start, prompt, told = place, line, typed_here
    yield Exhibit("\n".join(lines[start:]), start + 1, prompt, told)


def _islands(answer: Exhibit) -> Iterator[Exhibit]:
    """The JSON and XML of an answer, each by itself, and the text around."""
    lines = answer.text.splitlines()
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    text = "\n".join(lines)
    start, place, before = 0, 0, ""
    # What looks like JSON again and again and is none must not be parsed to its end each time.
    left = _MOST_READ * len(text)
    while place < len(lines):
        opens = _OPENS.match(lines[place])
        end = 0
        if left > 0 and not _GOES_ON.search(before):
            if opens:
                end, read = _json_end(text, starts[place])
                left -= read
                end = bisect_left(starts, end) if end else 0
            elif root := _ROOT.match(text, starts[place]):
                end = _xml_end(lines, place, f"</{root[1] or root[2]}>")
        if end:
            yield _part(answer, lines, start, place)
            yield _part(answer, lines, place, end, is_json=bool(opens))
            start = place = end
            before = ""
        else:
            before = lines[place] if lines[place].strip() else before
            place += 1
    yield _part(answer, lines, start, len(lines))


def _part(answer: Exhibit, lines: Sequence[str], start: int, end: int, *, is_json: bool = False) -> Exhibit:
    return replace(answer, text="\n".join(lines[start:end]), line=answer.line + start, is_json=is_json)


def _json_end(text: str, start: int) -> tuple[int, int]:
    """Where the line after the JSON value begins, 0 if none stands here; and how much was read."""
    begin = start + len(text[start : start + 200]) - len(text[start : start + 200].lstrip())
    try:
        value, end = _DECODER.raw_decode(text, begin)
    except json.JSONDecodeError as error:
        return 0, error.pos - start
    except (ValueError, RecursionError):
        return 0, len(text)
    line_end = text.find("\n", end)
    line_end = len(text) if line_end < 0 else line_end
    whole = _tells(value) and not text[end:line_end].strip()
    return (line_end + 1 if whole else 0), end - start


def _tells(value: object) -> bool:
    """Whether a value is an object, or a list of some: `[1]` and `[]` stand in logs as well."""
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and _tells(value[0]))


def _xml_end(lines: Sequence[str], place: int, closing: str) -> int:
    """The line after the element that begins here; 0 if it does not end."""
    ahead = range(place, min(place + _MOST_XML, len(lines)))
    return next((at + 1 for at in ahead if lines[at].rstrip().endswith(closing)), 0)


def _joined(parts: Iterable[Exhibit]) -> list[Exhibit]:
    """The same with JSON of one line each, one below another, as one: a log of JSON."""
    found: list[Exhibit] = []
    for part in parts:
        before = found[-1] if found else None
        if before and _is_line(part) and all(map(_is_object, before.text.splitlines())) and before.is_json:
            found[-1] = replace(before, text=f"{before.text}\n{part.text}")
        elif part.text:
            found.append(part)
    return found


def _is_line(part: Exhibit) -> bool:
    return part.is_json and _is_object(part.text) and "\n" not in part.text


def _is_object(line: str) -> bool:
    return line.startswith("{") and line.rstrip().endswith("}")


_STARTS = re.compile(r"\s*(?:(?:TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL)(?:\[\d{1,6}\])?\s|time=)")
_ENDS = re.compile(r"\s*$|[^|]*\|[^|]*\||\s*(?:at |Trace|Usage:)")
_ROW = re.compile(r"\s{0,4}(?:ENDPOINT\b|USE CASE\b|https?://[\w./:-]{3,200})[^|\n]{0,200}\|")
_USUAL_WIDTHS = {80, 100, 120, 132, 160, 200}
_NARROW, _WIDE, _MOST_WRAPS = 40, 320, 40


def unwrapped(text: str) -> str:
    """The text with the lines of the agent's log and console whole again that a window has wrapped.

    They are what goes on behind a line with a level: at the window's width in the middle of a word, or in a
    mail between words, while a bracket or a quotation mark is open.
    """
    lines = text.splitlines()
    if not any(_STARTS.match(line) or _ROW.match(line) for line in lines):
        return text
    width = _width(lines)
    found: list[str] = []
    place = 0
    while place < len(lines):
        end = place + 1
        if _STARTS.match(lines[place]):
            while end < min(len(lines), place + _MOST_WRAPS) and not _begins(lines[end]):
                end += 1
        elif width and _ROW.match(lines[place]) and _goes_on(lines, place, width):
            # Blanks that fill a column are lost at the end of a line; its place is known by the width.
            lines[place : place + 2] = [f"{lines[place]:<{width}}{lines[place + 1]}"]
        line, taken = _whole(lines[place:end], width)
        found.append(line)
        place += taken
    return "\n".join(found)


def _goes_on(lines: Sequence[str], place: int, width: int) -> bool:
    """Whether the row of a check's table has its last columns on the next line."""
    after = lines[place + 1] if place + 1 < len(lines) else ""
    is_other = not after.strip() or _STARTS.match(after) or _ROW.match(after) or command(after) is not None
    return not is_other and len(lines[place]) <= width and ("|" in after or len(lines[place]) >= width - 1)


def _begins(line: str) -> bool:
    return bool(_STARTS.match(line) or _ENDS.match(line) or command(line) is not None)


def _whole(lines: Sequence[str], width: int) -> tuple[str, int]:
    """The first line with what goes on behind it, and how many lines that are."""
    # A blank at the end of a line is lost where a window is copied.
    cut_at = next((place for place, one in enumerate(lines) if len(one) not in (width, width - 1)), 0)
    if cut_at:
        parts = [f"{one} " if len(one) < width else one for one in lines[:cut_at]]
        return "".join((*parts, lines[cut_at])), cut_at + 1
    line, taken = lines[0], 1
    while taken < len(lines) and (_is_open(line) or lines[taken].lstrip().startswith("(")):
        line = f"{line.rstrip()} {lines[taken].lstrip()}"
        taken += 1
    return line, taken


def _width(lines: Sequence[str]) -> int:
    """How wide the window was; 0 if no two lines are as long as the longest, and that is no usual width."""
    sizes = Counter(map(len, lines))
    width = max(sizes)
    is_one = sizes[width] > 1 or width in _USUAL_WIDTHS
    return width if _NARROW <= width <= _WIDE and is_one else 0


def _is_open(line: str) -> bool:
    """Whether a bracket or a quotation mark of the line is not closed on it, or a list goes on."""
    is_quoted = line.replace('\\"', "").count('"') % 2 == 1
    return is_quoted or line.count("(") > line.count(")") or line.rstrip().endswith(",")
