import importlib
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest
from asn1crypto.x509 import Certificate
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from arcferry.bundle.authenticode import MICROSOFT, Roots
from arcferry.bundle.authenticode.roots import microsoft
from arcferry.bundle.authenticode.verify import load_oscrypto
from arcferry.errors import InputError

if TYPE_CHECKING:
    from conftest import Authorities

PEM = files("arcferry.bundle.authenticode").joinpath("roots.pem").read_bytes()
PUBLISHED = {
    "Microsoft Root Certificate Authority 2010": "3b1efd3a66ea28b16697394703a72ca340a05bd5",
    "Microsoft Root Certificate Authority 2011": "8f43288ad272f3103b6fb1428485ea3014c0bcfe",
    "Microsoft Time Stamp Root Certificate Authority 2014": "0119e81be9a14cd8e22f40ac118c687ecba3f4d8",
    "Microsoft Identity Verification Root Certificate Authority 2020": (
        "f40042e2e5f7e8ef8189fed15519aece42c3bfa2"
    ),
}


def test_the_roots_are_microsofts() -> None:
    found = [x509.load_der_x509_certificate(root) for root in MICROSOFT.timestamping]
    names = {
        str(root.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value): root for root in found
    }
    shown = {
        name: Certificate.load(root.public_bytes(Encoding.DER)).sha1.hex() for name, root in names.items()
    }
    assert shown == PUBLISHED
    for root in found:
        root.verify_directly_issued_by(root)
        assert root.not_valid_after_utc > datetime(2035, 1, 1, tzinfo=UTC)
    assert set(MICROSOFT.signing) < set(MICROSOFT.timestamping)
    assert len(MICROSOFT.signing) == 2


def test_a_list_that_microsoft_signed_leads_to_them_and_holds_them() -> None:
    load_oscrypto()
    signify = importlib.import_module("signify.x509")
    listed = importlib.import_module("signify.authenticode").CertificateTrustList.from_stl_file()
    ours = [signify.Certificate.from_der(root) for root in MICROSOFT.signing]
    store = signify.CertificateStore(ours, trusted=True)
    (chain,) = listed.verify(
        trusted_certificate_store=store, verification_context_kwargs={"timestamp": listed.this_update}
    )
    assert chain[0].asn1.dump() in MICROSOFT.signing
    assert set(PUBLISHED.values()) <= {subject.identifier.hex() for subject in listed.subjects}


def test_other_certificates_than_the_pinned_are_refused(trusted: "Authorities") -> None:
    one = PEM[: PEM.index(b"-----END")] + b"-----END CERTIFICATE-----\n"
    for pem in (one, PEM + trusted.root.pem):
        with pytest.raises(InputError, match="not the ones it was released with"):
            microsoft(pem)
    assert microsoft(PEM) == MICROSOFT


@pytest.mark.parametrize("pem", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_text_without_certificates_is_refused(pem: bytes) -> None:
    with pytest.raises(InputError, match="no root certificates in PEM"):
        Roots.from_pem(pem)
