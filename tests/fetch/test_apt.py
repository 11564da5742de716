"""Packages of a real apt repository: made by apt-ftparchive, signed by gpg, served over real TLS."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from tests.fetch.conftest import BOOKWORM, AptRepository, Fetcher, Gpg, Site

from arcferry.errors import ArcferryError, AzureError, BundleRefusedError, InputError
from arcferry.fetch import choose

NEWEST = "azcmagent_1.67.3_amd64.deb"


async def test_the_newest_package_comes_with_its_origin_and_hash(
    fetcher: Fetcher, apt: AptRepository
) -> None:
    package = apt.folder / f"pool/main/a/azcmagent/{NEWEST}"
    apt.publish()
    found = await fetcher(linux=(BOOKWORM,))
    (path,) = found.agents
    assert path.name == NEWEST
    assert path.read_bytes() == package.read_bytes()
    assert found.origins[path] == f"{fetcher.site.url}{apt.prefix}/pool/main/a/azcmagent/{NEWEST}"
    assert found.files[0].sha256 == hashlib.sha256(package.read_bytes()).hexdigest()
    assert "index signed by" in found.files[0].says
    assert found.notes == ()


async def test_the_second_time_only_the_index_is_asked_for(fetcher: Fetcher, apt: AptRepository) -> None:
    apt.publish()
    first = await fetcher(linux=(BOOKWORM,))
    apt.site.asked.clear()
    assert await fetcher(linux=(BOOKWORM,)) == first
    assert not [path for path in apt.site.paths if path.endswith(".deb")]


async def test_a_package_that_was_changed_in_the_folder_is_fetched_anew(
    fetcher: Fetcher, apt: AptRepository
) -> None:
    apt.publish()
    (path,) = (await fetcher(linux=(BOOKWORM,))).agents
    good = path.read_bytes()
    path.write_bytes(good[:-1] + b"!")
    assert (await fetcher(linux=(BOOKWORM,))).agents == (path,)
    assert path.read_bytes() == good


async def test_a_newer_package_takes_the_place_of_the_older(fetcher: Fetcher, apt: AptRepository) -> None:
    apt.publish()
    (old,) = (await fetcher(linux=(BOOKWORM,))).agents
    apt.add("1.68.0")
    apt.publish()
    (new,) = (await fetcher(linux=(BOOKWORM,))).agents
    assert new.name == "azcmagent_1.68.0_amd64.deb"
    assert not old.exists()


@pytest.mark.parametrize("wanted", ["1.66", "1.66.0"])
async def test_a_version_may_be_asked_for(fetcher: Fetcher, apt: AptRepository, wanted: str) -> None:
    apt.publish()
    (path,) = (await fetcher(linux=(BOOKWORM,), agent_version=wanted)).agents
    assert path.name == "azcmagent_1.66.0_amd64.deb"


async def test_a_version_that_is_not_there_names_those_that_are(fetcher: Fetcher, apt: AptRepository) -> None:
    apt.publish()
    with pytest.raises(AzureError, match=r"no azcmagent 1\.6$") as caught:
        await fetcher(linux=(BOOKWORM,), agent_version="1.6")
    assert caught.value.hint == "Newest there: 1.67.3, 1.66.0."


async def test_an_architecture_that_is_not_there(fetcher: Fetcher, apt: AptRepository) -> None:
    apt.publish()
    with pytest.raises(AzureError, match="no azcmagent for arm64"):
        await fetcher(linux=(choose("debian12:arm64"),))


async def test_a_repository_without_inrelease_is_verified_by_the_signature_beside(
    fetcher: Fetcher, apt: AptRepository, gpg: Gpg
) -> None:
    release = apt.release()
    apt.upload()
    apt.put("dists/bookworm/Release", release)
    apt.put("dists/bookworm/Release.gpg", gpg.sign("good", release))
    assert (await fetcher(linux=(BOOKWORM,))).agents[0].name == NEWEST
    apt.put("dists/bookworm/Release", release + b"\n")
    with pytest.raises(BundleRefusedError, match="its signature does not hold"):
        await fetcher(linux=(BOOKWORM,))


async def test_an_index_is_asked_for_under_its_hash_where_that_is_offered(
    fetcher: Fetcher, apt: AptRepository
) -> None:
    apt.publish(release=apt.release("Acquire-By-Hash=yes"))
    index = (apt.folder / "dists/bookworm/main/binary-amd64/Packages.xz").read_bytes()
    place = f"dists/bookworm/main/binary-amd64/by-hash/SHA256/{hashlib.sha256(index).hexdigest()}"
    apt.put(place, index)
    await fetcher(linux=(BOOKWORM,))
    assert f"{apt.prefix}/{place}" in apt.site.paths


BAD_SIGNATURES: dict[str, tuple[Callable[[AptRepository], None], str]] = {
    "a foreign key": (lambda apt: apt.publish("other"), "which is not trusted"),
    "SHA-1": (lambda apt: apt.publish("good", "--digest-algo", "SHA1"), "does not hold"),
    "an expired key": (
        lambda apt: apt.publish("old", "--faked-system-time", "20200105T000000"),
        "has expired or was revoked",
    ),
    "a weak key": (lambda apt: apt.publish("weak"), "does not hold"),
}


@pytest.mark.parametrize("case", BAD_SIGNATURES)
async def test_a_signature_that_is_not_trusted_is_refused(
    fetcher: Fetcher, apt: AptRepository, gpg: Gpg, case: str
) -> None:
    """All but the foreign key are among the trusted ones: it is their age, size or hash that is refused."""
    publish, says = BAD_SIGNATURES[case]
    publish(apt)
    trusted = fetcher.folder.parent / "trusted.asc"
    trusted.write_bytes(b"".join(gpg.public(name) for name in ("good", "old", "weak")))
    with pytest.raises(BundleRefusedError, match=says) as caught:
        await fetcher(linux=(BOOKWORM,), means={"repository_keys": (trusted,)})
    assert "--repository-key" in caught.value.hint
    assert "backtrace" not in caught.value.message
    assert not [path for path in apt.site.paths if "binary-amd64" in path]


async def test_without_the_key_nothing_of_it_is_believed(fetcher: Fetcher, apt: AptRepository) -> None:
    apt.publish()
    with pytest.raises(BundleRefusedError, match="which is not trusted"):
        await fetcher(linux=(BOOKWORM,), means={"repository_keys": ()})


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "a byte of the text": lambda data: data.replace(b"Codename: bookworm", b"Codename: bookwork"),
    "no signature": lambda data: data[: data.index(b"-----BEGIN PGP SIGNATURE")],
    "a signature of something else": lambda data: data.replace(b"iQ", b"iR", 1),
    "nothing": lambda _: b"",
    "a page": lambda _: b"<html>Sign in to the network</html>",
}


@pytest.mark.parametrize("case", CHANGES)
async def test_a_changed_release_is_refused(fetcher: Fetcher, apt: AptRepository, case: str) -> None:
    apt.publish()
    place = f"{apt.prefix}/dists/bookworm/InRelease"
    changed = CHANGES[case](apt.site.files[place])
    assert changed != apt.site.files[place]
    apt.site.files[place] = changed
    with pytest.raises(BundleRefusedError):
        await fetcher(linux=(BOOKWORM,))
    assert not list(fetcher.folder.rglob("*.deb"))


async def test_what_stands_around_the_signed_text_is_not_read(fetcher: Fetcher, apt: AptRepository) -> None:
    """Lines before and behind the signed part name another index; they must not count."""
    apt.publish()
    place = f"{apt.prefix}/dists/bookworm/InRelease"
    evil = b"SHA256:\n " + b"0" * 64 + b" 10 main/binary-amd64/Packages.xz\n"
    apt.site.files[place] = evil + b"\n" + apt.site.files[place] + b"\n" + evil
    assert (await fetcher(linux=(BOOKWORM,))).agents[0].name == NEWEST


async def test_another_distributions_release_is_refused(
    fetcher: Fetcher, apt: AptRepository, gpg: Gpg
) -> None:
    other = apt.release().replace(b"bookworm", b"jammy")
    apt.publish(release=other)
    with pytest.raises(BundleRefusedError, match="signed, but for jammy, not for bookworm"):
        await fetcher(linux=(BOOKWORM,))


async def test_a_release_past_its_day_is_refused(fetcher: Fetcher, apt: AptRepository) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    apt.publish(release=apt.release() + f"Valid-Until: {yesterday:%a, %d %b %Y %H:%M:%S} UTC\n".encode())
    with pytest.raises(BundleRefusedError, match="was valid until"):
        await fetcher(linux=(BOOKWORM,))


async def test_an_old_index_is_told(fetcher: Fetcher, apt: AptRepository) -> None:
    lines = apt.release().split(b"\n")
    dated = [b"Date: Wed, 01 Jul 2026 10:00:00 UTC" if line.startswith(b"Date:") else line for line in lines]
    apt.publish(release=b"\n".join(dated))
    (note,) = (await fetcher(linux=(BOOKWORM,))).notes
    assert "index is of 2026-07-01" in note


async def test_weaker_hashes_alone_are_not_believed(fetcher: Fetcher, apt: AptRepository) -> None:
    release = apt.release()
    apt.publish(release=release[: release.index(b"SHA256:")])
    with pytest.raises(BundleRefusedError, match="lists no SHA-256"):
        await fetcher(linux=(BOOKWORM,))


async def test_an_index_that_was_changed_is_refused_after_some_tries(
    fetcher: Fetcher, apt: AptRepository
) -> None:
    apt.publish()
    place = f"{apt.prefix}/dists/bookworm/main/binary-amd64/Packages.xz"
    apt.site.files[place] = apt.site.files[place][:-4] + b"evil"
    with pytest.raises(BundleRefusedError, match="not the file that the repository's signed list names"):
        await fetcher(linux=(BOOKWORM,))
    assert apt.site.paths.count(place) == 4


async def test_an_index_that_was_just_changing_is_asked_for_again(
    fetcher: Fetcher, apt: AptRepository, site: Site
) -> None:
    """Microsoft's servers have given old and new indexes in turn (linux-package-repositories issue 93)."""
    apt.publish()
    place = f"{apt.prefix}/dists/bookworm/main/binary-amd64/Packages.xz"
    new, old = site.files[place], b"an older one"

    async def in_turn(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=old if site.paths.count(place) == 1 else new)

    site.answers[place] = in_turn
    assert (await fetcher(linux=(BOOKWORM,))).agents[0].name == NEWEST
    assert site.paths.count(place) == 2


