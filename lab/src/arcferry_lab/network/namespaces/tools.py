"""The programs that a network of namespaces is made of."""

import os
from dataclasses import dataclass
from pathlib import Path

from arcferry.errors import BlockedError
from arcferry_lab.system import program, tools_folder, unpacked_libraries

_PACKAGES = {
    "bird": "bird2",
    "birdcl": "bird2",
    "dnsmasq": "dnsmasq-base",
    "nft": "nftables",
    "ip": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
}


@dataclass(frozen=True, slots=True)
class Tools:
    """Paths of programs by name.

    Attributes:
        libraries: a value for LD_LIBRARY_PATH, empty where the system's libraries serve.
    """

    paths: dict[str, str]
    libraries: str

    def __getitem__(self, name: str) -> str:
        return self.paths[name]

    @property
    def environment(self) -> dict[str, str]:
        """What the programs are run with."""
        own = {"LD_LIBRARY_PATH": self.libraries} if self.libraries else {}
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"} | own


def tools() -> Tools:
    """The programs of this computer, and those unpacked into the folder of tools.

    Raises:
        BlockedError: some are missing; names the packages.
    """
    folder = tools_folder()
    found = {name: _find(name, folder) for name in _PACKAGES}
    missing = sorted({_PACKAGES[name] for name, path in found.items() if not path})
    if missing:
        raise BlockedError(
            f"a network of namespaces needs programs that are not here; packages: {', '.join(missing)}",
            hint=f"make tools in arcferry's checkout unpacks them; else apt install {' '.join(missing)}, or "
            "unpack them and name the folder in ARCFERRY_TOOLS. --network loopback needs none of them.",
        )
    paths = {name: path for name, path in found.items() if path}
    return Tools(paths, unpacked_libraries(folder) if folder else "")


def _find(name: str, folder: Path | None) -> str | None:
    own = [folder / part / name for part in ("usr/sbin", "usr/bin", "sbin", "bin")] if folder else []
    return next((str(path) for path in own if os.access(path, os.X_OK)), None) or program(name)
