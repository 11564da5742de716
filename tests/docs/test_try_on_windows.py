"""The page for a real Windows: its commands run as far as Wine can, and explain reads what they leave."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.powershell import ENGINE, PowerShell, windows

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/try-on-windows.md").read_text(encoding="utf-8")
COMMANDS = {
    int(number): text.strip()
    for number, text in re.findall(
        r"^# (\d+)\. [^\n]*\n(.*?)(?=^# \d+\.|\Z)",
        PAGE.split("```powershell\n")[1].split("```")[0],
        re.MULTILINE | re.DOTALL,
    )
}
# What Wine has not: an MSI's signature that counts, tasks, CPython and WinRM. The rest of the page runs.
HERE = (1, 2, 3, 4, 5, 7, 10)


def test_it_has_ten_commands_and_says_what_each_must_print() -> None:
    assert list(COMMANDS) == list(range(1, 11))
    assert re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE) == [str(number) for number in COMMANDS]


@pytest.mark.timeout(300)
def test_what_runs_under_wine_leaves_what_explain_reads(powershell: PowerShell, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    (bundle / "agent").mkdir(parents=True)
    (bundle / "agent/agent.msi").write_bytes(b"no MSI at all")
    (bundle / "host").mkdir()
    for path in (ROOT / "src/arcferry/bundle/hostscripts").glob("*.ps1"):
        (bundle / "host" / path.name).write_bytes(path.read_bytes())
    typed = "\n".join(COMMANDS[number] for number in HERE)
    typed = typed.replace(r"E:\bundle", windows(bundle)).replace("$HOME", r"C:\temp")
    script = tmp_path / "typed.ps1"
    script.write_text(f"Set-Alias powershell.exe {ENGINE}\n{typed}\n", encoding="ascii")
    done = powershell.run(script, seconds=200)
    left = powershell.path(r"C:\temp\arcferry-try")
    answers = {path.name: path.read_bytes().decode("utf-8-sig") for path in left.glob("*.txt")}
    assert {"2-facts.txt", "3-verify.txt", "5-open.txt", "7-show.txt"} <= set(answers), done.stderr.decode()
    assert json.loads(answers["2-facts.txt"])["verb"] == "facts"
    assert json.loads(answers["5-open.txt"])["code"] in {
        "config-unsafe",
        "config-no-token",
    }  # Wine keeps no ACLs
    assert json.loads(answers["4-changed.txt"])["ok"] is False
    named = [*left.glob("2-path.json"), *left.glob("[2-7]-*.txt")]
    command = [sys.executable, "-m", "arcferry", "explain", *map(str, named), "--output", "json"]
    explained = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert explained.returncode in {0, 1}, explained.stderr
    kinds = {Path(one["name"]).name: one["kind"] for one in json.loads(explained.stdout)["inputs"]}
    assert not [name for name, kind in kinds.items() if kind in {"unknown", "unreadable"}], kinds