@pytest.mark.parametrize("keep", [-1, None])
async def test_a_changed_package_is_refused(fetcher: Fetcher, apt: AptRepository, keep: int | None) -> None:
    apt.publish()
    place = f"{apt.prefix}/pool/main/a/azcmagent/{NEWEST}"
    apt.site.files[place] = apt.site.files[place][:keep] + b"!"
    with pytest.raises(BundleRefusedError, match="which its signed index says"):
        await fetcher(linux=(BOOKWORM,))
    assert not [path for path in fetcher.folder.rglob("*") if ".deb" in path.name]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Filename", "../../../../etc/passwd"),
        ("Filename", "pool/../../x.deb"),
        ("Filename", "https://files.example/x.deb"),
        ("Filename", "pool/a b.deb"),
        ("Size", "many"),
        ("SHA256", "0" * 63),
        ("SHA256", ""),
    ],
)
async def test_a_signed_index_with_nonsense_is_one_clear_error(
    fetcher: Fetcher, apt: AptRepository, monkeypatch: pytest.MonkeyPatch, field: str, value: str
) -> None:
    lines = apt.index().decode().splitlines()
    bad = "\n".join(f"{field}: {value}" if line.startswith(f"{field}:") else line for line in lines)
    monkeypatch.setattr(apt, "index", bad.encode)
    apt.publish()
    with pytest.raises(ArcferryError):
        await fetcher(linux=(BOOKWORM,))
    assert not list(fetcher.folder.rglob("*.deb"))


