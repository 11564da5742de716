"""Whether a change that was asked for has come about."""

from dataclasses import dataclass
from enum import StrEnum

from arcferry.diagnosis.causes import CAUSES
from arcferry.diagnosis.finding import Diagnosis, Severity
from arcferry.errors import UnknownNameError


class Met(StrEnum):
    """Done, not yet, or something else hinders now."""

    DONE = "done"
    NOT_YET = "not yet"
    SOMETHING_ELSE = "something else"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What became of one cause.

    Attributes:
        says: in one line, with what hinders now.
    """

    cause: str
    met: Met
    says: str

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to be done for it."""
        return self.met is Met.DONE


def cause_named(name: str) -> str:
    """The slug of a cause.

    Raises:
        UnknownNameError: there is no such cause.
    """
    slug = name.strip().lower()
    if slug not in CAUSES:
        raise UnknownNameError("cause", name, CAUSES)
    return slug


def expected(slug: str, diagnosis: Diagnosis, *, failed: int) -> Expectation:
    """Whether what a cause told has been mended.

    Args:
        slug: the finding's cause, for which a change was asked.
        diagnosis: what is concluded now.
        failed: required endpoints that are not reached now.
    """
    if left := [one for one in diagnosis.findings if one.cause == slug]:
        return Expectation(slug, Met.NOT_YET, f"{slug} is still there: {left[0].title}")
    others = [one for one in diagnosis.findings if one.severity is Severity.ERROR]
    if others:
        return Expectation(
            slug, Met.SOMETHING_ELSE, f"{slug} is gone; now it is {others[0].cause}: {others[0].title}"
        )
    if failed:
        endpoints = "endpoint" if failed == 1 else "endpoints"
        count = f"{failed} required {endpoints}"
        return Expectation(
            slug, Met.SOMETHING_ELSE, f"{slug} is gone; {count} cannot be reached all the same"
        )
    return Expectation(slug, Met.DONE, f"{slug} is gone, and every required endpoint is reached")
