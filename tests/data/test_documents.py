from datetime import UTC, date, datetime
from types import SimpleNamespace

from arcferry import catalog
from arcferry.data.kinds import recognise
from arcferry.data.store import Store, documents
from arcferry.evidence.case import Kind

PUBLIC = catalog.cloud("public")


def test_an_empty_or_missing_folder_gives_nothing_and_makes_nothing(store: Store) -> None:
    assert documents(store, PUBLIC) == ()
    assert not store.folder.exists()


def test_the_newest_of_each_kind(store: Store, make: SimpleNamespace) -> None:
    store.put(*recognise(make.tags(1), "ServiceTags_Public_20260105.json"))
    store.put(*recognise(make.tags(2), "ServiceTags_Public_20260112.json"))
    store.put(*recognise(make.tags(3, "China"), "ServiceTags_China_20260119.json"))
    store.put(*recognise(make.communities(), "list-2026-01-02.json"))
    store.put(*recognise(make.route_filter("12076:51010"), "rf.json", taken=date(2026, 1, 3)))
    store.put(*recognise(make.circuit(), "er1.json"))
    found = documents(store, PUBLIC)
    assert [(one.kind, one.name) for one in found] == [
        (Kind.SERVICE_TAGS, "held service tags of 2026-01-12 (ServiceTags_Public_20260112.json)"),
        (Kind.COMMUNITY_LIST, "held community list of 2026-01-02 (list-2026-01-02.json)"),
        (Kind.ROUTE_FILTER, "held route filter of 2026-01-03 (rf.json)"),
        (Kind.CIRCUIT, "held circuit of an unknown day (er1.json)"),
    ]
    tags, listed, seen, circuit = found
    assert tags.taken == datetime(2026, 1, 12, tzinfo=UTC)
    assert tags.service_tags is not None
    assert tags.service_tags.change_number == 2
    assert listed.community_list is not None
    assert listed.community_list.containing("20.187.194.204")[0].value == "12076:51006"
    assert seen.route_filter is not None
    assert seen.route_filter.communities == {"12076:51010"}
    assert circuit.circuit is not None


def test_what_the_caller_has_is_left_out(store: Store, make: SimpleNamespace) -> None:
    store.put(*recognise(make.tags(), "a.json"))
    store.put(*recognise(make.communities(), "b.json"))
    assert [one.kind for one in documents(store, PUBLIC, besides={Kind.SERVICE_TAGS})] == [
        Kind.COMMUNITY_LIST
    ]


def test_a_newer_list_in_part_does_not_hide_the_whole_older_one(store: Store, make: SimpleNamespace) -> None:
    whole = [make.community(f"12076:510{n}", "x", f"20.{n}.0.0/16") for n in (10, 11, 12)]
    store.put(*recognise(make.communities(*whole), "list-2019-05-30.json"))
    store.put(*recognise(make.communities(*whole[:2]), "list-2018-05-30.json"))
    store.put(*recognise(make.communities(whole[0]), "list-2024-01-01.json"))
    found = [one.community_list for one in documents(store, PUBLIC)]
    assert [(one.taken, len(one.values)) for one in found if one] == [
        (date(2024, 1, 1), 1),
        (date(2019, 5, 30), 3),
    ]


def test_a_day_that_was_given_reaches_the_document(store: Store, make: SimpleNamespace) -> None:
    store.put(*recognise(make.communities(), "list.json", taken=date(2026, 5, 6)))
    (found,) = documents(store, PUBLIC)
    assert found.community_list is not None
    assert found.community_list.taken == date(2026, 5, 6)


def test_a_damaged_one_is_passed_over_and_named(store: Store, make: SimpleNamespace) -> None:
    store.put(*recognise(make.tags(1), "ServiceTags_Public_20260105.json"))
    newest = store.put(*recognise(make.tags(2), "ServiceTags_Public_20260112.json"))
    newest.path.write_bytes(b"{}")
    (found,) = documents(store, PUBLIC)
    assert found.service_tags is not None
    assert found.service_tags.change_number == 1
    assert "ServiceTags_Public_20260112.json is not what was taken in" in found.notes[0]


def test_where_all_are_damaged_that_is_said(store: Store, make: SimpleNamespace) -> None:
    held = store.put(*recognise(make.tags(1), "tags.json"))
    held.path.unlink()
    (found,) = documents(store, PUBLIC)
    assert (found.kind, found.service_tags) == (Kind.SERVICE_TAGS, None)
    assert "no such file" in found.notes[0]
