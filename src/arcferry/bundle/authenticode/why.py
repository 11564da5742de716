"""Words for why signify refused a signature; the refusal itself is signify's."""

from datetime import datetime

from signify.authenticode import AuthenticodeSignature
from signify.x509 import Certificate

from arcferry.bundle.authenticode.roots import Roots
from arcferry.text import one_line, quoted
from arcferry.times import to_text

ANY = "any_extended_key_usage"
_LONGEST_CHAIN = 10


def refused(signature: AuthenticodeSignature, signed_at: datetime | None, roots: Roots, at: datetime) -> str:
    """The plainest of the possible reasons; empty where none of them is plain to see.

    Args:
        signature: the refused one.
        signed_at: what a timestamp that holds says; None where there is none.
        roots: what it may lead to.
        at: when it was judged.
    """
    certificate = _signer(signature)
    if certificate is None:
        return "it does not carry its signer's certificate"
    first, last = certificate.valid_from, certificate.valid_to
    if not first <= (signed_at or at) <= last:
        when = "and it was not signed then" if signed_at else "and it has no timestamp from then"
        return f"its certificate is valid from {to_text(first)} to {to_text(last)}, {when}"
    if "code_signing" not in uses(certificate):
        return "its certificate is not for signing code"
    return foreign(signature, roots)


def foreign(signature: AuthenticodeSignature, roots: Roots) -> str:
    """Where the chain leads that does not lead to a trusted root; empty where by its names it may."""
    top = _signer(signature)
    for _ in range(_LONGEST_CHAIN):
        if top is None or top.asn1.dump() in roots.signing:
            return ""
        above = next(iter(signature.certificates.find_certificates(subject=top.issuer)), None)
        if above is None or above == top:
            break
        top = above
    if top is None or (top.issuer != top.subject and _issued_by_root(top, roots)):
        return ""
    return f"it leads to {quoted(name_of(top))}, which is none of the trusted roots"


def uses(certificate: Certificate) -> set[str]:
    """The extended key usages that a certificate is limited to; empty where it is not limited."""
    stated = certificate.asn1.extended_key_usage_value
    return set(stated.native) if stated is not None else set()


def name_of(certificate: Certificate) -> str:
    """A certificate's common name, on one line."""
    return one_line(
        str(certificate.asn1.subject.native.get("common_name") or certificate.subject.dn), limit=100
    )


def _signer(signature: AuthenticodeSignature) -> Certificate | None:
    info = signature.signer_info
    found = signature.certificates.find_certificates(issuer=info.issuer, serial_number=info.serial_number)
    return next(iter(found), None)


def _issued_by_root(certificate: Certificate, roots: Roots) -> bool:
    return any(certificate.issuer == Certificate.from_der(root).subject for root in roots.signing)
