"""Every option that more than one command has: one spelling, one help text, one default, one variable.

A setting has one name in three places: `--bundle-key`, `ARCFERRY_BUNDLE_KEY`, and `bundle-key` in the site
file.
"""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_type_hints

import typer

from arcferry.cli.output import CheckOutput, Output, PageOutput, PlanOutput
from arcferry.cli.talk import say
from arcferry.errors import UnknownNameError

if TYPE_CHECKING:
    from arcferry.catalog import Cloud, Region

AZURE, HOSTS, RUN = "Azure", "Hosts", "Run"
DEFAULT_CLOUD = "AzureCloud"
Result = TypeVar("Result")


def option(spelling: str, text: str, *also: str, panel: str = "", **more: Any) -> Any:  # noqa: ANN401  # typer declares it so
    """An option for typer.

    Args:
        spelling: the name with its two dashes, and what stands for its value: `--cloud CLOUD`.
        text: the help.
        also: other spellings of the name.
        panel: the part of the help that it stands in.
        more: what else typer takes.
    """
    name, _, metavar = spelling.partition(" ")
    return typer.Option(
        name, *also, metavar=metavar or None, help=text, rich_help_panel=panel or None, **more
    )


def setting(spelling: str, text: str, *also: str, besides: str = "", **more: Any) -> Any:  # noqa: ANN401  # as above
    """An option that is heard from the environment too, under its own name with ARCFERRY_ before it.

    `besides` is a variable of somebody else's that is heard after arcferry's own.
    """
    own = "ARCFERRY_" + spelling.partition(" ")[0].removeprefix("--").replace("-", "_").upper()
    return option(spelling, text, *also, envvar=[own, besides] if besides else own, **more)


def argument(metavar: str, text: str) -> Any:  # noqa: ANN401  # as above
    """What is given by its place."""
    return typer.Argument(metavar=metavar, help=text)


def grouped(command: Callable[..., Result]) -> Callable[..., Result]:
    """The same command for typer, with the fields of its dataclasses in their place as options of its own."""
    hints = get_type_hints(command, include_extras=True)
    hints.pop("return", None)
    groups = {name: kind for name, kind in hints.items() if is_dataclass(kind) and isinstance(kind, type)}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        if parameter.name in groups:
            parameters += _options(groups[parameter.name])
        else:
            parameters.append(parameter.replace(annotation=hints[parameter.name]))

    @wraps(command)
    def called(*given: Any, **named: Any) -> Result:  # noqa: ANN401  # as typer calls it
        for name, kind in groups.items():
            named[name] = kind(**{one.name: named.pop(one.name) for one in fields(kind)})
        return command(*given, **named)

    # Typer reads both; a dataclass in either it would refuse.
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # inspect's own protocol
    called.__annotations__ = {one.name: one.annotation for one in parameters}
    return called


def _options(group: type[Any]) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            one.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if one.default is MISSING else one.default,
            annotation=hints[one.name],
        )
        for one in fields(group)
    ]


FORM = option("--output", "The form in which the result is printed.", "-o")
OutputOption = Annotated[Output, FORM]
CheckOutputOption = Annotated[CheckOutput, FORM]
PlanOutputOption = Annotated[PlanOutput, FORM]
PageOutputOption = Annotated[PageOutput, FORM]
OutOption = Annotated[Path, option("--out PATH", "Where to write it to.")]
OptionalOutOption = Annotated[Path | None, option("--out PATH", "Where to write it to.")]
ReplaceOption = Annotated[bool, option("--replace", "Take the place of the bundle that is there.")]
AgentProxyOption = Annotated[
    str,
    option(
        "--agent-proxy URL",
        "The HTTP proxy that the agents are to use, such as http://proxy.example:8080.",
        panel="Servers",
    ),
]
WithOption = Annotated[
    list[Path] | None,
    option(
        "--with FILE",
        "Judge by this too: a route filter, circuit, route table, service tags, community list. May be "
        "repeated. What arcferry data holds is used without being named.",
    ),
]
SteeredOption = Annotated[
    Literal["region", "geography", "all"],
    option(
        "--steered",
        "Where names without a region of their own may answer: in the machines' region, in its "
        "geopolitical area, or in any region.",
    ),
]
FeaturesOption = Annotated[
    list[str] | None,
    option(
        "--features A,B",
        "What is wanted besides the agent, or all; may be repeated. arcferry features has a row for each: "
        "extensions, machine-configuration, monitor, defender, defender-endpoint, update-manager, hotpatch, "
        "esu, sql, ssh, wac, auto-upgrade, key-vault, paygo; also gateway and legacy-log-analytics.",
    ),
]
DataOption = Annotated[
    Path | None, setting("--data DIR", "The folder that dated data is held in. Default: the user's own.")
]
StateOption = Annotated[
    Path | None,
    setting(
        "--state DIR",
        "Where runs, histories and the newest bundles are remembered, without any secret. Default: the "
        "user's own.",
    ),
]

