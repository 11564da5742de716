"""What a command judges by: the files it was given, and what is held of the kinds that they lack."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from arcferry.errors import ArcferryError, FileInputError, InputError, UnknownNameError
from arcferry.files import data_folder

if TYPE_CHECKING:
    from arcferry.bundle import Bundle
    from arcferry.catalog import Cloud
    from arcferry.evidence.case import Document

STDIN = "-"
_STREAMED = 8 * 1024 * 1024
KNOWN_KINDS = (
    "Known are: output of azcmagent check, connect, show and logs (the zip too), azcmagent.log, himds.log, "
    "installation logs, onboarding scripts and PowerShell errors, failed downloads, nslookup, dig, "
    "Resolve-DnsName, Test-NetConnection, curl -v, openssl s_client, what arcferry evidence script wrote, "
    "objects of Azure (roles, providers, subscriptions), arcferry check and watch, routes of "
    "routers and of Azure, circuits, route filters, service tags, lists of BGP communities."
)


def evidence_and_held(
    files: Sequence[Path], cloud: "Cloud", *, whole: bool = False, all_recognised: bool = True
) -> "tuple[tuple[Document, ...], tuple[Document, ...]]":
    """The documents of these files, and what is held of other kinds; what is odd in them is told on stderr.

    Args:
        files: those of the command line.
        cloud: whose data are held.
        whole: leave out filters, tags, lists … that another command's output has an excerpt of, because this
            command is about other addresses too.
        all_recognised: refuse a file that nothing recognises; else it is told of, and left out.

    Raises:
        InputError: a file is not recognised, or something is wrong in it; every such file is named.
    """
    read = read_files([str(path) for path in files], all_recognised=all_recognised)
    if read:
        tell_unrecognised(read)
    found = tuple(one for one in read if one.excerpt is None or not whole)
    held = held_beside(found, cloud)
    warn((*found, *held))
    return found, held


def read_files(files: Sequence[str], *, all_recognised: bool = True) -> "list[Document]":
    """Everything the files say, `-` being standard input.

    Raises:
        InputError: files cannot be used; every one is named, not only the first. One that nothing recognises
            is among them, unless `all_recognised` is False.
    """
    names = list(dict.fromkeys(files))
    alike = Counter(Path(one).name for one in names)
    found: list[Document] = []
    problems: list[InputError] = []
    for one in names:
        name = "standard input" if one == STDIN else one if alike[Path(one).name] > 1 else Path(one).name
        try:
            found += _recognised(one, name) if all_recognised else _read(one, name)
        except UnknownNameError:
            raise
        except InputError as problem:
            problems.append(problem)
    if problems:
        hint = problems[0].hint if len(problems) == 1 else ""
        raise InputError("\n".join(problem.message for problem in problems), hint=hint)
    return found


def tell_unrecognised(found: "Sequence[Document]") -> None:
    """Tell on stderr what was handed in and not understood, be it a whole file or a part of one.

    Raises:
        InputError: nothing was understood.
    """
    unread = [one for one in found if one.kind == "unrecognised"]
    names = ", ".join(one.name for one in unread[:5]) + (" and others" if unread[5:] else "")
    if len(unread) == len(found):
        like = "".join(f"\n{one.name}: {note}" for one in unread[:5] for note in one.notes)
        raise InputError(f"nothing in {names} is recognised{like}", hint=KNOWN_KINDS)
    if unread:
        typer.echo(f"warning: {names}: not recognised, so it is left out. {KNOWN_KINDS}", err=True)


def held_beside(
    given: "Sequence[Document]", cloud: "Cloud", bundle: "Bundle | None" = None
) -> "tuple[Document, ...]":
    """What `arcferry data` holds of the kinds that were not handed in.

    What a bundle that was opened brings counts as held too; of one kind the newest leads.
    """
    folder = data_folder()
    if bundle is None and not folder.is_dir():  # without importing what reads it: check is to start fast
        return ()
    from arcferry.data.store import Store, documents

    store = Store(folder)
    if bundle is not None:
        from arcferry.data.bundled import Beside, documents_in

        try:
            store = Beside(folder, documents_in(bundle))
        except ArcferryError as error:  # the run is over, and its findings are worth having without them
            typer.echo(f"warning: the documents of the bundle are left out: {error.message}", err=True)
    return documents(store, cloud, besides={one.kind for one in given if one.excerpt is None})


def warn(documents: "Sequence[Document]") -> None:
    """Tell on stderr what was odd in each document."""
    for one in documents:
        for note in one.notes:
            typer.echo(f"warning: {one.name}: {note}", err=True)


def _recognised(file: str, name: str) -> "tuple[Document, ...]":
    documents = _read(file, name)
    if all(one.kind == "unrecognised" for one in documents):
        like = "; ".join(note for one in documents for note in one.notes)
        raise FileInputError(name, f"not recognised{f': {like}' if like else ''}", hint=KNOWN_KINDS)
    return documents


def _read(file: str, name: str) -> "tuple[Document, ...]":
    from arcferry.evidence.readers.guard import guarded
    from arcferry.evidence.reading import read_document, read_path
    from arcferry.files import FILE_LIMIT

    path = Path(file)
    if file == STDIN:
        data = sys.stdin.buffer.read(FILE_LIMIT + 1)
        if len(data) > FILE_LIMIT:
            raise FileInputError(name, f"larger than the {FILE_LIMIT:,} bytes that are read")
        return read_document(name, data)
    size = 0
    with suppress(OSError):  # told by `read_path`
        size = path.stat().st_size
    if size > _STREAMED and (routes := guarded(name, lambda: _routes(path, name), size=size)):
        return routes
    return read_path(path, name)


def _routes(path: Path, name: str) -> "tuple[Document, ...]":
    """The routes of a dump that is too large to be held; nothing where the file is no such dump."""
    from arcferry.evidence.readers import routes

    with _progress(path) as step:
        return routes.read_dump(path, name, progress=step)


@contextmanager
def _progress(path: Path) -> Iterator[Callable[[int], None] | None]:
    """A line on a terminal's stderr that counts; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from arcferry.report import console

    with console.stderr().status(f"Reading {path.name}") as status:
        yield lambda count: status.update(f"Reading {path.name}: {count:,}")


def adopt_held() -> None:
    """Use a held endpoint catalogue that is newer than the built-in one; says so where it cannot be used."""
    folder = data_folder()
    if not (folder / "endpoints").is_dir():
        return
    from arcferry.data.store import Store
    from arcferry.data.store import adopt_held as adopt

    try:
        adopt(Store(folder))
    except InputError as error:
        typer.echo(f"warning: the built-in endpoint catalogue is used: {error.message}", err=True)
        typer.echo(f"hint: {error.hint}", err=True)
