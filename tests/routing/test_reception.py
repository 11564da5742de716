from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.routing.reception import Reception, Return, reception, returns
from arcferry.routing.route import Route, RouteTable, Vantage, route_table

ADDRESS = "40.115.144.3"
HELD = "40.115.128.0/17"
DAY = datetime(2026, 11, 20, 8, tzinfo=UTC)
MICROSOFT = Route("40.115.128.0/17", ("12076:51012",), "192.0.2.2", (12076,), best=True)
DROPPED = Route("40.115.128.0/17", ("12076:51012",), "192.0.2.2", (12076,), filtered=True)
DEFAULT = Route("0.0.0.0/0", (), "10.0.0.1", (64500,), best=True)
CARRIER = Route("40.115.144.0/24", (), "10.0.0.1", (64500, 64501), best=True)
SHORT = Route("40.0.0.0/8", (), "10.0.0.1", (64500,), best=True)
ELSEWHERE = Route("20.190.128.0/18", ("12076:5060",), "192.0.2.2", (12076,), best=True)


def router(*routes: Route, complete: bool = True, taken: datetime | None = DAY) -> RouteTable:
    return route_table("rtr1.txt", routes, format="cisco-ios", complete=complete, taken=taken)


def received(*routes: Route, complete: bool = True) -> RouteTable:
    return route_table(
        "adj-in.txt", routes, format="cisco-ios", vantage=Vantage.RECEIVED, complete=complete, taken=DAY
    )


def azure(*routes: Route, complete: bool = True) -> RouteTable:
    return route_table("azure.json", routes, format="azure", vantage=Vantage.AZURE, complete=complete)


@pytest.mark.parametrize(
    ("tables", "expected", "prefix"),
    [
        pytest.param([router(MICROSOFT, DEFAULT)], "received", HELD, id="longest-is-microsofts"),
        pytest.param([router(MICROSOFT, SHORT)], "received", HELD, id="a-shorter-one-loses"),
        pytest.param([router(MICROSOFT, CARRIER)], "another-path", "40.115.144.0/24", id="a-longer-one-wins"),
        pytest.param([router(DEFAULT, ELSEWHERE)], "another-path", "0.0.0.0/0", id="only-a-default-route"),
        pytest.param([router(SHORT)], "another-path", "40.0.0.0/8", id="only-another-neighbours"),
        pytest.param([router(ELSEWHERE)], "not-received", "", id="nothing-in-a-whole-table"),
        pytest.param([router()], "not-received", "", id="an-empty-whole-table"),
        pytest.param([router(ELSEWHERE, complete=False)], "unknown", "", id="nothing-in-a-part-of-a-table"),
        pytest.param([router(DROPPED)], "filtered-here", HELD, id="marked-as-filtered"),
        pytest.param([router(DROPPED, DEFAULT)], "filtered-here", HELD, id="filtered-and-default"),
        pytest.param([router(DROPPED, CARRIER)], "another-path", "40.115.144.0/24", id="filtered-and-longer"),
        pytest.param([router(ELSEWHERE), received(MICROSOFT)], "filtered-here", HELD, id="sent-only"),
        pytest.param([router(DEFAULT), received(MICROSOFT)], "filtered-here", HELD, id="sent-default"),
        pytest.param(
            [router(CARRIER), received(MICROSOFT)], "another-path", "40.115.144.0/24", id="sent-beaten"
        ),
        pytest.param([router(MICROSOFT), received(MICROSOFT)], "received", HELD, id="sent-and-used"),
        pytest.param(
            [router(ELSEWHERE), received(ELSEWHERE)], "not-received", "", id="neither-sent-nor-used"
        ),
        pytest.param([received(MICROSOFT)], "received", HELD, id="only-what-was-sent"),
        pytest.param([received(DROPPED)], "filtered-here", HELD, id="sent-and-marked-filtered"),
        pytest.param([received(DEFAULT)], "not-received", "", id="sent-by-another-neighbour"),
        pytest.param([received(ELSEWHERE, complete=False)], "unknown", "", id="part-of-what-was-sent"),
        pytest.param(
            [router(complete=False), received(ELSEWHERE)], "not-received", "", id="a-part-and-a-whole-one"
        ),
        pytest.param([azure(MICROSOFT)], "unknown", "", id="azures-table-proves-nothing"),
        pytest.param([], "unknown", "", id="nothing-at-hand"),
        pytest.param([router(ELSEWHERE), router(MICROSOFT)], "received", HELD, id="one-of-two-routers"),
    ],
)
def test_what_the_tables_say(tables: list[RouteTable], expected: str, prefix: str) -> None:
    found = reception(ADDRESS, tables)
    assert (found.reception.value, found.route.prefix if found.route else "") == (expected, prefix)


