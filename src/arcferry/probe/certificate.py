"""What a certificate says, as text that is safe to print, and whether it is meant for a host."""

from collections.abc import Sequence
from ipaddress import ip_address

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from arcferry import typed
from arcferry.text import one_line

_MOST_NAMES = 200
_LONGEST_NAME = 255


def name_text(name: x509.Name) -> str:
    """A subject or issuer in RFC 4514 order, such as `CN=Contoso Inspection CA,O=Contoso`.

    Whoever answers has chosen it: what no name holds is not shown.
    """
    return typed.certificate_name(one_line(name.rfc4514_string()))


def subject_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """The DNS names and addresses it was issued for; empty where it has none or they cannot be read."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        dns = names.get_values_for_type(x509.DNSName)
        addresses = names.get_values_for_type(x509.IPAddress)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return ()
    texts = [typed.certificate_name(one_line(name, limit=_LONGEST_NAME)) for name in dns] + [
        str(address) for address in addresses
    ]
    return tuple(texts[:_MOST_NAMES])


def names_its_issuer(certificate: x509.Certificate) -> bool:
    """Whether it says where its issuer's certificate is to be had (caIssuers, RFC 5280, 4.2.2.1)."""
    try:
        access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return False
    return any(one.access_method == AuthorityInformationAccessOID.CA_ISSUERS for one in access)


def is_for(host: str, names: Sequence[str]) -> bool:
    """Whether one of the names covers the host (RFC 9525: a star stands for the whole first label)."""
    if is_address(host):
        return any(is_address(name) and ip_address(name) == ip_address(host) for name in names)
    host = host.lower().rstrip(".")
    _, _, parent = host.partition(".")
    wanted = {host} | ({f"*.{parent}"} if "." in parent else set())
    return any(name.lower().rstrip(".") in wanted for name in names)


def is_address(text: str) -> bool:
    """Whether a host is given by its IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
