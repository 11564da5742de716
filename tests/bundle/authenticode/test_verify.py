import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku

from arcferry.bundle.authenticode import Roots, verify_msi
from arcferry.errors import ArcferryError, BundleRefusedError, FileInputError

if TYPE_CHECKING:
    from conftest import Authorities, Party

Sign = Callable[..., Path]
Days = Callable[[int], timedelta]


@pytest.fixture
def refused(now: datetime, trusted: "Authorities") -> Callable[..., str]:
    def refused(path: Path, **settings: object) -> str:
        verify: Callable[..., object] = verify_msi
        with pytest.raises(BundleRefusedError) as caught:
            verify(path, **{"roots": trusted.roots, "at": now} | settings)
        assert caught.value.message.startswith(f"{path}: ")
        assert caught.value.hint
        return caught.value.message

    return refused


@pytest.mark.parametrize("extended", [(), ("-add-msi-dse",)])
def test_a_good_signature_tells_who_and_when(
    sign: Sign, trusted: "Authorities", now: datetime, days: Days, extended: tuple[str, ...]
) -> None:
    signer = trusted.signer()
    path = sign(signer, *extended, stamped_by=trusted.stamping)
    found = verify_msi(path, roots=trusted.roots, at=now)
    assert found.thumbprint == asn1.Certificate.load(_der(signer.certificate)).sha1.hex().upper()
    assert found.says == (
        "signed by Microsoft Corporation at 2026-11-13T08:00:00Z, certified by Test Root 2011"
    )


def test_without_a_timestamp_it_holds_while_the_certificate_does(
    sign: Sign, trusted: "Authorities", now: datetime, days: Days, refused: Callable[..., str]
) -> None:
    path = sign(trusted.signer())
    found = verify_msi(path, roots=trusted.roots, at=now)
    assert "without a timestamp" in found.says
    assert "it has no timestamp" in refused(path, at=now + days(401))


def test_an_expired_certificate_holds_by_its_timestamp(
    sign: Sign, trusted: "Authorities", now: datetime, days: Days, refused: Callable[..., str]
) -> None:
    expired = trusted.signer(until=now - days(5))
    stamped = sign(expired, stamped_by=trusted.stamping, out="stamped.msi")
    assert "at 2026-11-13T08:00:00Z" in verify_msi(stamped, roots=trusted.roots, at=now).says
    late = sign(expired, stamped_by=trusted.stamping, stamped_at=now - days(1), out="late.msi")
    assert "it was not signed then" in refused(late)
    assert "it has no timestamp" in refused(sign(expired, out="unstamped.msi"))


@pytest.mark.parametrize("extended", [(), ("-add-msi-dse",)])
@pytest.mark.parametrize("where", ["cabinet", "string pool", "summary"])
def test_a_changed_file_is_refused(
    sign: Sign, trusted: "Authorities", refused: Callable[..., str], extended: tuple[str, ...], where: str
) -> None:
    path = sign(trusted.signer(), *extended, stamped_by=trusted.stamping)
    whole = bytearray(path.read_bytes())
    at = {
        "cabinet": whole.index(b"MSCF") + 200,
        "string pool": whole.index(b"ProgramFiles64Folder"),
        "summary": whole.index(b"x64;1033"),
    }[where]
    whole[at] ^= 1
    path.write_bytes(whole)
    assert "changed after it was signed" in refused(path)


def test_an_extended_digest_guards_the_names_too(
    sign: Sign, trusted: "Authorities", refused: Callable[..., str]
) -> None:
    path = sign(trusted.signer(), "-add-msi-dse", stamped_by=trusted.stamping)
    whole = bytearray(path.read_bytes())
    # The time at which a stream was made is in the directory, and in no stream.
    whole[whole.index("\x05SummaryInformation".encode("utf-16-le")) + 100] ^= 1
    path.write_bytes(whole)
    assert "changed after it was signed" in refused(path)


def test_an_unsigned_file_is_refused(plain_msi: Path, refused: Callable[..., str]) -> None:
    assert "it is not signed" in refused(plain_msi)


