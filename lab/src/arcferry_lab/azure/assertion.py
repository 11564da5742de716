"""Client assertions: a JWT that an application signs with the key of its registered certificate."""

import base64
import hmac
from collections.abc import Sequence

import jwt
import jwt.exceptions
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from arcferry_lab.azure.errors import EntraError
from arcferry_lab.azure.state import Application

_EXCHANGE = "api://AzureADTokenExchange"


def check_assertion(assertion: str, client: Application, *, audiences: Sequence[str]) -> None:
    """Verify the signature, life, audience, issuer and subject of a client's assertion.

    Raises:
        EntraError: any of them is not as it must be.
    """
    certificate = _registered(assertion, client)
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise _refused(700027, "The certificate of the client assertion is no RSA certificate.")
    try:
        jwt.decode(
            assertion,
            key,
            algorithms=["RS256", "PS256"],
            audience=audiences,
            issuer=client.client_id,
            subject=client.client_id,
            options={"require": ["exp", "aud", "iss", "sub"]},
        )
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
        raise _refused(700024, "The client assertion is not within its valid time.") from error
    except jwt.InvalidAudienceError as error:
        raise _refused(700023, "The audience of the client assertion is not this authority.") from error
    except (jwt.InvalidIssuerError, jwt.exceptions.InvalidSubjectError) as error:
        raise _refused(700021, "Issuer and subject of the client assertion must be the client id.") from error
    except jwt.InvalidSignatureError as error:
        raise _refused(700027, "The signature of the client assertion is wrong.") from error
    except jwt.InvalidTokenError as error:
        raise _refused(50027, "The client assertion is malformed.") from error


def is_federated(assertion: str, client: Application) -> bool:
    """Whether an assertion is another issuer's, which the application trusts or not."""
    try:
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return False
    return claims.get("iss") != client.client_id


def check_federated(assertion: str, client: Application) -> None:
    """Verify another issuer's token against the application's federated credentials.

    Raises:
        EntraError: none of them is of its issuer and subject, or the token is not as it must be.
    """
    claims = jwt.decode(assertion, options={"verify_signature": False})
    named = [one for one in client.trusted if one[0] == claims.get("iss")]
    if not named:
        raise _refused(700211, "No matching federated identity record found for presented assertion issuer.")
    keys = [key for _, subject, key in named if subject == claims.get("sub")]
    if not keys:
        raise _refused(700213, "No matching federated identity record found for presented assertion subject.")
    try:
        jwt.decode(assertion, keys[0], algorithms=["RS256"], audience=_EXCHANGE)
    except jwt.ExpiredSignatureError as error:
        raise _refused(700024, "The client assertion is not within its valid time.") from error
    except jwt.InvalidAudienceError as error:
        raise _refused(700212, "No matching federated identity record found for its audience.") from error
    except jwt.InvalidTokenError as error:
        raise _refused(700027, "The signature of the client assertion is wrong.") from error


def _registered(assertion: str, client: Application) -> x509.Certificate:
    try:
        header = jwt.get_unverified_header(assertion)
    except jwt.InvalidTokenError as error:
        raise _refused(50027, "The client assertion is malformed.") from error
    for certificate in client.certificates:
        if _names(header, certificate):
            return certificate
    raise _refused(700027, "The certificate of the client assertion is not registered on the application.")


def _names(header: dict[str, object], certificate: x509.Certificate) -> bool:
    for field, algorithm in (("x5t#S256", hashes.SHA256()), ("x5t", hashes.SHA1())):  # noqa: S303 - names, does not protect
        if field in header:
            print_ = base64.urlsafe_b64encode(certificate.fingerprint(algorithm)).rstrip(b"=")
            return hmac.compare_digest(print_, str(header[field]).rstrip("=").encode())
    return False


def _refused(number: int, message: str) -> EntraError:
    return EntraError(401, "invalid_client", number, message)
