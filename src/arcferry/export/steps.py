"""The page of steps that comes with every export, as Markdown and as one HTML file, from one text."""

import base64
import hashlib
import itertools
import re
import tomllib
from collections.abc import Iterable
from html import escape
from importlib import resources
from pathlib import Path

from arcferry import files
from arcferry.bundle.guide.html import rendered
from arcferry.export.content import LINUX, WINDOWS, pins
from arcferry.export.options import CertificateSignIn, ExportOptions, TokenFile, Tool
from arcferry.export.servers import SERVERS
from arcferry.export.task import ENGINE, arguments, pinned_arguments, task_name
from arcferry.fleet.host_state import Way
from arcferry.language import ENGLISH, _, marked, ngettext, spoken
from arcferry.text import fill
from arcferry.times import to_text

_PAGES = resources.files("arcferry.export") / "pages"
_MOST_NAMED = 12
_TITLES = {
    (Way.ONBOARD, Tool.GPO): marked("Steps: onboard servers by Group Policy"),
    (Way.ONBOARD, Tool.CONFIGMGR): marked("Steps: onboard servers by Configuration Manager"),
    (Way.ONBOARD, Tool.INTUNE): marked("Steps: onboard servers by Intune"),
    (Way.ONBOARD, Tool.SCRIPT): marked("Steps: onboard servers with scripts"),
    (Way.UPGRADE, Tool.GPO): marked("Steps: upgrade servers by Group Policy"),
    (Way.UPGRADE, Tool.CONFIGMGR): marked("Steps: upgrade servers by Configuration Manager"),
    (Way.UPGRADE, Tool.INTUNE): marked("Steps: upgrade servers by Intune"),
    (Way.UPGRADE, Tool.SCRIPT): marked("Steps: upgrade servers with scripts"),
}


def write_page(
    options: ExportOptions, tool: Tool, folder: Path, content: str, parts: tuple[str, ...]
) -> None:
    """Write STEPS.md and STEPS.html: what this is, the share, how to sign in, the tool's own parts, and why.

    `content` is the folder in `folder` that holds the wrapper scripts; the first of `parts` is the share's,
    if there is one.
    """
    share, rest = (parts[:1], parts[1:]) if parts and parts[0].endswith("share") else ((), parts)
    why = () if options.upgrades else ("why",)
    names = ("head", *share, *_sign_in_pages(options), *rest, *why, "after")
    text = "\n".join(map(page_text, names))
    # A value may hold anything but a backtick and a line feed: the texts put each between backticks.
    text = fill(text, _values(options, tool, folder, content))
    numbers = itertools.count(1)
    text = re.sub(r"(?m)^## ", lambda _: f"## {next(numbers)}. ", text)
    files.write_whole(folder / "STEPS.md", text.encode())
    files.write_whole(folder / "STEPS.html", as_html(text).encode())


def page_text(name: str) -> str:
    """A part of a page in the language that is spoken; the stamp of its English stands above another."""
    if spoken() == ENGLISH:
        return _PAGES.joinpath(f"{name}.md").read_text(encoding="utf-8")
    return _PAGES.joinpath(spoken(), f"{name}.md").read_text(encoding="utf-8").partition("\n")[2]


def as_html(markdown: str) -> str:
    """A page of steps as one file that needs nothing else; what is not Markdown is escaped.

    Its one script puts a button beside each command, and the page lets no other run.
    """
    page, script = (_PAGES.joinpath(name).read_text(encoding="utf-8") for name in ("page.html", "copy.js"))
    script = fill(script, {"copy": _("Copy"), "copied": _("Copied")})
    values = {
        "language": "en" if spoken() == ENGLISH else "zh-Hant-TW",
        "title": escape(markdown.partition("\n")[0].lstrip("# ")),
        "body": rendered(markdown),
        "script": script,
        "digest": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    }
    return fill(page, values)


def _commands(options: ExportOptions, tool: Tool) -> dict[str, str]:
    """How the wrapper script is started: from a share only as what was exported, else where it lies."""
    spread = ("-Spread",) if options.minutes(tool) else ()
    if tool in {Tool.CONFIGMGR, Tool.INTUNE}:
        local = f"powershell.exe {arguments(WINDOWS)}"
        return {"install": " ".join((local, *spread)), "uninstall": f"{local} -Uninstall"}
    windows = pins(options, tool, WINDOWS)
    linux = (f"{digest} {name}" for name, digest in pins(options, tool, LINUX).items())
    return {
        "install": f"powershell.exe {pinned_arguments(options.share, windows, *spread)}",
        "install_now": f"powershell.exe {pinned_arguments(options.share, windows)}",
        "uninstall": f"powershell.exe {pinned_arguments(options.share, windows, '-Uninstall')}",
        "arguments": pinned_arguments(options.share, windows, *spread),
        "linux_pins": " ".join(linux),
        "linux_share": options.share if options.for_linux else "/mnt/arcferry",
    }


