import hashlib
import ipaddress
import json
import random
from datetime import date
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arcferry.data import Store, prepared
from arcferry.routing.service_tags import ServiceTags, read_service_tags

SHA = "0" * 64


def _tags(values: dict[str, list[str]], name: str = "ServiceTags_Public_20260105.json") -> ServiceTags:
    rows = [
        {"name": tag, "properties": {"region": "eastasia", "addressPrefixes": prefixes}}
        for tag, prefixes in values.items()
    ]
    return read_service_tags({"cloud": "Public", "changeNumber": 3, "values": rows}, name)


V4 = st.builds(
    lambda number, length: str(ipaddress.IPv4Network((number, length), strict=False)),
    st.integers(0, 2**32 - 1),
    st.integers(0, 32),
)
V6 = st.builds(
    lambda number, length: str(ipaddress.IPv6Network((number, length), strict=False)),
    st.integers(0, 2**128 - 1),
    st.integers(0, 128),
)
VALUES = st.dictionaries(st.sampled_from(["A", "B.EastAsia", "é"]), st.lists(V4 | V6, max_size=12))


@given(VALUES)
def test_both_forms_are_the_same(values: dict[str, list[str]]) -> None:
    tags = _tags(values)
    found = prepared.load(prepared.prepare(tags, SHA), SHA)
    assert found == tags
    assert found.prefixes.index == tags.prefixes.index


@pytest.mark.shared
def test_the_whole_public_file_answers_alike_from_both_forms(public_file: bytes) -> None:
    tags = read_service_tags(json.loads(public_file), "ServiceTags_Public_20251028.json")
    found = prepared.load(prepared.prepare(tags, SHA), SHA)
    assert list(found.prefixes.items()) == list(tags.prefixes.items())
    assert (found.name, found.cloud, found.change_number, found.taken) == (
        tags.name,
        "Public",
        375,
        date(2025, 10, 28),
    )
    draw = random.Random(1)  # noqa: S311 - a sample, not a secret
    prefixes = [ipaddress.ip_network(prefix) for prefix, _ in draw.sample(list(tags.prefixes.items()), 500)]
    for address in (network[draw.randrange(network.num_addresses)] for network in prefixes):
        assert found.matches(address) == tags.matches(address) != ()


GOOD = prepared.prepare(_tags({"A": ["10.0.0.0/8", "10.1.0.0/16", "2603::/32"], "B": ["10.1.0.0/16"]}), SHA)


@settings(max_examples=300)
@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_one_changed_byte_is_refused_or_harmless(at: int, change: int) -> None:
    data = bytearray(GOOD)
    data[at] ^= change
    try:
        found = prepared.load(bytes(data), SHA)
    except prepared.UnusableError:
        return
    # The head is not hashed: what still loads may call itself otherwise, but places nothing elsewhere.
    assert [prefix for prefix, _ in found.prefixes.items()] == [
        "10.0.0.0/8",
        "10.1.0.0/16",
        "10.1.0.0/16",
        "2603::/32",
    ]


@given(st.integers(0, len(GOOD) - 1))
def test_cut_short_is_refused(length: int) -> None:
    with pytest.raises(prepared.UnusableError):
        prepared.load(GOOD[:length], SHA)


@given(st.binary(max_size=200))
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(prepared.UnusableError):
        prepared.load(data, SHA)


def test_prepared_from_another_source_is_refused() -> None:
    with pytest.raises(prepared.UnusableError, match="another source"):
        prepared.load(GOOD, "1" * 64)


V4_KEYS, V6_KEYS, V4_STARTS, V6_STARTS, COVERS, PARENTS, CARRIED, SIZES, MEMBERS = range(9)
FORGED_PARTS = {
    "parents in a circle": (PARENTS, b"\x01\0\0\0"),
    "a parent that is none": (PARENTS, b"\xfe\xff\xff\xff"),
    "a stretch of no prefix": (COVERS, b"\x09\0\0\0"),
    "a negative stretch": (COVERS, b"\xfe\xff\xff\xff"),
    "no such combination": (CARRIED, b"\x63\0\0\0"),
    "no such tag": (MEMBERS, b"\x63\0\0\0"),
    "an empty combination": (SIZES, b"\0\0\0\0"),
    "the first start is not the first address": (V4_STARTS, b"\x01\0\0\0"),
    "keys out of order": (V4_KEYS, b"\xff" * 8),
}
FORGED_HEADS: dict[str, dict[str, object]] = {
    "lengths of text": {"parts": ["x"] * 9},
    "too few lengths": {"parts": [0, 0, 0]},
    "a negative length": {"parts": [-1] * 9},
    "a huge length": {"parts": [10**30] * 9},
    "tags that are none": {"tags": [1, 2]},
    "no day": {"taken": "yesterday"},
    "no number": {"change_number": None},
    "another form": {"form": "arcferry service tags 0"},
}


def _forged(part: int = 0, front: bytes = b"", changes: dict[str, object] | None = None) -> bytes:
    """The good form with the front of one part replaced, other fields in its head, and a hash that fits."""
    line, _, body = GOOD.partition(b"\n")
    head = json.loads(line)
    at = sum(head["parts"][:part])
    forged = body[:at] + front + body[at + len(front) :]
    head |= {"body": hashlib.sha256(forged).hexdigest()} | (changes or {})
    return json.dumps(head).encode() + b"\n" + forged


@pytest.mark.parametrize("case", FORGED_PARTS)
def test_a_forged_body_is_refused(case: str) -> None:
    with pytest.raises(prepared.UnusableError):
        prepared.load(_forged(*FORGED_PARTS[case]), SHA)


@pytest.mark.parametrize("case", FORGED_HEADS)
def test_a_forged_head_is_refused(case: str) -> None:
    with pytest.raises(prepared.UnusableError):
        prepared.load(_forged(changes=FORGED_HEADS[case]), SHA)


def test_a_forgery_that_changes_nothing_loads() -> None:
    assert prepared.load(_forged(), SHA).cloud == "Public"


def test_a_damaged_form_is_made_again_from_the_source(store: Store, make: SimpleNamespace) -> None:
    held = store.add(make.tags(), "ServiceTags_Public_20260105.json")
    form = held.path.with_suffix(".prepared")
    good = form.read_bytes()
    form.write_bytes(good[:-1] + b"\0\0")
    assert [match.tag for match in store.service_tags(held).matches("20.187.194.204")] == [
        "AzureArcInfrastructure.EastAsia",
        "AzureCloud.eastasia",
        "AzureCloud",
    ]
    assert form.read_bytes() == good


def test_the_day_that_was_given_counts_in_both_forms(store: Store, make: SimpleNamespace) -> None:
    held = store.add(make.tags(), "tags.json", taken=date(2026, 3, 1))
    assert store.service_tags(held).taken == date(2026, 3, 1)
    held.path.with_suffix(".prepared").unlink()
    assert store.service_tags(held).taken == date(2026, 3, 1)
