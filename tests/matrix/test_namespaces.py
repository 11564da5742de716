"""Faults that take real routers: the check on a customer's host, the router's captures, and one cause."""

from collections.abc import Callable

import pytest
from tests.matrix.findings import errors, explained, others
from tests.matrix.routed import Scene
from tests.matrix.table import PROPERTY

from arcferry.diagnosis import Diagnosis
from arcferry.errors import ArcferryError
from arcferry_lab.faults import FAULTS, NAMESPACES, Fault

pytestmark = [pytest.mark.lab, pytest.mark.hosts]

SHARED = (
    "route/community-not-in-filter",
    "route/no-route-filter",
    "route/peering-down",
    "route/outside-sku-geography",
    "tcp/nat-prefix-not-validated",
    "tls/intercepted",
    "dns/name-not-found",
)
"""Faults of both networks whose cause must also be found beside a router's own table."""
CASES = [fault for fault in FAULTS if fault.networks == frozenset({NAMESPACES}) or fault.name in SHARED]


def found_causes(fault: Fault, found: Diagnosis) -> list[str]:
    """What the fault must be known by: a risk is no error, and stands beside others."""
    if not fault.cause.startswith("risk/"):
        return errors(found)
    return errors(found) + [one.cause for one in found.findings if one.cause == fault.cause]


@pytest.mark.parametrize("fault", CASES, ids=lambda fault: fault.name)
def test_a_fault_leads_to_its_cause_and_to_nothing_else(
    scene: Scene, fault: Fault, record_property: Callable[[str, object], None]
) -> None:
    scene.switch(fault, on=True)
    try:
        found, _ = scene.look()
    finally:
        scene.switch(fault, on=False)
    causes = found_causes(fault, found)
    record_property(PROPERTY, (NAMESPACES, fault.name, ", ".join(causes) or "none"))
    assert causes == ([fault.cause] if fault.cause else []), explained(found)
    assert not others(found), explained(found)
    healed, rows = scene.look()
    assert all(row["reachable"] for row in rows), [row["failure"] for row in rows]
    assert errors(healed) == [], explained(healed)


def test_a_fault_that_is_not_there_is_refused(scene: Scene) -> None:
    with pytest.raises(ArcferryError):
        scene.loop.run(scene.twin.add_fault("route/weather"))