def test_the_default_route_is_never_microsofts_even_with_its_as_path() -> None:
    leaked = Route("0.0.0.0/0", ("12076:51012",), "192.0.2.2", (12076,), best=True)
    assert reception(ADDRESS, [router(leaked)]).reception is Reception.ANOTHER_PATH


def test_of_equal_prefixes_the_best_one_counts() -> None:
    rival = Route(MICROSOFT.prefix, (), "10.0.0.1", (64500,), best=True)
    kept = Route(MICROSOFT.prefix, MICROSOFT.communities, "192.0.2.2", (12076,), best=False)
    assert reception(ADDRESS, [router(kept, rival)]).reception is Reception.ANOTHER_PATH
    unmarked = Route(MICROSOFT.prefix, (), "10.0.0.1", (64500,))
    assert reception(ADDRESS, [router(unmarked, MICROSOFT)]).reception is Reception.RECEIVED


def test_a_route_that_is_not_in_use_proves_nothing() -> None:
    unusable = Route(MICROSOFT.prefix, MICROSOFT.communities, "192.0.2.2", (12076,), best=False)
    found = reception(ADDRESS, [router(unusable)])
    assert found.reception is Reception.UNKNOWN
    assert found.says.endswith("through 192.0.2.2, and shows no route in use")
    assert reception(ADDRESS, [router(unusable, DEFAULT)]).reception is Reception.ANOTHER_PATH


def test_an_origin_that_the_table_does_not_show_is_told_by_the_link() -> None:
    bare = Route("40.115.128.0/17", (), "192.0.2.2", (), best=True)
    assert reception(ADDRESS, [router(bare)]).reception is Reception.UNKNOWN
    assert reception(ADDRESS, [router(bare)], links=["192.0.2.0/30"]).reception is Reception.RECEIVED
    assert reception(ADDRESS, [router(bare)], links=["198.51.100.0/30"]).reception is Reception.UNKNOWN
    odd = Route("40.115.128.0/17", (), "GigabitEthernet0/0", (), best=True)
    assert reception(ADDRESS, [router(odd)], links=["192.0.2.0/30"]).reception is Reception.UNKNOWN


def test_a_table_a_day_older_than_the_newest_is_left_out() -> None:
    old = router(MICROSOFT, taken=DAY - timedelta(days=2))
    assert reception(ADDRESS, [old, router(ELSEWHERE)]).reception is Reception.NOT_RECEIVED
    same_visit = router(MICROSOFT, taken=DAY - timedelta(hours=2))
    assert reception(ADDRESS, [same_visit, router(ELSEWHERE)]).reception is Reception.RECEIVED
    undated = router(MICROSOFT, taken=None)
    assert reception(ADDRESS, [undated, router(ELSEWHERE)]).reception is Reception.RECEIVED


