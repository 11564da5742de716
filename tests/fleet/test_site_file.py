"""With a site file, what is typed is what differs: the inventory and the bundle."""

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest
from tests import forked
from tests.fleet.conftest import Fleet

from arcferry_lab.twin import RESOURCE_GROUP

SITE = """
location = "{location}"
tenant-id = "{tenant}"
subscription-id = "{subscription}"
resource-group = "{group}"
client-id = "{client}"
secret-file = "secret.txt"
arm-url = "{arm}"
authority = "{authority}"
ca-file = "{ca}"
bundle-key = "{key}"
known-hosts = "{known_hosts}"
ssh-key = "{ssh_key}"
tags = ["owner=infra"]
"""


@pytest.mark.hosts
@pytest.mark.lab
async def test_apply_with_an_inventory_and_a_bundle_is_a_whole_command(fleet: Fleet, tmp_path: Path) -> None:
    twin, azure, paths = fleet.twin, fleet.twin.azure, fleet.twin.paths
    (tmp_path / "arcferry.toml").write_text(
        SITE.format(
            location=azure.location,
            tenant=azure.tenant_id,
            subscription=azure.subscription_id,
            group=RESOURCE_GROUP,
            client=twin.client.client_id,
            arm=azure.arm_url,
            authority=azure.authority,
            ca=paths.ca,
            key=fleet.sealed.public_key,
            known_hosts=paths.known_hosts,
            ssh_key=paths.key,
        )
    )
    (tmp_path / "arcferry.toml").chmod(0o644)
    (tmp_path / "secret.txt").write_text(f"{twin.client.secret}\n")
    (tmp_path / "secret.txt").chmod(0o600)
    shutil.copy(paths.inventory, tmp_path / "servers.csv")
    below = tmp_path / "below"
    below.mkdir()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("ARCFERRY_", "AZURE_"))
    }
    words = ["onboard", "apply", "../servers.csv", "--bundle", str(fleet.sealed.path)]
    process = await asyncio.create_subprocess_exec(
        *forked.arcferry(), *words, "--output", "json", "-v",
        cwd=below, env=environment | {"ARCFERRY_STATE": str(tmp_path / "state")},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = (text.decode() for text in await process.communicate())
    assert process.returncode == 0, err
    assert {host["machine"]["tags"]["owner"] for host in json.loads(out)["hosts"]} == {"infra"}
    told = [line for line in err.splitlines() if line.startswith("arcferry: ")]
    assert f"arcferry: site-file path={tmp_path / 'arcferry.toml'}" in told
    hosts = {line.partition("host=")[2].split()[0] for line in told if line.startswith("arcferry: request ")}
    assert hosts
    assert any(line.startswith("arcferry: read ") and "servers.csv" in line for line in told)
    assert twin.client.secret not in out + err
    assert "eyJ" not in err
