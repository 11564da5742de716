"""The options of `bundle build` that bring things, as the command calls them."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fetch.conftest import MSI, Site

from arcferry.cli.bundle_build import BringOptions, bring
from arcferry.errors import InputError, UnknownNameError


def test_without_fetch_nothing_is_brought() -> None:
    assert bring(BringOptions()) is None


@pytest.mark.parametrize(
    ("option", "given"),
    [
        ("--agent-version", {"agent_version": "1.61"}),
        ("--mirror", {"mirror": ["https://mirror.example"]}),
        ("--circuit", {"circuit": "er1"}),
        ("--repository-key", {"repository_key": [Path("key.asc")]}),
    ],
)
def test_an_option_that_means_nothing_alone_is_told(option: str, given: dict[str, object]) -> None:
    with pytest.raises(InputError, match=f"{option} has no meaning without --fetch"):
        bring(BringOptions(**given))  # type: ignore[arg-type]  # by name


def test_an_unknown_name_offers_near_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError) as caught:
        bring(BringOptions(fetch=["window"], downloads=tmp_path))
    assert "windows" in caught.value.hint


async def test_what_is_brought_is_told_on_stderr(
    site: Site,
    ca_file: Path,
    tmp_path: Path,
    make_msi: Callable[..., bytes],
    capsys: pytest.CaptureFixture[str],
) -> None:
    site.files[f"/gbl.his.arc.azure.com/{MSI}"] = make_msi()
    given = BringOptions(fetch=["windows"], mirror=[site.url], ca_file=ca_file, downloads=tmp_path / "d")
    found = await asyncio.to_thread(bring, given, at_hand=["service-tags"])
    assert found is not None
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("fetching windows-latest-azurecloud\n")
    assert found.files[0].sha256 in err
    assert f"{site.url}/gbl.his.arc.azure.com/{MSI}" in err
