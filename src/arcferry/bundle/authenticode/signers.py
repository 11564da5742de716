import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from signify.authenticode import AuthenticodeSignature
from signify.exceptions import CounterSignerError, SignifyError
from signify.x509 import Certificate, CertificateStore, VerificationContext

from arcferry.bundle.authenticode.roots import Roots, common_name
from arcferry.bundle.authenticode.verify import Signature
from arcferry.bundle.packages import UnusablePackageError
from arcferry.errors import BundleRefusedError
from arcferry.text import one_line, quoted
from arcferry.times import to_text

PUBLISHER = "Microsoft Corporation"
"""The organisation that signs the agent's MSI."""

_AGAIN = {PUBLISHER: "Get the MSI from Microsoft again, and do not install this one."}

# Microsoft's carry two, and two more with the timestamp. Several of one name multiply the chains to try.
_MOST_CERTIFICATES = 16
_MOST_OF_ONE_NAME = 2
_MOST_SIGNATURES = 4
_STRONG = {"sha256", "sha384", "sha512"}
_CODE_SIGNING, _TIME_STAMPING, _ANY = "code_signing", "time_stamping", "any_extended_key_usage"
_LONGEST_CHAIN = 10
# The clock of a timestamp authority and this computer's may differ.
_CLOCKS_DIFFER = timedelta(minutes=10)


class _RefusedError(Exception):
    """A signature that does not hold; the text completes "its signature is refused: …"."""


def judge(
    data: bytes,
    digest_of: Callable[[str], bytes | None],
    roots: Roots,
    at: datetime,
    *,
    called: Path,
    publisher: str = PUBLISHER,
) -> Signature:
    """Verify a signature and those nested in it; tell the outermost one's signer.

    Args:
        data: the PKCS #7 message.
        digest_of: gives the file's own digest for an algorithm's name.
        roots: what the chains may lead to.
        at: when to judge.
        called: the file's name.
        publisher: the organisation that every signer's certificate must name, exactly.

    Raises:
        BundleRefusedError: it does not hold; says why.
    """
    try:
        outermost = AuthenticodeSignature.from_envelope(data)
        signatures = list(outermost.iter_recursive_nested())
        if len(signatures) > _MOST_SIGNATURES:
            why = f"there are {len(signatures)} of them, more than the {_MOST_SIGNATURES} looked at"
            raise _RefusedError(why)  # noqa: TRY301 - as all others, which are raised within
        judged = [_judge_one(signature, digest_of, roots, at, publisher) for signature in signatures]
        return replace(judged[0], intermediates=_intermediates(signatures))
    except (UnusablePackageError, OSError):
        raise
    # Four libraries read bytes here that anyone may have written; whatever they stumble over is no signature.
    except Exception as error:
        why = str(error) if isinstance(error, _RefusedError) else f"it cannot be read ({_said(error)})"
        raise BundleRefusedError(
            f"{called}: its signature is refused: {why}",
            hint=_AGAIN.get(publisher, f"Get it from the {publisher} again, and do not run this one."),
        ) from error


def _intermediates(signatures: Iterable[AuthenticodeSignature]) -> tuple[tuple[str, bytes], ...]:
    found: dict[bytes, str] = {}
    for signature in signatures:
        for certificate in _carried(signature, signature.signer_info.countersigner):
            read = x509.load_der_x509_certificate(der := certificate.asn1.dump())
            with suppress(x509.ExtensionNotFound):
                limits = read.extensions.get_extension_for_class(x509.BasicConstraints).value
                if limits.ca and read.issuer != read.subject:
                    found[der] = common_name(der)
    return tuple((name, der) for der, name in found.items())[:_MOST_CERTIFICATES]


def _judge_one(
    signature: AuthenticodeSignature,
    digest_of: Callable[[str], bytes | None],
    roots: Roots,
    at: datetime,
    publisher: str,
) -> Signature:
    """What signify decides, without its leniency towards MD5, SHA-1 and bare RSA.

    Added is what it leaves out: roots compared byte for byte, intermediates limited to other uses, a
    timestamp from the future, and the publisher.
    """
    timestamp = signature.signer_info.countersigner
    carried = _carried(signature, timestamp)
    _check_strength(signature, timestamp)
    digest = digest_of(signature.indirect_data.digest_algorithm().name)
    if digest is None or signature.indirect_data.digest != digest:
        raise _RefusedError("the file was changed after it was signed")
    chain = _chain(signature, timestamp=timestamp, carried=carried, digest=digest, roots=roots, at=at)
    named = chain[-1].asn1.subject.native.get("organization_name")
    if named != publisher:
        raise _RefusedError(f"it is by {_said(named or _name_of(chain[-1]))}, not by {publisher}")
    signed_at = timestamp.signing_time if timestamp else None
    when = f"at {to_text(signed_at)}" if signed_at else "without a timestamp"
    thumbprint = hashlib.sha1(chain[-1].asn1.dump(), usedforsecurity=False).hexdigest().upper()
    return Signature(thumbprint, f"signed by {publisher} {when}, certified by {_name_of(chain[0])}")


