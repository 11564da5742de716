import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli.evidence import STDIN, held_beside, read_files, tell_unrecognised, warn
from arcferry.cli.options import CheckOutputOption, argument
from arcferry.cli.output import CheckOutput, show
from arcferry.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arcferry.catalog import Cloud, Code
    from arcferry.diagnosis import Diagnosis
    from arcferry.diagnosis.pages import Page
    from arcferry.evidence.case import Document

_CODE_LIKE = re.compile(r"(?:azcm|aadsts|msi(?:exec)?)[ -]?\d+|msi error \d+|\d{1,5}", re.IGNORECASE)
_SEVERAL_WORDS = re.compile(r"msi(?:exec| error) \d{1,5}", re.IGNORECASE)


def explain(
    subjects: Annotated[
        list[str],
        argument(
            "FILE|CODE|CAUSE...",
            "Files of any kind, - for standard input; or codes (AZCM0026, 'msiexec 1603', "
            "AADSTS7000215, AuthorizationFailed); or causes (route/community-not-in-filter).",
        ),
    ],
    output: CheckOutputOption = "table",
) -> None:
    """Tell why an endpoint cannot be reached, who can change it, and what to ask for.

    Hand in whatever there is: output of azcmagent (check, connect, show), its logs or the zip of them, an
    installation log, a failed download, the result of arcferry check, output of nslookup or curl -v, a
    router's routes, the circuit, its route filter, Azure's service tags, a list of BGP communities.
    Each file is recognised by its content, in any language, and what it was taken for is printed. Credentials
    are taken out before anything is read. The more there is, the more is decided; where it does not decide,
    the finding says which evidence would. Needs no network.

    Exit code 0 without errors among the findings, 1 with one, 2 where a file cannot be used or nothing in it
    was understood.
    """
    files, names = _sorted_out(subjects)
    if files and names:
        raise InputError(
            f"{names[0]} is no file, and files were given too", hint="Explain names and files separately."
        )
    if names:
        _print_pages([page for name in names for page in _pages(name)], output)
        return
    from arcferry.diagnosis import judge

    diagnosis = judge(*_evidence_and_held(files))
    _print(diagnosis, output)
    if diagnosis.has_errors:
        raise typer.Exit(1)
    if diagnosis.outcome == "not-understood":
        raise typer.Exit(2)


def _sorted_out(subjects: "Sequence[str]") -> tuple[list[str], list[str]]:
    """What is a file, and what the name of a code or a cause; a file where it could be both."""
    together = " ".join(subjects)
    if _SEVERAL_WORDS.fullmatch(together):
        return [], [together]
    files = [one for one in subjects if one == STDIN or _is_there(one) or not _is_name(one)]
    return files, [one for one in subjects if one not in files]


def _is_there(subject: str) -> bool:
    try:
        return Path(subject).exists()
    except (OSError, ValueError):
        return False


def _is_name(subject: str) -> bool:
    """Whether this is, or nearly is, a code or a cause."""
    from difflib import get_close_matches

    from arcferry import catalog
    from arcferry.diagnosis.causes import CAUSES

    return bool(
        _CODE_LIKE.fullmatch(subject.strip())
        or catalog.known_code(subject)
        or get_close_matches(subject.lower(), CAUSES, cutoff=0.7)
    )


def _pages(name: str) -> "list[Code | Page]":
    """The page of a cause or a code; a code that no process ends with is told with its cause."""
    from arcferry import catalog
    from arcferry.diagnosis import pages

    if not (_CODE_LIKE.fullmatch(name.strip()) or catalog.known_code(name)):
        return [pages.page(name)]
    code = catalog.code(name)
    return [code] if code.exit_code is not None or not code.cause else [code, pages.page(code.cause)]


def _evidence_and_held(files: "Sequence[str]") -> "tuple[list[Document], Sequence[Document]]":
    """What the files say, and what is held of the kinds that they lack if they speak of endpoints."""
    found = read_files(files, all_recognised=False)
    tell_unrecognised(found)
    speaks_of_endpoints = any(one.attempts or one.answers for one in found)
    held = held_beside(found, _cloud_of(found)) if speaks_of_endpoints else ()
    warn((*found, *held))
    return found, held


def _cloud_of(documents: "Sequence[Document]") -> "Cloud":
    """The cloud of the endpoints that the documents speak of; the public one where they speak of several."""
    from arcferry import catalog

    hosts = [seen.host for one in documents for seen in one.attempts]
    hosts += [answer.host for one in documents for answer in one.answers]
    clouds = [cloud for host in hosts if (cloud := catalog.cloud_of(host))]
    public = catalog.clouds()[0]
    return clouds[0] if clouds and all(cloud == clouds[0] for cloud in clouds) else public


def _print(diagnosis: "Diagnosis", output: CheckOutput) -> None:
    from arcferry.report import as_json, console, findings, junit

    show(
        output,
        table=lambda: findings.draw(diagnosis, console.stdout()),
        document=lambda: as_json.findings(diagnosis),
        lines=lambda: as_json.finding_lines(diagnosis),
        junit=lambda: junit.findings(diagnosis),
    )


def _print_pages(found: "Sequence[Code | Page]", output: CheckOutput) -> None:
    from arcferry.report import console, pages

    if output == "junit":
        raise InputError("a page is no result of a test", hint="Hand in files, or take another --output.")
    document = pages.document(found)
    show(
        output,
        table=lambda: pages.draw(found, console.stdout()),
        document=lambda: document,
        lines=lambda: ({"schema": document["schema"], **page} for page in document["pages"]),
    )
