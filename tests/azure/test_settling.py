"""ARM answers 403 and 404 for minutes after a role or a group is made; that is waited out, within bounds."""

import pytest

from arcferry import azure, errors
from arcferry.fleet import poller
from arcferry_lab.twin import Twin

from .conftest import aim, principal

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("fault", ["arm/403", "arm/404"])
async def test_a_passing_refusal_ends_no_watch(twin: Twin, fault: str) -> None:
    await twin.add_fault(fault, times=2)
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        watch = poller.MachinePoller(session)
        assert await watch.wait_for("web01", lambda _: True, patience=4) is None
        await watch.aclose()


async def test_a_lasting_refusal_ends_it(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poller, "_SETTLING", 0.5)
    await twin.add_fault("arm/403")
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        watch = poller.MachinePoller(session)
        with pytest.raises(errors.PermissionDeniedError):
            await watch.wait_for("web01", lambda _: True, patience=60)
        await watch.aclose()
