"""Every command line that arcferry prints for people to copy is put together here, and nowhere else.

The text of a command is arcferry's own. What comes from elsewhere (a file, a host, an option) enters as a
`Word`, which holds a value of its type or a placeholder in capitals, and reads the same in sh, PowerShell and
cmd: bare, or in double quotes where it holds a bracket, a parenthesis or a space. No type lets a quote, `$`,
a backtick, `%` or a backslash through.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from arcferry import typed

_FIELD = re.compile(r"\{([a-z_]+)\}")
_BARE = re.compile(r"[\w./:@=+-]+")
_WHOLE = re.compile(r"[\w./:@=+ ()\[\]-]+")


class Does(StrEnum):
    """What a command that is printed does: whether it may be run without asking anybody.

    One that writes a file with what it read still only reads.
    """

    READS = "reads"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True)
class Word:
    """A value that may stand in a command line; made by the functions below alone."""

    text: str

    def __post_init__(self) -> None:
        """A word that could be more than one, or could be an option, is a fault of this program."""
        if not _WHOLE.fullmatch(self.text) or self.text.startswith("-"):
            raise ValueError("not a word of a command line")

    def __str__(self) -> str:
        """As it stands in a line."""
        return self.text if _BARE.fullmatch(self.text) else f'"{self.text}"'


def line(template: str, **words: Word | Sequence[Word]) -> str:
    """A command line: `template` with each `{name}` that `words` has put in.

    Args:
        template: text of this program, never of a document; other braces stay as they are.
        words: the values; several stand one after another.

    Raises:
        ValueError: a field has no word, or a word no field.
    """
    fields = set(_FIELD.findall(template))
    if fields != set(words):
        raise ValueError(f"fields {sorted(fields)}, words {sorted(words)}")
    return _FIELD.sub(lambda found: _joined(words[found[1]]), template)


def _joined(words: Word | Sequence[Word]) -> str:
    return str(words) if isinstance(words, Word) else " ".join(map(str, words))


@dataclass(frozen=True, slots=True)
class _Type:
    """Makes words of one type; in place of what is none of it stands what the caller says, or `otherwise`."""

    read: Callable[[object], str]
    otherwise: str = ""

    def __call__(self, value: object, otherwise: str = "") -> Word:
        return Word(self.read(value) or otherwise or self.otherwise)


host = _Type(typed.host, "HOST")
address = _Type(typed.address, "ADDRESS")
group = _Type(typed.resource_group, "RESOURCE-GROUP")
location = _Type(typed.location, "LOCATION")
community = _Type(typed.community, "12076:510NN")
# Of these there are several in one line, so that each caller says what is missing.
guid = _Type(typed.guid)
resource = _Type(typed.resource)
resource_id = _Type(typed.resource_id)
word = _Type(typed.word)


def server(value: object, otherwise: str = "RESOLVER") -> Word:
    """A DNS server by address or name, without its port; of several the first."""
    name, _ = typed.split_port(value.partition(", ")[0]) if isinstance(value, str) else ("", 0)
    return Word(typed.server(name) or otherwise)


def port(value: int) -> Word:
    """A port."""
    return Word(str(value) if 0 < value <= typed.LAST_PORT else "PORT")


def proxy(value: object) -> Word:
    """A proxy's URL."""
    found = typed.proxy(value)
    return Word(found if found and found != typed.PROXY_IS_NONE else "http://PROXY:PORT")


def communities(values: Iterable[object]) -> tuple[Word, ...]:
    """BGP communities, one after another."""
    return tuple(map(community, values))
