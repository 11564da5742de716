"""`bundle build --fetch` as a process of its own, with the twin for Azure."""

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests import forked

from arcferry_lab.azure.ids import CIRCUIT
from arcferry_lab.hosts import build_agent_package
from arcferry_lab.twin import RESOURCE_GROUP, Twin

pytestmark = pytest.mark.lab


@dataclass
class Ended:
    code: int
    out: str
    err: str

    @property
    def roles(self) -> dict[str, dict[str, Any]]:
        return {file["role"]: file for file in json.loads(self.out)["files"]}


async def build(twin: Twin, folder: Path, *words: str, **environment: str) -> Ended:
    paths, azure = twin.paths, twin.azure
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ARCFERRY_", "AZURE_"))}
    own = {
        "ARCFERRY_CA_FILE": str(paths.ca),
        "ARCFERRY_RESOLVER": twin.network.resolver,
        "ARCFERRY_PORT": str(twin.network.port),
        "ARCFERRY_ARM_URL": azure.arm_url,
        "ARCFERRY_AUTHORITY": azure.authority,
        "AZURE_TENANT_ID": azure.tenant_id,
        "AZURE_SUBSCRIPTION_ID": azure.subscription_id,
        "AZURE_CLIENT_ID": twin.client.client_id,
        "AZURE_CLIENT_SECRET": twin.client.secret,
        "ARCFERRY_RESOURCE_GROUP": RESOURCE_GROUP,
        "ARCFERRY_DOWNLOADS": str(folder / "downloads"),
    }
    process = await asyncio.create_subprocess_exec(
        *forked.arcferry(), "bundle", "build", "--output", "json", *words,
        cwd=folder, env=kept | own | environment,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    ended = Ended(process.returncode or 0, out.decode(), err.decode())
    assert "Traceback" not in ended.err
    assert twin.client.secret not in ended.out + ended.err
    return ended


@pytest.fixture
def at_hand(tmp_path: Path, twin: Twin) -> tuple[str, ...]:
    from arcferry import bundle  # noqa: PLC0415 - only a key is made with it

    bundle.create_key_pair(tmp_path / "key")
    package = build_agent_package(tmp_path)
    tags = tmp_path / "ServiceTags_Public_20261123.json"
    tags.write_bytes(twin.paths.service_tags.read_bytes())
    return ("--key", "key", "--agent", package.name, "--service-tags", tags.name)


async def test_what_azure_knows_joins_what_is_at_hand(
    twin: Twin, tmp_path: Path, at_hand: tuple[str, ...]
) -> None:
    asked = ("--fetch", "data", "--location", "East Asia", "--circuit", CIRCUIT)
    built = await build(twin, tmp_path, "--out", "b.zip", *at_hand, *asked)
    assert built.code == 0, built.err
    fetched = {role: file["origin"] for role, file in built.roles.items() if file["origin"]}
    assert set(fetched) == {"communities", "discovery", "notification-hosts", "route-filter"}
    assert all(origin.startswith("https://") and "?" not in origin for origin in fetched.values())
    assert "service-tags" in built.roles
    assert built.err.count("SHA-256") == 4

    again = await build(twin, tmp_path, "--out", "again", *at_hand, *asked, "--offline", ARCFERRY_PORT="9")
    assert again.code == 0, again.err
    assert {role: file["sha256"] for role, file in again.roles.items() if file["origin"]} == {
        role: built.roles[role]["sha256"] for role in fetched
    }


async def test_a_refused_sign_in_is_told_once(twin: Twin, tmp_path: Path, at_hand: tuple[str, ...]) -> None:
    asked = ("--fetch", "data", "--circuit", CIRCUIT)
    built = await build(twin, tmp_path, "--out", "b", *at_hand, *asked, AZURE_CLIENT_SECRET="wrong")
    assert built.code == 4
    assert built.err.count("AADSTS7000215") == 1
    assert "error_description" not in built.err


async def test_a_document_at_hand_is_not_fetched_as_well(
    twin: Twin, tmp_path: Path, at_hand: tuple[str, ...]
) -> None:
    (tmp_path / "filter.json").write_bytes(twin.paths.route_filter.read_bytes())
    asked = ("--fetch", "data", "--route-filter", "filter.json", "--circuit", CIRCUIT)
    built = await build(twin, tmp_path, "--out", "b", *at_hand, *asked)
    assert built.code == 2
    assert "route-filter cannot be both at hand and fetched" in built.err
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--agent-version", "1.61"), "--agent-version has no meaning without --fetch"),
        (("--fetch", "debian99"), "debian99"),
        (("--fetch", "data", "--location", "nowhere"), "unknown location"),
    ],
)
async def test_bad_words_are_refused_before_anything_is_asked(
    twin: Twin, tmp_path: Path, at_hand: tuple[str, ...], words: tuple[str, ...], says: str
) -> None:
    built = await build(twin, tmp_path, "--out", "b", *at_hand, *words)
    assert built.code == 2
    assert says in built.err
    assert not (tmp_path / "downloads").exists()
