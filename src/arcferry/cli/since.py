"""What changed since a time when all was well, beside what is found now."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from arcferry.cli.options import option
from arcferry.cli.talk import say
from arcferry.errors import FileInputError, InputError

if TYPE_CHECKING:
    from arcferry.diagnosis import Diagnosis
    from arcferry.diagnosis.since import Comparison

SinceOption = Annotated[
    Path | None,
    option(
        "--since FILE",
        "Tell in each finding what changed since this: an earlier result of arcferry check --output json, or "
        "any file that explain reads.",
    ),
]


def since_file(diagnosis: "Diagnosis", path: Path) -> "Diagnosis":
    """The same with what changed since a file that was named.

    Raises:
        InputError: it cannot be compared with what there is now.
    """
    from arcferry.diagnosis.since import since

    return since(diagnosis, compared_with(diagnosis, path))


def compared_with(diagnosis: "Diagnosis", path: Path) -> "Comparison":
    """What is found now beside a file that was named.

    Raises:
        InputError: it cannot be compared with what there is now.
    """
    from arcferry.cli.evidence import read_files
    from arcferry.diagnosis.since import compare
    from arcferry.evidence.case import Case

    try:
        return compare(Case.of(read_files([str(path)])), diagnosis.case)
    except FileInputError:
        raise
    except InputError as error:
        raise FileInputError(
            path, f"cannot be compared with what there is now: {error.message}", hint=error.hint
        ) from None


def since_kept(diagnosis: "Diagnosis", path: Path, *, well: bool) -> "Diagnosis":
    """The same with what changed since the baseline that is kept there; as it is where there is none.

    Args:
        diagnosis: what is found now.
        path: the baseline.
        well: whether all is well now, so that this is the next baseline.
    """
    from arcferry.diagnosis.since import compare, since
    from arcferry.watch import baseline

    case = diagnosis.case
    try:
        if diagnosis.findings and path.is_file():
            diagnosis = since(diagnosis, compare(baseline.read(path), case))
    except InputError as error:
        say(f"note: what changed since all was well is not known: {error.message}")
        say(f"hint: {path} is written anew once all is well; or remove it.")
    try:
        if well:
            baseline.keep(path, case)
    except FileInputError as error:
        say(f"note: that all is well now is not remembered: {error.message}")
    return diagnosis
