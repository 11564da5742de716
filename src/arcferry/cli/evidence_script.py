from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from arcferry.cli import options
from arcferry.cli.evidence_pack import pack
from arcferry.cli.options import option
from arcferry.cli.talk import say
from arcferry.errors import FileInputError, InputError

if TYPE_CHECKING:
    from arcferry.catalog import Cloud, Region

app = typer.Typer(
    no_args_is_help=True,
    help="Get evidence from servers on which arcferry is not, and pack it for support.",
)
app.command()(pack)
_SUFFIXES = {"windows": ".ps1", "linux": ".sh"}
_RUN = {"windows": "powershell -ExecutionPolicy Bypass -File {file}", "linux": "sh {file}"}


@app.command()
def script(
    *,
    location: options.LocationOption,
    location_unlisted: options.UnlistedOption = False,
    cloud: options.CloudOption = options.DEFAULT_CLOUD,
    system: Annotated[
        Literal["windows", "linux"], option("--system", "What the server runs.", "-s")
    ] = "windows",
    endpoint: Annotated[
        list[str] | None, option("--endpoint HOST", "Ask about this name alone; may be given several times.")
    ] = None,
    host_script: Annotated[
        bool, option("--host-script", "Write arcferry's host script instead, into a folder, for its facts.")
    ] = False,
    out: options.OptionalOutOption = None,
) -> None:
    """Write a script, small enough to mail, that a server's administrator runs or pastes.

    It asks that server about the endpoints of the location: each name's answer with its aliases, TCP, TLS
    and HTTP at each address, who issued the certificate, resolvers, proxies, the clock, and what the agent
    says of itself. It needs PowerShell 3.0, or a POSIX shell with openssl; it changes nothing, needs no
    administrator, and writes arcferry-evidence.txt, which arcferry explain reads. Without --out the script is
    arcferry-evidence.ps1 or .sh in this folder.

    Exit code 0 when it is written, 2 where the file is there already.
    """
    from arcferry import catalog, files
    from arcferry.diagnosis.on_server.blocks import block

    chosen = catalog.cloud(cloud)
    region = options.region_of(location, chosen, unlisted=location_unlisted)
    path = out or Path("arcferry-host" if host_script else f"arcferry-evidence{_SUFFIXES[system]}")
    if path.exists():
        raise FileInputError(path, "is there already", hint="Remove it, or give another name with --out.")
    if host_script:
        _write_host_script(system, path)
        run = _RUN[system].format(file=f"{system}{_SUFFIXES[system]}")
        say(f"{path}: on the server: {run} facts {region.name} {chosen.name} facts.json")
        say("Hand in what it writes: arcferry explain facts.json")
        return
    text = block(system, _hosts(endpoint or [], chosen, region)) + "\n"
    # Windows PowerShell takes a file without the mark for one in the server's own code page.
    data = text.replace("\n", "\r\n").encode("utf-8-sig") if system == "windows" else text.encode()
    files.write_whole(path, data)
    say(f"{path}: {len(data):,} bytes. On the server: {_RUN[system].format(file=path.name)}")
    say("Hand in what it writes: arcferry explain arcferry-evidence.txt")


def _write_host_script(system: str, folder: Path) -> None:
    """The script and its part that opens connections, which it reads from beside itself."""
    from importlib import resources

    from arcferry import files

    scripts = resources.files("arcferry.bundle") / "hostscripts"
    for name in (f"{system}{_SUFFIXES[system]}", f"{system}-network{_SUFFIXES[system]}"):
        files.write_whole(folder / name, scripts.joinpath(name).read_bytes())


def _hosts(wanted: list[str], cloud: "Cloud", region: "Region") -> list[str]:
    """The names that were asked for, else every one that the location's machines need and that is known."""
    from arcferry import catalog, typed

    for one in wanted:
        if not typed.host(one):
            raise InputError(f"{typed.shown(one, 80)} is no host name", hint="Such as gbl.his.arc.azure.com.")
    needed = {one.host for one in catalog.endpoints(cloud, region)}
    # The regional HIS endpoint's name is told by discovery; here it counts where Microsoft publishes it.
    known = [one for one in catalog.requirements(cloud, region) if one.host in needed or one.discovered]
    return wanted or [one.host for one in known if "*" not in one.host]
