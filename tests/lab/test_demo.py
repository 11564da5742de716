import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from arcferry_lab import demo, hosts
from arcferry_lab.network.block import port_trouble

ROOT = Path(__file__).parents[2]


@pytest.mark.lab
@pytest.mark.hosts
@pytest.mark.xdist_group("wine")
@pytest.mark.timeout(330)
def test_the_story_is_told_to_its_end_and_leaves_nothing(tmp_path: Path) -> None:
    if reason := hosts.unavailable():
        pytest.skip(f"no hosts here: {reason}")
    told = subprocess.run(
        [sys.executable, "-m", "arcferry", "lab", "demo"],
        # A setting for a real fleet must not reach the story.
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path), "ARCFERRY_PROXY": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert told.returncode == 0, told.stderr
    check, _, explained, _, planned, _, _, green, *_ = told.stdout.split("$ arcferry ")[1:]
    assert check.count("|false      |false") == 1
    assert "agentserviceapi.guestconfiguration.azure.com  |false" in check
    assert "route/community-not-in-filter" in explained
    assert "12076:51012" in planned.partition("The change, az")[2].partition("\n\n")[0]
    assert "8 of 8 required endpoints reached" in green
    assert "risk/reached-outside-filter" in green
    assert "The likeliest reason is route filter rf-microsoft-peering as it is at hand" in green
    reason = demo.linux_only()
    assert f"{6 if reason else 7} of {6 if reason else 7} hosts connected" in told.stdout
    assert ("Linux servers only" in told.stdout) == bool(reason)
    # Servers measure the path where the twin has the ports that their own programs know of.
    if not any(port_trouble("127.99.0.1", port) for port in (53, 443)):
        assert "server01 reaches every one of 8 required endpoints" in told.stdout
    page = tmp_path / "arcferry" / demo.PAGE
    assert list(page.parent.iterdir()) == [page]
    assert f"The page, to open in any browser: {page}" in told.stdout
    rules = [line for line in told.stdout.splitlines() if "──" in line]
    assert len(rules) == len(demo.STORY) + 2
    assert max(map(len, rules)) <= 100, "a pipe has no width that a rule could fill"
    html = page.read_text(encoding="utf-8")
    [headline] = re.findall(r"<h1>(.*?)</h1>", html, re.DOTALL)
    assert ": Route filter rf-microsoft-peering lacks 12076:51012" in re.sub(r"<[^>]+>", "", headline)
    assert "server06" in html


def test_where_to_go_next_is_there() -> None:
    """Each section of a page that the demo names, and each command in the help of arcferry."""
    named = re.findall(r"“([^”]+)”", demo.WHERE_NEXT)
    headings = re.findall(r"^## (.+)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(named) >= 3
    assert set(named) <= set(headings)
    for page in re.findall(r"[\w/-]+\.md", demo.WHERE_NEXT):
        assert (ROOT / page).is_file(), page
    for line in re.findall(r"^  (arcferry .*?)(?:  |$)", demo.WHERE_NEXT, re.MULTILINE):
        words = [word for word in shlex.split(line)[1:] if word.islower() and not word.startswith("-")]
        done = subprocess.run(
            [sys.executable, "-m", "arcferry", *words, "--help"], capture_output=True, check=False
        )
        assert done.returncode == 0, line


def test_it_says_how_to_call_arcferry_where_the_shell_would_not_find_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert f". {shlex.quote(sys.prefix)}/bin/activate" in demo.where_next()
    (tmp_path / "arcferry").symlink_to(Path(sys.prefix) / "bin/arcferry")
    assert "activate" not in demo.where_next()