_LOCATION = setting(
    "--location REGION",
    "The Azure region where the machines are to appear, such as eastasia or 東亞; see arcferry locations.",
    "-l",
)
LocationOption = Annotated[str, _LOCATION]
OptionalLocationOption = Annotated[str | None, _LOCATION]
UnlistedOption = Annotated[
    bool,
    setting(
        "--location-unlisted",
        "Let a location pass that arcferry does not know yet, and say what is then not known.",
    ),
]
CloudOption = Annotated[str, setting("--cloud CLOUD", "AzureCloud, AzureUSGovernment or AzureChinaCloud.")]
ResolverOption = Annotated[
    str | None,
    setting(
        "--resolver IP[:PORT]", "Ask this DNS server instead of the system's own; answers differ by resolver."
    ),
]
ResolversOption = Annotated[
    list[str] | None,
    setting(
        "--resolver [SITE=]IP[:PORT]",
        "Ask this DNS server instead of the system's own. May be repeated: the first decides, or the first "
        "of each SITE that is named.",
    ),
]
ProxyOption = Annotated[
    str | None,
    setting(
        "--proxy URL",
        "Go through this HTTP proxy, such as http://proxy.example:8080; it then resolves the names.",
    ),
]
CaFileOption = Annotated[
    Path | None,
    setting("--ca-file FILE", "Trust the CA certificates in this file too, such as an inspecting proxy's."),
]
PortOption = Annotated[
    int | None,
    setting("--port N", "Reach endpoints on this port instead of 443, where a forwarder stands between."),
]

BundleArgument = Annotated[Path, argument("BUNDLE", "The bundle: a folder or a zip.")]
_BUNDLE = setting("--bundle PATH", "The bundle: a folder or a zip.")
BundleOption = Annotated[Path, _BUNDLE]
OptionalBundleOption = Annotated[Path | None, _BUNDLE]
_BUNDLE_KEY = setting(
    "--bundle-key FILE", "The public key of whoever sealed the bundle; the file may hold several of theirs."
)
BundleKeyOption = Annotated[Path, _BUNDLE_KEY]
OptionalBundleKeyOption = Annotated[Path | None, _BUNDLE_KEY]
SecretKeyOption = Annotated[Path, option("--secret-key FILE", "The secret key that seals bundles.")]
PasswordOption = Annotated[
    str | None, option("--password-env NAME", "The variable that holds the secret key's password.")
]
AllowOlderOption = Annotated[
    str,
    option(
        "--allow-older REASON",
        "Take it although a newer one was opened here before. The reason is shown and kept.",
    ),
]
VersionOption = Annotated[
    int | None,
    option(
        "--bundle-version N", "Must grow with each bundle. Without it, date and time.", min=1, max=2**53 - 1
    ),
]
ExpiresOption = Annotated[
    int, option("--expires-days N", "Refused by everybody after so many days.", min=1, max=3650)
]
CreatedOption = Annotated[
    str | None,
    option(
        "--created TIME",
        "RFC 3339, such as 2026-11-23T08:00:00Z. The same inputs and time give the same bundle, "
        "byte for byte. Without it SOURCE_DATE_EPOCH, else now.",
    ),
]
WindowOption = Annotated[
    list[str] | None,
    option(
        "--window WHEN",
        "When servers may be begun, such as 'Sat 22:00-05:00 Asia/Taipei'; several with commas, or repeated. "
        "Outside it no server is begun; one that onboard or upgrade is at ends its step.",
        panel=RUN,
    ),
]


@dataclass(frozen=True, kw_only=True)
class ProbeOptions:
    """How endpoints are reached from here."""

    resolver: ResolverOption = None
    proxy: ProxyOption = field(default=None, repr=False)
    ca_file: CaFileOption = None
    port: PortOption = None


def is_on_command_line(context: typer.Context, name: str) -> bool:
    """Whether an option was typed, and is not from the environment, the site file or its default."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def region_of(location: str, cloud: "Cloud | str", *, unlisted: bool) -> "Region":
    """The region of this name; of one that no list has, what is not known is told on stderr.

    Raises:
        UnknownNameError: there is no such region, and `unlisted` is False; near names are offered.
        InputError: there is no such cloud, the region is another cloud's, or its name cannot be a region's.
    """
    from arcferry import catalog

    of_cloud = catalog.cloud(cloud) if isinstance(cloud, str) else cloud
    try:
        found = catalog.region(location, of_cloud, unlisted=unlisted)
    except UnknownNameError as error:
        error.hint += (
            " All of them: arcferry locations. One that Azure has and no list here: --location-unlisted."
        )
        raise
    if found.source == catalog.UNLISTED:
        unknown = [
            "whether Azure Arc serves it",
            *([] if catalog.region_community(found.name) else ["its BGP community"]),
            *([] if catalog.geography_of(found.name) else ["its geopolitical area"]),
            "whether its names follow the other regions' rule",
        ]
        say(f"note: {found.name} is in no list of arcferry's; not known: {', '.join(unknown)}")
    return found
