"""Draw the documents' pictures from real runs on the twin: `make pictures`; with `page`, the page alone.

What no test can play in a second or two is kept beside the tests, which draw the picture from it again.
"""

import asyncio
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
from tests.browser import browsing
from tests.docs.pictured import DRAWN_FROM, texts

from arcferry.report.runs import with_steps

IMAGES = Path("docs/images")
WIDTH, WIDE, NARROW = 132, 148, 90
BROWSER, MARGIN = 1000, 20
# Each picture of the page: from which element on, and how high.
PARTS = (("report", "body", 900), ("report-fleet", "#path", 1150))
SEEN = """
([top, bottom]) => {
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const part = document.createRange();
    part.selectNodeContents(walker.currentNode);
    const shown = one => one.width && one.top >= top && one.bottom <= bottom;
    const unfolded = walker.currentNode.parentElement.checkVisibility();
    if (unfolded && [...part.getClientRects()].some(shown)) found.push(walker.currentNode.data);
  }
  return found;
}
"""
STORY = "agentserviceapi.guestconfiguration.azure.com"
HANDED_IN = {
    "route_filter_file": "route-filter.json",
    "service_tags_file": "ServiceTags_Public_20261123.json",
    "communities_file": "communities-2026-11-23.json",
}
# A picture must not make its reader's browser fetch a font.
SVG = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def arcferry(command: str, folder: Path, environment: dict[str, str], width: int = WIDTH) -> str:
    """What `arcferry command` prints on a terminal; its progress, on stderr, is left out."""
    master, slave = pty.openpty()
    ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
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


def draw(name: str, command: str, printed: str, width: int = WIDTH) -> None:
    """Write one terminal picture."""
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=width, file=nowhere, force_terminal=True)
        console.print(f"[bold green]$[/] [bold]arcferry {command}[/]", highlight=False)
        console.print(Text.from_ansi(printed.rstrip()))
    IMAGES.mkdir(parents=True, exist_ok=True)
    picture = console.export_svg(title="arcferry", code_format=SVG, unique_id=f"arcferry-{name}")
    (IMAGES / f"{name}.svg").write_text(picture)


def shortened(printed: str, before: str) -> str:
    """All that comes before a word, and the last paragraph, with dots for what is left out between them."""
    last = printed.rstrip().rpartition("\n\n")[2]
    shown = printed[: printed.index(before)].rpartition("\n")[0].rstrip()
    return f"{shown}\n\n  …\n\n{last}"


def page(folder: Path, environment: dict[str, str]) -> None:
    """Take the photographs of the page that `explain.json` and `run.json` make."""
    results = " ".join(str((DRAWN_FROM / name).absolute()) for name in ("explain.json", "run.json"))
    arcferry(f"report {results} --out report.html", folder, environment)
    report = folder / "report.html"
    asyncio.run(photograph(report, texts(report.read_text(encoding="utf-8"))))


async def photograph(report: Path, own: set[str]) -> None:
    """What a browser shows of the page, its top and from the path on, and which of its texts are seen."""
    async with browsing() as browser:
        await browser.open(report, width=BROWSER)
        for name, part, height in PARTS:
            top = await browser.evaluate(f"document.querySelector('{part}').getBoundingClientRect().top")
            top = max(0, top - MARGIN)
            clip = {"x": 0, "y": top, "width": BROWSER, "height": height}
            await browser.page.screenshot(path=IMAGES / f"{name}.png", full_page=True, clip=clip)
            seen = [" ".join(one.split()) for one in await browser.page.evaluate(SEEN, [top, top + height])]
            # The reader's own time and the like are the browser's work.
            keep(f"{name}.txt", "".join(f"{one}\n" for one in dict.fromkeys(seen) if one in own))


def keep(name: str, content: str) -> None:
    """Write down what a picture was drawn from, or shows."""
    DRAWN_FROM.mkdir(exist_ok=True)
    (DRAWN_FROM / name).write_text(content, encoding="utf-8")


