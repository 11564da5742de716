"""The one place where exceptions of the Azure SDK become arcferry's."""

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from azure.core import exceptions as core

from arcferry.errors import (
    AzureError,
    AzureUnavailableError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    SignInError,
    ThrottledError,
)
from arcferry.text import one_line

_TOKEN_LIKE = re.compile(r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+){0,2}")
_ACTION = re.compile(r"action '([A-Za-z0-9._/*-]{3,200})'")
_ENTRA_CODE = re.compile(r"AADSTS\d{4,7}")
_ENTRA_HINTS = {
    "AADSTS7000215": "The secret is not this application's. Take the secret's value, not its id.",
    "AADSTS7000222": "The secret has expired. Make a new one for the application.",
    "AADSTS700016": "This application is not in that tenant: compare --client-id with --tenant-id.",
    "AADSTS90002": "There is no such tenant: compare --tenant-id, and the cloud.",
    "AADSTS700027": "The certificate is not registered with this application, or has expired.",
    "AADSTS50034": "This identity is not in that tenant.",
}
_HTTP_FORBIDDEN = 403
_HTTP_SERVER_ERROR = 500
_KINDS: dict[int, type[AzureError]] = {
    401: SignInError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    412: ConflictError,
    429: ThrottledError,
}


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Let only arcferry's errors out of the block; `doing` says what was tried, such as `list machines`."""
    try:
        yield
    except core.AzureError as error:
        raise from_sdk(error, doing) from None
    except (OSError, aiohttp.ClientError, TimeoutError) as error:
        raise AzureUnavailableError(f"{doing}: {safe(str(error) or type(error).__name__)}") from None
    except ValueError as error:
        # The SDK's own readers raise ValueError for a body that is not what its model says.
        raise AzureUnavailableError(f"{doing}: an answer that cannot be read: {safe(str(error))}") from None


def safe(text: str) -> str:
    """One clean line without anything that looks like a token."""
    return _TOKEN_LIKE.sub("[token]", one_line(text, limit=400))


def from_sdk(error: core.AzureError, doing: str) -> AzureError:
    """The arcferry error for one of the SDK's, without a token in its text."""
    status = getattr(error, "status_code", None)
    if isinstance(error, core.HttpResponseError) and isinstance(status, int):
        return _answered(error, status, doing)
    if isinstance(error, core.ClientAuthenticationError):
        return _sign_in(error, None, doing)
    return _unavailable(error, doing)


def _answered(error: core.HttpResponseError, status: int, doing: str) -> AzureError:
    code, text = _code_and_text(error)
    if isinstance(error, core.ClientAuthenticationError) and _ENTRA_CODE.search(text):
        return _sign_in(error, status, doing)
    kind = _KINDS.get(status, AzureUnavailableError if status >= _HTTP_SERVER_ERROR else AzureError)
    says = f"{doing}: Azure answered {status}{f' {code}' if code else ''}{f': {text}' if text else ''}"
    return kind(says, status=status, code=code, hint=_hint(status, text))


def _hint(status: int, text: str) -> str:
    if status == _HTTP_FORBIDDEN:
        action = _ACTION.search(text)
        needed = f" that allows {action.group(1)}" if action else ""
        return (
            f"Give the service principal a role{needed} on the resource group; onboarding needs "
            "“Azure Connected Machine Onboarding”. A new role can take ten minutes to count."
        )
    return {
        401: "The token was refused: compare tenant, subscription and cloud, and this machine's clock.",
        404: "Compare the subscription and the resource group's name.",
        429: "Azure asks for fewer requests. Run the same command again later; what is done is kept.",
    }.get(status, "")


def _sign_in(error: core.AzureError, status: int | None, doing: str) -> SignInError:
    text = safe(str(error.message))
    found = _ENTRA_CODE.search(text)
    code = found.group(0) if found else ""
    text = text[found.start() :] if found else text
    text = re.split(r"\s*(?:Trace ID|Correlation ID|Timestamp):", text, maxsplit=1)[0]
    hint = _ENTRA_HINTS.get(code, "Compare tenant id, client id and secret or certificate.")
    return SignInError(f"{doing}: {text}", status=status, code=code, hint=hint)


def _unavailable(error: core.AzureError, doing: str) -> AzureUnavailableError:
    cause = _root(error)
    text = safe(str(error.message or cause))
    if isinstance(cause, ssl.SSLError | ssl.CertificateError | aiohttp.ClientSSLError):
        return AzureUnavailableError(
            f"{doing}: TLS failed: {text}",
            code="tls",
            hint="Where this path inspects TLS, pass the CA that it signs with by --ca-file.",
        )
    return AzureUnavailableError(
        f"{doing}: no answer: {text}",
        code="connection",
        hint="arcferry check shows which step fails, name, route, TLS or proxy.",
    )


def _root(error: BaseException) -> BaseException:
    seen: BaseException = error
    for _ in range(8):
        inner = getattr(seen, "inner_exception", None) or seen.__cause__
        if not isinstance(inner, BaseException):
            break
        seen = inner
        if isinstance(seen, ssl.SSLError | aiohttp.ClientSSLError):
            break
    return seen


def _code_and_text(error: core.HttpResponseError) -> tuple[str, str]:
    details = error.error
    code = safe(str(getattr(details, "code", "") or ""))
    text = safe(str(getattr(details, "message", "") or error.reason or ""))
    if isinstance(error, core.ClientAuthenticationError) and not details:
        text = safe(str(error.message))
    return code, text
