"""Every line of `az` that arcferry prints, against what azure-cli's own parsers take."""

import re

import pytest
from tests.commands.az_lines import REFERENCE, Line, RefusedError, calls, check, lines, options_of
from tests.commands.texts import printed, written

EVERY = lines((*written(), *printed()))

# What az takes and a closed network, or the command itself, does badly with.
NEVER = {
    ("role assignment create", "--assignee"): "asks Microsoft Graph before Resource Manager",
    ("role assignment list", "--assignee"): "asks Microsoft Graph before Resource Manager",
}
TOGETHER = {
    ("network express-route update", "--sku-tier"): (
        "--sku-family",
        "a tier alone is sent beside the name of the tier before",
    ),
    ("role assignment create", "--assignee-object-id"): (
        "--assignee-principal-type",
        "az asks Microsoft Graph for what is missing",
    ),
}


def _id(line: Line) -> str:
    return f"{line.where}-{line.text[:60]}"


@pytest.mark.parametrize("line", EVERY, ids=_id)
def test_az_takes_the_line(line: Line) -> None:
    assert line.tokens[0] not in REFERENCE["extensions"], line
    assert line.path, f"{line} is no command of core az"
    if line.is_mention:
        return
    try:
        check(line)
    except RefusedError as refused:
        pytest.fail(f"az {line.path}: {refused}: {line}")


@pytest.mark.parametrize("line", EVERY, ids=_id)
def test_the_line_does_not_do_what_az_does_badly(line: Line) -> None:
    for option in line.options:
        assert (line.path, option) not in NEVER, NEVER[line.path, option]
        beside, why = TOGETHER.get((line.path, option), (option, ""))
        assert beside in line.options, why


@pytest.mark.parametrize("line", EVERY, ids=_id)
def test_the_line_reads_the_same_in_every_shell(line: Line) -> None:
    outside = re.sub(r'"[^"]*"', "", line.text)
    assert "'" not in outside, line
    assert not set(line.text) & set("$\\%`^"), line
    for quoted in re.findall(r'"[^"]*"', line.text):
        assert not set(quoted) & set("&|<>") or " " in quoted, line
    if ">" in outside:
        assert re.search(r"--output (?:json|tsv) *>", line.text), line


REFUSED = {
    "network route-filter rule update -g RG --filter-name F -n R --communities 12076:51010": "unrecognized",
    "network route-filter rule update -g RG --filter-name F --add communities 12076:51010": "--name",
    "network route-filter show --name F": "--resource-group",
    "network route-filter rule create -g RG --filter-name F -n R --access allow --communities 1:2": "choice",
    "network route-filter rule create -g RG --filter-name F -n R --access Allow --communities": "expected",
    "network express-route update --name C": "--resource-group",
    "provider register --namespace": "expected one argument",
    "role assignment create --role R": "--scope",
    "network route-filter rule amend -g RG": "no command",
    "network route-filter show --resource RG --name F": "unrecognized",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_line_that_az_refuses_is_found(text: str) -> None:
    (line,) = calls("x", f"az {text}")
    with pytest.raises(RefusedError, match=REFUSED[text]):
        check(line)


def test_an_extension_is_no_command_of_az() -> None:
    (machine,) = calls("x", "az connectedmachine list --resource-group rg")
    assert machine.tokens[0] in REFERENCE["extensions"]
    assert not machine.path


def test_ids_stand_for_names() -> None:
    (line,) = calls("x", "az network route-filter show --ids /subscriptions/S --output json > f.json")
    check(line)


def test_the_reference_is_dated_and_whole() -> None:
    assert re.fullmatch(r"2\.\d+\.\d+", REFERENCE["version"])
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", REFERENCE["taken"])
    assert options_of("network route-filter rule update")["--add"] == "+"


def test_there_are_lines_to_look_at() -> None:
    paths = {line.path for line in EVERY}
    assert len(paths) > 25
    assert {"network route-filter rule update", "network route-filter rule delete"} <= paths
