"""The PowerShell that other tests share."""

from pathlib import Path

from tests.powershell import PowerShell


def test_a_script_runs_in_an_engine_of_its_own(powershell: PowerShell, tmp_path: Path) -> None:
    script = tmp_path / "own.ps1"
    script.write_text("param([string]$Word)\n[Console]::In.ReadToEnd() + $Word\nexit 7\n")
    done = powershell.run(script, "b", stdin=b"a")
    assert (done.returncode, done.stdout) == (7, b"ab\r\n")


def test_scripts_that_share_one_see_nothing_of_each_other(powershell: PowerShell, tmp_path: Path) -> None:
    first, second = tmp_path / "first.ps1", tmp_path / "second.ps1"
    first.write_text("param([string]$Word)\n$global:Left = $Word\n$Word\nWrite-Error 'said'\nexit 3010\n")
    second.write_text("[string](Test-Path variable:Left)\nthrow 'well'\n")
    done = powershell.call(first, "繁")
    assert (done.returncode, done.stdout, done.stderr) == (3010, "繁\n".encode(), b"said")
    assert b"well" in powershell.call(second).stderr
    second.write_text("[string](Test-Path variable:Left)\n")
    done = powershell.call(second)
    assert (done.returncode, done.stdout) == (0, b"False\n")