async def test_two_distributions_with_one_package_give_one_path(fetcher: Fetcher, apt: AptRepository) -> None:
    apt.publish()
    jammy = AptRepository(apt.site, apt.gpg, apt.folder, "jammy", "/packages.microsoft.com/ubuntu/22.04/prod")
    jammy.publish()
    found = await fetcher(linux=(BOOKWORM, choose("ubuntu2204")))
    assert len(found.agents) == 1
    assert [one.item for one in found.files] == ["debian12-amd64", "ubuntu2204-amd64"]
    assert found.distributions == {found.agents[0]: ("debian12", "ubuntu2204")}


async def test_two_distributions_with_two_packages_are_refused_before_any_is_fetched(
    fetcher: Fetcher, apt: AptRepository
) -> None:
    apt.publish()
    folder = apt.folder.parent / "jammy"
    jammy = AptRepository(apt.site, apt.gpg, folder, "jammy", "/packages.microsoft.com/ubuntu/22.04/prod")
    jammy.add("1.65.0")
    jammy.publish()
    with pytest.raises(InputError, match=r"debian12-amd64 has azcmagent_1\.67\.3_amd64\.deb") as caught:
        await fetcher(linux=(BOOKWORM, choose("ubuntu2204")))
    assert "a bundle for each" in caught.value.hint
    assert not list(fetcher.folder.rglob("*.deb"))
