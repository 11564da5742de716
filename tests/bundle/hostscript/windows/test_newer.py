"""What runs on a server, or is typed there, needs no more than Windows PowerShell 3.0 to 5.1 and .NET 4.5."""

import re
from pathlib import Path

import pytest
from tests.bundle.hostscript.windows.newer import ENGINEER, RULES, SERVER, newer
from tests.commands.powershell_lines import powershell_texts
from tests.commands.texts import written

ROOT = Path(__file__).parents[4]
# Windows Server 2012 R2, where the guide's Get-FileHash came.
GUIDE = (4, 0)
OWN = re.compile(r"\$ErrorActionPreference|\[IO\.|\[Console\]|\[Convert\]::|\$env:", re.IGNORECASE)
SCRIPTS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("src/**/*.ps1"))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.samples[0])
def test_each_rule_catches_its_samples_and_spares_the_rest(rule: object) -> None:
    one = next(known for known in RULES if known is rule)
    for sample in one.samples:
        assert [said for said in newer(sample) if said.endswith(one.why)], sample
    for sample in one.also:
        assert not [said for said in newer(sample) if said.endswith(one.why)], sample
    assert re.search(r"^MicrosoftDocs/|^dotnet/", one.source)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_needs_nothing_newer(name: str) -> None:
    # The installer is for an engineer's own machine; the mailed script leaves a file that explain reads.
    than = ENGINEER if "/itself/" in name else SERVER
    assert newer((ROOT / name).read_text(encoding="utf-8"), than, typed="/on_server/" in name) == []


def test_what_is_typed_needs_nothing_newer() -> None:
    """The guide's commands, the blocks of documents, and what causes have run."""
    texts = list(powershell_texts())
    assert {"guide", "firewall"} < {one.where for one in texts}
    floors = {"guide": GUIDE}
    found = {one.text: newer(one.text, floors.get(one.where, ENGINEER), typed=True) for one in texts}
    assert {text: said for text, said in found.items() if said} == {}


def test_what_the_program_itself_sends_to_a_server_needs_nothing_newer() -> None:
    sent = [one for one in written() if one.where.startswith("src/arcferry/fleet/") and OWN.search(one.text)]
    assert {(one.where, one.text): said for one in sent if (said := newer(one.text))} == {}
