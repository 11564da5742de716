"""A window as instants: servers know no zones, and a bundle is used for some months."""

from datetime import datetime

from arcferry.bundle.manifest import Manifest
from arcferry.fleet.window import Window
from arcferry.text import quoted
from arcferry.times import to_text

# They stand in what every server reads.
_MOST = 1000


def openings(window: Window | None, manifest: Manifest) -> str:
    """From when until when it is open while the bundle may be used: FROM/UNTIL with blanks between.

    Empty for any time.

    Raises:
        ValueError: it opens too often.
    """
    found: list[tuple[datetime, datetime]] = []
    moment = manifest.created
    while window is not None and moment < manifest.expires:
        opens = window.opens(moment)
        closes = window.closes(opens)
        if closes is None or opens >= manifest.expires:
            break
        if len(found) == _MOST:
            raise ValueError(f"{quoted(window.text)} opens more than {_MOST} times before the bundle expires")
        found.append((opens, closes))
        moment = closes
    return " ".join(f"{to_text(opens)}/{to_text(closes)}" for opens, closes in found)