@pytest.mark.parametrize(
    "organization",
    [
        "Contoso",
        "Microsoft",
        "microsoft corporation",
        "Microsoft Corporation ",
        "Microsoft Corporation\u200b",
    ],
)
def test_another_publisher_is_refused(
    sign: Sign, trusted: "Authorities", refused: Callable[..., str], organization: str
) -> None:
    path = sign(trusted.signer(organization=organization), stamped_by=trusted.stamping)
    assert "not by Microsoft Corporation" in refused(path)


@pytest.mark.parametrize("stamp", [False, True])
def test_a_foreign_root_of_the_same_name_is_refused(
    sign: Sign, trusted: "Authorities", foreign: "Authorities", refused: Callable[..., str], stamp: bool
) -> None:
    path = sign(foreign.signer(), stamped_by=trusted.stamping if stamp else None)
    assert "leads to 'Test Root 2011', which is none of the trusted roots" in refused(path)


def test_the_pinned_roots_are_what_counts_by_default(
    sign: Sign, trusted: "Authorities", now: datetime
) -> None:
    path = sign(trusted.signer(), stamped_by=trusted.stamping)
    with pytest.raises(BundleRefusedError, match="none of the trusted roots"):
        verify_msi(path, at=now)


def test_a_root_that_borrows_a_signature_is_refused(
    sign: Sign, trusted: "Authorities", issue: "Callable[..., Party]", refused: Callable[..., str]
) -> None:
    """certvalidator takes a certificate for a root by its signature's bytes alone."""
    forged = issue("Test Root 2011", None, authority=True)
    copied = asn1.Certificate.load(_der(forged.certificate))
    copied["signature_value"] = asn1.Certificate.load(_der(trusted.root.certificate))["signature_value"]
    forged.certificate = x509.load_der_x509_certificate(copied.dump(force=True))
    issuing = issue("Test Code Signing 2011", forged, authority=True)
    path = sign(trusted.signer(by=issuing), stamped_by=trusted.stamping)
    assert "none of the trusted roots" in refused(path)


def test_a_signer_cannot_certify_another(
    sign: Sign, trusted: "Authorities", issue: "Callable[..., Party]", refused: Callable[..., str]
) -> None:
    leaf = issue("A signer", trusted.issuing, use=Eku.CODE_SIGNING)
    path = sign(trusted.signer(by=leaf), stamped_by=trusted.stamping)
    assert "it does not hold" in refused(path)


@pytest.mark.parametrize("use", [Eku.SERVER_AUTH, Eku.TIME_STAMPING, None])
def test_a_certificate_for_another_use_is_refused(
    sign: Sign, trusted: "Authorities", refused: Callable[..., str], use: x509.ObjectIdentifier | None
) -> None:
    path = sign(trusted.signer(use=use), stamped_by=trusted.stamping)
    assert "its certificate is not for signing code" in refused(path)


def test_an_authority_limited_to_another_use_is_refused(
    sign: Sign, trusted: "Authorities", issue: "Callable[..., Party]", refused: Callable[..., str]
) -> None:
    web = issue("Test Web 2011", trusted.root, authority=True, use=Eku.SERVER_AUTH)
    path = sign(trusted.signer(by=web), stamped_by=trusted.stamping)
    assert "not for signing code" in refused(path)


def test_a_foreign_timestamp_is_refused(
    sign: Sign, trusted: "Authorities", foreign: "Authorities", refused: Callable[..., str]
) -> None:
    path = sign(trusted.signer(), stamped_by=foreign.stamping)
    assert "its timestamp does not hold" in refused(path)


def test_a_moved_timestamp_is_refused(
    sign: Sign, trusted: "Authorities", refused: Callable[..., str]
) -> None:
    path = sign(trusted.signer(), stamped_by=trusted.stamping)
    whole = path.read_bytes()
    assert whole.count(b"20261113080000Z") == 1
    path.write_bytes(whole.replace(b"20261113080000Z", b"20261103080000Z"))
    assert "its timestamp does not hold" in refused(path)


def test_a_timestamp_from_the_future_is_refused(
    sign: Sign, trusted: "Authorities", now: datetime, days: Days, refused: Callable[..., str]
) -> None:
    path = sign(trusted.signer(), stamped_by=trusted.stamping, stamped_at=now + days(2))
    assert "is in the future" in refused(path)


