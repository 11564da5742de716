from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli.evidence import STDIN
from arcferry.cli.options import OptionalOutOption, StateOption, argument
from arcferry.cli.talk import say
from arcferry.errors import FileInputError

if TYPE_CHECKING:
    from arcferry.report.page import Written


def report(
    results: Annotated[
        list[str],
        argument(
            "RESULT...",
            "A file that --output json of check, explain, routes plan and audit, onboard apply and status, "
            "collect, verify or watch show wrote; - for standard input; or a run, as arcferry onboard status "
            "names it.",
        ),
    ],
    *,
    out: OptionalOutOption = None,
    state: StateOption = None,
) -> None:
    """Make one page of several results: an HTML file that needs no network, to be looked at and handed on.

    The answer in one sentence; each cause once, with the number of its servers, who can change it and the
    letter to send; the path as a picture; who reaches what; the fleet as Azure reports it; how it went over
    time; the evidence; and the day of everything it rests on. It concludes nothing that the files do not say.
    A file whose name ends with .md is Markdown, for a ticket; .csv has a row a cause, a server, an endpoint
    and a community. Without --out the page goes to standard output.

    Findings are in your language, also those of a file that has them in English: what it was judged by stands
    in it. Of a run the page has what its journal tells, also while it is at work.

    The page opens from a USB stick, in light and dark, and prints. Needs no network.
    """
    from arcferry import files as writing
    from arcferry.language import ENGLISH, speaking, spoken
    from arcferry.report import page

    forms: dict[str, page.Form] = {".md": "markdown", ".csv": "csv"}
    form = forms.get(out.suffix.lower(), "html") if out else "html"
    with speaking(ENGLISH if form == "csv" else spoken()):  # as every CSV
        text = page.written([_read(one, state) for one in dict.fromkeys(results)], form)
    if out is None:
        typer.echo(text, nl=False)
        return
    writing.write_whole(out, text.encode())
    say(f"Written: {out}")


def _read(result: str, state: Path | None) -> "Written":
    """The document in a file, or that of a run.

    Raises:
        InputError: it cannot be read, or is nothing that a page can be made of.
    """
    from arcferry.files import state_folder
    from arcferry.report import page
    from arcferry.report.page.translated import translated
    from arcferry.report.runs import with_steps

    if result != STDIN and not Path(result).exists():
        if run := with_steps(state or state_folder(), result):
            return page.read(run, result)
        hint = "The runs that are remembered: arcferry onboard status."
        raise FileInputError(result, "neither a file nor a run that is remembered", hint=hint)
    document, name = _of_file(result)
    if isinstance(document, dict):
        document, left = translated(document, name)
        if left:
            finds = "1 finding stays" if left == 1 else f"{left} findings stay"
            say(f"note: {name}: {finds} in English, since it does not hold all that they were judged by")
    return page.read(document, name)


def _of_file(file: str) -> tuple[object, str]:
    """The JSON in a file, and how the file is called.

    Raises:
        FileInputError: it cannot be read, or is no JSON.
    """
    import sys

    from arcferry.files import FILE_LIMIT, read_bounded
    from arcferry.text import from_json

    if file == STDIN:
        name, data = "standard input", sys.stdin.buffer.read(FILE_LIMIT + 1)
        if len(data) > FILE_LIMIT:
            raise FileInputError(name, f"larger than the {FILE_LIMIT:,} bytes that are read")
    else:
        name, data = Path(file).name, read_bounded(Path(file), limit=FILE_LIMIT)
    try:
        return from_json(data), name
    except (ValueError, RecursionError) as error:
        hint = "Give what --output json of a command wrote."
        raise FileInputError(name, "not JSON", hint=hint) from error
