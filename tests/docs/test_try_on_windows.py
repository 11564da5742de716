"""The page for a real Windows: its commands run as far as Wine can, and explain reads what they leave."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.windows_site import WindowsSite

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/try-on-windows.md").read_text(encoding="utf-8")
SCRIPT = (ROOT / "src/arcferry/bundle/hostscripts/windows.ps1").read_text(encoding="ascii")
COMMANDS = {
    int(number): text.strip()
    for number, text in re.findall(
        r"^# (\d+)\. [^\n]*\n(.*?)(?=^# \d+\.|\Z)",
        PAGE.split("```powershell\n")[1].split("```")[0],
        re.MULTILINE | re.DOTALL,
    )
}
PRINTED = dict(re.findall(r"^\| (\d+) \| (.*?) \|", PAGE, re.MULTILINE))
# Wine calls a changed MSI valid, and has neither tasks, CPython nor WinRM. The rest of the page runs.
HERE = (1, 2, 3, 5, 6, 7, 10)


def test_it_has_ten_commands_and_says_what_each_must_print() -> None:
    assert list(COMMANDS) == list(range(1, 11))
    assert list(PRINTED) == [str(number) for number in COMMANDS]


def test_every_code_that_it_promises_is_one_of_the_host_scripts() -> None:
    promised = [code for says in PRINTED.values() for code in re.findall(r'"code":"([a-z-]+)"', says)]
    assert promised == ["signature-invalid", "config-unsafe", "not-installed"]
    assert [code for code in promised if f"Stop-Verb '{code}'" not in SCRIPT] == []


@pytest.mark.lab
@pytest.mark.hosts
@pytest.mark.xdist_group("wine")
@pytest.mark.timeout(300)
def test_what_runs_under_wine_leaves_what_explain_reads(windows_site: WindowsSite, tmp_path: Path) -> None:
    site = windows_site
    shutil.copytree(site.bundle, site.drive("E") / "bundle")
    done = site.script("\n".join(COMMANDS[number] for number in HERE))
    left = tmp_path / "arcferry-try"
    shutil.copytree(site.host.path(r"C:\users\Administrator\arcferry-try"), left)
    answers = {path.stem: json.loads(path.read_bytes()) for path in left.glob("[2-9]*.txt")}
    answers |= {path.stem: json.loads(path.read_bytes()) for path in left.glob("10-*.txt")}
    assert {name: answer["ok"] for name, answer in answers.items()} == {
        "2-facts": True, "3-verify": True, "5-open": False, "5-own": False, "6-install": True,
        "7-show": True, "10-uninstall": True,
    }, done.stdout + done.stderr  # fmt: skip
    assert answers["5-open"]["code"] == "config-unsafe"
    assert answers["5-own"]["code"] == "config-unsafe", "Wine keeps no access lists"
    assert re.search(r"Status\s+: Running", done.stdout)
    rows = json.loads((left / "2-path.json").read_bytes())["endpoints"]
    assert all(row["reachable"] for row in rows)
    named = [left / "2-path.json", *left.glob("[2-7]-*.txt")]
    command = [sys.executable, "-m", "arcferry", "explain", *map(str, named), "--output", "json"]
    explained = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert explained.returncode in {0, 1}, explained.stderr
    assert explained.stdout, explained.stderr
    kinds = {Path(one["name"]).name: one["kind"] for one in json.loads(explained.stdout)["inputs"]}
    assert not [name for name, kind in kinds.items() if kind in {"unknown", "unreadable"}], kinds
