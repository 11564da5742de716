"""What to do about one answer of Azure's: the way out that the causes have, for whoever got the answer."""

from arcferry import catalog
from arcferry.diagnosis.finding import Finding
from arcferry.diagnosis.judge import judge
from arcferry.evidence.case import CodeSeen, Document, Kind
from arcferry.language import ENGLISH, speaking
from arcferry.probe.observation import Attempt, Failure, Stage

_ORIGIN = "Azure"


def way_out(code: str, says: str = "") -> str:
    """The way out for a code of Entra's or Resource Manager's; empty where no cause has one.

    Args:
        code: such as `AADSTS53003` or `RequestDisallowedByPolicy`.
        says: the words beside it.
    """
    found = _finding(Document(_ORIGIN, Kind.AZURE_ERROR, codes=(CodeSeen(code, says, _ORIGIN),)))
    known = catalog.known_code(code)
    if found is None or (known is None and not code.startswith("AADSTS")):
        return ""
    if known is None:
        return found.remedy.summary
    more = f"arcferry explain {known.cause} has the letter to who can change it." if known.cause else ""
    return " ".join(filter(None, (known.meaning, known.remedy or found.remedy.summary, more)))


def way_out_of_page(host: str) -> str:
    """The way out where somebody's page answered in the place of this host of Azure's."""
    failure = Failure(Stage.HTTP, "captive-page", "a page of somebody else's")
    seen = Attempt(host, _ORIGIN, reachable=False, failure=failure)
    found = _finding(Document(_ORIGIN, Kind.ARCFERRY_CHECK, attempts=(seen,)))
    return found.remedy.summary if found else ""


def _finding(document: Document) -> Finding | None:
    # It becomes the hint of an error, which runs remember and JSON has: English, as the error's own words.
    with speaking(ENGLISH):
        return next(iter(judge((document,)).findings), None)
