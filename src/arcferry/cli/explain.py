import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli.evidence import STDIN, held_beside, read_files, tell_unrecognised, warn
from arcferry.cli.options import PageOutputOption, argument, option
from arcferry.cli.output import PageOutput, show
from arcferry.cli.since import SinceOption, since_file
from arcferry.cli.talk import say
from arcferry.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arcferry.catalog import Cloud, Code
    from arcferry.diagnosis import Diagnosis
    from arcferry.diagnosis.pages import Page
    from arcferry.evidence.case import Document

_CODE_LIKE = re.compile(
    r"(?:azcm|aadsts|msi(?:exec)?)[ -]?\d+|msi error \d+|(?:0x)?[0-9a-f]{8}|-?\d{1,10}", re.IGNORECASE
)
_PATH_LIKE = re.compile(r"[/\\.*?~]")
_ENTRA = re.compile(r"AADSTS(\d{4,8})", re.IGNORECASE)
_KNOWN_NAMES = (
    "Known are codes of the agent (AZCM0026, or 26), Windows Installer (1603), Entra ID (AADSTS7000215), "
    "Resource Manager (AuthorizationFailed), Windows (0x80072EE7, 12002, 10060), curl ('curl 28'), HTTP "
    "(407), services (himds), and causes (dns/name-not-found). All of them: arcferry explain --list"
)


