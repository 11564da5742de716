"""The tree of commands; each is loaded when it is asked for, so that none waits for the others' imports."""

import copy
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup, TyperOption

from arcferry import __version__

COMMANDS = {
    "init": "arcferry.cli.site:init",
    "check": "arcferry.cli.check:check",
    "explain": "arcferry.cli.explain:explain",
    "diff": "arcferry.cli.diff:diff",
    "report": "arcferry.cli.report:report",
    "serve": "arcferry.cli.serve:serve",
    "evidence": "arcferry.cli.evidence_script:app",
    "locations": "arcferry.cli.locations:locations",
    "routes": "arcferry.cli.routes:app",
    "features": "arcferry.cli.features:features",
    "alternatives": "arcferry.cli.alternatives:alternatives",
    "watch": "arcferry.cli.watch:app",
    "circuits": "arcferry.cli.circuits:app",
    "data": "arcferry.cli.data:app",
    "bundle": "arcferry.cli.bundle:app",
    "prepare": "arcferry.cli.prepare:prepare",
    "azure": "arcferry.cli.azure:app",
    "onboard": "arcferry.cli.onboard:app",
    "verify": "arcferry.cli.verify:verify",
    "lifecycle": "arcferry.cli.lifecycle:lifecycle",
    "export": "arcferry.cli.export:export",
    "collect": "arcferry.cli.collect:collect",
    "set-tags": "arcferry.cli.errands:set_tags",
    "set-proxy": "arcferry.cli.errands:set_proxy",
    "upgrade": "arcferry.cli.upgrade:upgrade",
    "reconnect": "arcferry.cli.upgrade:reconnect",
    "offboard": "arcferry.cli.errands:offboard",
    "uninstall": "arcferry.cli.errands:uninstall",
    "leave": "arcferry.cli.leave:leave",
    "lab": "arcferry_lab.cli.app:app",
}
_LAB = "lab"
_LANGUAGE = "arcferry.language"
_TYPED = "arcferry.language.typed"
_READERS = "arcferry.language.readers"
_SITE = "arcferry.site"
_USAGE_ERROR: Any = typer.BadParameter.__mro__[1]  # which typer gives no public name
_NEGATIVE = re.compile(r"-\d{5,10}")
# Spellings that published documents have used. They work, and no help shows them.
RENAMED = {
    "bundle build": {"--key": "--secret-key", "--version": "--bundle-version"},
    "bundle self": {"--key": "--secret-key", "--version": "--bundle-version"},
    "bundle verify": {"--key": "--bundle-key"},
    "bundle show": {"--key": "--bundle-key"},
    "bundle copy": {"--key": "--bundle-key"},
    "bundle key endorse": {"--with": "--secret-key"},
    "export": {"--key": "--bundle-key", "--proxy": "--agent-proxy"},
    "routes plan": dict.fromkeys(
        ("--service-tags", "--communities", "--route-filter", "--circuit"), "--with"
    ),
    "routes firewall": {"--service-tags": "--with"},
    "report": {"-o": "--out"},
    "data import": {"--cloud": "--of-cloud"},
    "data update": {"--route-filter": "--route-filter-name", "--allow-older": "--accept-older"},
    "data remove": {"--all": "--everything"},
}
# What a watch keeps in its history and tells others is English.
ALWAYS_ENGLISH = {"watch"}
_FOR_PEOPLE = {None, "table", "html", "markdown"}
# Options whose value may be left out, which then is empty.
MAY_STAND_ALONE = {"check": "--private-link-scope"}