def test_ipv6_too() -> None:
    route = Route("2603:1040::/32", ("12076:51012",), "2001:db8::2", (12076,), best=True)
    assert reception("2603:1040:401::5", [router(route)]).reception is Reception.RECEIVED
    assert reception("2603:1040:401::5", [router(MICROSOFT)]).reception is Reception.NOT_RECEIVED
    default = Route("::/0", (), "fe80::1", (64500,), best=True)
    assert reception("2603:1040:401::5", [router(default)]).reception is Reception.ANOTHER_PATH


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        (
            [router(MICROSOFT)],
            (
                "rtr1.txt of 2026-11-20 has 40.115.144.3 in 40.115.128.0/17 with 12076:51012 "
                "through 192.0.2.2 from Microsoft"
            ),
        ),
        (
            [router(DEFAULT, taken=None)],
            (
                "rtr1.txt (undated) sends 40.115.144.3 by the default route through 10.0.0.1, "
                "which is not from Microsoft"
            ),
        ),
        (
            [router(ELSEWHERE)],
            "rtr1.txt of 2026-11-20 is a whole table of 1 route, and none holds 40.115.144.3",
        ),
        (
            [router(complete=False)],
            "rtr1.txt of 2026-11-20 is no whole table, so that the lack of 40.115.144.3 in it means nothing",
        ),
        (
            [received(DEFAULT)],
            (
                "adj-in.txt of 2026-11-20 is a whole table of 1 route, "
                "and none from Microsoft holds 40.115.144.3"
            ),
        ),
        (
            [router(DEFAULT), received(MICROSOFT)],
            (
                "adj-in.txt of 2026-11-20 shows that Microsoft sends 40.115.128.0/17 with 12076:51012 "
                "through 192.0.2.2, and the router's own policy drops it: rtr1.txt of 2026-11-20 sends "
                "40.115.144.3 by the default route through 10.0.0.1, which is not from Microsoft"
            ),
        ),
        ([], "no router's routes were handed in"),
    ],
)
def test_it_says_why(tables: list[RouteTable], says: str) -> None:
    assert reception(ADDRESS, tables).says == says


def test_no_address_is_an_error() -> None:
    with pytest.raises(ValueError, match="does not appear to be an IPv4 or IPv6 address"):
        reception("not-an-address", [])


OWN = Route("203.0.113.0/24", (), "192.0.2.1", (64496,))
AGGREGATE = Route("203.0.112.0/20", (), "192.0.2.1", (64496,))


@pytest.mark.parametrize(
    ("prefixes", "tables", "answer", "missing"),
    [
        (["203.0.113.0/24"], [azure(OWN)], "accepted", ()),
        (["203.0.113.0/24"], [azure(AGGREGATE)], "accepted", ()),
        (["203.0.113.0/24"], [azure(DEFAULT)], "missing", ("203.0.113.0/24",)),
        (["203.0.112.0/20"], [azure(OWN)], "missing", ("203.0.112.0/20",)),
        (["203.0.113.0/24", "198.51.100.7"], [azure(OWN)], "missing", ("198.51.100.7/32",)),
        (["203.0.113.0/24"], [azure(complete=False)], "unknown", ("203.0.113.0/24",)),
        (["203.0.113.0/24"], [router(OWN)], "unknown", ()),
        ([], [azure(OWN)], "unknown", ()),
        (["2001:db8:1::/48"], [azure(Route("2001:db8::/32"))], "accepted", ()),
    ],
)
def test_whether_azure_has_the_prefixes(
    prefixes: list[str], tables: list[RouteTable], answer: str, missing: tuple[str, ...]
) -> None:
    found = returns(prefixes, tables)
    assert (found.answer, found.missing) == (Return(answer), missing)


ROUTES = st.lists(
    st.sampled_from([MICROSOFT, DROPPED, DEFAULT, CARRIER, SHORT, ELSEWHERE]), unique=True, max_size=6
)


@given(ROUTES, ROUTES, st.booleans())
def test_any_tables_give_an_answer_that_its_route_bears_out(
    used: list[Route], sent: list[Route], complete: bool
) -> None:
    found = reception(ADDRESS, [router(*used, complete=complete), received(*sent, complete=complete)])
    assert found.says
    match found.reception:
        case Reception.RECEIVED | Reception.FILTERED_HERE:
            assert found.route
            assert found.route.from_microsoft
        case Reception.ANOTHER_PATH:
            assert found.route in used
            assert found.route
            assert not found.route.from_microsoft
        case Reception.NOT_RECEIVED:
            assert complete
            assert found.route is None
        case Reception.UNKNOWN:
            assert not complete


@given(ROUTES)
def test_the_order_of_routes_does_not_matter(routes: list[Route]) -> None:
    assert reception(ADDRESS, [router(*routes)]) == reception(ADDRESS, [router(*reversed(routes))])
