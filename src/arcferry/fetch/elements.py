from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat

_LONGEST_WORDS = 64 * 1024


@dataclass(slots=True)
class Element:
    """An XML element with the first child of each name, and no deeper."""

    attributes: dict[str, str]
    words: str = ""
    children: dict[str, "Element"] = field(default_factory=dict)

    def child(self, name: str) -> "Element":
        """The child of this name.

        Raises:
            KeyError: there is none.
        """
        return self.children[name]

    def text(self, name: str) -> str:
        """A child's words.

        Raises:
            KeyError: there is none.
        """
        return self.children[name].words.strip()


def elements(
    data: bytes, namespace: str, name: str, keep: Callable[[Element], bool] = lambda _: True
) -> list[Element]:
    """Every element of this name that `keep` wants, in the order of the document.

    Raises:
        ValueError: no XML, or it declares entities, which no list of packages does.
    """
    reading = _Reading(f"{namespace} {name}", keep)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.words
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ValueError(f"no valid XML: {error}") from None
    return reading.found


def _refuse(*_: object) -> NoReturn:
    raise ValueError("it declares an entity")


class _Reading:
    def __init__(self, wanted: str, keep: Callable[[Element], bool]) -> None:
        self.found: list[Element] = []
        self._wanted = wanted
        self._keep = keep
        self._path: list[Element | None] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """The wanted element and its children are kept; what lies around and beneath is passed over."""
        parent = self._path[-1] if self._path else None
        inside = any(self._path)
        new = None
        if name == self._wanted and not inside:
            new = Element(attributes)
        elif parent is not None and self._is_outer(parent):
            new = Element(attributes)
            parent.children.setdefault(name.rpartition(" ")[2], new)
        self._path.append(new)

    def words(self, text: str) -> None:
        at = self._path[-1] if self._path else None
        if at is not None and len(at.words) < _LONGEST_WORDS:
            at.words += text

    def end(self, _: str) -> None:
        done = self._path.pop()
        if done is not None and not any(self._path) and self._keep(done):
            self.found.append(done)

    def _is_outer(self, element: Element) -> bool:
        """Whether this is the wanted element itself, and not one of its children."""
        return next(one for one in self._path if one) is element
