"""What is tried again within a run, by its cause; and which hosts `retry` takes up."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from arcferry import catalog
from arcferry.diagnosis.words import entry
from arcferry.errors import UnknownNameError
from arcferry.fleet.failed import failed_hosts
from arcferry.fleet.outcome import StepResult, StepState
from arcferry.fleet.retries import pause_before, retries, retry_of
from arcferry.fleet.run_folder import runs
from arcferry_lab.hosts.faults import lay

from .conftest import Fleet


def failure(code: str, **more: object) -> StepResult:
    return StepResult("connect", StepState.FAILED, code=code, **more)  # type: ignore[arg-type]


def test_what_is_tried_again_is_a_cause_or_a_code_that_is_known() -> None:
    for name, retry in retries().items():
        assert retry.source
        assert 1 <= retry.times <= 5
        assert "/" not in name or entry(name)
        assert "/" in name or catalog.code(name).retry


@pytest.mark.parametrize(
    "code", ["AZCM0145", "azcm0061", "TooManyRequests", "InternalServerError", "AADSTS90033"]
)
def test_what_passes_by_itself_is_tried_again(code: str) -> None:
    assert retry_of(failure(code)) is not None


@pytest.mark.parametrize(
    "code", ["", "AZCM0026", "AZCM0042", "AADSTS7000222", "AuthorizationFailed", "nonsense"]
)
def test_what_somebody_has_to_change_is_not(code: str) -> None:
    assert retry_of(failure(code)) is None


def test_nor_is_what_could_not_be_reached() -> None:
    assert retry_of(failure("AZCM0061", unreachable=("gbl.his.arc.azure.com",))) is None


def test_waits_grow_and_differ() -> None:
    retry = retries()["arm/throttled"]
    first = {pause_before(retry, 1) for _ in range(50)}
    assert len(first) > 40
    assert all(retry.base / 2 <= one <= retry.base * 1.5 for one in first)
    assert min(pause_before(retry, 3) for _ in range(50)) >= retry.base * 2


@dataclass
class Page:
    """The live page of a fleet, signed in to."""

    url: str
    http: aiohttp.ClientSession

    async def get(self, path: str) -> str:
        async with self.http.get(self.url + path) as answer:
            assert answer.status == 200
            return await answer.text()

    async def post(self, path: str, form: dict[str, str]) -> None:
        async with self.http.post(
            self.url + path, data=form, headers={"Sec-Fetch-Site": "same-origin"}
        ) as answer:
            assert answer.status == 200, await answer.text()

    async def form(self, path: str) -> dict[str, str]:
        fields = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', await self.get(path))
        return dict(fields)


@asynccontextmanager
async def served(fleet: Fleet, folder: Path) -> AsyncIterator[Page]:
    """`arcferry serve` with what the run was begun with."""
    token = folder / "token"
    token.write_text("a-token-of-a-test-0123456789")
    token.chmod(0o600)
    process = await fleet.by_itself(
        "serve", "--listen-port", "0", "--page-token", str(token), "--allow-actions",
        "--", str(fleet.twin.paths.inventory),
    )  # fmt: skip
    try:
        assert process.stderr
        url = (await process.stderr.readline()).decode().split()[-1]
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
            page = Page(url, http)
            await page.post("sign-in", {"token": token.read_text()})
            yield page
    finally:
        process.terminate()
        await process.communicate()


@pytest.mark.lab
@pytest.mark.hosts
async def test_retry_takes_up_the_hosts_that_failed_and_no_other(fleet: Fleet, tmp_path: Path) -> None:
    """At last from the live page, with the cause mended."""
    broken = fleet.twin.servers.hosts[1]
    await lay("host/refuses-connect", broken)
    first = await fleet.run("apply")
    assert first.outcomes == {"server01": "connected", "server02": "failed", "server03": "connected"}
    (cause,) = {found["cause"] for found in first.document["findings"] if found["severity"] == "error"}
    ((run, _),) = runs(fleet.state)
    with pytest.raises(UnknownNameError, match="arm/throttled") as other:
        failed_hosts(run, "arm/throttled")
    assert cause in other.value.hint
    before = len(fleet.events())
    settings = broken.root / "etc/arcferry-lab.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"blocked": []}))
    async with served(fleet, tmp_path) as page:
        form = await page.form(f"runs/{run.id}/retry?cause={cause}")
        assert form["cause"] == cause
        await page.post(f"runs/{run.id}/retry", form)
        async with asyncio.timeout(100):
            while "ended with exit code" not in (text := await page.get(f"runs/{run.id}")):  # noqa: ASYNC110  # a reader asks again
                await asyncio.sleep(0.2)
    assert "ended with exit code 0: 1 server" in text, run.retries.read_text()
    assert "3 of 3 servers connected" in text
    started = {event["host"] for event in fleet.events()[before:] if event["event"] == "started"}
    assert started == {"server02"}
    assert run.retries.stat().st_mode & 0o777 == 0o600
    assert fleet.twin.client.secret not in run.retries.read_text()
