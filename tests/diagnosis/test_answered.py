from datetime import UTC, datetime

from arcferry.diagnosis.answered import known_answers
from arcferry.evidence.case import Case, Document, Kind
from arcferry.probe.observation import Attempt, DnsAnswer
from arcferry.routing.azure_json import read_service_tags

AGENT_SERVICE = "agentserviceapi.guestconfiguration.azure.com"
JAPAN, KOREA, EDGE = "203.0.113.5", "198.51.100.7", "192.0.2.9"
MONDAY, TUESDAY = datetime(2026, 11, 23, 9, tzinfo=UTC), datetime(2026, 11, 24, 9, tzinfo=UTC)
TAGS = Document(
    "tags",
    Kind.SERVICE_TAGS,
    service_tags=read_service_tags(
        {
            "changeNumber": 1,
            "cloud": "Public",
            "values": [
                {"name": name, "properties": {"region": region, "addressPrefixes": [f"{prefix}/32"]}}
                for name, region, prefix in (
                    ("AzureCloud.japaneast", "japaneast", JAPAN),
                    ("AzureCloud.koreacentral", "koreacentral", KOREA),
                    ("AzureFrontDoor.Frontend", "", EDGE),
                )
            ],
        },
        "ServiceTags_Public_20261123.json",
    ),
)


def answering(name: str, taken: datetime, *addresses: str, host: str = AGENT_SERVICE) -> Document:
    answer = DnsAnswer(host, (), addresses, "10.0.0.53", "", name, taken)
    return Document(name, Kind.DNS_ANSWERS, taken, answers=(answer,))


def trying(address: str, *, reachable: bool, proxied: bool = False, host: str = AGENT_SERVICE) -> Document:
    attempt = Attempt(host, "check.json", reachable, TUESDAY, proxied=proxied, address=address)
    return Document("check.json", Kind.ARCFERRY_CHECK, TUESDAY, attempts=(attempt,))


def test_the_newest_answer_of_each_region_counts_also_beside_a_failed_attempt() -> None:
    case = Case.of(
        [
            TAGS,
            answering("a", MONDAY, JAPAN),
            answering("b", TUESDAY, JAPAN, KOREA),
            trying(KOREA, reachable=False),
        ]
    )
    found = {one.region: one for one in known_answers(case)}
    assert {region: (one.address, one.day, one.origin) for region, one in found.items()} == {
        "japaneast": (JAPAN, "2026-11-24", "b"),
        "koreacentral": (KOREA, "2026-11-24", "b"),
    }
    assert (found["japaneast"].reached, found["koreacentral"].reached) == (None, False)


def test_what_was_connected_to_is_an_answer_that_was_reached() -> None:
    (found,) = known_answers(Case.of([TAGS, trying(JAPAN, reachable=True)]))
    assert (found.region, found.reached, found.origin) == ("japaneast", True, "check.json")


def test_what_a_proxy_reached_and_private_addresses_say_nothing_of_the_filter() -> None:
    assert known_answers(Case.of([TAGS, trying(JAPAN, reachable=True, proxied=True)])) == ()
    assert known_answers(Case.of([TAGS, answering("a", MONDAY, "10.1.2.3")])) == ()


def test_the_edge_is_off_the_peering_and_an_unknown_address_in_no_region() -> None:
    (edge,) = known_answers(Case.of([TAGS, answering("a", MONDAY, EDGE)]))
    assert (edge.region, edge.on_peering) == ("", False)
    (unknown,) = known_answers(Case.of([TAGS, answering("a", MONDAY, "8.8.8.8")]))
    assert unknown.region == ""


def test_where_a_service_has_a_community_of_its_own_the_region_of_its_answer_does_not_matter() -> None:
    case = Case.of([TAGS, answering("a", MONDAY, JAPAN, host="login.microsoftonline.com")])
    assert known_answers(case) == ()