def explain(
    subjects: Annotated[
        list[str] | None,
        argument(
            "FILE|CODE|CAUSE...",
            "Files of any kind, - for standard input; or codes (AZCM0026, 'msiexec 1603', 0x80072EE7, "
            "AADSTS7000215, AuthorizationFailed); or causes (route/community-not-in-filter).",
        ),
    ] = None,
    list_names: Annotated[
        bool, option("--list", "List the codes and causes that there is a page of.")
    ] = False,
    since: SinceOption = None,
    output: PageOutputOption = "table",
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
    if list_names:
        _print_names(output)
        return
    if not subjects:
        raise InputError("nothing to explain", hint=f"Hand in files. {_KNOWN_NAMES}")
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
    if since is not None:
        diagnosis = since_file(diagnosis, since)
    _print(diagnosis, output)
    if diagnosis.has_errors:
        raise typer.Exit(1)
    if diagnosis.outcome == "not-understood":
        raise typer.Exit(2)


def _sorted_out(subjects: "Sequence[str]") -> tuple[list[str], list[str]]:
    """What is a file, and what the name of a code or a cause; a file where it could be both."""
    from arcferry import catalog
    from arcferry.diagnosis.causes import CAUSES

    there = [one for one in subjects if one == STDIN or _is_there(one)]
    together = " ".join(subjects)
    each = all(one.lower() in CAUSES or _CODE_LIKE.fullmatch(one) or catalog.asked(one) for one in subjects)
    if not there and not each and catalog.asked(together):
        return [], [together]
    names = [one for one in subjects if one not in there and _is_name(one, alone=not there)]
    return [one for one in subjects if one not in names], names


def _is_there(subject: str) -> bool:
    try:
        return Path(subject).exists()
    except (OSError, ValueError):
        return False


def _is_name(subject: str, *, alone: bool) -> bool:
    """Whether this is, or nearly is, a code or a cause; where no file was given, any word is meant as one."""
    from difflib import get_close_matches

    from arcferry import catalog
    from arcferry.diagnosis.causes import CAUSES

    return bool(
        _CODE_LIKE.fullmatch(subject.strip())
        or catalog.asked(subject)
        or get_close_matches(subject.lower(), CAUSES, cutoff=0.7)
        or (alone and not _PATH_LIKE.search(subject))
    )


def _pages(name: str) -> "list[Code | Page]":
    """What this name means: a cause, or codes, and the causes of those that no process ends with."""
    from arcferry import catalog
    from arcferry.diagnosis import pages
    from arcferry.diagnosis.causes import CAUSES
    from arcferry.text import one_line

    if name.strip().lower() in CAUSES:
        return [pages.page(name)]
    codes = catalog.asked(name)
    if not codes:
        raise _unknown(name)
    said = one_line(name, limit=60).strip("()")
    for code in codes:
        if code.code.lower() not in said.lower():
            say(f"note: {said} is {code.title}")
    for code in catalog.also_asked(said):
        say(f"note: {said} is {code.title} too: arcferry explain '{code.title}'")
    found: list[Code | Page] = []
    for code in codes:
        found += [code] if code.exit_code is not None or not code.cause else [code, pages.page(code.cause)]
    return found


def _unknown(name: str) -> InputError:
    """What to say of a name without a page: where it is told, or the names that are near."""
    from difflib import get_close_matches

    from arcferry import catalog
    from arcferry.diagnosis.causes import CAUSES
    from arcferry.text import one_line

    short = one_line(name, limit=60).strip("()")
    if entra := _ENTRA.fullmatch(short):
        return InputError(
            f"{short} is not in this version's table",
            hint="Look it up at Microsoft's page for that code, from a connected machine: "
            f"https://login.microsoftonline.com/error?code={entra[1]}. The words beside it say more: hand "
            "them in.",
        )
    if whose := catalog.facility(short):
        return InputError(
            f"{short} is not in this version's table; it is a number of {whose}",
            hint=f"On Windows, certutil -error {short} says it. The words beside it say more: hand them in.",
        )
    known = {code.code.lower(): code.code for code in (*catalog.codes(), *catalog.system_codes())}
    near = get_close_matches(short.lower(), (*CAUSES, *known), n=3, cutoff=0.65)
    means = f"Did you mean {' or '.join(known.get(one, one) for one in near)}?"
    kind = "cause" if "/" in short else "code" if _CODE_LIKE.fullmatch(short) else "code or cause"
    error = UnknownNameError(kind, short, ())
    error.hint = f"{means} All of them: arcferry explain --list" if near else _KNOWN_NAMES
    return error


def _evidence_and_held(files: "Sequence[str]") -> "tuple[list[Document], Sequence[Document]]":
    """What the files say, and what is held of the kinds that they lack if they speak of endpoints."""
    found = read_files(files, all_recognised=False)
    tell_unrecognised(found)
    speaks_of_endpoints = any(one.attempts or one.answers for one in found)
    held = held_beside(found, cloud_of(found)) if speaks_of_endpoints else ()
    warn((*found, *held))
    return found, held


def cloud_of(documents: "Sequence[Document]") -> "Cloud":
    """The cloud of the endpoints that the documents speak of; the public one where they speak of several."""
    from arcferry import catalog

    hosts = [seen.host for one in documents for seen in one.attempts]
    hosts += [answer.host for one in documents for answer in one.answers]
    clouds = [cloud for host in hosts if (cloud := catalog.cloud_of(host))]
    public = catalog.clouds()[0]
    return clouds[0] if clouds and all(cloud == clouds[0] for cloud in clouds) else public


def _print(diagnosis: "Diagnosis", output: PageOutput) -> None:
    from arcferry.report import as_json, console, findings, junit

    show(
        output,
        table=lambda: findings.draw(diagnosis, console.stdout()),
        document=lambda: as_json.findings(diagnosis),
        lines=lambda: as_json.finding_lines(diagnosis),
        junit=lambda: junit.findings(diagnosis),
    )


def _print_names(output: PageOutput) -> None:
    from arcferry import catalog
    from arcferry.diagnosis.pages import pages
    from arcferry.report.as_json import SCHEMA
    from arcferry.report.console import print_table, stdout

    names = [
        *({"name": one.slug, "kind": "cause", "says": one.title} for one in pages()),
        *(
            {"name": code.title, "kind": code.family, "says": catalog.told(code).meaning}
            for code in (*catalog.codes(), *catalog.system_codes())
        ),
    ]
    _check_form(output)
    show(
        output,
        table=lambda: print_table(
            stdout(), ("NAME", "KIND", "SAYS"), ((tuple(row.values()), "") for row in names)
        ),
        document=lambda: {"schema": SCHEMA, "kind": "names", "names": names},
        lines=lambda: ({"schema": SCHEMA, **one} for one in names),
    )


def _check_form(output: PageOutput) -> None:
    if output in ("junit", "html", "markdown", "csv"):
        says = f"--output {output} is for what files say"
        raise InputError(says, hint="Hand in files, or take another --output.")


def _print_pages(found: "Sequence[Code | Page]", output: PageOutput) -> None:
    from arcferry.report import console, pages

    _check_form(output)
    document = pages.document(found)
    show(
        output,
        table=lambda: pages.draw(found, console.stdout()),
        document=lambda: document,
        lines=lambda: ({"schema": document["schema"], **page} for page in document["pages"]),
    )
