from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli.evidence import held_beside, read_files, tell_unrecognised, warn
from arcferry.cli.evidence_servers import AskedOptions, Told, ask, parted, request_of, usable
from arcferry.cli.options import OutOption, argument, grouped
from arcferry.cli.since import SinceOption, compared_with
from arcferry.cli.talk import say
from arcferry.errors import FileInputError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arcferry.diagnosis import Diagnosis
    from arcferry.evidence.pack import Cleaning


@grouped
def pack(
    files: Annotated[
        list[Path] | None,
        argument(
            "[FILE...]",
            "What explain reads, and folders of it, such as what collect --evidence wrote. With --inventory, "
            "names of servers in it too.",
        ),
    ] = None,
    *,
    servers: AskedOptions,
    out: OutOption,
    since: SinceOption = None,
) -> None:
    """Pack evidence for Microsoft's support: one zip, without credentials, with the request written out.

    In it: case.txt, a support request in English (symptom and times in UTC, names and addresses, routes and
    filter, what was ruled out and by what, what changed, Microsoft's documents with their days, those that
    speak against it too, and one question); findings.json and findings.txt; versions.json; each file as text
    without credentials, an archive's one by one; REDACTED.txt, how much of which kind was taken out of which
    file; SHA256SUMS. A file in which nobody can see what is secret is left out, and named. Read it through
    before you send it; arcferry explain reads it back. Nothing is sent.

    With --inventory its servers, or those of --limit and --site, are asked for theirs: facts, path, the ends
    of the agent's logs. Nothing is changed or left on them. One that gives none is named in REDACTED.txt,
    with the way out. Without --inventory no host is reached.

    Exit code 0 when it is written, 1 when it is and a server gave nothing, 2 where a file cannot be used,
    nothing was understood, or the zip is there already.
    """
    from arcferry.evidence.pack import files_in

    if out.exists():
        raise FileInputError(out, "is there already", hint="Remove it, or give another name with --out.")
    paths, names = parted(files or [], servers)
    given = dict.fromkeys(files_in(paths))
    _refuse_names([str(path) for _, path in given])
    with TemporaryDirectory(prefix="arcferry-") as folder:
        request = request_of(servers, names, Path(folder))
        if not given and request is None:
            raise InputError("nothing to pack", hint="Name files, or servers by --inventory.")
        asked = ask(request) if request else ()
        told = usable(asked)
        if not (given or told.files):
            why = [f"{name}: {why}" for name, why in told.lost]
            raise InputError("\n".join(["no server gave evidence", *why]))
        cleaning = _packed(out, list(given), told, since)
    _tell(out, cleaning)
    if told.lost:
        raise typer.Exit(1)


def _packed(out: Path, given: "Sequence[tuple[str, Path]]", told: Told, since: Path | None) -> "Cleaning":
    """Judge what was given, and write the zip."""
    from arcferry.cli.explain import cloud_of
    from arcferry.diagnosis import judge
    from arcferry.diagnosis.since import since as with_changes
    from arcferry.diagnosis.support import support
    from arcferry.evidence.pack import cleaned, says_nothing
    from arcferry.language import ENGLISH, speaking
    from arcferry.report import evidence_pack

    read = read_files([str(path) for _, path in given if not says_nothing(path)], all_recognised=False)
    found = [*read, *told.documents]
    tell_unrecognised(found)
    cloud = cloud_of(found)
    held = held_beside(found, cloud)
    warn((*found, *held))
    with speaking(ENGLISH):  # what goes to Microsoft
        diagnosis = judge(found, held)
        _refuse(diagnosis)
        changes = compared_with(diagnosis, since) if since else None
        diagnosis = with_changes(diagnosis, changes) if changes else diagnosis
        cleaning = cleaned([*given, *told.files])
        for name, why in told.lost:
            cleaning.skip(why, f"server {name}")
        evidence_pack.write(out, evidence_pack.entries(support(diagnosis, cloud, changes), cleaning))
    return cleaning


def _refuse_names(names: "Sequence[str]") -> None:
    """A file's name stands in every finding; only in the files' own words secrets are looked for."""
    from arcferry.redaction import mask

    for name in names:
        if (shown := mask(name)) != name:
            raise InputError(
                f"the name of a file looks as if it held a secret: {shown}",
                hint="Rename it: names of files are not changed in the pack.",
            )


def _refuse(diagnosis: "Diagnosis") -> None:
    if diagnosis.outcome == "not-understood":
        raise InputError(
            "nothing in these files was understood: they show neither a failure nor a success",
            hint="Hand in what the server says too, such as the zip of azcmagent logs.",
        )


def _tell(out: Path, cleaning: "Cleaning") -> None:
    hidden = sum(one.hidden.total() for one in cleaning.files)
    say(f"{out}: {len(cleaning.files)} files, {hidden} secrets taken out; {len(cleaning.left_out)} left out")
    for one in cleaning.left_out:
        say(f"left out: {one.name}: {one.why}")
    say("Read case.txt and REDACTED.txt in it before you send it.")
