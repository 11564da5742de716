import json
import threading
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from arcferry import catalog, files
from arcferry.data.kinds import recognise
from arcferry.data.store import HeldKind, Store, documents
from arcferry.errors import FileInputError, InputError

OTHER_CLOUD = "ServiceTags_China_20260720.json"


def test_each_kind_is_recognised_by_its_content(store: Store, make: SimpleNamespace) -> None:
    added = [
        store.put(*recognise(make.tags(), "a.json", taken=date(2026, 1, 5))),
        store.put(*recognise(make.communities(), "b-2026-02-03.json")),
        store.put(*recognise(make.route_filter("12076:51010", "12076:5060"), "c.json")),
        store.put(*recognise(make.circuit(), "d.json")),
    ]
    assert [(one.kind, one.cloud, one.taken, one.entries, one.prefixes) for one in added] == [
        (HeldKind.SERVICE_TAGS, "AzureCloud", date(2026, 1, 5), 3, 5),
        (HeldKind.COMMUNITY_LIST, "AzureCloud", date(2026, 2, 3), 1, 2),
        (HeldKind.ROUTE_FILTER, "AzureCloud", None, 2, 0),
        (HeldKind.CIRCUIT, "", None, 1, 0),
    ]
    assert added[0].change_number == 7
    assert set(store.held()) == set(added)
    assert store.read(added[0]) == make.tags()


def test_several_copies_are_kept_and_the_newest_leads(store: Store, make: SimpleNamespace) -> None:
    names = ["ServiceTags_Public_20260105.json", "ServiceTags_Public_20260119.json", "tags.json"]
    for change, name in enumerate(names):
        store.put(*recognise(make.tags(change), name))
    taken = [one.taken for one in store.newest(HeldKind.SERVICE_TAGS, "AzureCloud")]
    assert taken == [date(2026, 1, 19), date(2026, 1, 5), None]


def test_another_cloud_is_kept_under_its_own(store: Store, make: SimpleNamespace) -> None:
    store.put(*recognise(make.tags(), "ServiceTags_Public_20260105.json"))
    china = store.put(*recognise(make.tags(9, "China"), OTHER_CLOUD))
    assert china.cloud == "AzureChinaCloud"
    assert [one.cloud for one in store.newest(HeldKind.SERVICE_TAGS, "AzureCloud")] == ["AzureCloud"]


def test_the_same_document_twice_is_held_once_and_keeps_its_day(store: Store, make: SimpleNamespace) -> None:
    store.put(*recognise(make.tags(), "tags.json", taken=date(2026, 1, 5)))
    again = store.put(*recognise(make.tags(), "other-name.json"))
    assert store.held() == (again,)
    assert again.taken == date(2026, 1, 5)


def test_keys_never_reach_the_folder(store: Store, make: SimpleNamespace) -> None:
    store.put(*recognise(make.circuit(), "circuit.json"))
    for path in store.folder.rglob("*"):
        assert path.is_dir() or b"canary" not in path.read_bytes()
    assert json.loads(store.read(store.held()[0]))["properties"]["peerings"][0]["name"] == "MicrosoftPeering"


def test_reading_creates_nothing(store: Store) -> None:
    assert store.held() == ()
    assert store.unreadable() == ()
    assert not store.folder.exists()


def test_imports_at_one_time_lose_nothing(store: Store, make: SimpleNamespace) -> None:
    def add(number: int) -> None:
        for step in range(5):
            Store(store.folder).put(
                *recognise(make.tags(number * 10 + step), f"ServiceTags_Public_202601{number:02}.json")
            )

    workers = [threading.Thread(target=add, args=[number]) for number in range(1, 7)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    held = store.held()
    assert {one.change_number for one in held} == {n * 10 + step for n in range(1, 7) for step in range(5)}
    assert all(store.read(one) for one in held)


def test_a_full_disk_leaves_nothing_half_written(
    store: Store, make: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(*recognise(make.tags(1), "ServiceTags_Public_20260105.json"))
    before = store.held()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(FileInputError, match=r"the disk at .* is full"):
        store.put(*recognise(make.tags(2), "ServiceTags_Public_20260112.json"))
    monkeypatch.undo()
    assert store.held() == before
    assert not [path for path in store.folder.rglob("*") if path.name.startswith(".")]


def test_a_changed_document_is_not_believed(store: Store, make: SimpleNamespace) -> None:
    held = store.put(*recognise(make.tags(), "tags.json"))
    held.path.write_bytes(make.tags(8))
    with pytest.raises(FileInputError, match="not what was taken in"):
        store.read(held)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"schema": 2}', '{"schema": 1, "sha256": "x"}', "[" * 20_000]
)
def test_a_broken_note_beside_a_document_is_named_and_left_out(
    store: Store, make: SimpleNamespace, text: str
) -> None:
    held = store.put(*recognise(make.tags(), "tags.json"))
    note = held.path.with_suffix(".json")
    note.write_text(text)
    assert store.held() == ()
    assert store.unreadable() == (note,)


def test_a_note_of_another_document_is_not_believed(store: Store, make: SimpleNamespace) -> None:
    held = store.put(*recognise(make.tags(), "tags.json"))
    note = held.path.with_suffix(".json")
    note.rename(note.with_name(f"{'0' * 64}.json"))
    assert store.held() == ()


