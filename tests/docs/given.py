"""The files that the pages name and no command of theirs makes: those of routers, servers and teams."""

import json
import shutil
from pathlib import Path

from arcferry import bundle as bundles
from arcferry import times
from arcferry.bundle.authenticode import Roots
from arcferry_lab.hosts.windows import CodeSigning, build_agent_msi

RESULT = {
    "schema": 1,
    "kind": "host-run",
    "host": "server01",
    "via": "gpo",
    "bundle": "0123456789ab",
    "began": "2026-11-23T08:00:00Z",
    "ended": "2026-11-23T08:05:00Z",
    "outcome": "failed",
    "answers": [{"schema": 1, "verb": "verify", "ok": True}],
    "path": None,
}


def routers(folder: Path) -> None:
    """What both routers of a circuit print, the second without Entra ID's prefix; and one asked alone."""
    legend = "Status codes: s suppressed, d damped, h history, * valid, > best, i - internal\n\n"
    columns = "     Network            Next Hop            Metric LocPrf Weight Path\n"
    for name, hop, prefixes in (
        ("router1", "198.51.100.2", ("20.187.192.0/21", "20.190.128.0/18")),
        ("router2", "198.51.100.6", ("20.187.192.0/21",)),
        ("router", "198.51.100.2", ("20.187.192.0/21", "20.190.128.0/18")),
    ):
        rows = "".join(f" *>  {prefix:<18} {hop:<24} 0             0 12076 ?\n" for prefix in prefixes)
        (folder / f"{name}.txt").write_text(f"{name}#show ip bgp\n{legend}{columns}{rows}")


def results(*folders: Path) -> None:
    """What a server has left on a share."""
    for folder in folders:
        folder.mkdir()
        (folder / "server01.json").write_text(json.dumps(RESULT))


def for_windows(folder: Path, inventory: Path) -> None:
    """A desk with a bundle for Windows servers."""
    folder.mkdir()
    shutil.copy(inventory, folder)
    signer = CodeSigning()
    msi = build_agent_msi(folder / "agent", ca=signer).rename(folder / "AzureConnectedMachineAgent.msi")
    key = folder / "seal"
    bundles.create_key_pair(key)
    contents = bundles.Contents((msi,), signing_roots=Roots.from_pem(signer.root_pem))
    bundles.build(folder / "bundle", contents, bundles.load_secret_key(key), created=times.now())
