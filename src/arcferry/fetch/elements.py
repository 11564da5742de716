from collections.abc import Callable
from xml.etree import ElementTree as ET


def elements(
    data: bytes,
    namespace: str,
    name: str,
    keep: Callable[[ET.Element], bool] = lambda _: True,
) -> list[ET.Element]:
    """Every element of this name that `keep` wants, in the order of the document; the others are let go.

    Raises:
        ValueError: no XML, or it declares entities, which no list of packages does.
    """
    builder = _Builder(f"{{{namespace}}}{name}", keep)
    # What is read here was signed, and a declaration of entities, by which XML can grow, is refused.
    parser = ET.XMLParser(target=builder)  # noqa: S314 - as above
    try:
        parser.feed(data)
        parser.close()
    except ET.ParseError as error:
        raise ValueError(f"no valid XML: {error}") from None
    return builder.found


def child(element: ET.Element, name: str) -> ET.Element:
    """The first child of this name, in whatever namespace.

    Raises:
        KeyError: there is none.
    """
    found = element.find(f"{{*}}{name}")
    if found is None:
        raise KeyError(name)
    return found


def text(element: ET.Element, name: str) -> str:
    """A child's text.

    Raises:
        KeyError: there is no such child.
    """
    return (child(element, name).text or "").strip()


class _Builder(ET.TreeBuilder):
    """Lets go of each element as it ends: a list of all packages as one tree would take a gigabyte."""

    def __init__(self, wanted: str, keep: Callable[[ET.Element], bool]) -> None:
        super().__init__()
        self.found: list[ET.Element] = []
        self._wanted = wanted
        self._keep = keep
        self._depth = 0

    def start(self, tag: str, attrs: dict[str, str]) -> ET.Element:
        self._depth += tag == self._wanted
        return super().start(tag, attrs)

    def end(self, tag: str) -> ET.Element:
        element = super().end(tag)
        if tag == self._wanted:
            self._depth -= 1
            if self._depth:
                return element
            if self._keep(element):
                self.found.append(element)
            else:
                element.clear()
        return element

    def doctype(self, *_: str | None) -> None:
        raise ValueError("it declares a document type, with which entities come")