class _Lazy(Mapping[str, Any]):
    """The commands by name, each imported and made when it is looked up."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401  # typer's own class has no public name
        if name not in self._made:
            module, _, attribute = COMMANDS[name].partition(":")
            # The twin is found by its name and not as an entry point: to look one up, Python reads the
            # description of every installed package, which takes longer than the start of most commands.
            there = name != _LAB or find_spec(module.partition(".")[0])
            found = getattr(import_module(module), attribute) if there else None
            around = typer.Typer(add_completion=False, rich_markup_mode="markdown")
            if found is None:
                anything = {"allow_extra_args": True, "ignore_unknown_options": True}
                told = around.command(name, hidden=True, add_help_option=False, context_settings=anything)
                told(_tell_there_is_no_lab)
            elif isinstance(found, typer.Typer):
                around.add_typer(found, name=name)
            else:
                around.command(name)(found)
            command = typer.main.get_command(around)
            command = getattr(command, "commands", {}).get(name, command)
            self._made[name] = _completed(command, name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


def _tell_there_is_no_lab(context: typer.Context) -> None:
    from arcferry.errors import BlockedError

    del context
    raise BlockedError(
        "the twin is a package of its own, arcferry-lab, which is not installed here",
        hint=f"pip install 'arcferry[lab]=={__version__}', or make venv in arcferry's checkout.",
    )


class _Root(TyperGroup):
    def __init__(self, **settings: Any) -> None:  # noqa: ANN401  # passed on as they are
        super().__init__(**settings)
        self.commands = _Lazy()  # type: ignore[assignment]  # nothing is put into it later
        _without_types(self)
        _let_help_speak(self)

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # as below
        # Help, and an error in the line, come before its options are read.
        if any(one.startswith("--lang") for one in args):
            from arcferry.language import typed_in

            ctx.meta[_LANGUAGE] = ctx.meta[_TYPED] = typed_in(args)
        # A negative number is no option of any command: people ask what an HRESULT means.
        words = [f"({one})" if _NEGATIVE.fullmatch(one) else one for one in args]
        with _told_to_its_reader(ctx):
            return super().parse_args(ctx, words)

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # typer's own Context is its parent
        with _told_to_its_reader(ctx):
            return super().invoke(ctx)


@contextmanager
def _told_to_its_reader(context: typer.Context) -> Iterator[None]:
    """Errors are printed outside of the command, where English is spoken again."""
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except _USAGE_ERROR as error:
        from arcferry import language
        from arcferry.cli import usage

        language.speak(_language_of(context))
        raise usage.told(error) from None
    except Exception:  # whatever it is: raised again, once its printer knows the reader's language
        from arcferry import language

        language.speak(context.meta.get(_READERS) or _language_of(context))
        raise


def _language_of(context: Any) -> str:  # noqa: ANN401  # typer's own Context, or its parent
    from arcferry import language

    return context.meta.get(_LANGUAGE) or language.of_system()


def _completed(command: Any, path: str) -> Any:  # noqa: ANN401  # as above
    """A command, or a group with all beneath it, with what every command has and the spellings of old."""
    for name, inner in getattr(command, "commands", {}).items():
        _completed(inner, f"{path} {name}")
    # The twin's commands have options of their own, and one hands on whatever follows it.
    if not path.startswith(_LAB) and (not hasattr(command, "commands") or command.invoke_without_command):
        command.params += [_old(command, *names) for names in RENAMED.get(path, {}).items()]
        command.params += typer.main.get_command(_EVERYWHERE).params
        _let_speak(command, path)
        if path in MAY_STAND_ALONE:
            _let_stand_alone(command, MAY_STAND_ALONE[path])
    _without_types(command)
    _let_help_speak(command)
    return command


def _let_help_speak(command: Any) -> None:  # noqa: ANN401  # as above
    """The headings of help are in its reader's language; what stands beneath them is English."""
    get_usage, format_help = command.get_usage, command.format_help

    def usage_told(context: typer.Context) -> str:
        from arcferry.language import _, speaking

        with speaking(_language_of(context)):
            return str(get_usage(context)).replace("Usage: ", _("Usage: "), 1)

    def help_told(context: typer.Context, formatter: object) -> None:
        from arcferry.cli import usage
        from arcferry.language import speaking

        with speaking(_language_of(context)):
            usage.use_headings()
            format_help(context, formatter)

    command.get_usage, command.format_help = usage_told, help_told


def within(command: Any) -> Any:  # noqa: ANN401  # as above
    """A command that another one reads for itself: the site file holds for it too."""
    command.params += [one for one in typer.main.get_command(_EVERYWHERE).params if one.name == "config"]
    _without_types(command)
    return command


def _let_speak(command: Any, path: str) -> None:  # noqa: ANN401  # as above
    """What is printed for people is in their language; what programs read is the same in every language."""
    from arcferry import language

    invoke = command.invoke

    def invoked(context: typer.Context) -> object:
        wanted = _language_of(context)
        for_people = path not in ALWAYS_ENGLISH and context.params.get("output") in _FOR_PEOPLE
        context.meta[_READERS] = wanted if for_people else language.ENGLISH
        with language.speaking(context.meta[_READERS]):
            return invoke(context)

    command.invoke = invoked


