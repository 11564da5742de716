"""The one HTTPS client, against a real server with a CA of its own."""

import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

import arcferry
from arcferry.errors import AzureError, AzureUnavailableError, FileInputError, InputError
from arcferry.https import Advice, HttpsClient, connection_pool
from arcferry_lab.pki import Authority

ADVICE = Advice(not_allowed="Name that host.", no_answer="Try again.")
OPENS = re.compile(r"\b(?:ClientSession|TCPConnector|create_default_context|HTTPSConnection|urlopen)\(")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("a test's own CA")


@pytest.fixture
def ca_file(tmp_path: Path, authority: Authority) -> Path:
    path = tmp_path / "ca.pem"
    path.write_bytes(authority.pem)
    return path


@pytest.fixture
async def address(authority: Authority) -> AsyncIterator[URL]:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/compressed":
            return web.Response(body=gzip.compress(b"x" * 1000), headers={"Content-Encoding": "gzip"})
        return web.Response(text=request.headers["Accept-Encoding"])

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    context = authority.server_context(["127.0.0.1"])
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield URL(f"https://127.0.0.1:{runner.addresses[0][1]}")
    await runner.cleanup()


def client(pool: aiohttp.ClientSession) -> HttpsClient:
    return HttpsClient(pool, lambda url: url.host == "127.0.0.1", ADVICE)


def test_one_file_of_the_product_opens_https_connections() -> None:
    """What probes look at is TLS as such, which they open by pyOpenSSL to see what is wrong with it."""
    folder = Path(arcferry.__file__).parent
    found = [
        path.relative_to(folder)
        for path in folder.rglob("*.py")
        if "lab" not in path.parts and OPENS.search(path.read_text(encoding="utf-8"))
    ]
    assert found == [Path("https.py")]


async def test_a_certificate_counts_only_with_its_ca(address: URL, ca_file: Path) -> None:
    async with connection_pool(proxy=None, ca_file=ca_file) as pool:
        assert await client(pool).read(address / "a", limit=100) == (b"identity", f"{address}/a")
    async with connection_pool(proxy=None, ca_file=None) as pool:
        with pytest.raises(AzureUnavailableError, match="TLS failed") as caught:
            await client(pool).read(address / "a", limit=100)
    assert "--ca-file" in caught.value.hint


async def test_the_bound_counts_after_decompression(address: URL, ca_file: Path) -> None:
    async with connection_pool(proxy=None, ca_file=ca_file) as pool:
        assert (await client(pool).read(address / "compressed", limit=1000))[0] == b"x" * 1000
        with pytest.raises(AzureError, match="larger than the 999 bytes"):
            await client(pool).read(address / "compressed", limit=999)


async def test_an_address_that_is_not_allowed_is_not_asked(ca_file: Path) -> None:
    async with connection_pool(proxy=None, ca_file=ca_file) as pool:
        with pytest.raises(AzureError, match="none of the addresses that are asked") as caught:
            await client(pool).read(URL("https://else.example/a?sig=canary"), limit=1)
    assert caught.value.hint.endswith("Name that host.")
    assert "canary" not in caught.value.message


async def test_settings_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--proxy"):
        async with connection_pool(proxy="proxy:8080", ca_file=None):
            pass
    (tmp_path / "no.pem").write_text("hello")
    with pytest.raises(FileInputError, match=r"no\.pem: holds no certificate"):
        async with connection_pool(proxy=None, ca_file=tmp_path / "no.pem"):
            pass
