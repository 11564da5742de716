"""Packages of a real rpm repository: rpmbuild, createrepo_c, signed by gpg, served over real TLS."""

import hashlib
from collections.abc import Callable

import pytest
from tests.fetch.conftest import EL9, Fetcher, Gpg, RpmRepository

from arcferry.errors import AzureError, BundleRefusedError
from arcferry.fetch import choose

NEWEST = "azcmagent-1.67.3-7.x86_64.rpm"


async def test_the_newest_package_comes_with_its_origin_and_hash(
    fetcher: Fetcher, yum: RpmRepository
) -> None:
    yum.publish()
    package = yum.folder / f"Packages/a/{NEWEST}"
    found = await fetcher(linux=(EL9,))
    (path,) = found.agents
    assert path.name == NEWEST
    assert found.files[0].sha256 == hashlib.sha256(package.read_bytes()).hexdigest()
    assert found.origins[path] == f"{fetcher.site.url}{yum.prefix}/Packages/a/{NEWEST}"


@pytest.mark.parametrize("wanted", ["1.66", "1.66.0"])
async def test_a_version_may_be_asked_for(fetcher: Fetcher, yum: RpmRepository, wanted: str) -> None:
    yum.publish()
    (path,) = (await fetcher(linux=(EL9,), agent_version=wanted)).agents
    assert path.name == "azcmagent-1.66.0-7.x86_64.rpm"


async def test_alma_takes_red_hats_package_once(fetcher: Fetcher, yum: RpmRepository) -> None:
    yum.publish()
    found = await fetcher(linux=(EL9, choose("alma9"), choose("rocky9")))
    assert len(found.agents) == 1
    assert len(found.files) == 3


async def test_an_architecture_that_is_not_there(fetcher: Fetcher, yum: RpmRepository) -> None:
    yum.publish()
    with pytest.raises(AzureError, match="no azcmagent for aarch64"):
        await fetcher(linux=(choose("rhel9:arm64"),))


@pytest.mark.parametrize(
    "options", [("--general-compress-type=xz",), ("--general-compress-type=bz2",), ("--checksum=sha512",)]
)
async def test_however_the_list_is_packed_and_hashed(
    fetcher: Fetcher, yum: RpmRepository, options: tuple[str, ...]
) -> None:
    yum.publish(repomd=yum.make(*options))
    assert (await fetcher(linux=(EL9,))).agents[0].name == NEWEST


async def test_weak_hashes_are_not_believed(fetcher: Fetcher, yum: RpmRepository) -> None:
    yum.publish(repomd=yum.make("--checksum=sha1"))
    with pytest.raises(BundleRefusedError, match="no hash that counts"):
        await fetcher(linux=(EL9,))


@pytest.mark.parametrize(
    "case",
    [
        ("other", (), "which is not trusted"),
        ("good", ("--digest-algo", "SHA1"), "does not hold"),
        ("weak", (), "does not hold"),
        ("old", ("--faked-system-time", "20200105T000000"), "has expired or was revoked"),
    ],
)
async def test_a_signature_that_is_not_trusted_is_refused(
    fetcher: Fetcher, yum: RpmRepository, gpg: Gpg, case: tuple[str, tuple[str, ...], str]
) -> None:
    key, options, says = case
    yum.publish(key, *options)
    trusted = fetcher.folder.parent / "trusted.asc"
    trusted.write_bytes(b"".join(gpg.public(name) for name in ("good", "old", "weak")))
    with pytest.raises(BundleRefusedError, match=says):
        await fetcher(linux=(EL9,), means={"repository_keys": (trusted,)})


async def test_a_signature_over_something_else_is_refused(
    fetcher: Fetcher, yum: RpmRepository, gpg: Gpg
) -> None:
    yum.publish()
    yum.put("repodata/repomd.xml.asc", gpg.sign("good", b"another list"))
    with pytest.raises(BundleRefusedError, match="does not hold"):
        await fetcher(linux=(EL9,))
    yum.put("repodata/repomd.xml.asc", b"no signature at all")
    with pytest.raises(BundleRefusedError, match="cannot be read"):
        await fetcher(linux=(EL9,))


async def test_a_list_that_is_not_signed_is_refused(fetcher: Fetcher, yum: RpmRepository) -> None:
    yum.publish()
    del yum.site.files[f"{yum.prefix}/repodata/repomd.xml.asc"]
    with pytest.raises(AzureError, match=r"repomd\.xml\.asc answered 404"):
        await fetcher(linux=(EL9,))


async def test_a_changed_list_of_packages_is_refused(fetcher: Fetcher, yum: RpmRepository) -> None:
    yum.publish()
    (place,) = [path for path in yum.site.files if path.endswith("-primary.xml.gz")]
    yum.site.files[place] += b"\0"
    with pytest.raises(BundleRefusedError, match="not the file that the repository's signed list names"):
        await fetcher(linux=(EL9,))


async def test_a_changed_package_is_refused(fetcher: Fetcher, yum: RpmRepository) -> None:
    yum.publish()
    place = f"{yum.prefix}/Packages/a/{NEWEST}"
    yum.site.files[place] = yum.site.files[place][:-1] + b"!"
    with pytest.raises(BundleRefusedError, match="does not have the SHA256"):
        await fetcher(linux=(EL9,))
    assert not [path for path in fetcher.folder.rglob("*") if ".rpm" in path.name]


NONSENSE: dict[str, Callable[[bytes], bytes]] = {
    "no XML": lambda _: b"Sign in to the network",
    "cut short": lambda data: data[: len(data) // 2],
    "no primary": lambda data: data.replace(b'type="primary"', b'type="primarily"'),
    "two of them": lambda data: data.replace(b'type="filelists"', b'type="primary"'),
    "a path that leaves": lambda data: data.replace(b'href="repodata/', b'href="../../repodata/'),
    "an address": lambda data: data.replace(b'href="repodata/', b'href="https://files.example/'),
    "entities": lambda data: data.replace(b"<repomd", b'<!DOCTYPE r [<!ENTITY e "x">]><repomd', 1),
    "zstd": lambda data: data,
}


@pytest.mark.parametrize("case", NONSENSE)
async def test_a_signed_list_with_nonsense_is_one_clear_error(
    fetcher: Fetcher, yum: RpmRepository, case: str
) -> None:
    if case == "zstd":
        repomd = yum.make()
        (place,) = (yum.folder / "repodata").glob("*-primary.xml.gz")
        packed = b"\x28\xb5\x2f\xfd" + b"packed otherwise"
        old = place.read_bytes()
        place.write_bytes(packed)
        repomd = repomd.replace(
            hashlib.sha256(old).hexdigest().encode(), hashlib.sha256(packed).hexdigest().encode()
        )
        repomd = repomd.replace(f"<size>{len(old)}<".encode(), f"<size>{len(packed)}<".encode())
        name = f"repodata/{hashlib.sha256(packed).hexdigest()}-primary.xml.gz"
        yum.put(name, packed)
        yum.publish(repomd=repomd)
        with pytest.raises(AzureError, match="packed with Zstandard"):
            await fetcher(linux=(EL9,))
        return
    changed = NONSENSE[case](yum.make())
    yum.publish(repomd=changed)
    with pytest.raises(BundleRefusedError):
        await fetcher(linux=(EL9,))
