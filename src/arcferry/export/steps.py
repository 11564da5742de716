"""Which parts a tool's page of steps has, and what stands in their blanks."""

from pathlib import Path

from arcferry import files
from arcferry.export.folder import LINUX, WINDOWS, pins
from arcferry.export.model import CertificateSignIn, ExportOrder, TokenFile, Tool
from arcferry.export.pages import as_html, page
from arcferry.export.task import ENGINE, NAME, arguments, pinned_arguments
from arcferry.times import to_text

PAGE = "STEPS"


_TITLES = {
    Tool.GPO: "by Group Policy",
    Tool.CONFIGMGR: "by Configuration Manager",
    Tool.INTUNE: "by Intune",
    Tool.SCRIPT: "with scripts",
}


def write_page(order: ExportOrder, tool: Tool, folder: Path, content: str, parts: tuple[str, ...]) -> None:
    """Write STEPS.md and STEPS.html: what this is, the share, how to sign in, the tool's own parts, and why.

    `content` is the folder in `folder` that holds the wrapper scripts; the first of `parts` is the share's,
    where there is one.
    """
    share, rest = (parts[:1], parts[1:]) if parts and parts[0].endswith("share") else ((), parts)
    token = isinstance(order.sign_in, TokenFile)
    sign_in = () if _on_linux(order) else ("sign-in-token" if token else "sign-in-certificate",)
    markdown = page(("head", *share, *sign_in, *rest, "why", "after"), _values(order, tool, folder, content))
    files.write_whole(folder / f"{PAGE}.md", markdown.encode())
    files.write_whole(folder / f"{PAGE}.html", as_html(markdown).encode())


def install_command(*words: str) -> str:
    """How the wrapper script is started from the folder that it lies in."""
    return " ".join((f"powershell.exe {arguments(WINDOWS)}", *words))


def _commands(order: ExportOrder, tool: Tool) -> dict[str, str]:
    """How the wrapper script is started: from a share only as what was exported, else where it lies."""
    spread = ("-Spread",) if order.minutes(tool) else ()
    if tool in {Tool.CONFIGMGR, Tool.INTUNE}:
        return {"install": install_command(*spread), "uninstall": install_command("-Uninstall")}
    windows = pins(order, tool, WINDOWS)
    linux = (f"{digest} {name}" for name, digest in pins(order, tool, LINUX).items())
    return {
        "install": f"powershell.exe {pinned_arguments(order.share, windows, *spread)}",
        "install_now": f"powershell.exe {pinned_arguments(order.share, windows)}",
        "uninstall": f"powershell.exe {pinned_arguments(order.share, windows, '-Uninstall')}",
        "arguments": pinned_arguments(order.share, windows, *spread),
        "linux_pins": " ".join(linux),
        "linux_share": order.share if _on_linux(order) else "/mnt/arcferry",
    }


def _on_linux(order: ExportOrder) -> bool:
    return order.share.startswith("/")


def _values(order: ExportOrder, tool: Tool, folder: Path, content: str) -> dict[str, str]:
    manifest, target = order.bundle.manifest, order.target
    return {
        "title": f"Steps: onboard servers {_TITLES[tool]}",
        "bundle": order.bundle.id,
        "version": str(manifest.version),
        "expires": to_text(manifest.expires),
        "subscription": target.subscription_id,
        "resource_group": target.resource_group,
        "location": target.location,
        "cloud": target.cloud.name,
        "group": order.group or "none",
        "group_name": order.group.rpartition("\\")[2].replace("'", "''"),
        "delay": str(order.minutes(tool)),
        "content": content,
        "wrapper": WINDOWS if (folder / content / WINDOWS).exists() else LINUX,
        "share": order.share,
        "share_name": order.share.rpartition("\\")[2],
        "share_root": "" if _on_linux(order) else order.share.split("\\")[3],
        "results": order.results,
        "results_argument": order.results if _on_linux(order) else f"'{order.results}'",
        "task": NAME,
        "engine": ENGINE,
        "spread": (
            f"each waits for a random time of at most {order.minutes(tool)} minutes first, and says so"
            if order.minutes(tool)
            else "each begins at once, as --delay 0 was given"
        ),
        **_commands(order, tool),
        **_sign_in(order),
    }


def _sign_in(order: ExportOrder) -> dict[str, str]:
    match order.sign_in:
        case CertificateSignIn(client_id, thumbprint):
            return {
                "signs_in": f"the certificate `{thumbprint}` in each server's own store",
                "client_id": client_id,
                "thumbprint": thumbprint,
                "instead": "a certificate in each server's own store here",
                "linux_token": "/run/arcferry-token",
            }
        case TokenFile(path):
            share, _, name = path.rpartition("\\")
            return {
                "signs_in": f"a short-lived token in `{path}`",
                "token_file": path,
                "token_share": share.rpartition("\\")[2],
                "token_name": name,
                "audience": order.target.cloud.arm,
                "instead": "a token here that ends within about an hour and that one group reads",
                "linux_token": path if path.startswith("/") else "/run/arcferry-token",
            }
    raise ValueError("an export with a page has a way to sign in")
