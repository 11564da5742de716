"""What the real az sent for each line that changes something, and that arcferry prints these very lines."""

import json
from typing import Any

import pytest
from tests.commands.az_lines import REFERENCE, Line, calls
from tests.commands.az_sent_lines import KEPT, NOT_RUN, WRONG, every, shape, to_run
from tests.manual.az_sent import CIRCUIT, FOUR, PEERING, RULE

FOUND: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8"))
SENT: dict[str, list[dict[str, Any]]] = FOUND["sent"]
HERE = "/subscriptions/22222222-3333-4444-5555-666666666666"
NETWORK = "providers/Microsoft.Network"
# az writes a peering by an API that does not know it: the plan and the causes tell so.
UNKNOWN_TO_AZ = "advertisedPublicPrefixInfo"


def recorded(path: str) -> list[tuple[Line, dict[str, Any]]]:
    """The lines of one command with the one request of each."""
    lines = [line for text in SENT for line in calls("kept", f"az {text}") if line.path == path]
    assert lines, path
    for line in lines:
        assert len(SENT[line.text]) == 1, line
    return [(line, SENT[line.text][0]) for line in lines]


def option(line: Line, name: str) -> str:
    return line.argv[line.argv.index(name) + 1]


def after(line: Line, name: str) -> list[str]:
    """All values of the last option."""
    return line.argv[line.argv.index(name) + 1 :]


def group(line: Line) -> str:
    named = option(line, "--resource-group").replace("(", "%28").replace(")", "%29")
    return f"{HERE}/resourceGroups/{named}/{NETWORK}"


def without_unknown(peering: dict[str, Any]) -> dict[str, Any]:
    """The properties of a peering without what az's API does not know."""
    config = {key: value for key, value in peering["microsoftPeeringConfig"].items() if key != UNKNOWN_TO_AZ}
    return peering | {"microsoftPeeringConfig": config}


def test_what_was_sent_is_of_the_reference_version() -> None:
    assert FOUND["version"] == REFERENCE["version"]


def test_arcferry_prints_the_very_lines_that_were_run() -> None:
    assert {line.text for line in to_run()} == set(SENT), "run tests/manual/az_sent.py again"


@pytest.mark.parametrize("line", every(), ids=lambda line: f"{line.where}-{line.text[:60]}")
def test_a_line_that_changes_something_is_like_one_that_was_run(line: Line) -> None:
    run = {shape(one) for text in SENT for one in calls("kept", f"az {text}")}
    assert line.path in NOT_RUN or shape(line) in run, f"run tests/manual/az_sent.py with {line}"


def test_a_reason_not_to_run_is_needed() -> None:
    assert all(len(reason) > 20 for reason in NOT_RUN.values())
    assert {line.path for line in every()} >= set(NOT_RUN)


def test_an_updated_rule_keeps_what_it_held_and_gets_every_community() -> None:
    for line, sent in recorded("network route-filter rule update"):
        path = f"{group(line)}/routeFilters/{option(line, '--filter-name')}/routeFilterRules"
        assert (sent["method"], sent["path"].partition("?")[0]) == ("PUT", f"{path}/{option(line, '--name')}")
        added = after(line, "communities")
        assert sent["body"]["properties"]["communities"] == [*RULE["properties"]["communities"], *added]
        assert sent["body"]["properties"]["access"] == "Allow"


def test_a_created_rule_allows_every_community() -> None:
    for line, sent in recorded("network route-filter rule create"):
        assert sent["body"]["properties"] == {
            "access": "Allow",
            "communities": after(line, "--communities"),
        }


def test_an_attached_filter_is_the_one_that_was_named_and_the_rest_of_the_peering_stays() -> None:
    for line, sent in recorded("network express-route peering update"):
        properties = dict(sent["body"]["properties"])
        named = option(line, "--route-filter")
        own = f"{group(line)}/routeFilters/{named}"
        assert properties.pop("routeFilter") == {"id": named if "/" in named else own}
        assert properties == without_unknown(PEERING["properties"])


def test_a_raised_sku_is_whole_and_the_rest_of_the_circuit_stays() -> None:
    for _, sent in recorded("network express-route update"):
        body = sent["body"]
        assert body["sku"] == {"family": "MeteredData", "name": "Premium_MeteredData", "tier": "Premium"}
        assert body["tags"] == CIRCUIT["tags"]
        held = CIRCUIT["properties"]
        (peering,) = body["properties"]["peerings"]
        assert peering["properties"] == without_unknown(PEERING["properties"]) | {"routeFilter": {"id": FOUR}}
        kept = {key: value for key, value in body["properties"].items() if key != "peerings"}
        assert kept == {key: value for key, value in held.items() if key != "peerings"}


def test_a_new_filter_is_made_in_the_region_by_its_short_name() -> None:
    for line, sent in recorded("network route-filter create"):
        assert sent["path"].startswith(f"{group(line)}/routeFilters/{option(line, '--name')}?")
        assert sent["body"] == {"location": "eastasia"}


def test_a_rule_that_is_deleted_is_the_one_that_denies() -> None:
    for line, sent in recorded("network route-filter rule delete"):
        assert sent["method"] == "DELETE"
        assert f"/routeFilterRules/{option(line, '--name')}?" in sent["path"]


def test_rights_go_to_the_identity_without_a_question_to_graph() -> None:
    for line, sent in recorded("role assignment create"):
        assert sent["path"].startswith(f"{option(line, '--scope')}/providers/Microsoft.Authorization/")
        assert sent["body"]["properties"]["principalId"] == option(line, "--assignee-object-id")
        assert sent["body"]["properties"]["principalType"] == "ServicePrincipal"


def test_the_rest_reaches_what_it_names() -> None:
    for line, sent in recorded("provider register"):
        namespace = option(line, "--namespace")
        assert sent["path"].startswith(f"{HERE}/providers/{namespace}/register?")
    for line, sent in recorded("group create"):
        assert sent["path"].startswith(f"{HERE}/resourcegroups/{option(line, '--name')}?")
        assert sent["body"] == {"location": option(line, "--location")}
    for line, sent in recorded("resource delete"):
        assert sent["path"].partition("?")[0].endswith(f"//machines/{option(line, '--name')}")
    for _, sent in recorded("ad app credential reset"):
        # `--append`: the secrets that are there stay.
        assert sent["path"].endswith("/addPassword")


def test_what_the_parser_takes_and_az_does_not_send_is_seen() -> None:
    add, put, tier = WRONG
    for text in (add, put):
        assert FOUND["wrong"][text] == {"status": 1, "sent": []}
    (sent,) = FOUND["wrong"][tier]["sent"]
    assert sent["body"]["sku"]["name"] == "Standard_MeteredData", "why --sku-family stands beside the tier"
