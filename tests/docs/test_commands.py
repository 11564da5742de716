"""Every command that the documents show is run as it stands, against the twin."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests import forked
from tests.docs import given
from tests.docs.pictured import stale

from arcferry_lab.hosts import unavailable
from arcferry_lab.hosts.windows import cannot_build, cannot_host

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"(?P<note><!-- not run: [^\n]*-->\n)?```(?:console|sh)\n(?P<body>.*?)```", re.DOTALL)
COMMAND = re.compile(r"^\$ (?P<line>(?:.*\\\n)*.+)", re.MULTILINE)
# What a command may end with, where 0 is not the only right answer: these report what they find.
FINDS = (
    "arcferry check",
    "arcferry explain",
    "arcferry diff",
    "arcferry routes audit",
    "arcferry watch",
    "arcferry circuits show",
    "arcferry prepare --status",
    "arcferry verify",
    "arcferry lifecycle",
    "arcferry lab exec",
    "arcferry collect",
)
# These may also find that there is nothing to do.
IDLE = ("arcferry onboard retry",)
# What the people and machines of a page have done before its line is typed.
BEFORE = {
    # The README onboards when the path is right; in between, the network team has done its part.
    "arcferry onboard": "arcferry lab filter add 12076:51012",
    "arcferry bundle verify bundle-of-june.zip": "arcferry bundle build --out bundle-of-june.zip"
    " --secret-key office --agent azcmagent.deb --location eastasia --bundle-version 1",
    "arcferry data import bundle.zip": "arcferry bundle build --out bundle.zip --secret-key office"
    " --agent azcmagent.deb --service-tags ServiceTags_Public_20261123.json",
    "arcferry explain answers.txt": "sh hand-bundle/host/linux.sh facts > answers.txt"
    " && cp check.json path.json && cp answers.txt evidence.txt",
    "ansible-inventory": "arcferry export ansible --bundle bundle --bundle-key seal.pub --out of-inventory"
    " --inventory servers.csv && cp of-inventory/inventory.yml .",
}
# What this desk has in place of a network, a root and servers of one's own.
STANDS_FOR = {
    "17975551fcd4": "$(basename $(ls -d $ARCFERRY_STATE/runs/* | head -n 1))",
    "10.20.0.53": "$ARCFERRY_RESOLVER",
    "10.20.0.54": "$ARCFERRY_RESOLVER",
    "/srv/share/": "$PWD/",
    "GUID": "11111111-2222-3333-4444-555555555555",
    "HEX": "0123456789ABCDEF0123456789ABCDEF01234567",
}
# The folder that the documents give a lab of real routers, which not every machine can run.
ROUTED = "--folder routed"
# The one that they give a lab with Windows hosts, which needs Wine and an engine.
WINDOWS = "--folder mixed"

# The pictures of terminals that are held to what their commands print here.
PICTURED = {
    "check": "arcferry check --location eastasia",
    "explain": "arcferry explain check.json route-filter.json ServiceTags_Public_20261123.json"
    " communities-2026-11-23.json",
    "apply": "arcferry onboard apply servers.csv --bundle bundle --bundle-key seal.pub",
}
# These take a bundle with an MSI, which not every machine can build.
OF_MSI = ("arcferry export gpo", "arcferry export configmgr", "arcferry export intune")


@dataclass(frozen=True)
class Shown:
    document: str
    line: str


def shown() -> Iterator[Shown]:
    for document in DOCUMENTS:
        for block in BLOCK.finditer(document.read_text()):
            if not block["note"]:
                for command in COMMAND.finditer(block["body"]):
                    yield Shown(str(document.relative_to(ROOT)), command["line"].replace("\\\n", " "))


def as_typed_here(line: str) -> str:
    for theirs, ours in STANDS_FOR.items():
        line = line.replace(theirs, ours)
    if line.startswith("arcferry serve"):
        return f"{shlex.join([sys.executable, str(ROOT / 'tests/docs/until_served.py')])} {line}"
    return line


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder with the files that the documents name, and the environment of a running twin."""
    if reason := unavailable():
        pytest.skip(f"the twin has no hosts here: {reason}")
    folder = tmp_path_factory.mktemp("desk")
    arcferry = [sys.executable, "-m", "arcferry"]
    up = [*arcferry, "lab", "up", "--hosts", "2", "--folder", str(folder / "lab"), "--output", "json"]
    lab = json.loads(subprocess.run(up, check=True, capture_output=True, text=True).stdout)
    try:
        shutil.copy(lab["route_filter_file"], folder / "route-filter.json")
        shutil.copy(lab["communities_file"], folder / "communities-2026-11-23.json")
        shutil.copy(lab["service_tags_file"], folder / "ServiceTags_Public_20261123.json")
        shutil.copy(lab["circuit_file"], folder / "circuit.json")
        shutil.copy(lab["agent_package"], folder / "azcmagent.deb")
        shutil.copy(lab["inventory_file"], folder / "servers.csv")
        given.routers(folder)
        given.results(folder / "results", folder / r"\\fs01\arcferry\results")
        if not cannot_build():
            given.for_windows(folder / "windows", folder / "servers.csv")
        for settings in (folder / "lab/hosts").glob("*/root/etc/arcferry-lab.json"):
            # Or an upgrade would wait five minutes for the next heartbeat of each server.
            settings.write_text(json.dumps(json.loads(settings.read_text()) | {"heartbeat_seconds": 1}))
        # One begun process a command would load the same libraries 150 times.
        program = folder / "bin/arcferry"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {shlex.join(forked.arcferry())} "$@"\n')
        program.chmod(0o755)
        path = os.pathsep.join([str(program.parent), str(Path(sys.executable).parent), os.environ["PATH"]])
        yield folder, os.environ | lab["environment"] | {"PATH": path}
    finally:
        for name in ("lab", "routed", "mixed", "twin"):
            down = [*arcferry, "lab", "down", "--folder", str(folder / name)]
            subprocess.run(down, check=True, capture_output=True)