def _chain(
    signature: AuthenticodeSignature,
    *,
    timestamp: Any,  # noqa: ANN401 - signify has two kinds, of no common type
    carried: list[Certificate],
    digest: bytes,
    roots: Roots,
    at: datetime,
) -> list[Certificate]:
    signing = _context(roots.signing, carried, _CODE_SIGNING, at)
    stamping = _context(roots.timestamping, carried, _TIME_STAMPING, at)
    try:
        chains = list(signature.verify(signing, expected_hash=digest, cs_verification_context=stamping))
        stamped = list(timestamp.verify(stamping)) if timestamp else []
    except CounterSignerError as error:
        raise _RefusedError(
            _foreign_root(signature, roots) or f"its timestamp does not hold ({_said(error)})"
        ) from error
    except SignifyError as error:
        plain = _plain_reason(signature, timestamp.signing_time if timestamp else None, roots, at)
        raise _RefusedError(plain or f"it does not hold ({_said(error)})") from error
    if timestamp:
        if timestamp.signing_time > at + _CLOCKS_DIFFER:
            raise _RefusedError(
                f"its timestamp {to_text(timestamp.signing_time)} is in the future: it is {to_text(at)}"
            )
        _pinned(stamped, roots.timestamping, _TIME_STAMPING, "stating the time")
    return _pinned(chains, roots.signing, _CODE_SIGNING, "signing code")


def _carried(signature: AuthenticodeSignature, timestamp: Any) -> list[Certificate]:  # noqa: ANN401 - as above
    """The certificates that come with the signature and its timestamp, each once."""
    found = list(dict.fromkeys([*signature.certificates, *getattr(timestamp, "certificates", ())]))
    most = max(Counter(certificate.subject for certificate in found).values(), default=0)
    if len(found) > _MOST_CERTIFICATES or most > _MOST_OF_ONE_NAME:
        raise _RefusedError(
            f"it carries {len(found)} certificates, {most} of one name;"
            f" at most {_MOST_CERTIFICATES} and {_MOST_OF_ONE_NAME} are looked at"
        )
    # What lies outside a certificate's signed part would change its thumbprint.
    parts = [certificate.asn1 for certificate in found]
    if any(
        part["signature_algorithm"].dump() != part["tbs_certificate"]["signature"].dump() for part in parts
    ):
        raise _RefusedError("one of its certificates is not as it was issued")
    return found


def _check_strength(signature: AuthenticodeSignature, timestamp: Any) -> None:  # noqa: ANN401 - as above
    used = [
        signature.digest_algorithm,
        signature.signer_info.digest_algorithm,
        signature.indirect_data.digest_algorithm,
    ]
    if timestamp:
        used.append(timestamp.digest_algorithm)
        used += [timestamp.tst_info.hash_algorithm] if hasattr(timestamp, "tst_info") else []
    weak = sorted({algorithm().name for algorithm in used} - _STRONG)
    if weak:
        raise _RefusedError(f"it rests on {weak[0].upper()}, which can be forged")


def _context(
    roots: tuple[bytes, ...], carried: list[Certificate], use: str, at: datetime
) -> VerificationContext:
    return VerificationContext(
        CertificateStore([Certificate.from_der(root) for root in roots], trusted=True),
        CertificateStore(carried),
        timestamp=at,
        key_usages=["digital_signature"],
        extended_key_usages=[use],
        optional_eku=False,
        allow_legacy=False,
    )


def _pinned(
    chains: Iterable[Iterable[Certificate]], roots: tuple[bytes, ...], use: str, words: str
) -> list[Certificate]:
    """The first chain that begins at one of the roots, and of which every certificate may serve the use."""
    for chain in map(list, chains):
        limits = [_uses(certificate) for certificate in chain[1:]]
        if chain[0].asn1.dump() in roots and all(not limit or limit & {use, _ANY} for limit in limits):
            return chain
    raise _RefusedError(f"a certificate in its chain is not for {words}")


def _said(error: object) -> str:
    return one_line(str(error), limit=300)


def _plain_reason(
    signature: AuthenticodeSignature, signed_at: datetime | None, roots: Roots, at: datetime
) -> str:
    """The plainest of the reasons for which signify may have refused; empty if none is plain to see.

    `signed_at` is what a timestamp that holds says; None if there is none.
    """
    certificate = _signer(signature)
    if certificate is None:
        return "it does not carry its signer's certificate"
    first, last = certificate.valid_from, certificate.valid_to
    if not first <= (signed_at or at) <= last:
        when = "and it was not signed then" if signed_at else "and it has no timestamp from then"
        return f"its certificate is valid from {to_text(first)} to {to_text(last)}, {when}"
    if _CODE_SIGNING not in _uses(certificate):
        return "its certificate is not for signing code"
    return _foreign_root(signature, roots)


def _foreign_root(signature: AuthenticodeSignature, roots: Roots) -> str:
    """Where the chain leads that does not lead to a trusted root; empty if by its names it may."""
    top = _signer(signature)
    for _ in range(_LONGEST_CHAIN):
        if top is None or top.asn1.dump() in roots.signing:
            return ""
        above = next(iter(signature.certificates.find_certificates(subject=top.issuer)), None)
        if above is None or above == top:
            break
        top = above
    issuers = [Certificate.from_der(root).subject for root in roots.signing]
    if top is None or (top.issuer != top.subject and top.issuer in issuers):
        return ""
    return f"it leads to {quoted(_name_of(top))}, which is none of the trusted roots"


def _uses(certificate: Certificate) -> set[str]:
    """The extended key usages that a certificate is limited to; empty if it is not limited."""
    stated = certificate.asn1.extended_key_usage_value
    return set(stated.native) if stated is not None else set()


def _name_of(certificate: Certificate) -> str:
    """A certificate's common name, on one line."""
    return one_line(
        str(certificate.asn1.subject.native.get("common_name") or certificate.subject.dn), limit=100
    )


def _signer(signature: AuthenticodeSignature) -> Certificate | None:
    info = signature.signer_info
    found = signature.certificates.find_certificates(issuer=info.issuer, serial_number=info.serial_number)
    return next(iter(found), None)
