from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli import azure_options, options
from arcferry.cli.export import ServersGroupOption, ShareOption
from arcferry.cli.options import grouped, option
from arcferry.cli.output import CheckOutput, show_by
from arcferry.cli.talk import say
from arcferry.errors import InputError, UnknownNameError
from arcferry.language import ENGLISH, spoken

if TYPE_CHECKING:
    from arcferry.prepare import Site

STATUS = "What is proved by now"


@grouped
def prepare(
    *,
    out: options.OptionalOutOption = None,
    location: options.OptionalLocationOption = None,
    location_unlisted: options.UnlistedOption = False,
    cloud: options.CloudOption = options.DEFAULT_CLOUD,
    where: azure_options.WhereOptions,
    circuit: azure_options.CircuitOption = "",
    features: options.FeaturesOption = None,
    share: ShareOption = "",
    group: ServersGroupOption = "",
    language: Annotated[
        str, option("--language LANGUAGE", "en, zh-TW or all: the language of the letters.")
    ] = "en",
    status: Annotated[
        Path | None,
        option("--status DIR", "Write nothing; say what of this folder's letters is proved.", panel=STATUS),
    ] = None,
    check: Annotated[
        Path | None, option("--check FILE", "What arcferry check --output json wrote.", panel=STATUS)
    ] = None,
    preflight: Annotated[
        Path | None,
        option(
            "--preflight FILE",
            "What arcferry azure preflight, or onboard plan, wrote with --output json.",
            panel=STATUS,
        ),
    ] = None,
    audit: Annotated[
        Path | None, option("--audit FILE", "What arcferry routes audit --output json wrote.", panel=STATUS)
    ] = None,
    output: options.CheckOutputOption = "table",
) -> None:
    """Write one folder with a letter a team, before anything begins; later say what of it is proved.

    A letter for the network, the firewall and DNS, the identity, the file share with Group Policy, and the
    security: what is asked for, why, the least rights, the commands that prove it, and how it is undone; as
    Markdown and as plain text. With custom roles of exactly these rights, as JSON, Bicep and lines of az.
    Needs no network, and asks nobody; what this site has not said yet stands there in capitals. --out names
    the folder: one that this wrote before is written anew, any other is left alone.

    With --status, exit code 1 where something that a letter asks for is seen to be missing.
    """
    given = {"check": check, "preflight": preflight, "audit": audit}
    if (out is None) == (status is None):
        raise InputError(
            "name either a folder to write, or one to look at",
            hint="arcferry prepare --out DIR, or arcferry prepare --status DIR --check check.json",
        )
    if status is not None:
        _show_status(status, given, _languages(language)[0], output)
        return
    if stray := [f"--{name}" for name, path in given.items() if path]:
        raise InputError(f"{' and '.join(stray)} has no meaning without --status")
    if location is None:
        raise InputError("--location is missing", hint="arcferry locations lists them.")
    from arcferry import catalog
    from arcferry.prepare import read_site

    chosen = catalog.cloud(cloud)
    region = options.region_of(location, chosen, unlisted=location_unlisted)
    site = read_site(
        chosen,
        region,
        features=catalog.chosen_features(chosen, features or []),
        tenant=where.tenant_id or "",
        subscription=where.subscription_id or "",
        group=where.resource_group or "",
        circuit=circuit,
        share=share,
        computers=group,
    )
    _write(site, out or Path(), _languages(language))


def _write(site: "Site", out: Path, languages: tuple[str, ...]) -> None:
    from arcferry import prepare, times

    for name in prepare.prepare(site, out, languages, times.now().date()):
        typer.echo(str(out / name))
    readme = next(name for name in ("README.md", f"README.{languages[0]}.md") if (out / name).exists())
    say(f"hint: {out / readme} says what to do next")


def _show_status(folder: Path, given: Mapping[str, Path | None], language: str, output: CheckOutput) -> None:
    from arcferry.prepare import documents, read_prepared, site_of, status
    from arcferry.prepare.facts import facts_of
    from arcferry.prepare.words import words
    from arcferry.report import prepare as report

    prepared = read_prepared(folder)
    seen = documents.read_documents(given, cloud=prepared.cloud, location=prepared.location)
    found = status(seen)
    facts = facts_of(site_of(prepared), prepared.made)
    in_words = spoken() if language == ENGLISH else language
    show_by(output, report, report.StatusView(folder, prepared, found, words(in_words), facts))
    if found.wrong:
        raise typer.Exit(1)


def _languages(wanted: str) -> tuple[str, ...]:
    """The languages that were asked for.

    Raises:
        UnknownNameError: there is no such language.
    """
    from arcferry.prepare import LANGUAGES

    if wanted.lower() == "all":
        return LANGUAGES
    found = tuple(one for one in LANGUAGES if one.lower() == wanted.lower())
    if not found:
        raise UnknownNameError("language", wanted, (*LANGUAGES, "all"))
    return found
