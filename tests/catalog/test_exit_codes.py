import json
import re
from pathlib import Path

import pytest

from arcferry import catalog
from arcferry.errors import UnknownNameError

CODES = Path(__file__).parents[3] / "shared" / "data" / "agent-error-codes.json"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("AZCM0026", "AZCM0026"),
        ("azcm26", "AZCM0026"),
        (" azcm 0026 ", "AZCM0026"),
        ("AZCM-26", "AZCM0026"),
        ("AZCM0000", "AZCM0000"),
        ("1603", "1603"),
        ("msiexec 1603", "1603"),
        ("MSI1603", "1603"),
        ("msiexec 0", "0"),
        ("msi error 1920", "1920"),
        ("aadsts7000215", "AADSTS7000215"),
        ("authorizationfailed", "AuthorizationFailed"),
    ],
)
def test_code_by_any_way_of_writing_it(given: str, code: str) -> None:
    assert catalog.code(given).code == code
    assert catalog.known_code(given)


@pytest.mark.parametrize(
    "given", ["26", "AZCM", "AZCM9999", "check.txt", "", "msiexec", "-1", "AZCM12345", "AZCM26x"]
)
def test_what_is_no_code(given: str) -> None:
    assert not catalog.known_code(given)
    with pytest.raises(UnknownNameError):
        catalog.code(given)


def test_a_number_alone_offers_the_agents_code_of_that_number() -> None:
    with pytest.raises(UnknownNameError) as raised:
        catalog.code("26")
    assert "azcm0026" in raised.value.hint


def test_families_and_exit_codes() -> None:
    network, download, fatal = (catalog.code(name) for name in ("AZCM0026", "AZCM0148", "1603"))
    assert (network.family, network.exit_code, network.phase, network.retry) == ("agent", 26, "network", True)
    assert (download.family, download.exit_code) == ("install-script", 1)
    assert (fatal.family, fatal.exit_code, fatal.outcome) == ("msiexec", 1603, "failure")


@pytest.mark.parametrize(("code", "outcome"), [("0", "success"), ("3010", "reboot"), ("1641", "reboot")])
def test_what_windows_installer_counts_as_success(code: str, outcome: str) -> None:
    assert catalog.code(f"msiexec {code}").outcome == outcome


@pytest.mark.parametrize("code", ["AZCM0012", "AZCM0041", "AZCM0044", "AZCM0067", "AZCM0171"])
def test_codes_that_must_not_be_retried_blindly(code: str) -> None:
    assert not catalog.code(code).retry


def test_every_code_says_what_it_means_and_what_to_do() -> None:
    for code in catalog.codes():
        assert code.meaning.endswith("."), code.code
        assert code.remedy.endswith("."), code.code
        assert re.search(r", 20\d\d-\d\d-\d\d$", code.source), code.code


@pytest.mark.shared
@pytest.mark.skipif(not CODES.exists(), reason=f"{CODES.name} is not beside the checkout")
def test_no_code_of_the_collected_facts_is_missing() -> None:
    facts = json.loads(CODES.read_text())
    told = [code for code in catalog.codes() if code.family in ("agent", "install-script", "msiexec")]
    ours = {code.code: code for code in told}
    assert set(ours) == {fact["code"] for fact in facts["azcm"]} | {
        str(fact["code"]) for fact in facts["msiexec"]
    }
    for fact in facts["azcm"]:
        code = ours[fact["code"]]
        assert code.exit_code == (1 if fact["exit_code"] is None else fact["exit_code"])
        assert code.phase == fact["phase"]
        assert code.meaning != fact["meaning"]
    for number, azcm in facts["msi_to_azcm"].items():
        if number != "other":
            assert azcm in ours[number].meaning


def test_the_same_number_is_one_thing_as_an_exit_code_and_another_as_a_message() -> None:
    ended, message = catalog.code("1601"), catalog.code("msi error 1601")
    assert (ended.cause, message.cause) == ("install/failed", "install/disk-full")


@pytest.mark.parametrize("code", ["AZCM0000", "msiexec 0"])
def test_success_is_no_failure(code: str) -> None:
    assert (catalog.code(code).outcome, catalog.code(code).cause) == ("success", "")