def _let_stand_alone(command: Any, option: str) -> None:  # noqa: ANN401  # as above
    """Typer knows no option whose value is optional: where none follows, an empty one is put there."""
    parse = command.parse_args

    def parsed(context: typer.Context, words: list[str]) -> list[str]:
        found: list[str] = []
        for word, after in zip(words, [*words[1:], "-"], strict=False):
            found += [word, ""] if word == option and after.startswith("-") else [word]
        rest: list[str] = parse(context, found)
        return rest

    command.parse_args = parsed


def _without_types(command: Any) -> None:  # noqa: ANN401  # as above
    """Typer shows `<bool>` after a flag, which takes no value."""
    with typer.Context(command, help_option_names=["-h", "--help"]) as context:
        options = command.get_params(context)
    for option in options:
        if isinstance(option, TyperOption) and option.is_flag:
            option.metavar = ""


def _old(command: Any, old: str, new: str) -> TyperOption:  # noqa: ANN401  # as above
    """A hidden option that puts its value where the new one looks for it, since both have one name within."""
    option: TyperOption = copy.copy(next(one for one in command.params if new in one.opts))
    option.opts, option.hidden, option.expose_value, option.required = [old], True, False, False
    return option


def _use_site(context: typer.Context, given: Path | None) -> None:
    """Let the site file say what neither the command line nor the environment says."""
    from arcferry.cli import site

    context.meta[_SITE] = site.use(context, given)
    _tell_site(context)


def _say_what_is_done(context: typer.Context, verbose: bool) -> None:
    from arcferry import log

    log.listen((lambda line: typer.echo(f"arcferry: {line}", err=True)) if verbose else None)
    _tell_site(context)


def _say_less(wanted: bool) -> None:
    from arcferry import log

    log.be_quiet(wanted)


def _take_language(context: typer.Context, wanted: str | None) -> None:
    from arcferry.errors import UnknownNameError
    from arcferry.language import LANGUAGES

    if wanted and wanted not in LANGUAGES:
        raise UnknownNameError("language", wanted, LANGUAGES)
    # Asked twice: before the command, where the environment has its say, and of the command's own option.
    context.meta[_LANGUAGE] = context.meta.get(_TYPED) or wanted or context.meta.get(_LANGUAGE)


def _tell_site(context: typer.Context) -> None:
    """With -v, once: whichever of the two options comes last has the other's answer."""
    from arcferry import log

    if log.is_on() and (path := context.meta.pop(_SITE, None)):
        log.did("site-file", path=path)


_EVERYWHERE = typer.Typer(add_completion=False)
_Lang = Annotated[
    str | None,
    typer.Option(
        "--lang", metavar="LANG", envvar="ARCFERRY_LANG", is_eager=True, expose_value=False,
        callback=_take_language,
        help="en or zh-TW: what findings, letters and errors are in. Default: the system's language.",
    ),
]  # fmt: skip


@_EVERYWHERE.command()
def _everywhere(
    *,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", "-v", is_eager=True, expose_value=False, callback=_say_what_is_done,
            help="Say on stderr what is done: files read, hosts asked, steps.",
        ),
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", is_eager=True, expose_value=False, callback=_say_less,
            help="No notes and no progress on stderr; errors, warnings and the result stay.",
        ),
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", metavar="FILE", envvar="ARCFERRY_CONFIG", is_eager=True, expose_value=False,
            callback=_use_site,
            help="The site file, see arcferry init. Default: arcferry.toml in this folder or one above.",
        ),
    ] = None,
    lang: _Lang = None,
) -> None:  # fmt: skip
    """What every command takes."""


app = typer.Typer(
    name="arcferry",
    cls=_Root,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Bring servers that cannot reach the internet into Azure Arc, over ExpressRoute with "
    "Microsoft peering. Every command ends with 130 after Ctrl-C or SIGTERM.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"arcferry {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    lang: _Lang = None,
) -> None:
    del version, lang
    from arcferry.cli.evidence import adopt_held

    adopt_held()
