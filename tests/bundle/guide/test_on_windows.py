"""START-HERE's lines for Windows, typed in order and as they stand on a Windows of the twin's."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import forked
from tests.bundle.guide.typed import typed
from tests.windows_site import EVERYTHING, NAME, WindowsSite

from arcferry import bundle as bundles
from arcferry import times
from arcferry_lab.twin import RESOURCE_GROUP

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("wine-guide"), pytest.mark.timeout(300)]
WINDOW = Path(__file__).with_name("window.ps1")
# A choice of the administrator's each, or a program of another's that is not brought here.
LEFT_OUT = ("minisign.exe", "certutil -addstore", "service-principal-cert-thumbprint")
LACKING = "12076:51012"  # where the story's answer lies
Typing = Callable[[list[str]], list[tuple[str, str]]]


@pytest.fixture(scope="module")
def stick(windows_site: WindowsSite) -> Path:
    """The bundle as it came, on drive E:."""
    folder = windows_site.drive("E") / "bundle"
    shutil.copytree(windows_site.bundle, folder)
    return folder


@pytest.fixture
def results(windows_site: WindowsSite) -> Iterator[Path]:
    folder = windows_site.host.path(r"C:\users\Administrator") / "arcferry-result"
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def type_in(windows_site: WindowsSite, stick: Path, results: Path) -> Typing:
    """Types lines in a window of its own; gives each with what it printed."""

    def typed_in(lines: list[str]) -> list[tuple[str, str]]:
        azure, host = windows_site.twin.azure, windows_site.host
        values = {
            "SUBSCRIPTION-ID": azure.subscription_id,
            "RESOURCE-GROUP": RESOURCE_GROUP,
            "TENANT-ID": azure.tenant_id,
            "SERVER-NAME": NAME,
        }
        text = "\n".join(lines)
        for word, value in values.items():
            text = text.replace(word, value)
        token = windows_site.token()
        host.put(WINDOW, r"C:\window.ps1")
        host.path(r"C:\lines.txt").write_text(text, encoding="utf-8")
        host.path(r"C:\keys.txt").write_text(token)
        line = (
            r"powershell.exe -NoProfile -ExecutionPolicy Bypass -File C:\window.ps1 C:\lines.txt C:\keys.txt"
        )
        done = windows_site.line(line)
        host.path(r"C:\keys.txt").unlink()
        assert done.exit_code == 0, done.stderr
        assert done.stderr == ""
        assert token not in done.stdout
        assert windows_site.holding([token[-40:]]) == [], "neither the token nor a file with it stays behind"
        shown = [one.partition("\n") for one in done.stdout.split(">>> ")[1:]]
        assert len(shown) == len(lines)
        return [(line, said.strip()) for line, (_, _, said) in zip(lines, shown, strict=True)]

    return typed_in


def lines_of(bundle: Path, text_name: str) -> list[str]:
    every = [one.text for one in typed((bundle / text_name).read_bytes()) if one.where == "windows"]
    return [line for line in every if not any(word in line for word in LEFT_OUT)]


def answers(said: list[tuple[str, str]]) -> list[dict[str, Any]]:
    return [json.loads(text) for line, text in said if r"host\windows.ps1 " in line]


def explained(results: Path, folder: Path, twin_files: tuple[Path, ...], *, as_5_1: bool) -> dict[str, Any]:
    """What explain makes of the two files; as 5.1's Tee-Object writes: in UTF-16."""
    folder.mkdir()
    shutil.copy(results / "path.json", folder)
    text = (results / "answers.txt").read_bytes().decode("utf-8-sig")
    (folder / "answers.txt").write_bytes(text.encode("utf-16" if as_5_1 else "utf-8"))
    words = [*forked.arcferry(), "explain", "path.json", "answers.txt", *map(str, twin_files)]
    done = subprocess.run(
        [*words, "--output", "json"], cwd=folder, capture_output=True, check=False,
        env=os.environ | {"ARCFERRY_DATA": str(folder / "none")},
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout or b"{}")
    assert found, done.stderr.decode()
    return found


def test_every_line_does_what_the_guide_promises(
    windows_site: WindowsSite,
    type_in: Typing,
    results: Path,
    text_name: str,
    tmp_path: Path,
) -> None:
    bundle = bundles.open_bundle(windows_site.bundle, windows_site.key, now=times.now())
    *lines, disconnect, uninstall = lines_of(windows_site.bundle, text_name)
    said = type_in(lines)
    told = dict(said)
    assert bundle.manifest.sha256.upper() in next(text for line, text in said if "Get-FileHash .\\m" in line)
    assert "MachinePolicy" in told["Get-ExecutionPolicy -List"]
    right = next(text for line, text in said if "Select-String" in line)
    assert [line.split(": ")[0] for line in right.splitlines()] == ["right", "right"]
    found = {one["verb"]: one for one in answers(said)}
    assert list(found) == ["verify", "facts", "install", "check", "connect", "show", "evidence"]
    assert {verb: one for verb, one in found.items() if not one["ok"]} == {}
    rows = found["facts"]["path"]["endpoints"]
    assert [one["failure"] for one in rows if not one["reachable"]] == []
    assert len(rows) == 8
    assert (found["connect"]["changed"], found["show"]["agent"]["status"]) == (True, "Connected")
    machine = windows_site.twin.azure.machines[RESOURCE_GROUP, NAME]
    assert machine.last_heartbeat
    for as_5_1 in (False, True):
        document = explained(results, tmp_path / str(as_5_1), (), as_5_1=as_5_1)
        assert {one["severity"] for one in document["findings"]} <= {"info", "warning"}
    undone = answers(type_in([lines[0], disconnect, uninstall]))
    assert [(one["verb"], one["ok"], one["changed"]) for one in undone] == [
        ("disconnect", True, True),
        ("uninstall", True, True),
    ]
    assert "resource_id" not in json.dumps(undone)


def test_what_is_sent_back_tells_the_cause(
    windows_site: WindowsSite,
    type_in: Typing,
    results: Path,
    tmp_path: Path,
) -> None:
    twin = windows_site.twin
    windows_site.loop.run(twin.allow(*(one for one in EVERYTHING if one != LACKING)))
    lines = lines_of(windows_site.bundle, "START-HERE.txt")
    check = next(at for at, line in enumerate(lines) if "windows.ps1 check " in line)
    last = answers(type_in(lines[: check + 1]))[-1]
    assert (last["verb"], last["code"]) == ("check", "AZCM0026")
    known = (twin.paths.route_filter, twin.paths.service_tags, twin.paths.communities)
    for as_5_1 in (False, True):
        document = explained(results, tmp_path / str(as_5_1), known, as_5_1=as_5_1)
        causes = [one["cause"] for one in document["findings"] if one["severity"] == "error"]
        assert causes == ["route/community-not-in-filter"]
    type_in([lines[0], lines[-1]])
    windows_site.loop.run(twin.allow(*EVERYTHING))
