"""Downloads over real TLS that break off, change, lie, or have no room."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from tests.fetch.conftest import Site
from yarl import URL

from arcferry import files
from arcferry.errors import (
    AzureError,
    AzureUnavailableError,
    BundleRefusedError,
    FileInputError,
    NotFoundError,
    ThrottledError,
)
from arcferry.fetch import FetchOptions, read_sources
from arcferry.fetch.transfer import Digest, download
from arcferry.https import HttpsClient

DATA = bytes(range(256)) * 4096
OTHER = DATA[::-1]
GOOD = Digest("sha256", hashlib.sha256(DATA).hexdigest(), len(DATA))


@pytest.fixture
async def client(site: Site, ca_file: Path) -> AsyncIterator[HttpsClient]:
    async with FetchOptions(read_sources([site.url]), ca_file=ca_file, pauses=(0, 0)).client() as found:
        yield found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "agent.msi"


def place(site: Site, data: bytes = DATA) -> URL:
    site.files["/agent.msi"] = data
    return URL(f"{site.url}/agent.msi")


def ranges(site: Site) -> list[str]:
    return [one.headers.get("Range", "") for one in site.asked]


def content(file: Path) -> bytes:
    return file.read_bytes()


def lay(file: Path, part: bytes, note: str) -> None:
    """What an earlier run could have left."""
    (file.parent / "agent.msi.part").write_bytes(part)
    (file.parent / "agent.msi.part.json").write_text(note, encoding="latin-1")


def left_over(file: Path) -> list[str]:
    return sorted(path.name for path in file.parent.iterdir() if path.name.startswith("agent"))


async def test_a_whole_file(client: HttpsClient, site: Site, file: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    found = await download(client, place(site), file, report=lambda *at: seen.append(at))
    assert found is not None
    assert content(file) == DATA
    assert (found.sha256, found.length) == (GOOD.value, len(DATA))
    assert found.origin == f"{site.url}/agent.msi"
    assert seen[-1] == (len(DATA), len(DATA))
    assert left_over(file) == ["agent.msi"]


@pytest.mark.parametrize("digest", [None, GOOD])
async def test_a_cut_download_goes_on_where_it_broke_off(
    client: HttpsClient, site: Site, file: Path, digest: Digest | None
) -> None:
    site.cuts = [100_000, 200_000]
    assert await download(client, place(site), file, digest=digest)
    assert content(file) == DATA
    assert ranges(site)[0] == ""
    assert all(one.startswith("bytes=") for one in ranges(site)[1:])
    assert all(one.headers["If-Range"] == site.tag(DATA) for one in site.asked[1:])


async def test_tries_are_bounded_and_what_arrived_stays_for_the_next_run(
    client: HttpsClient, site: Site, file: Path
) -> None:
    site.cuts = [1000] * 3
    with pytest.raises(AzureUnavailableError) as caught:
        await download(client, place(site), file)
    assert "Run the same command again" in caught.value.hint
    assert len(site.asked) == 3
    assert left_over(file) == ["agent.msi.part", "agent.msi.part.json"]
    arrived = len(content(file.with_name("agent.msi.part")))
    assert 0 < arrived <= 3000
    assert await download(client, place(site), file)
    assert ranges(site)[3] == f"bytes={arrived}-"
    assert content(file) == DATA


async def test_a_file_that_changed_between_the_halves_is_begun_anew(
    client: HttpsClient, site: Site, file: Path
) -> None:
    site.cuts = [100_000] * 3
    with pytest.raises(AzureUnavailableError):
        await download(client, place(site), file)
    assert await download(client, place(site, OTHER), file)
    assert content(file) == OTHER


async def test_halves_of_two_files_are_found_out_by_the_hash(
    client: HttpsClient, site: Site, file: Path
) -> None:
    """A server that ignores If-Range and has no ETag: only the signed hash tells."""
    site.etags = False
    site.cuts = [100_000] * 3
    with pytest.raises(AzureUnavailableError):
        await download(client, place(site, OTHER), file, digest=GOOD)
    assert await download(client, place(site), file, digest=GOOD)
    assert content(file) == DATA
    assert ranges(site)[-2].startswith("bytes=")
    assert ranges(site)[-1] == ""


async def test_without_hash_and_validator_nothing_is_pieced_together(
    client: HttpsClient, site: Site, file: Path
) -> None:
    site.etags = False
    site.cuts = [100_000, 100_000]
    assert await download(client, place(site), file)
    assert ranges(site) == ["", "", ""]
    assert content(file) == DATA


async def test_a_server_without_ranges_sends_it_all_again(
    client: HttpsClient, site: Site, file: Path
) -> None:
    site.ranges = False
    site.cuts = [100_000, 100_000]
    assert await download(client, place(site), file)
    assert ranges(site)[1].startswith("bytes=")
    assert content(file) == DATA


@pytest.mark.parametrize("lie", ["bytes 5-{last}/{all}", "bytes 0-9/10", "", "items 1-2/3"])
async def test_a_server_that_sends_another_part_is_not_believed(
    client: HttpsClient, site: Site, file: Path, lie: str
) -> None:
    site.cuts = [100_000]
    url = place(site)

    async def lying(request: web.BaseRequest) -> web.StreamResponse:
        if "Range" not in request.headers:
            return await site._file(request, DATA)
        headers = {"ETag": site.tag(DATA)}
        if lie:
            headers["Content-Range"] = lie.format(last=len(DATA) - 1, all=len(DATA))
        return web.Response(status=206, body=DATA[5:], headers=headers)

    site.answers["/agent.msi"] = lying
    assert await download(client, url, file)
    assert content(file) == DATA


async def test_a_part_that_was_longer_than_the_file_is_dropped(
    client: HttpsClient, site: Site, file: Path
) -> None:
    url = place(site)
    note = {"url": str(url), "validator": site.tag(DATA)}
    lay(file, b"x" * (len(DATA) + 10), json.dumps(note))

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if "Range" in request.headers:
            return web.Response(status=416, headers={"Content-Range": f"bytes */{len(DATA)}"})
        return await site._file(request, DATA)

    site.answers["/agent.msi"] = answer
    assert await download(client, url, file, digest=GOOD)
    assert content(file) == DATA


async def test_a_part_of_another_address_is_not_used(client: HttpsClient, site: Site, file: Path) -> None:
    (file.parent / "agent.msi.part").write_bytes(OTHER[:1000])
    (file.parent / "agent.msi.part.json").write_text(
        '{"url": "https://else.example", "validator": "\\"a\\""}'
    )
    assert await download(client, place(site), file)
    assert content(file) == DATA


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 1}', '{"url": "x", "validator": 3}', "\xff"])
async def test_a_damaged_note_beside_the_part_is_no_matter(
    client: HttpsClient, site: Site, file: Path, text: str
) -> None:
    lay(file, OTHER[:1000], text)
    assert await download(client, place(site), file)
    assert content(file) == DATA


async def test_an_unchanged_file_is_not_sent_again(client: HttpsClient, site: Site, file: Path) -> None:
    first = await download(client, place(site), file)
    assert first is not None
    assert await download(client, place(site), file, known=first.validator) is None
    changed = await download(client, place(site, OTHER), file, known=first.validator)
    assert changed is not None
    assert content(file) == OTHER


async def test_a_file_of_the_wrong_hash_is_refused_and_leaves_nothing(
    client: HttpsClient, site: Site, file: Path
) -> None:
    lay(file, b"", "")
    files.write_whole(file, b"what was here before")
    with pytest.raises(BundleRefusedError, match="does not have the SHA256"):
        await download(client, place(site, OTHER), file, digest=GOOD)
    assert content(file) == b"what was here before"
    assert left_over(file) == ["agent.msi"]


async def test_a_file_of_the_wrong_length_is_refused_before_it_is_fetched(
    client: HttpsClient, site: Site, file: Path
) -> None:
    with pytest.raises(BundleRefusedError, match="has 1,048,577 bytes, not the 1,048,576"):
        await download(client, place(site, DATA + b"!"), file, digest=GOOD)
    assert left_over(file) == []


async def _endless(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while request.transport and not request.transport.is_closing():
        await response.write(b"x" * 65536)
        await asyncio.sleep(0)
    return response


async def test_an_endless_body_ends(client: HttpsClient, site: Site, file: Path) -> None:
    url = place(site)
    site.answers["/agent.msi"] = _endless
    with pytest.raises(AzureError, match="than are taken"):
        await asyncio.wait_for(download(client, url, file, limit=1_000_000), 20)
    assert left_over(file) == []
    with pytest.raises(AzureError, match="larger than the 1,000,000 bytes"):
        await asyncio.wait_for(client.read(url, limit=1_000_000), 20)


async def test_a_small_file_that_was_cut_is_asked_for_again(client: HttpsClient, site: Site) -> None:
    site.cuts = [1000, 1000]
    assert (await client.read(place(site), limit=len(DATA)))[0] == DATA
    site.cuts = [1000] * 3
    with pytest.raises(AzureUnavailableError):
        await client.read(place(site), limit=len(DATA))
    assert len(site.asked) == 6


async def test_too_large_a_file_is_not_begun(client: HttpsClient, site: Site, file: Path) -> None:
    with pytest.raises(AzureError, match="1,048,576 bytes are more than the 1,000 that are taken"):
        await download(client, place(site), file, limit=1000)
    assert left_over(file) == []


async def test_a_packed_answer_is_refused(client: HttpsClient, site: Site, file: Path) -> None:
    async def packed(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=b"x", headers={"Content-Encoding": "gzip"})

    url = place(site)
    site.answers["/agent.msi"] = packed
    with pytest.raises(AzureError):
        await download(client, url, file)
    assert site.asked[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    "case",
    [
        (404, NotFoundError, 1),
        (403, AzureError, 1),
        (429, ThrottledError, 3),
        (503, AzureUnavailableError, 3),
    ],
)
async def test_only_what_may_pass_is_tried_again(
    client: HttpsClient, site: Site, file: Path, case: tuple[int, type[Exception], int]
) -> None:
    status, kind, tries = case

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status)

    url = place(site)
    site.answers["/agent.msi"] = answer
    with pytest.raises(kind, match=f"answered {status}"):
        await download(client, url, file)
    assert len(site.asked) == tries


LEADS_AWAY = {
    "another host": "https://files.example/agent.msi",
    "another port": "https://127.0.0.1:1/agent.msi",
    "no TLS": "http://127.0.0.1/agent.msi",
    "Microsoft without TLS": "http://packages.microsoft.com/agent.msi",
    "Microsoft on another port": "https://packages.microsoft.com:8443/agent.msi",
    "a look-alike": "https://packages.microsoft.com.files.example/agent.msi",
    "a user in front": "https://packages.microsoft.com@files.example/agent.msi",
    "a file": "file:///etc/passwd",
    "no address": "https://[::1/agent.msi",
    "nowhere": "",
}


@pytest.mark.parametrize("case", LEADS_AWAY)
async def test_a_redirect_that_leads_away_is_refused(
    client: HttpsClient, site: Site, file: Path, case: str
) -> None:
    url = place(site)
    site.moved("/agent.msi", LEADS_AWAY[case])
    with pytest.raises(AzureError, match=r"none of the addresses|is no address|more than 5 redirects"):
        await download(client, url, file)
    assert left_over(file) == []


async def test_redirects_on_the_mirror_are_followed_and_the_last_is_the_origin(
    client: HttpsClient, site: Site, file: Path
) -> None:
    place(site)
    site.moved("/first", "/second?sig=secret")
    site.moved("/second", f"{site.url}/agent.msi?sig=secret")
    found = await download(client, URL(f"{site.url}/first"), file)
    assert found is not None
    assert found.origin == f"{site.url}/agent.msi"


async def test_redirects_end(client: HttpsClient, site: Site, file: Path) -> None:
    site.moved("/agent.msi", "/agent.msi")
    with pytest.raises(AzureError, match="more than 5 redirects"):
        await download(client, place(site), file)
    assert len(site.asked) == 6


async def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(site: Site, file: Path) -> None:
    async with FetchOptions(read_sources([site.url]), pauses=(0, 0)).client() as client:
        with pytest.raises(AzureUnavailableError, match="TLS failed") as caught:
            await download(client, place(site), file)
    assert "--ca-file" in caught.value.hint
    assert site.asked == []


def _may_mount() -> bool:
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


FULL_DISK = """
import asyncio, os
from pathlib import Path
from yarl import URL
from arcferry.errors import FileInputError
from arcferry.fetch import FetchOptions, read_sources
from arcferry.fetch.transfer import download

