"""One run: the folder, working offline, the proxy, and what an error leaves."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.fetch.conftest import BOOKWORM, MSI, PUBLIC, AptRepository, Fetcher, Site

from arcferry import bundle, catalog, times
from arcferry.errors import (
    AzureUnavailableError,
    BlockedError,
    BundleRefusedError,
    FileInputError,
    InputError,
)
from arcferry.fetch import FetchOptions, FetchRequest, fetch, read_sources
from arcferry.files import only_one

PLACE = f"/gbl.his.arc.azure.com/{MSI}"
DISCOVERY = "/gbl.his.arc.azure.com/discovery"
ALLOW_LIST = "/guestnotificationservice.azure.com/urls/allowlist"
EAST_ASIA = catalog.region("eastasia", PUBLIC)


async def test_what_was_fetched_is_had_offline(fetcher: Fetcher, apt: AptRepository) -> None:
    apt.publish()
    fetcher.site.files[DISCOVERY] = b"https://ea.his.arc.azure.com"
    fetcher.site.files[ALLOW_LIST] = b'["azgn-1.servicebus.windows.net"]'
    first = await fetcher(linux=(BOOKWORM,), location=EAST_ASIA)
    fetcher.site.asked.clear()
    again = await fetcher(linux=(BOOKWORM,), location=EAST_ASIA, means={"offline": True})
    assert again == first
    assert len(again.documents) == 2
    assert fetcher.site.asked == []


@pytest.mark.parametrize("spoil", ["version", "content", "receipt"])
async def test_offline_a_file_that_is_not_as_it_was_is_refused(
    fetcher: Fetcher, apt: AptRepository, spoil: str
) -> None:
    apt.publish()
    (path,) = (await fetcher(linux=(BOOKWORM,))).agents
    if spoil == "content":
        path.write_bytes(path.read_bytes()[:-1] + b"!")
    if spoil == "receipt":
        receipt = path.with_name("receipt.json")
        receipt.write_text(receipt.read_text().replace('"file": "', '"file": "../debian12-amd64/'))
    wanted = "1.66" if spoil == "version" else ""
    with pytest.raises(BlockedError, match=f"debian12-amd64 {wanted}".strip()) as caught:
        await fetcher(linux=(BOOKWORM,), agent_version=wanted, means={"offline": True})
    assert "--offline" in caught.value.hint


async def test_offline_with_nothing_here(tmp_path: Path) -> None:
    with pytest.raises(BlockedError, match="windows-latest-azurecloud was not fetched"):
        await fetch(FetchRequest(PUBLIC, windows=True), tmp_path / "downloads", FetchOptions(offline=True))


async def test_two_runs_on_one_folder(fetcher: Fetcher) -> None:
    with (
        only_one(fetcher.folder, "fetch", hint=""),
        pytest.raises(BlockedError, match="another fetch is running"),
    ):
        await fetcher(windows=True)


async def test_a_folder_that_cannot_be_made(fetcher: Fetcher, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    fetcher.folder = tmp_path / "file" / "downloads"
    with pytest.raises(FileInputError):
        await fetcher(windows=True)


async def test_a_refused_index_comes_before_any_large_file(fetcher: Fetcher, apt: AptRepository) -> None:
    apt.publish("other")
    with pytest.raises(BundleRefusedError):
        await fetcher(linux=(BOOKWORM,), windows=True)
    assert PLACE not in fetcher.site.paths


async def test_what_was_fetched_makes_a_bundle(fetcher: Fetcher, apt: AptRepository, tmp_path: Path) -> None:
    apt.publish()
    found = await fetcher(linux=(BOOKWORM,))
    key = bundle.new_secret_key()
    contents = bundle.Contents(found.agents, found.documents, found.origins)
    manifest = bundle.build(tmp_path / "b.zip", contents, key, created=times.now())
    (file,) = [one for one in manifest.files if one.role is bundle.Role.AGENT]
    assert file.sha256 == found.files[0].sha256
    assert file.origin == found.files[0].origin


@dataclass
class Proxy:
    """A real CONNECT proxy that wants a sign-in, and takes every name to the site."""

    site_port: int
    port: int = 0
    credentials: str = ""
    tunnels: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            expected = base64.b64encode(self.credentials.encode()).decode()
            if self.credentials and f"Basic {expected}" not in head:
                writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            else:
                self.tunnels.append(head.split(" ", 2)[1])
                far = await asyncio.open_connection("127.0.0.1", self.site_port)
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await asyncio.gather(_pump(reader, far[1]), _pump(far[0], writer))
        writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
    writer.close()


@pytest.fixture
async def proxy(site: Site) -> AsyncIterator[Proxy]:
    found = Proxy(int(site.url.rpartition(":")[2]), credentials="user:canary")
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    yield found
    server.close()


async def test_everything_goes_through_the_proxy(fetcher: Fetcher, apt: AptRepository, proxy: Proxy) -> None:
    apt.publish()
    address = f"http://user:canary@127.0.0.1:{proxy.port}"
    found = await fetcher(linux=(BOOKWORM,), means={"proxy": address})
    assert len(found.agents) == 1
    assert set(proxy.tunnels) == {fetcher.site.url.removeprefix("https://")}
    assert "canary" not in repr(FetchOptions(proxy=address))


async def test_a_proxy_that_refuses_is_named_without_its_password(fetcher: Fetcher, proxy: Proxy) -> None:
    proxy.credentials = "user:right"
    with pytest.raises(AzureUnavailableError, match="the proxy answered 407") as caught:
        await fetcher(windows=True, means={"proxy": f"http://user:canary@127.0.0.1:{proxy.port}"})
    assert "canary" not in f"{caught.value.message}{caught.value.hint}{caught.value!r}"


async def test_a_proxy_that_is_no_url(fetcher: Fetcher) -> None:
    with pytest.raises(InputError, match="--proxy"):
        await fetcher(windows=True, means={"proxy": "proxy:8080"})


@pytest.mark.parametrize("text", [None, "hello"])
async def test_a_ca_file_without_a_certificate(fetcher: Fetcher, tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "no.pem"
    if text:
        path.write_text(text)
    with pytest.raises(FileInputError, match=r"no\.pem"):
        await fetcher(windows=True, means={"ca_file": path})


async def test_microsofts_own_names_are_asked_where_there_is_no_mirror(
    proxy: Proxy, ca_file: Path, tmp_path: Path
) -> None:
    """The proxy sees the names; the site behind it cannot prove to be them, so nothing is taken."""
    means = FetchOptions(
        read_sources([]), ca_file=ca_file, proxy=f"http://user:canary@127.0.0.1:{proxy.port}", pauses=()
    )
    for wanted in (FetchRequest(PUBLIC, windows=True), FetchRequest(PUBLIC, linux=(BOOKWORM,))):
        with pytest.raises(AzureUnavailableError, match="TLS failed"):
            await fetch(wanted, tmp_path / "downloads", means)
    assert proxy.tunnels == ["gbl.his.arc.azure.com:443", "packages.microsoft.com:443"]