def _values(options: ExportOptions, tool: Tool, folder: Path, content: str) -> dict[str, str]:
    manifest, target = options.bundle.manifest, options.target
    return {
        "title": _(_TITLES[options.way, tool]),
        "bundle": options.bundle.id,
        "version": str(manifest.version),
        "expires": to_text(manifest.expires),
        **_where(options, content),
        "cloud": target.cloud.name,
        "group": options.group or _("none"),
        "group_name": options.group.rpartition("\\")[2].replace("'", "''"),
        "delay": str(options.minutes(tool)),
        "content": content,
        "wrapper": WINDOWS if (folder / content / WINDOWS).exists() else LINUX,
        "share": options.share,
        "share_name": options.share.rpartition("\\")[2],
        "share_root": "" if options.for_linux else options.share.split("\\")[3],
        "results": options.results,
        "results_argument": options.results if options.for_linux else f"'{options.results}'",
        "task": task_name(options.way),
        "engine": ENGINE,
        "window": _begins(options),
        "triggers": _("At startup, delayed by 2 minutes; Daily at 03:00")
        + (_(", repeated every 30 minutes for a day") if options.has_windows else ""),
        "spread": (
            _(
                "each waits for a random time of at most {minutes} minutes first, and says so",
                minutes=options.minutes(tool),
            )
            if options.minutes(tool)
            else _("each begins at once, as --delay 0 was given")
        ),
        **_words(options),
        **_commands(options, tool),
        **_sign_in(options),
    }


def _words(options: ExportOptions) -> dict[str, str]:
    """What the pages say of an export by what it is for."""
    folder = _PAGES if spoken() == ENGLISH else _PAGES / spoken()
    text = (folder / "words.toml").read_text(encoding="utf-8")
    tables: dict[str, dict[str, str]] = tomllib.loads(fill(text, {"least_version": options.least_version}))
    return tables[options.way.value]


def _where(options: ExportOptions, content: str) -> dict[str, str]:
    """Where servers go in Azure, and how many; with a map, every place of it."""
    target, servers = options.target, options.servers
    if servers is None:
        return {
            "subscription": f"`{target.subscription_id}`",
            "resource_group": f"`{target.resource_group}`",
            "location": f"`{target.location}`",
            "servers": _("all that run this go to one place"),
        }
    places = servers.places.values()
    many, rows = len(servers.servers), f"{content}/{SERVERS}"
    count = ngettext(
        "{servers:,} in {count:,} place", "{servers:,} in {count:,} places", len(places), servers=many
    )
    return {
        "subscription": _listed(place["subscription-id"] for place in places),
        "resource_group": _listed(place["resource-group"] for place in places),
        "location": _listed(place["location"] for place in places),
        "servers": _("{count}: each goes where its row of `{rows}` says", count=count, rows=rows),
    }


def _listed(values: Iterable[str]) -> str:
    found = sorted(set(values))
    first, more = ", ".join(f"`{value}`" for value in found[:_MOST_NAMED]), len(found) - _MOST_NAMED
    return _("{first} and {more} more", first=first, more=more) if more > 0 else first


def _begins(options: ExportOptions) -> str:
    if options.window is None and not options.has_windows:
        return _("at any time")
    text = marked("within its row's window")
    if options.window is not None:
        text = marked("within `{window}` alone")
        if options.servers is not None:
            text = marked("within `{window}` alone, or within its row's own window")
    within = _(text, window=options.window.text if options.window else "")
    return _("{within}; at any other time it does nothing, and says when it may", within=within)


def _sign_in_pages(options: ExportOptions) -> tuple[str, ...]:
    if options.for_linux or options.sign_in is None:
        return ()
    return ("sign-in-token" if isinstance(options.sign_in, TokenFile) else "sign-in-certificate",)


def _sign_in(options: ExportOptions) -> dict[str, str]:
    match options.sign_in:
        case CertificateSignIn(client_id, thumbprint):
            return {
                "signs_in": _(
                    "the certificate `{thumbprint}` in each server's own store", thumbprint=thumbprint
                ),
                "client_id": client_id,
                "thumbprint": thumbprint,
                "instead": _("a certificate in each server's own store here"),
                "linux_token": " /run/arcferry-token",
            }
        case TokenFile(path):
            share, name = path.rsplit("\\", 1) if "\\" in path else ("", path)
            return {
                "signs_in": _("a short-lived token in `{path}`", path=path),
                "token_file": path,
                "token_share": share.rpartition("\\")[2],
                "token_name": name,
                "audience": options.target.cloud.arm,
                "instead": _("a token here that ends within about an hour and that one group reads"),
                "linux_token": f" {path}" if path.startswith("/") else " /run/arcferry-token",
            }
        case None:
            return {"signs_in": _("nothing: they are connected already"), "linux_token": ""}