@pytest.mark.hosts
@pytest.mark.lab
@pytest.mark.timeout(1800)
def test_every_command_shown_runs(desk: tuple[Path, dict[str, str]]) -> None:
    folder, environment = desk

    def run(line: str) -> subprocess.CompletedProcess[str]:
        place = folder / "windows" if line.startswith(OF_MSI) else folder
        return subprocess.run(
            ["sh", "-c", line], cwd=place, env=environment, capture_output=True, text=True, check=False
        )

    # The first of each command's answers; `check` fails while the story is at its beginning.
    printed = {PICTURED["check"]: run(PICTURED["check"]).stdout}
    ran = set()
    can_route = (
        run(f"arcferry lab up --network namespaces {ROUTED} && arcferry lab down {ROUTED}").returncode == 0
    )
    for command in shown():
        if (ROUTED in command.line and not can_route) or (WINDOWS in command.line and cannot_host()):
            continue
        if command.line.startswith(OF_MSI) and cannot_build():
            continue
        for beginning in (one for one in BEFORE if command.line.startswith(one)):
            before = run(BEFORE[beginning])
            assert before.returncode == 0, before.stderr
        result = run(as_typed_here(command.line))
        good = (0, 1) if command.line.startswith(FINDS) else (0, 3) if command.line.startswith(IDLE) else (0,)
        assert result.returncode in good, (
            f"{command.document}: {command.line}\n{result.stdout}{result.stderr}"
        )
        ran.add(" ".join(command.line.split()[:3]))
        printed.setdefault(command.line, result.stdout)
    assert "arcferry onboard apply" in ran
    assert not [
        line
        for name, command in PICTURED.items()
        for line in stale(ROOT / f"docs/images/{name}.svg", printed[command])
    ], "make pictures"


def test_every_linked_file_exists() -> None:
    missing = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in DOCUMENTS
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", document.read_text())
        if not (document.parent / target).exists()
    ]
    assert not missing
