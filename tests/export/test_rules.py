"""The PowerShell pieces keep the rules of the host script: one list, one checker."""

import re
from importlib import resources
from types import ModuleType

import pytest

NAMES = ["onboard.ps1", "detect.ps1", "requirement.ps1"]
# A whole bundle goes from the share into a folder that is private; the host script copies single files.
ALSO = {"onboard.ps1": frozenset({"Copy-Item"})}


def text_of(name: str) -> str:
    return resources.files("arcferry.export").joinpath("wrappers", name).read_text(encoding="ascii")


@pytest.mark.parametrize("name", NAMES)
def test_the_script_keeps_every_rule(rules: ModuleType, name: str) -> None:
    assert rules.faults(text_of(name), ALSO.get(name, frozenset())) == []


def test_there_is_no_other_script() -> None:
    found = {path.name for path in resources.files("arcferry.export").joinpath("wrappers").iterdir()}
    assert found == {*NAMES, "onboard.sh", "servers.awk"}


def test_the_token_is_never_an_argument_of_a_command(rules: ModuleType) -> None:
    text = text_of("onboard.ps1")
    assert "$TokenText" in text
    assert rules.secrets_in_commands(text) == []
    assert rules.secrets_in_commands(text.replace("TokenText", "ConfigText")) == []


@pytest.mark.parametrize("name", NAMES)
def test_it_opens_no_connection(rules: ModuleType, name: str) -> None:
    code = rules.code_of(text_of(name))
    for word in ("WebRequest", "WebClient", "HttpClient", "Sockets", "GetHostEntry", "Resolve-DnsName"):
        assert word not in code


def test_it_calls_verbs_that_the_host_script_has(rules: ModuleType) -> None:
    verbs = set(re.findall(r"^#   windows\.ps1 (\w+)", rules.SCRIPTS["windows.ps1"], re.MULTILINE))
    called = set(re.findall(r"Invoke-HostScript @\('(\w+)'", text_of("onboard.ps1")))
    called |= set(re.findall(r"\$words = @\('(\w+)', 'stdin'", text_of("onboard.ps1")))
    assert called == {"verify", "facts", "install", "check", "connect", "show", "disconnect", "uninstall"}
    assert called <= verbs


def test_a_script_cut_short_does_nothing(rules: ModuleType) -> None:
    text = text_of("onboard.ps1")
    outside = [
        n for part in rules.parse(text).children if part.type == "statement_list" for n in part.children
    ]
    last = [rules.said(n) for n in outside if n.type not in {"function_statement", "comment"}]
    assert last[-1].strip() == "Invoke-Main"
    assert sum("Invoke-Main" in one for one in last) == 1


def test_no_file_of_its_own_ever_holds_the_token(rules: ModuleType) -> None:
    """It goes to the host script by standard input, and is forgotten however that ends."""
    code = rules.code_of(text_of("onboard.ps1"))
    written = re.findall(r"WriteAllText\((.*)\)", code)
    assert len(written) == 3
    assert not any("ConfigText" in one or "TokenText" in one for one in written)
    assert "finally { $script:ConfigText = $script:TokenText = '' }" in code


def test_a_folder_in_the_results_place_is_seen_before_anything_is_copied_there() -> None:
    """A move would lose the result in it, and the copy beside it would stay."""
    text = text_of("onboard.ps1")
    assert 0 < text.index("[IO.Directory]::Exists($target)") < text.index("[IO.File]::Copy($held, $beside)")
