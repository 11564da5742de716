"""arcferry export, as it is called."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from arcferry import bundle, times
from arcferry.bundle.keys import PublicKey
from arcferry.cli.app import app
from arcferry.errors import ArcferryError, BundleRefusedError, InputError

WHERE = [
    "--location", "eastasia", "--tenant-id", "99999999-8888-7777-6666-555555555555",
    "--subscription-id", "11111111-2222-3333-4444-555555555555", "--resource-group", "rg-arc",
]  # fmt: skip
SHARE = ["--share", r"\\fs01\arcferry", "--group", r"CORP\Arc servers"]
CERTIFICATE = ["--certificate-thumbprint", "ab" * 20, "--client-id", "99999999-8888-7777-6666-555555555555"]
TOKEN = ["--token-file", r"\\fs01\arcferry-token$\token"]
Invoke = Callable[..., Any]


@pytest.fixture
def run(
    make_bundle: Callable[..., Path], key: bundle.SecretKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Invoke:
    for name in ("TENANT_ID", "SUBSCRIPTION_ID", "RESOURCE_GROUP", "LOCATION", "STATE", "BUNDLE"):
        monkeypatch.delenv(f"ARCFERRY_{name}", raising=False)
    now = times.now().replace(microsecond=0)
    folder = make_bundle(created=now)
    (tmp_path / "key.pub").write_text(_public_text(key.public()))

    def invoke(tool: str, *words: str, place: list[str] | None = None) -> str:
        state = ["--state", str(tmp_path / "state"), "--out", str(tmp_path / "out")]
        given = ["--bundle", str(folder), "--bundle-key", str(tmp_path / "key.pub"), *state]
        arguments = ["export", tool, *given, *(WHERE if place is None else place), *words]
        done = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    return invoke


def _public_text(public: PublicKey) -> str:
    return public.to_bytes().decode()


@pytest.mark.parametrize("tool", ["gpo", "configmgr", "intune", "script", "GPO"])
@pytest.mark.parametrize("sign_in", [CERTIFICATE, TOKEN], ids=["certificate", "token"])
def test_each_tool_writes_its_folder(run: Invoke, tmp_path: Path, tool: str, sign_in: list[str]) -> None:
    assert run(tool, *SHARE, *sign_in, "--tags", "a=b", "--tags", "c=d e") == f"{tmp_path / 'out'}\n"
    (path,) = (tmp_path / "out").rglob("settings.json")
    held = json.loads(path.read_text())
    assert held["via"] == tool.lower()
    assert held["connect"]["tags"] == "a=b,c='d e'"
    assert (tmp_path / "out" / "STEPS.html").is_file()


@pytest.mark.parametrize("tool", ["gpo", "configmgr", "intune", "script"])
def test_an_upgrade_needs_no_sign_in(run: Invoke, tmp_path: Path, tool: str) -> None:
    run(tool, *SHARE, "--upgrade")
    (path,) = (tmp_path / "out").rglob("settings.json")
    assert json.loads(path.read_text())["way"] == "upgrade"


def test_ansible_takes_no_sign_in(run: Invoke, tmp_path: Path) -> None:
    run("ansible")
    assert (tmp_path / "out" / "bundle" / "manifest.json").is_file()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["gpo", *SHARE], "sign in"),
        (["gpo", *SHARE, *CERTIFICATE, *TOKEN], "both"),
        (["gpo", *SHARE, *CERTIFICATE[:2]], "--client-id"),
        (["gpo", *CERTIFICATE], "--share"),
        (["goo", *SHARE, *CERTIFICATE], "unknown tool"),
        (["gpo", *SHARE, *CERTIFICATE, "--agent-proxy", "http://u:p@x"], "--agent-proxy"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(
    run: Invoke, tmp_path: Path, words: list[str], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        run(*words)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("tool", ["gpo", "configmgr", "intune", "script"])
def test_each_tool_takes_an_inventory(run: Invoke, tmp_path: Path, tool: str) -> None:
    servers = tmp_path / "servers.csv"
    servers.write_text("name,resource_group\nweb01,rg-taipei\nweb02.corp.example,\n")
    run(tool, *SHARE, *CERTIFICATE, "--inventory", str(servers))
    (path,) = (tmp_path / "out").rglob("servers.json")
    held = json.loads(path.read_text())
    groups = {name: held["places"][row["place"]]["resource-group"] for name, row in held["servers"].items()}
    assert groups == {"web01": "rg-taipei", "web02": "rg-arc"}


def test_options_that_every_row_answers_are_not_needed(run: Invoke, tmp_path: Path) -> None:
    servers = tmp_path / "servers.csv"
    columns, own = "name,location,resource_group,subscription", f"eastasia,rg-a,{WHERE[5]}"
    servers.write_text(f"{columns}\nweb01,{own}\n")
    run("gpo", *SHARE, *CERTIFICATE, "--inventory", str(servers), place=WHERE[2:4])
    assert (tmp_path / "out").is_dir()


def test_an_option_that_a_row_leaves_open_is_asked_for(run: Invoke, tmp_path: Path) -> None:
    servers = tmp_path / "servers.csv"
    servers.write_text("name,resource_group\nweb01,rg-a\nweb02,\n")
    with pytest.raises(InputError, match=r"servers\.csv:3: web02 has no resource group"):
        run("gpo", *SHARE, *CERTIFICATE, "--inventory", str(servers), place=WHERE[:6])
    with pytest.raises(InputError, match="--location and --resource-group not given") as caught:
        run("gpo", *SHARE, *CERTIFICATE, place=WHERE[2:6])
    assert "--inventory" in caught.value.hint
    assert not (tmp_path / "out").exists()


def test_a_changed_bundle_is_refused_with_3(run: Invoke, tmp_path: Path) -> None:
    (tmp_path / "bundle-in" / "agent" / "a.msi").write_bytes(b"msj")
    with pytest.raises(BundleRefusedError) as caught:
        run("gpo", *SHARE, *CERTIFICATE)
    assert caught.value.exit_code == 3
    assert not (tmp_path / "out").exists()


def test_an_older_bundle_needs_a_reason(
    run: Invoke, make_bundle: Callable[..., Path], tmp_path: Path, key: bundle.SecretKey
) -> None:
    record = bundle.VersionRecord(tmp_path / "state")
    newer = bundle.open_bundle(tmp_path / "bundle-in", key.public(), now=times.now())
    manifest = replace(newer.manifest, version=8, expires=newer.manifest.expires + timedelta(days=1))
    record.remember(manifest, key.public(), None, now=times.now())
    with pytest.raises(ArcferryError, match="older"):
        run("gpo", *SHARE, *CERTIFICATE)
    run("gpo", *SHARE, *CERTIFICATE, "--allow-older", "the newer one is not tested")
