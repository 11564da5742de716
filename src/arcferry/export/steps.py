"""The page of steps that comes with every export, as Markdown and as one HTML file, from one text."""

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
from arcferry.text import fill
from arcferry.times import to_text

_PAGES = resources.files("arcferry.export") / "pages"
_MOST_NAMED = 12
_TITLES = {
    Tool.GPO: "by Group Policy",
    Tool.CONFIGMGR: "by Configuration Manager",
    Tool.INTUNE: "by Intune",
    Tool.SCRIPT: "with scripts",
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
    text = "\n".join((_PAGES / f"{name}.md").read_text(encoding="utf-8") for name in names)
    # A value may hold anything but a backtick and a line feed: the texts put each between backticks.
    text = fill(text, _values(options, tool, folder, content))
    numbers = itertools.count(1)
    text = re.sub(r"(?m)^## ", lambda _: f"## {next(numbers)}. ", text)
    files.write_whole(folder / "STEPS.md", text.encode())
    files.write_whole(folder / "STEPS.html", as_html(text).encode())


def as_html(markdown: str) -> str:
    """A page of steps as one file that needs nothing else; what is not Markdown is escaped."""
    page = (_PAGES / "page.html").read_text(encoding="utf-8")
    title = escape(markdown.partition("\n")[0].lstrip("# "))
    return fill(page, {"title": title, "body": rendered(markdown)})


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
        "title": f"Steps: {options.way} servers {_TITLES[tool]}",
        "bundle": options.bundle.id,
        "version": str(manifest.version),
        "expires": to_text(manifest.expires),
        **_where(options, content),
        "cloud": target.cloud.name,
        "group": options.group or "none",
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
        "triggers": "At startup, delayed by 2 minutes; Daily at 03:00"
        + (", repeated every 30 minutes for a day" if options.has_windows else ""),
        "spread": (
            f"each waits for a random time of at most {options.minutes(tool)} minutes first, and says so"
            if options.minutes(tool)
            else "each begins at once, as --delay 0 was given"
        ),
        **_words(options),
        **_commands(options, tool),
        **_sign_in(options),
    }


def _words(options: ExportOptions) -> dict[str, str]:
    """What the pages say of an export by what it is for."""
    text = (_PAGES / "words.toml").read_text(encoding="utf-8")
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
            "servers": "all that run this go to one place",
        }
    places = servers.places.values()
    count = f"{len(servers.servers):,} in {len(places):,} place{'s' * (len(places) > 1)}"
    return {
        "subscription": _listed(place["subscription-id"] for place in places),
        "resource_group": _listed(place["resource-group"] for place in places),
        "location": _listed(place["location"] for place in places),
        "servers": f"{count}: each goes where its row of `{content}/{SERVERS}` says",
    }


def _listed(values: Iterable[str]) -> str:
    found = sorted(set(values))
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return ", ".join(f"`{value}`" for value in found[:_MOST_NAMED]) + more


def _begins(options: ExportOptions) -> str:
    otherwise = "at any other time it does nothing, and says when it may"
    if options.window is None:
        return f"within its row's window; {otherwise}" if options.has_windows else "at any time"
    but = ", or within its row's own window" if options.servers is not None else ""
    return f"within `{options.window.text}` alone{but}; {otherwise}"


def _sign_in_pages(options: ExportOptions) -> tuple[str, ...]:
    if options.for_linux or options.sign_in is None:
        return ()
    return ("sign-in-token" if isinstance(options.sign_in, TokenFile) else "sign-in-certificate",)


def _sign_in(options: ExportOptions) -> dict[str, str]:
    match options.sign_in:
        case CertificateSignIn(client_id, thumbprint):
            return {
                "signs_in": f"the certificate `{thumbprint}` in each server's own store",
                "client_id": client_id,
                "thumbprint": thumbprint,
                "instead": "a certificate in each server's own store here",
                "linux_token": " /run/arcferry-token",
            }
        case TokenFile(path):
            share, _, name = path.rpartition("\\")
            return {
                "signs_in": f"a short-lived token in `{path}`",
                "token_file": path,
                "token_share": share.rpartition("\\")[2],
                "token_name": name,
                "audience": options.target.cloud.arm,
                "instead": "a token here that ends within about an hour and that one group reads",
                "linux_token": f" {path}" if path.startswith("/") else " /run/arcferry-token",
            }
        case None:
            return {"signs_in": "nothing: they are connected already", "linux_token": ""}