def test_ids_need_only_their_start(store: Store, make: SimpleNamespace) -> None:
    first, second = (
        store.put(*recognise(make.tags(1), "a.json")),
        store.put(*recognise(make.tags(2), "b.json")),
    )
    assert store.named([first.id, second.sha256[:6].upper()]) == (first, second)
    for wrong in ("zzzz", "", first.id[:2]):
        with pytest.raises(InputError, match="no one document"):
            store.named([wrong])


def test_removed_is_gone_with_everything_beside_it(store: Store, make: SimpleNamespace) -> None:
    first, second = (
        store.put(*recognise(make.tags(1), "a.json")),
        store.put(*recognise(make.tags(2), "b.json")),
    )
    store.remove([first])
    assert store.held() == (second,)
    assert {path.name for path in second.path.parent.iterdir()} == {
        second.sha256,
        f"{second.sha256}.json",
    }


def test_a_second_form_of_an_older_release_is_not_read_and_goes_with_its_document(
    store: Store, make: SimpleNamespace
) -> None:
    held = store.put(*recognise(make.tags(), "tags.json"))
    form = held.path.with_suffix(".prepared")
    form.write_bytes(b"arcferry service tags 1")
    (found,) = documents(store, catalog.cloud("AzureCloud"))
    assert found.service_tags is not None
    assert len(found.service_tags.prefixes) == held.prefixes
    assert store.unreadable() == ()
    store.remove([held])
    assert not [*held.path.parent.iterdir()]


def test_what_is_exported_has_its_day_in_its_name(
    store: Store, make: SimpleNamespace, tmp_path: Path
) -> None:
    store.put(*recognise(make.tags(), "ServiceTags_Public_20260105.json"))
    store.put(*recognise(make.circuit(), "er1.json", taken=date(2026, 3, 1)))
    store.put(*recognise(make.route_filter("12076:51010"), "rf-2026-02-02.json", taken=date(2026, 3, 2)))
    paths = [store.export(one, tmp_path / "across") for one in store.held()]
    other = Store(tmp_path / "other")
    again = [other.put(*recognise(path.read_bytes(), path.name)) for path in paths]
    assert [(one.kind, one.taken, one.sha256) for one in again] == [
        (one.kind, one.taken, one.sha256) for one in store.held()
    ]


BAD: dict[str, tuple[bytes, str]] = {
    "cut short": (b'{"changeNumber": 1, "cloud": "Public", "values": [{"name": "A', "cut short"),
    "text": (b"hello", "no JSON"),
    "binary": (b"\x7fELF\x00\x01", "no JSON"),
    "nothing": (b"", "no JSON"),
    "another kind": (b'{"schema": 1, "kind": "check", "endpoints": []}', "not a kind of data"),
    "not a number": (b'{"changeNumber": NaN, "cloud": "Public", "values": []}', "it holds NaN"),
    "a huge number": (b'{"changeNumber": ' + b"9" * 9000 + b"}", "a number of 9,000 digits"),
    "deep": (b"[" * 200_000, "nested too deeply"),
    "no prefixes": (
        json.dumps(
            {
                "changeNumber": 1,
                "cloud": "Public",
                "values": [{"name": "A", "properties": {"region": "", "addressPrefixes": []}}],
            }
        ).encode(),
        "holds no prefix",
    ),
    "no prefix": (
        json.dumps(
            {
                "changeNumber": 1,
                "cloud": "Public",
                "values": [{"name": "A", "properties": {"addressPrefixes": ["20.0.0.1/8"]}}],
            }
        ).encode(),
        "bits set beyond its length",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_by_name_and_nothing_is_written(store: Store, case: str) -> None:
    data, problem = BAD[case]
    with pytest.raises(FileInputError, match=problem) as caught:
        store.put(*recognise(data, "bad.json"))
    assert caught.value.message.startswith("bad.json")
    assert not store.folder.exists()


def test_too_large_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arcferry.data.store.FILE_LIMIT", 1000)
    with pytest.raises(FileInputError, match="larger than the 1,000 bytes"):
        store.put(*recognise(b" " * 1001, "huge.json"))


def test_a_name_cannot_leave_the_folder_or_the_line(store: Store, make: SimpleNamespace) -> None:
    held = store.put(*recognise(make.tags(), "../../\x1b[31mtags\n\x07.json"))
    assert held.name == "tags .json"
    assert held.path.parent == store.folder / "service-tags"


def test_utf16_as_powershell_writes_it(store: Store, make: SimpleNamespace) -> None:
    held = store.put(*recognise(make.communities().decode().encode("utf-16"), "list-2026-01-02.json"))
    assert held.kind is HeldKind.COMMUNITY_LIST


def test_duplicate_values_are_one(store: Store, make: SimpleNamespace) -> None:
    twice = make.communities(
        make.community("12076:51010", "East Asia", "20.1.0.0/16"),
        make.community("12076:51010", "East Asia IPv6", "2603:1::/32"),
    )
    held = store.put(*recognise(twice, "list.json"))
    assert (held.entries, held.prefixes) == (1, 2)


def test_a_folder_without_rights_is_named(tmp_path: Path, make: SimpleNamespace) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileInputError, match=r"service-tags|file"):
        Store(tmp_path / "file").put(*recognise(make.tags(), "a.json"))
