"""What a user may ask for, and where it is asked: distributions, versions, mirrors, paths, indexes."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from arcferry import catalog
from arcferry.bundle import PackageFormat
from arcferry.errors import ArcferryError, BundleRefusedError, InputError, UnknownNameError
from arcferry.fetch import choose, names, read_sources, read_version
from arcferry.fetch.package import below, fits, order, unpacked
from arcferry.fetch.request import known_hosts
from arcferry.fetch.transfer import Digest
from arcferry.fetch.yum import elements, text


@pytest.mark.parametrize("name", names())
def test_every_distribution_has_both_architectures(name: str) -> None:
    here, there = choose(name), choose(f"{name}:arm64")
    words = {PackageFormat.DEB: ("amd64", "arm64"), PackageFormat.RPM: ("x86_64", "aarch64")}
    assert (here.architecture, there.architecture) == words[here.distribution.format]
    assert choose(f"{name}:{there.architecture}") == there


def test_an_unknown_distribution_offers_near_ones() -> None:
    with pytest.raises(UnknownNameError) as caught:
        choose("debian21")
    assert "debian12" in caught.value.hint


@pytest.mark.parametrize("text", ["debian12:i386", "debian12:x86_64", "rhel9:amd65"])
def test_an_unknown_architecture(text: str) -> None:
    with pytest.raises(InputError, match="architecture"):
        choose(text)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.9.21208-007", "1.26.02210.615"),
        ("1.48.02646.952-ubuntu22.04", "1.60.03293.809"),
        ("1.64.03414.1079", "1.64.03414.1080"),
        ("1.64.03414.1079", "1.100.0.1"),
    ],
)
def test_versions_are_ordered_by_their_numbers(older: str, newer: str) -> None:
    assert order(older) < order(newer)


@pytest.mark.parametrize(
    ("version", "wanted", "does"),
    [
        ("1.61.03319.859", "1.61", True),
        ("1.61.3319.859", "1.61.03319.859", True),
        ("1.6.1.1", "1.61", False),
        ("1.61.1", "1.6", False),
        ("1.61", "1.61.1", False),
        ("anything", "", True),
    ],
)
def test_what_fits(version: str, wanted: str, does: bool) -> None:
    assert fits(version, wanted) is does


@pytest.mark.parametrize(
    ("text", "read"), [("", ""), ("latest", ""), ("v1.61", "1.61"), (" 1.61.2 ", "1.61.2")]
)
def test_a_version_is_read(text: str, read: str) -> None:
    assert read_version(text) == read


def test_without_mirrors_microsoft_is_asked() -> None:
    sources = read_sources([])
    url = sources.at("packages.microsoft.com", "debian/12/prod")
    assert str(url) == "https://packages.microsoft.com/debian/12/prod"
    assert sources.allows(url)
    assert sources.pages == "https://www.microsoft.com"
    assert not sources.allows(URL("https://mirror.example/debian"))


def test_a_mirror_stands_for_one_host_or_for_all() -> None:
    sources = read_sources(["packages.microsoft.com=https://one.example/ms/", "https://all.example:8443/x"])
    assert str(sources.at("packages.microsoft.com", "rhel/9/prod")) == "https://one.example/ms/rhel/9/prod"
    there = "https://all.example:8443/x/gbl.his.arc.azure.com/discovery"
    assert str(sources.at("gbl.his.arc.azure.com", "discovery")) == there
    assert sources.pages == "https://all.example:8443/x/www.microsoft.com"
    assert sources.allows(URL("https://one.example/anything"))
    assert sources.allows(URL("https://all.example:8443/anything"))
    assert not sources.allows(URL("https://all.example/anything"))


def test_the_port_is_that_of_arcs_own_services() -> None:
    sources = read_sources([], port=8443)
    assert sources.at("gbl.his.arc.azure.com", "discovery").port == 8443
    assert sources.at("packages.microsoft.com", "x").port == 443
    assert not sources.allows(URL("https://packages.microsoft.com:8443/x"))


@pytest.mark.parametrize(
    "text",
    [
        "http://mirror.example",
        "mirror.example",
        "packages.microsoft.com=",
        "packages.microsoft.com=http://mirror.example",
        "https://user:canary@mirror.example",
        "https://mirror.example/?x=1",
        "https://[::1",
    ],
)
def test_what_is_no_mirror(text: str) -> None:
    with pytest.raises(InputError, match="--mirror") as caught:
        read_sources([text])
    assert "canary" not in caught.value.message


def test_an_unknown_host_or_two_mirrors_for_one() -> None:
    with pytest.raises(UnknownNameError):
        read_sources(["packages.example=https://mirror.example"])
    with pytest.raises(InputError, match="twice"):
        read_sources(["packages.microsoft.com=https://a.example", "packages.microsoft.com=https://b.example"])
    with pytest.raises(InputError, match="two addresses"):
        read_sources(["https://a.example", "https://b.example"])


def test_every_cloud_has_its_discovery_host_among_the_known() -> None:
    assert {cloud.discovery_host for cloud in catalog.clouds()} <= known_hosts()


@given(st.text(max_size=60))
def test_a_path_of_an_index_never_leaves_the_repository(path: str) -> None:
    base = URL("https://packages.microsoft.com/rhel/9/prod")
    try:
        found = below(base, path)
    except BundleRefusedError:
        return
    assert found.host == base.host
    assert found.path.startswith(f"{base.path}/")
    assert ".." not in found.path.split("/")


@given(st.sampled_from(["sha256", "sha384", "sha512", "sha1", "md5", ""]), st.text(max_size=130))
def test_only_whole_strong_hashes_count(algorithm: str, value: str) -> None:
    with pytest.raises(ValueError, match="no hash that counts"):
        Digest(algorithm, value + "g", 1)


HEADS = st.sampled_from([b"", b"\x1f\x8b", b"\xfd7zXZ\0", b"BZh9", b"\x28\xb5\x2f\xfd"])


@given(HEADS, st.binary(max_size=300))
def test_any_index_is_unpacked_or_refused(head: bytes, data: bytes) -> None:
    """What a key signed may still be damaged: it must not end in a traceback."""
    with suppress(ArcferryError):
        assert isinstance(unpacked(head + data, "place"), bytes)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_as_xml_or_refused(data: bytes) -> None:
    with suppress(ValueError):
        assert elements(data, "urn:x", "package") == []


def test_elements_have_their_direct_children_alone() -> None:
    data = b"""<m xmlns="urn:x"><package a="1"><name>one</name><format><name>deep</name></format></package>
    <package><name>two</name><name>again</name><package><name>inner</name></package></package></m>"""
    found = elements(data, "urn:x", "package")
    assert [text(one, "name") for one in found] == ["one", "two"]
    assert found[0].attrib == {"a": "1"}
    assert elements(data, "urn:other", "package") == []
    assert len(elements(data, "urn:x", "package", lambda one: text(one, "name") == "two")) == 1


@pytest.mark.parametrize("data", [b"", b"<a>", b"<a></b>", b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>'])
def test_no_xml_and_entities_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"XML|entit"):
        elements(data, "urn:x", "package")
