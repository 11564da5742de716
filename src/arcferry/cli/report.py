from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli.evidence import STDIN
from arcferry.cli.options import OptionalOutOption, argument
from arcferry.cli.talk import say
from arcferry.errors import FileInputError

if TYPE_CHECKING:
    from arcferry.report.page import Written


def report(
    files: Annotated[
        list[str],
        argument(
            "FILE...",
            "What --output json of check, explain, routes plan and audit, onboard apply and status, collect, "
            "verify or watch show wrote; - for standard input.",
        ),
    ],
    *,
    out: OptionalOutOption = None,
) -> None:
    """Make one page of several results: an HTML file that needs no network, to be looked at and handed on.

    The answer in one sentence; each cause once, with the number of its servers, who can change it and the
    letter to send; the path as a picture; who reaches what; the fleet as Azure reports it; how it went over
    time; the evidence; and the day of everything it rests on. It concludes nothing that the files do not say.
    A file whose name ends with .md is Markdown, for a ticket; .csv has a row a cause, a server, an endpoint
    and a community. Without --out the page goes to standard output.

    The page opens from a USB stick, in light and dark, and prints. Needs no network.
    """
    from arcferry import files as writing
    from arcferry.report import page

    forms: dict[str, page.Form] = {".md": "markdown", ".csv": "csv"}
    form = forms.get(out.suffix.lower(), "html") if out else "html"
    text = page.written([_read(one) for one in dict.fromkeys(files)], form)
    if out is None:
        typer.echo(text, nl=False)
        return
    writing.write_whole(out, text.encode())
    say(f"Written: {out}")


def _read(file: str) -> "Written":
    """The document in a file.

    Raises:
        InputError: it cannot be read, or is nothing that a page can be made of.
    """
    import sys

    from arcferry.files import FILE_LIMIT, read_bounded
    from arcferry.report import page
    from arcferry.text import from_json

    if file == STDIN:
        name, data = "standard input", sys.stdin.buffer.read(FILE_LIMIT + 1)
        if len(data) > FILE_LIMIT:
            raise FileInputError(name, f"larger than the {FILE_LIMIT:,} bytes that are read")
    else:
        name, data = Path(file).name, read_bounded(Path(file), limit=FILE_LIMIT)
    try:
        document = from_json(data)
    except (ValueError, RecursionError) as error:
        hint = "Give what --output json of a command wrote."
        raise FileInputError(name, "not JSON", hint=hint) from error
    return page.read(document, name)
