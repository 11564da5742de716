"""Tags for machines in Azure, as users write them."""

import re
from collections.abc import Iterable, Iterator

from arcferry.redaction import redact, words
from arcferry.text import clean, quoted

_MOST = 50
_LONGEST_NAME, _LONGEST_VALUE = 512, 256
_FORBIDDEN = re.compile(r"[<>%&\\?/]")

_IN_QUOTES = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_PART = re.compile(
    rf"\s*(?:(?P<held_name>{_IN_QUOTES})\s*(?=[=,;]|\Z)|(?P<name>[^=,;]*))"
    rf"(?:(?P<equals>=)\s*(?:(?P<held_value>{_IN_QUOTES})\s*(?=[,;]|\Z)|(?P<value>[^,;]*)))?"
    r"(?P<separator>[,;]|\Z)",
    re.DOTALL,
)
_PLAIN = re.compile(r"[\w.:/@+-]+")
_ANOTHER = re.compile(r"(?P<between>[\s|])(?P<word>[\w.-]{1,80}=)")
_SEPARATORS = {",": "comma", ";": "semicolon"}


def parse_tags(texts: Iterable[str]) -> dict[str, str]:
    """Tags from texts that each hold `key=value` once or more, with commas or with semicolons between.

    Quotes, single or double, hold a name or a value together, as in the agent's own `--tags`; a backslash
    before a quote or a backslash takes it as it is.

    Raises:
        ValueError: not written so, a name is given twice, or the text can be read in two ways.
    """
    tags: dict[str, str] = {}
    for text in texts:
        for name, value in _pairs(text):
            if name in tags:
                raise ValueError(f"tag {_shown(name)} is given twice")
            tags[name] = value
    return tags


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    parts = list(_parts(text))
    used = {part["separator"] for part in parts} - {""}
    if len(used) > 1:
        raise ValueError(
            f"tags {_shown(text)} have a comma and a semicolon: put one of them between tags, and a value "
            "that holds one in quotes"
        )
    written = [part for part in parts if part[0].strip(" \t\r\n,;")]
    for part in written:
        name = _held(part["held_name"]) if part["held_name"] else part["name"].strip()
        if not part["equals"] and len(written) > 1:
            mark = _SEPARATORS[next(iter(used))]
            raise ValueError(
                f"tags {_shown(text)} can be read in two ways: {quoted(name)} lacks its =value, or the "
                f"{mark} belongs to a value, which then stands in quotes: key='a, b'"
            )
        if not part["equals"] or not name:
            raise ValueError(f"tag {_shown(part[0].strip())} is not written as key=value")
        yield name, _held(part["held_value"]) if part["held_value"] else _value(text, part["value"])


def _parts(text: str) -> Iterator[re.Match[str]]:
    place = 0
    while part := _PART.match(text, place):
        yield part
        if not part["separator"]:
            break
        place = part.end()


def _value(text: str, raw: str) -> str:
    value = raw.strip()
    second = _ANOTHER.search(value)
    if second:
        between = "blank" if second["between"].isspace() else second["between"]
        raise ValueError(
            f"tags {_shown(text)} can be read in two ways: {_shown(value[second.start('word') :])} is a "
            f"tag of its own after a {between}, and then needs a comma, or the value stands in quotes: "
            "key='a b=c'"
        )
    return value


def _held(piece: str) -> str:
    """What stands in quotes, without them."""
    return re.sub(r"\\([\\'\"])", r"\1", piece[1:-1])


def check_tags(tags: dict[str, str]) -> dict[str, str]:
    """The same tags, where Azure Resource Manager takes them.

    Source: Microsoft's "Use tags to organize your Azure resources", limitations.

    Raises:
        ValueError: too many, too long, with letters that it refuses, or with a secret; that is not repeated.
    """
    if len(tags) > _MOST:
        raise ValueError(f"{len(tags)} tags; ARM takes {_MOST}")
    for name, value in tags.items():
        if not name or len(name) > _LONGEST_NAME or _FORBIDDEN.search(name):
            raise ValueError(f"tag name {quoted(name, limit=60)} is not one that ARM accepts")
        if len(value) > _LONGEST_VALUE:
            raise ValueError(f"tag {quoted(name)} has a value of {len(value)} characters; ARM takes 256")
        if value and _is_secret(name, value):
            raise ValueError(
                f"tag {_shown(name)} seems to hold a secret, and everybody who may read the machine in Azure "
                "reads its tags"
            )
        if clean(value) != value or "\n" in value or clean(name) != name:
            raise ValueError(f"tag {quoted(name)} has control characters in it")
    if len({name.lower() for name in tags}) < len(tags):
        raise ValueError("two tag names differ only in case")
    return tags


def _is_secret(name: str, value: str) -> bool:
    return words.names_secret(name) or redact(value) != value


def _shown(text: str) -> str:
    """The text for a message, which is kept and sent on."""
    return quoted(redact(text))


def tags_text(tags: dict[str, str]) -> str:
    """Tags as the agent reads them: `k=v,k2='v 2'`, with a backslash before a quote (1.50 and newer)."""
    return ",".join(f"{_quoted(key)}={_quoted(text)}" for key, text in tags.items())


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
