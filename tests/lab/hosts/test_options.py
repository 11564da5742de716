import json
from argparse import Namespace
from pathlib import Path

import pytest

from arcferry_lab.hosts.agent.clouds import clean_location, find_cloud
from arcferry_lab.hosts.agent.console import logrus
from arcferry_lab.hosts.agent.failure import AgentError
from arcferry_lab.hosts.agent.main import _parser
from arcferry_lab.hosts.agent.options import Options

# the text after --tags, what it means
TAGS = {
    "site=fra": {"site": "fra"},
    "a=1,b=2": {"a": "1", "b": "2"},
    "a='1, 2',b=3": {"a": "1, 2", "b": "3"},
    r"a=1\,2": {"a": "1,2"},
    'a="it\'s",b=': {"a": "it's", "b": ""},
    "a=x=y": {"a": "x=y"},
    "": {},
}


@pytest.mark.parametrize("text", TAGS)
def test_tags(text: str) -> None:
    assert Options(Namespace(tags=text)).tags() == TAGS[text]


@pytest.mark.parametrize("text", ["novalue", "a=1,b", "=x"])
def test_tags_that_are_no_pairs_are_refused(text: str) -> None:
    with pytest.raises(AgentError, match="key=value") as caught:
        Options(Namespace(tags=text)).tags()
    assert caught.value.code == "AZCM0023"


def test_the_command_line_wins_over_the_config_file(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(
        json.dumps({"Location": "eastasia", "verbose": True, "resource-group": "rg", "tags": {"a": 1}})
    )
    options = Options(_parser().understand(["connect", "--config", str(path), "-l", "japaneast"]))
    assert options.text("location") == "japaneast"
    assert options.text("resource-group") == "rg"
    assert options.flag("verbose")
    assert options.tags() == {"a": "1"}


@pytest.mark.parametrize(("content", "number"), [(None, 19), ("no json", 23), ("[]", 23)])
def test_a_bad_config_file_is_named(tmp_path: Path, content: str | None, number: int) -> None:
    path = tmp_path / "config.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(AgentError, match=str(path)) as caught:
        Options(Namespace(config=str(path)))
    assert caught.value.number == number


@pytest.mark.parametrize(
    "argv",
    [
        ["connect", "--acess-token=SECRET"],
        ["connect", "--acess-token", "SECRET"],
        ["connect", "--s=SECRET"],
        ["connect", "-zSECRET"],
        ["connect", "SECRET"],
        ["connect", "--access-token"],
    ],
)
def test_a_mistyped_option_is_refused_without_its_value(argv: list[str]) -> None:
    with pytest.raises(AgentError) as caught:
        _parser().understand(argv)
    assert caught.value.number == 23
    assert "SECRET" not in caught.value.detail


def test_missing_options_are_named() -> None:
    with pytest.raises(AgentError, match='"tenant-id", "location"') as caught:
        Options(Namespace(resource_group="rg")).need("resource-group", "tenant-id", "location")
    assert caught.value.code == "AZCM0016"


@pytest.mark.parametrize(("text", "name"), [("East Asia", "eastasia"), ("eastus2", "eastus2")])
def test_locations(text: str, name: str) -> None:
    assert clean_location(text) == name


@pytest.mark.parametrize("text", ["../x", "", "east-asia", "eastasia&x=1", "Ostasien…"])
def test_what_is_no_location_is_refused(text: str) -> None:
    with pytest.raises(AgentError) as caught:
        clean_location(text)
    assert caught.value.code == "AZCM0020"


def test_clouds_are_found_in_any_case_and_unknown_ones_refused() -> None:
    assert find_cloud("azureusgovernment").arm == "management.usgovcloudapi.net"
    with pytest.raises(AgentError, match="AzureCloud, AzureUSGovernment, AzureChinaCloud"):
        find_cloud("Azure")


def test_the_required_endpoints_of_the_public_cloud() -> None:
    assert find_cloud("AzureCloud").required("eastasia", "ea.his.arc.azure.com") == [
        "agentserviceapi.guestconfiguration.azure.com",
        "ea.his.arc.azure.com",
        "eastasia-gas.guestconfiguration.azure.com",
        "gbl.his.arc.azure.com",
        "login.microsoftonline.com",
        "login.windows.net",
        "management.azure.com",
        "pas.windows.net",
    ]


def test_a_log_line_stays_one_line() -> None:
    line = logrus("error", 'a "b"\nlevel=fatal', Proxy_Status="x\ny")
    assert line.count("\n") == 1
    assert 'level=error msg="a \\"b\\"\\nlevel=fatal" Proxy Status="x\\ny"' in line
