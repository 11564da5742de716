"""The data of features and of the other ways: whole, dated, and tied to names that the catalogue has."""

from datetime import date

import pytest

from arcferry import catalog
from arcferry.errors import UnknownNameError

PUBLIC, CHINA = catalog.cloud("AzureCloud"), catalog.cloud("china")
EAST_ASIA = catalog.region("eastasia")
TITLES = {one.name: one.title for one in catalog.known_features()}


def hosts(location: str, *features: str, cloud: catalog.Cloud = PUBLIC) -> set[str]:
    found = catalog.requirements(cloud, catalog.region(location), features)
    return {one.host for one in found if {*features} & {*one.features}}


def test_every_feature_of_a_server_has_a_row_with_its_source_and_day() -> None:
    wanted = (
        "monitor defender defender-endpoint update-manager machine-configuration extensions esu sql ssh wac"
    )
    assert {*wanted.split(), "hotpatch", "auto-upgrade", "key-vault"} <= set(TITLES)
    for one in catalog.known_features():
        assert one.says.endswith(".")
        assert one.source.text.endswith(".md")
        assert date(2022, 1, 1) < one.source.taken < date(2027, 1, 1)
        assert {*one.uses} <= set(TITLES)
        assert one.name in catalog.features(PUBLIC)


def test_a_name_whose_place_a_tag_tells_is_in_a_sheet_by_prefix_too() -> None:
    called = {tag.name: {*tag.features} for tag in catalog.called_tags()}
    for cloud in catalog.clouds():
        for feature in catalog.features(cloud):
            region = catalog.regions(cloud)[0]
            for one in catalog.requirements(cloud, region, [feature]):
                if feature in one.features:
                    assert all(feature in called[tag] for tag in one.placed_by), (feature, one.host)


def test_the_monitor_agent_has_its_metrics_and_its_collection_endpoints() -> None:
    found = {one.host: one for one in catalog.feature_endpoints(PUBLIC, EAST_ASIA, "monitor")}
    assert found["global.prod.microsoftmetrics.com"].place_is_unknown
    assert "eastasia.handler.control.monitor.azure.com" in found
    rows = catalog.requirements(PUBLIC, EAST_ASIA, ["monitor"])
    (collection,) = [one for one in rows if one.host == "*.ingest.monitor.azure.com"]
    assert collection.place_is_unknown
    says = next(one.says for one in catalog.known_features() if one.name == "monitor")
    assert "HTTPS inspection must be off" in says
    assert "It does not take azcmagent's proxy" in says


@pytest.mark.parametrize(
    ("location", "own", "others"),
    [
        ("eastasia", {"eas1", "seas1"}, {"nes1", "jpes1"}),
        ("westeurope", {"nes1", "wes1"}, {"eas1"}),
        ("polandcentral", set(), {"nes1"}),
    ],
)
def test_machine_configuration_has_its_accounts_by_location(
    location: str, own: set[str], others: set[str]
) -> None:
    found = hosts(location, "machine-configuration")
    assert {f"oaasguestconfig{code}.blob.core.windows.net" for code in {*own, "wcuss1"}} == found
    assert not {f"oaasguestconfig{code}.blob.core.windows.net" for code in others} & found


def test_choosing_takes_lists_repeats_all_and_what_is_needed_besides() -> None:
    choose = catalog.chosen_features
    assert choose(PUBLIC, ["SQL, ssh", "ssh"]) == ("sql", "extensions", "ssh")
    assert choose(PUBLIC, ["defender"]) == (
        "defender", "defender-endpoint", "extensions", "machine-configuration",
    )  # fmt: skip
    assert set(choose(PUBLIC, ["all"])) == set(TITLES)
    assert not {"wac", "auto-upgrade", "hotpatch"} & {*choose(CHINA, ["all"])}
    assert choose(PUBLIC, []) == choose(PUBLIC, [" , "]) == ()
    with pytest.raises(UnknownNameError, match="unknown feature 'updates'") as caught:
        choose(PUBLIC, ["updates"])
    assert "update-manager" in caught.value.hint


def test_what_is_left_out_is_told_by_its_title() -> None:
    assert catalog.left_out(PUBLIC, catalog.chosen_features(PUBLIC, ["all"])) == ()
    assert "Windows Admin Center" not in catalog.left_out(CHINA, [])
    says = catalog.says_left_out(PUBLIC, ["defender"])
    assert says.startswith(
        "does not contain extension packages, machine configuration, Azure Monitor agent, "
    )
    assert "Defender for Cloud" not in says


BROUGHT = {
    # name: by peering, private link, the explicit proxy, an own proxy, the Arc gateway
    "agentserviceapi.guestconfiguration.azure.com": ("yes", "yes", "yes", "yes", "yes"),
    "login.microsoftonline.com": ("yes", "no", "yes", "yes", "no"),
    "management.azure.com": ("yes", "no", "yes", "yes", "no"),
    "gbl.his.arc.azure.com": ("yes", "yes", "yes", "yes", "no"),
    "packages.microsoft.com": ("no", "no", "yes", "yes", "no"),
    "*.ingest.monitor.azure.com": ("unknown", "own endpoint", "yes", "yes", "no"),
    "*.ods.opinsights.azure.com": ("yes", "own endpoint", "yes", "yes", "no"),
    "*.vault.azure.net": ("yes", "own endpoint", "yes", "yes", "no"),
    "*.blob.core.windows.net": ("yes", "yes", "yes", "yes", "yes"),
    "*.servicebus.windows.net": ("yes", "no", "yes", "yes", "yes"),
}


@pytest.mark.parametrize("host", BROUGHT)
def test_which_way_brings_which_name(host: str) -> None:
    wanted = ["monitor", "key-vault", "extensions", "ssh"]
    (row,) = [one for one in catalog.requirements(PUBLIC, EAST_ASIA, wanted) if one.host == host]
    assert tuple(way.brings(row) for way in catalog.alternatives()) == BROUGHT[host]


def test_every_way_has_microsofts_word_with_its_day() -> None:
    ways = {way.name: way for way in catalog.alternatives()}
    assert list(ways) == ["peering", "private-link", "explicit-proxy", "own-proxy", "gateway"]
    assert (ways["explicit-proxy"].stage, ways["explicit-proxy"].source.taken) == (
        "public preview",
        date(2025, 4, 22),
    )
    assert ways["gateway"].internet.startswith("yes")
    assert "Azure Front Door" in ways["gateway"].says
    assert not ways["gateway"].is_offered_in(CHINA)
    assert all(way.says and way.costs and way.limits for way in ways.values())