async def main():
    async with FetchOptions(read_sources(["{url}"]), ca_file=Path("{ca}"), pauses=(0, 0)).client() as client:
        await download(client, URL("{url}/agent.msi"), Path("stick/agent.msi"))

try:
    asyncio.run(main())
except FileInputError as error:
    print(error, "|", error.hint, "|", (Path("stick") / "agent.msi").exists())
"""


@pytest.mark.skipif(not _may_mount(), reason="no mount namespace may be made here")
async def test_a_full_disk_is_named_and_leaves_no_half_file(
    site: Site, ca_file: Path, tmp_path: Path
) -> None:
    place(site)
    files.write_whole(tmp_path / "code.py", FULL_DISK.format(url=site.url, ca=ca_file).encode())
    files.make_private(tmp_path / "stick")
    script = 'mount -t tmpfs -o size=512k none stick && exec "$0" code.py'
    process = await asyncio.create_subprocess_exec(
        "unshare", "-rm", "sh", "-c", script, sys.executable,
        cwd=tmp_path, env=dict(os.environ), stdout=subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    assert "agent.msi.part: No space left on device" in out.decode()
    assert "--downloads" in out.decode()
    assert out.decode().rstrip().endswith("| False")
    assert len(site.asked) == 1


async def test_a_folder_that_cannot_be_written(client: HttpsClient, site: Site, tmp_path: Path) -> None:
    files.write_whole(tmp_path / "file", b"")
    with pytest.raises(FileInputError, match="file"):
        await download(client, place(site), tmp_path / "file" / "agent.msi")