def test_a_timestamp_by_a_certificate_for_another_use_is_refused(
    sign: Sign, trusted: "Authorities", refused: Callable[..., str]
) -> None:
    path = sign(trusted.signer(), stamped_by=trusted.stamping)
    certificate, other = (
        trusted.stamping.certificate,
        trusted.for_other_use(trusted.stamping, Eku.SERVER_AUTH),
    )
    whole = path.read_bytes()
    assert _der(certificate) in whole
    path.write_bytes(whole.replace(_der(certificate), _der(other)))
    assert "its timestamp does not hold" in refused(path)


def test_a_time_authority_limited_to_another_use_is_refused(
    sign: Sign, trusted: "Authorities", issue: "Callable[..., Party]", refused: Callable[..., str]
) -> None:
    limited = issue("Test Code 2011", trusted.root, authority=True, use=Eku.CODE_SIGNING)
    path = sign(trusted.signer(), stamped_by=issue("Test Time", limited, use=Eku.TIME_STAMPING))
    assert "not for stating the time" in refused(path)


def test_a_root_for_the_time_alone_signs_no_code(
    sign: Sign, trusted: "Authorities", foreign: "Authorities", now: datetime
) -> None:
    path = sign(trusted.signer(), stamped_by=foreign.stamping)
    apart = Roots.from_pem(trusted.root.pem, foreign.root.pem)
    assert " at 2026-" in verify_msi(path, roots=apart, at=now).says
    with pytest.raises(BundleRefusedError, match="none of the trusted roots"):
        verify_msi(path, roots=Roots.from_pem(foreign.root.pem, trusted.root.pem), at=now)


def test_sha1_is_refused(sign: Sign, trusted: "Authorities", refused: Callable[..., str]) -> None:
    path = sign(trusted.signer(), "-h", "sha1", stamped_by=trusted.stamping)
    assert "rests on SHA1" in refused(path)


def test_a_nested_signature_must_hold_too(
    sign: Sign, trusted: "Authorities", foreign: "Authorities", now: datetime, refused: Callable[..., str]
) -> None:
    once = sign(trusted.signer(), stamped_by=trusted.stamping, out="once.msi")
    good = sign(trusted.signer(), "-nest", stamped_by=trusted.stamping, source=once, out="good.msi")
    assert "certified by Test Root 2011" in verify_msi(good, roots=trusted.roots, at=now).says
    bad = sign(foreign.signer(), "-nest", stamped_by=trusted.stamping, source=once, out="bad.msi")
    assert "none of the trusted roots" in refused(bad)


@pytest.mark.parametrize("names", [15, 1])
def test_many_certificates_are_refused(
    sign: Sign, trusted: "Authorities", issue: "Callable[..., Party]", refused: Callable[..., str], names: int
) -> None:
    """Each way up from one to the next is a chain that certvalidator would try."""
    says = {15: "18 certificates, 1 of one name", 1: "3 of one name"}[names]
    more = [issue(f"Authority {number % names}", trusted.root) for number in range(max(names, 3))]
    signer = trusted.signer()
    signer.above += tuple(party.certificate for party in more)
    assert says in refused(sign(signer))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not an OLE compound file"),
        (b"<!DOCTYPE html>" * 99, "not an OLE compound file"),
        (bytes.fromhex("d0cf11e0a1b11ae1"), "is damaged"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4096), "is damaged"),
    ],
)
def test_what_is_no_msi_is_refused(
    tmp_path: Path, refused: Callable[..., str], content: bytes, says: str
) -> None:
    path = tmp_path / "agent.msi"
    path.write_bytes(content)
    assert says in refused(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileInputError, match=r"no\.msi: No such file"):
        verify_msi(tmp_path / "no.msi")
    with pytest.raises(FileInputError, match="is not a file"):
        verify_msi(tmp_path)


def test_any_damage_is_refused_or_does_no_harm(sign: Sign, trusted: "Authorities", now: datetime) -> None:
    path = sign(trusted.signer(), stamped_by=trusted.stamping)
    whole = path.read_bytes()
    good = verify_msi(path, roots=trusted.roots, at=now)
    chance = random.Random(20261123)  # noqa: S311 - the same damage in every run
    refused = 0
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged[: chance.choice([len(whole), chance.randrange(len(whole))])])
        try:
            # The containers have slack that no signature covers.
            assert verify_msi(path, roots=trusted.roots, at=now) == good
        except ArcferryError:
            refused += 1
    assert refused > 100


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
