"""The folder of letters: written beside, then given its name; and only its own is ever replaced."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from arcferry import catalog, files, rights
from arcferry.bundle.packing import staging
from arcferry.errors import FileInputError, first_problem
from arcferry.prepare.compose import as_markdown, as_text, composed, first_page
from arcferry.prepare.facts import Facts, facts_of
from arcferry.prepare.site import Site
from arcferry.prepare.words import Words, words
from arcferry.text import fill

MARK = "prepared.json"
"""The file by which a folder is known as one of these."""

_LIMIT = 256 * 1024
_NEXT = "Name another folder with --out, or move what you put there."


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a folder was prepared for.

    Attributes:
        files: every other file of it, with its SHA-256, so that what people wrote there is not lost.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    schema: Literal[1]
    kind: Literal["arcferry-prepare"]
    made: date
    cloud: str
    location: str
    subscription: str
    resource_group: str
    files: Annotated[Mapping[str, str], Field(max_length=1000)]


_PREPARED: TypeAdapter[Prepared] = TypeAdapter(Prepared)


def prepare(site: Site, out: Path, languages: Sequence[str], today: date) -> tuple[str, ...]:
    """Write the letters and roles for a site into a folder, whole or not at all; their names, in order.

    A folder that this wrote before, and nobody changed since, is replaced.

    Raises:
        FileInputError: `out` is something else, was changed since, or cannot be written.
        InputError: as for `facts_of`.
    """
    facts = facts_of(site, today)
    content = {name: data for language in languages for name, data in _letters(words(language), facts)}
    for task in rights.rights().task:
        for file in rights.role_files(task, site.place):
            content[f"roles/{file.name}"] = file.text.encode()
    out = out.absolute()
    _refuse_foreign(out)
    with staging(out) as workshop:
        folder = workshop / "prepared"
        folder.mkdir(mode=0o755)
        for name, data in content.items():
            (folder / name).parent.mkdir(exist_ok=True)
            files.write_whole(folder / name, data)
        files.write_whole(folder / MARK, _mark(site, content, today))
        _take_place(folder, out, workshop / "before")
    return (*content, MARK)


def site_of(prepared: Prepared) -> Site:
    """The site that a folder was prepared for, as far as it is kept.

    Raises:
        UnknownNameError: this arcferry knows no such cloud.
    """
    cloud = catalog.cloud(prepared.cloud)
    region = catalog.region(prepared.location, cloud, unlisted=True)
    return Site(cloud, region, subscription=prepared.subscription, group=prepared.resource_group)


def read_prepared(folder: Path) -> Prepared:
    """What a folder was prepared for.

    Raises:
        FileInputError: it is none of these folders.
    """
    path = folder / MARK
    if not path.is_file():
        hint = f"It holds no {MARK}. arcferry prepare --out DIR makes one."
        raise FileInputError(folder, "is no folder that arcferry prepare wrote", hint=hint)
    try:
        return _PREPARED.validate_json(files.read_bounded(path, limit=_LIMIT))
    except ValidationError as error:
        raise FileInputError(path, first_problem(error)) from error


def _letters(said: Words, facts: Facts) -> Iterator[tuple[str, bytes]]:
    """Each letter twice, and the page that lists them."""
    suffix = "" if said.language == "en" else f".{said.language}"
    listed = []
    for number, letter in enumerate(said.letters, 1):
        stem, title = f"{number}-{letter.slug}{suffix}", fill(letter.title, facts.values)
        listed.append((f"{stem}.md", title))
        chapters = composed(letter, said, facts)
        yield f"{stem}.md", as_markdown(title, chapters, said.labels).encode()
        yield f"{stem}.txt", as_text(title, chapters, said)
    title, chapters = fill(said.title, facts.values), first_page(said, facts, listed)
    yield f"README{suffix}.md", as_markdown(title, chapters, said.labels).encode()
    yield f"README{suffix}.txt", as_text(title, chapters, said)


def _mark(site: Site, content: Mapping[str, bytes], today: date) -> bytes:
    document = {
        "schema": 1,
        "kind": "arcferry-prepare",
        "made": today.isoformat(),
        "cloud": site.cloud.name,
        "location": site.region.name,
        "subscription": site.subscription,
        "resource_group": site.group,
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(content.items())},
    }
    return f"{json.dumps(document, indent=2)}\n".encode()


def _refuse_foreign(out: Path) -> None:
    """Let only a folder pass that is not there, or is as this wrote it."""
    if not out.exists() and not out.is_symlink():
        return
    if out.is_symlink() or not out.is_dir():
        raise FileInputError(out, "is no folder", hint=_NEXT)
    known = read_prepared(out).files
    with files.naming(out):
        found = [path for path in sorted(out.rglob("*")) if path.is_symlink() or not path.is_dir()]
    for path in found:
        name = path.relative_to(out).as_posix()
        if name == MARK:
            continue
        if name not in known or path.is_symlink():
            raise FileInputError(path, "is not of arcferry prepare, and would be lost", hint=_NEXT)
        with files.naming(path):
            same = hashlib.sha256(path.read_bytes()).hexdigest() == known[name]
        if not same:
            raise FileInputError(path, "was changed since it was written, and would be lost", hint=_NEXT)


def _take_place(folder: Path, out: Path, aside: Path) -> None:
    _refuse_foreign(out)
    if out.exists():
        out.rename(aside)
    try:
        files.give_name(folder, out)
    except OSError:
        if aside.exists():
            aside.rename(out)
        raise
