from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.routing.circuit import (
    IPV6,
    Circuit,
    NoRoutes,
    Peering,
    Reason,
    Tier,
    filters_not_at_hand,
    no_routes,
    reaches,
    why_no_routes,
)
from arcferry.routing.route_filter import RouteFilter

UP = Peering("Enabled", route_filter="/subscriptions/s/resourceGroups/g/x/routeFilters/rf-arc")
CIRCUIT = Circuit("er-hk", Tier.STANDARD, "Hong Kong", "Provisioned", UP, UP, state="Enabled")
ALONE = Circuit("peerings.json", microsoft=UP)

REASONS = {
    "all-in-order": (CIRCUIT, None),
    "peerings-alone": (ALONE, None),
    "states-in-other-letters": (replace(CIRCUIT, state="enabled", provisioning="PROVISIONED"), None),
    "circuit-disabled": (replace(CIRCUIT, state="Disabled"), (Reason.CIRCUIT_DISABLED, "Disabled")),
    "provider-not-done": (
        replace(CIRCUIT, provisioning="Deprovisioning"),
        (Reason.NOT_PROVISIONED, "Deprovisioning"),
    ),
    "the-outer-reason-hides-the-inner": (
        replace(CIRCUIT, provisioning="NotProvisioned", microsoft=None),
        (Reason.NOT_PROVISIONED, "NotProvisioned"),
    ),
    "no-peering": (replace(CIRCUIT, microsoft=None), (Reason.NO_PEERING, "")),
    "peerings-not-told": (replace(CIRCUIT, microsoft=None, lists_peerings=False), None),
    "peering-disabled": (
        replace(CIRCUIT, microsoft=replace(UP, state="Disabled")),
        (Reason.PEERING_DISABLED, "Disabled"),
    ),
    "no-filter": (
        replace(CIRCUIT, microsoft=replace(UP, route_filter="")),
        (Reason.NO_ROUTE_FILTER, ""),
    ),
    "no-filter-and-not-legacy": (
        replace(CIRCUIT, microsoft=replace(UP, route_filter="", legacy=False)),
        (Reason.NO_ROUTE_FILTER, ""),
    ),
    "legacy-needs-no-filter": (
        replace(CIRCUIT, microsoft=replace(UP, route_filter="", legacy=True)),
        None,
    ),
}


@pytest.mark.parametrize(("circuit", "wanted"), REASONS.values(), ids=REASONS)
def test_why_nothing_comes_over_a_circuit(circuit: Circuit, wanted: tuple[Reason, str] | None) -> None:
    found = why_no_routes(circuit)
    assert found == (NoRoutes(circuit.name, 4, *wanted) if wanted else None)


def test_ipv6_is_judged_by_its_own_side() -> None:
    four_only = replace(CIRCUIT, microsoft_ipv6=None)
    assert why_no_routes(four_only) is None
    assert why_no_routes(four_only, IPV6) == NoRoutes("er-hk", 6, Reason.NO_PEERING)
    assert why_no_routes(CIRCUIT, IPV6) is None


def test_one_circuit_that_may_carry_is_enough() -> None:
    down, bare = (
        replace(CIRCUIT, name="er-1", state="Disabled"),
        replace(CIRCUIT, name="er-2", microsoft=None),
    )
    assert [(one.circuit, one.reason) for one in no_routes((down, bare))] == [
        ("er-1", Reason.CIRCUIT_DISABLED),
        ("er-2", Reason.NO_PEERING),
    ]
    assert no_routes((down, CIRCUIT)) == ()
    assert no_routes(()) == ()


REACH = {
    "inside-the-geography": ((CIRCUIT,), "southeastasia", (), True),
    "outside-of-it": ((CIRCUIT,), "westeurope", ("12076:51002",), False),
    "another-circuit-reaches-it": ((CIRCUIT, replace(CIRCUIT, tier=Tier.PREMIUM)), "westeurope", (), True),
    "another-one-is-not-known": ((CIRCUIT, ALONE), "westeurope", (), None),
    "a-service-goes-past-the-region": ((CIRCUIT,), "westeurope", ("12076:5060",), None),
    "no-region": ((CIRCUIT,), "", (), None),
    "no-circuit": ((), "eastasia", (), None),
}


@pytest.mark.parametrize(("circuits", "region", "communities", "wanted"), REACH.values(), ids=REACH)
def test_the_reach_of_the_circuits(
    circuits: tuple[Circuit, ...], region: str, communities: tuple[str, ...], wanted: bool | None
) -> None:
    assert reaches(circuits, region, communities) is wanted


def _filter(name: str, origin: str = "filter.json") -> RouteFilter:
    return RouteFilter(name, frozenset(), frozenset(), "Succeeded", origin=origin)


AT_HAND = {
    "the-attached-one": ([_filter("RF-Arc")], False),
    "another-one": ([_filter("rf-other")], True),
    "one-of-two": ([_filter("rf-other"), _filter("rf-arc")], False),
    "only-a-file-s-name": ([_filter("filter.json")], False),
    "none": ([], False),
}


@pytest.mark.parametrize(("filters", "told"), AT_HAND.values(), ids=AT_HAND)
def test_an_attached_filter_that_is_not_at_hand_is_told(filters: list[RouteFilter], told: bool) -> None:
    wanted = ((CIRCUIT, UP.route_filter),) if told else ()
    assert filters_not_at_hand((CIRCUIT,), filters) == wanted


SIDES = st.none() | st.builds(
    Peering,
    st.sampled_from(["", "Enabled", "Disabled"]),
    legacy=st.sampled_from([None, False, True]),
    route_filter=st.sampled_from(["", "rf-arc"]),
)
CIRCUITS = st.builds(
    Circuit,
    st.just("er"),
    provisioning=st.sampled_from(["", "Provisioned", "NotProvisioned"]),
    microsoft=SIDES,
    microsoft_ipv6=SIDES,
    lists_peerings=st.booleans(),
    state=st.sampled_from(["", "Enabled", "Disabled"]),
)


@given(st.lists(CIRCUITS, max_size=3), st.sampled_from([4, 6]))
def test_several_circuits_carry_nothing_only_if_each_of_them_does(
    circuits: list[Circuit], version: int
) -> None:
    each = [why_no_routes(one, version) for one in circuits]
    assert bool(no_routes(circuits, version)) is (bool(each) and None not in each)