def routed(folder: Path, plain: dict[str, str]) -> None:
    """On the lab of real routers: the audit, down to its findings, and a watch while the answer moves."""
    lab = json.loads(arcferry("lab up --network namespaces --folder routed --output json", folder, plain))
    environment = plain | lab["environment"]
    try:
        for key, name in {**HANDED_IN, "circuit_file": "circuit.json"}.items():
            shutil.copy(lab[key], folder / name)
        on_host = f"lab exec host1 -- {sys.executable} -m arcferry"
        (folder / "check.json").write_text(
            arcferry(f"{on_host} check --location eastasia --output json", folder, environment)
        )
        (folder / "router.txt").write_text(arcferry("lab routes", folder, environment))
        audit = f"routes audit check.json router.txt circuit.json {' '.join(HANDED_IN.values())}"
        printed = arcferry(audit, folder, environment, WIDE)
        draw("audit", audit, shortened(printed, "ERROR"), WIDE)
        keep("audit.json", arcferry(f"{audit} --output json", folder, environment))
        arcferry("lab filter add 12076:51011", folder, environment)
        shutil.copy(lab["route_filter_file"], folder / HANDED_IN["route_filter_file"])
        watched(on_host, folder, environment)
    finally:
        arcferry("lab down --folder routed", folder, plain)


def watched(on_host: str, folder: Path, environment: dict[str, str]) -> None:
    """Draw a watch of some forty rounds, over which the answers move twice."""
    judged_by = " ".join(f"--with {folder / name}" for name in HANDED_IN.values())
    state = f"--state {folder / 'state'}"
    resolvers = "--resolver 10.20.0.53 --resolver 10.20.0.54"

    def rounds(number: int) -> None:
        command = f"watch --location eastasia --every 1s --rounds {number} {resolvers} {judged_by} {state}"
        arcferry(f"{on_host} {command}", folder, environment)

    for region, resolver in (("eastasia", ""), ("japaneast", "elsewhere"), ("japaneast", "corp")):
        which = f"--resolver {resolver}" if resolver else ""
        arcferry(f"lab steer {STORY} {region} {which}", folder, environment)
        rounds(8)
    arcferry(f"lab steer {STORY} southeastasia", folder, environment)
    rounds(16)  # which are short, since nothing is waited for
    show = f"watch show {judged_by} {state} --output"
    (IMAGES / "watch.svg").write_text(arcferry(f"{show} svg", folder, environment))
    history = json.loads(arcferry(f"{show} json", folder, environment))
    keep(
        "watch.json",
        json.dumps({key: history[key] for key in history if key not in ("findings", "evidence")}),
    )


def main() -> None:
    """Play the story on twins of its own, and draw what its commands print."""
    with TemporaryDirectory(prefix="arcferry-pictures-") as place:
        folder = Path(place)
        plain = dict(os.environ)
        if sys.argv[1:] == ["page"]:
            page(folder, plain)
            return
        lab = json.loads(arcferry("lab up --hosts 6 --folder lab --output json", folder, plain))
        environment = plain | lab["environment"]
        try:
            for key, name in HANDED_IN.items():
                shutil.copy(lab[key], folder / name)
            check = "check --location eastasia"
            draw("check", check, shortened(arcferry(check, folder, environment), "INFO"))
            (folder / "check.json").write_text(arcferry(f"{check} --output json", folder, environment))
            explain = f"explain check.json {' '.join(HANDED_IN.values())}"
            # The first finding is what its reader came for; what the twin's own CA looks like is told last.
            draw("explain", explain, shortened(arcferry(explain, folder, environment), "WARNING"))
            keep("explain.json", arcferry(f"{explain} --output json", folder, environment))
            arcferry("lab filter add 12076:51012", folder, environment)
            arcferry("bundle key new seal", folder, environment)
            build = f"bundle build --out bundle --secret-key seal --agent {lab['agent_package']}"
            arcferry(build, folder, environment)
            shutil.copy(lab["inventory_file"], folder / "servers.csv")
            apply = "onboard apply servers.csv --bundle bundle --bundle-key seal.pub"
            draw("apply", apply, arcferry(apply, folder, environment, NARROW), NARROW)
            state = Path(lab["environment"]["ARCFERRY_STATE"])
            (run,) = (path.name for path in (state / "runs").iterdir())
            keep("run.json", json.dumps(with_steps(state, run)).replace(f"{folder}/", ""))
            page(folder, environment)
        finally:
            arcferry("lab down --folder lab", folder, plain)
        routed(folder, plain)


if __name__ == "__main__":
    main()
