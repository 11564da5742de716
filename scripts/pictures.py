"""Draw the README's pictures from a real run on the twin: `make pictures`."""

import json
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from fcntl import ioctl
from pathlib import Path
from tempfile import TemporaryDirectory

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

IMAGES = Path("docs/images")
WIDTH = 132
HANDED_IN = {
    "route_filter_file": "route-filter.json",
    "service_tags_file": "ServiceTags_Public_20261123.json",
    "communities_file": "communities-2026-11-23.json",
}
# A picture must not make its reader's browser fetch a font.
SVG = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def arcferry(command: str, folder: Path, environment: dict[str, str]) -> str:
    """What `arcferry command` prints on a terminal; its progress, on stderr, is left out."""
    master, slave = pty.openpty()
    ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, WIDTH, 0, 0))
    line = [sys.executable, "-m", "arcferry", *command.split()]
    process = subprocess.Popen(
        line, cwd=folder, env=environment, stdin=slave, stdout=slave, stderr=subprocess.DEVNULL
    )
    os.close(slave)
    printed = bytearray()
    try:
        while block := os.read(master, 65536):
            printed += block
    except OSError:  # how Linux says that nobody holds the other end any more
        pass
    os.close(master)
    process.wait()
    return printed.decode().replace("\r\n", "\n")


def draw(name: str, command: str, printed: str) -> None:
    """Write one terminal picture."""
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
        console.print(f"[bold green]$[/] [bold]arcferry {command}[/]", highlight=False)
        console.print(Text.from_ansi(printed.rstrip()))
    IMAGES.mkdir(parents=True, exist_ok=True)
    picture = console.export_svg(title="arcferry", code_format=SVG, unique_id=f"arcferry-{name}")
    (IMAGES / f"{name}.svg").write_text(picture)


def main() -> None:
    """Play the story on a twin of its own, and draw three of its commands."""
    with TemporaryDirectory(prefix="arcferry-pictures-") as place:
        folder = Path(place)
        plain = dict(os.environ)
        lab = json.loads(arcferry("lab up --hosts 6 --folder lab --output json", folder, plain))
        environment = plain | lab["environment"]
        try:
            for key, name in HANDED_IN.items():
                shutil.copy(lab[key], folder / name)
            check = "check --location eastasia"
            draw("check", check, arcferry(check, folder, environment))
            (folder / "check.json").write_text(arcferry(f"{check} --output json", folder, environment))
            explain = f"explain check.json {' '.join(HANDED_IN.values())}"
            draw("explain", explain, arcferry(explain, folder, environment))
            arcferry("lab filter add 12076:51012", folder, environment)
            arcferry("bundle key new seal", folder, environment)
            build = f"bundle build --out bundle --key seal --agent {lab['agent_package']}"
            arcferry(build, folder, environment)
            shutil.copy(lab["inventory_file"], folder / "servers.csv")
            apply = "onboard apply servers.csv --bundle bundle --bundle-key seal.pub"
            draw("apply", apply, arcferry(apply, folder, environment))
        finally:
            arcferry("lab down --folder lab", folder, plain)


if __name__ == "__main__":
    main()
