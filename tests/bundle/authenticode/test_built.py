import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from arcferry import bundle
from arcferry.bundle import PackageFormat, SecretKey
from arcferry.errors import BundleRefusedError

if TYPE_CHECKING:
    from conftest import Authorities

URL = "https://gbl.his.arc.azure.com/azcmagent/1.67/AzureConnectedMachineAgent.msi"
KEY = SecretKey(b"arcferry", bytes(range(32)))

Sign = Callable[..., Path]


def test_a_signed_msi_is_carried_with_what_was_verified(
    tmp_path: Path, trusted: "Authorities", sign: Sign, now: dt.datetime
) -> None:
    msi = sign(trusted.signer(), stamped_by=trusted.stamping)
    contents = bundle.Contents((msi,), origins={msi: URL}, signing_roots=trusted.roots)
    bundle.build(tmp_path / "b", contents, KEY, created=now)
    opened = bundle.open_bundle(tmp_path / "b", KEY.public(), now=now)
    (agent,) = opened.manifest.agents
    assert (agent.format, agent.version) == (PackageFormat.MSI, "1.67.3421.1187")
    assert agent.signature == (
        "signed by Microsoft Corporation at 2026-11-13T08:00:00Z, certified by Test Root 2011"
    )
    assert len(agent.signer) == 40
    (origin,) = {file.origin for file in opened.manifest.files if file.name == agent.file}
    assert origin == URL


def test_the_signature_is_judged_as_of_the_bundle_s_own_time(
    tmp_path: Path, trusted: "Authorities", sign: Sign, now: dt.datetime, days: Callable[[int], dt.timedelta]
) -> None:
    """Built again years later from the same inputs, it gives the same bundle."""
    msi = sign(trusted.signer(until=now + days(1)))
    contents = bundle.Contents((msi,), signing_roots=trusted.roots)
    bundle.build(tmp_path / "b", contents, KEY, created=now)
    with pytest.raises(BundleRefusedError, match="signature is refused"):
        bundle.build(tmp_path / "c", contents, KEY, created=now + days(2))


@pytest.mark.parametrize("case", ["unsigned", "foreign", "microsoft"])
def test_what_is_not_rightly_signed_is_not_packed(
    *,
    case: str,
    tmp_path: Path,
    trusted: "Authorities",
    foreign: "Authorities",
    plain_msi: Path,
    sign: Sign,
    now: dt.datetime,
) -> None:
    msi = plain_msi if case == "unsigned" else sign(foreign.signer())
    contents = bundle.Contents((msi,), signing_roots=trusted.roots)
    if case == "microsoft":
        contents = bundle.Contents((msi,))
    with pytest.raises(BundleRefusedError, match=rf"{msi.name}: (it is not signed|its signature is refused)"):
        bundle.build(tmp_path / "b", contents, KEY, created=now)
    assert not (tmp_path / "b").exists()
