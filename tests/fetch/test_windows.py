"""The Windows agent: real MSIs by wixl over real TLS."""

import hashlib
from collections.abc import Callable

import pytest
from tests.fetch.conftest import MSI, Fetcher, Site

from arcferry.errors import AzureError, BundleRefusedError, FileInputError, InputError
from arcferry.fetch import read_version

PLACE = f"/gbl.his.arc.azure.com/{MSI}"
PINNED = "/gbl.his.arc.azure.com/azcmagent/1.61/AzureConnectedMachineAgent.msi"
MakeMsi = Callable[..., bytes]


async def test_the_newest_comes_with_hash_and_origin(fetcher: Fetcher, site: Site, make_msi: MakeMsi) -> None:
    site.files[PLACE] = make_msi()
    found = await fetcher(windows=True)
    (path,) = found.agents
    assert path.name == "AzureConnectedMachineAgent.msi"
    assert found.origins == {path: f"{site.url}{PLACE}"}
    assert found.files[0].sha256 == hashlib.sha256(site.files[PLACE]).hexdigest()
    assert found.documents == ()
    assert set(fetcher.seen) == {"windows-latest-azurecloud"}


async def test_where_it_moved_is_the_origin(fetcher: Fetcher, site: Site, make_msi: MakeMsi) -> None:
    there = "/download.microsoft.com/download/1/2/AzureConnectedMachineAgent.msi"
    site.files[there] = make_msi()
    site.moved(PLACE, f"{there}?sig=1")
    assert list((await fetcher(windows=True)).origins.values()) == [f"{site.url}{there}"]


@pytest.mark.parametrize("wanted", ["1.61", "1.61.03319.859"])
async def test_a_version_has_an_address_of_its_own(
    fetcher: Fetcher, site: Site, make_msi: MakeMsi, wanted: str
) -> None:
    site.files[PINNED] = make_msi("1.61.3319.859")
    assert len((await fetcher(windows=True, agent_version=wanted)).agents) == 1
    assert site.paths == [PINNED]


async def test_another_version_than_asked_for_is_refused(
    fetcher: Fetcher, site: Site, make_msi: MakeMsi
) -> None:
    site.files[PINNED] = make_msi("1.60.1.1")
    with pytest.raises(BundleRefusedError, match=r"is the agent 1\.60\.1\.1 for x64, not 1\.61"):
        await fetcher(windows=True, agent_version="1.61")
    assert not list(fetcher.folder.rglob("*.msi"))


async def test_an_unchanged_one_is_not_sent_again(fetcher: Fetcher, site: Site, make_msi: MakeMsi) -> None:
    site.files[PLACE] = make_msi()
    first = await fetcher(windows=True)
    assert await fetcher(windows=True) == first
    assert site.asked[1].headers["If-None-Match"] == site.tag(site.files[PLACE])
    site.files[PLACE] = make_msi("1.68.1.1")
    assert (await fetcher(windows=True)).files[0].sha256 != first.files[0].sha256


async def test_one_that_was_changed_in_the_folder_is_sent_again(
    fetcher: Fetcher, site: Site, make_msi: MakeMsi
) -> None:
    site.files[PLACE] = make_msi()
    first = await fetcher(windows=True)
    first.agents[0].write_bytes(b"changed")
    assert await fetcher(windows=True) == first
    assert first.agents[0].read_bytes() == site.files[PLACE]


@pytest.mark.parametrize(
    ("data", "says"),
    [(b"<html>Sign in to the network</html>", "is not an agent package"), (b"", "is empty")],
)
async def test_what_is_no_package_is_refused(fetcher: Fetcher, site: Site, data: bytes, says: str) -> None:
    site.files[PLACE] = data
    with pytest.raises(FileInputError, match=says):
        await fetcher(windows=True)
    assert not list(fetcher.folder.rglob("*.msi*"))


async def test_another_program_is_refused(fetcher: Fetcher, site: Site, make_msi: MakeMsi) -> None:
    site.files[PLACE] = make_msi(name="Something Else")
    with pytest.raises(FileInputError, match="not the Azure Connected Machine Agent"):
        await fetcher(windows=True)


async def test_a_version_that_microsoft_does_not_have(fetcher: Fetcher) -> None:
    with pytest.raises(AzureError, match=r"azcmagent/1\.99/.* answered 404"):
        await fetcher(windows=True, agent_version="1.99")


async def test_a_cut_download_is_resumed_by_the_next_run(
    fetcher: Fetcher, site: Site, make_msi: MakeMsi
) -> None:
    site.files[PLACE] = make_msi(size=2_000_000)
    site.cuts = [500_000] * 4
    with pytest.raises(AzureError):
        await fetcher(windows=True, means={"pauses": ()})
    site.cuts = []
    (path,) = (await fetcher(windows=True)).agents
    assert path.read_bytes() == site.files[PLACE]
    assert site.asked[-1].headers["Range"].startswith("bytes=")


@pytest.mark.parametrize("text", ["1", "latest.1", "1.61-2", "../1.61", "1.61.1.1.1"])
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(InputError, match="is no version"):
        read_version(text)
