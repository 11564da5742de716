"""Signing in to Entra ID: a credential that lets only arcferry's errors and sound tokens out."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol, Self

from azure.core import exceptions as core
from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from azure.identity import CredentialUnavailableError

from arcferry import catalog
from arcferry.azure.mapping import AGAIN, BETWEEN, somebodys_page, translated, unreadable
from arcferry.diagnosis.refusal import way_out
from arcferry.errors import AzureError, SignInError, SignInUnavailableError
from arcferry.https import safe

DOING = "sign in to Entra"
_CODE = re.compile(r"AADSTS\d{4,7}")
_OAUTH = re.compile(r"error '(?:\(|\{'error': ')([a-z_]{3,40})[)']")
_TAIL = re.compile(r"\s*(?:Trace ID|Correlation ID|Timestamp):")
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_HTTP_THROTTLED, _HTTP_SERVER_ERROR = 429, 500
_PASSING = f"This is a fault of Entra's own, not of the identity. {AGAIN}"


class TokenSource(Protocol):
    """Any credential of azure-identity."""

    async def get_token_info(
        self, *scopes: str, options: TokenRequestOptions | None = None
    ) -> AccessTokenInfo:
        """A token."""

    async def close(self) -> None:
        """Close what is its own."""


class Credential:
    """An identity's credential, for the SDK's clients and for our own use.

    Raises, from every way to a token:
        SignInError: Entra refused the identity, or this machine has none of its kind.
        SignInUnavailableError: Entra has a fault of its own, or something else answered in its place.
        AzureUnavailableError: Entra could not be reached.

    Args:
        inner: one of azure-identity's.
        advice: the way out where this machine has no such identity.
    """

    def __init__(self, inner: TokenSource, advice: str = "") -> None:
        self._inner = inner
        self._advice = advice

    async def get_token_info(
        self, *scopes: str, options: TokenRequestOptions | None = None
    ) -> AccessTokenInfo:
        """A token, from the credential's cache where it holds a good one."""
        with _signing_in(self._advice):
            info = await self._inner.get_token_info(*scopes, options=options)
            if not isinstance(info.token, str) or not _TOKEN.fullmatch(info.token):
                raise _not_entra()
            return info

    async def get_token(self, *scopes: str, **options: object) -> AccessToken:
        """The same, in the form that older clients want; no option of theirs is needed here."""
        del options
        info = await self.get_token_info(*scopes)
        return AccessToken(info.token, info.expires_on)

    async def renew(self, other: "Credential") -> None:
        """Be as another credential from now on, for whoever holds this one."""
        old, self._inner, self._advice = self._inner, other._inner, other._advice  # noqa: SLF001 - of this class
        await old.close()

    async def close(self) -> None:
        """Nothing of a service principal's is open: the session's transport is everybody's."""
        await self._inner.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self.close()


@contextmanager
def _signing_in(advice: str) -> Iterator[None]:
    with translated(DOING):
        try:
            yield
        except CredentialUnavailableError as error:
            raise SignInError(f"{DOING}: {safe(str(error.message))}", hint=advice) from None
        except core.ClientAuthenticationError as error:
            raise refused(error) from None
        except core.DecodeError as error:
            status = getattr(error.response, "status_code", None)
            raise _not_entra(status, somebodys_page(error)) from None
        except (AttributeError, KeyError, TypeError, ValueError, ArithmeticError):
            # azure-identity takes the body for a JSON object with a token in it, whatever it is.
            raise _not_entra() from None


def refused(error: core.ClientAuthenticationError) -> AzureError:
    """The arcferry error for Entra's answer; advice only where it fits what Entra said."""
    status = getattr(error, "status_code", None)
    text = safe(str(error.message))
    found = _CODE.search(text)
    if not found:
        return _without_code(text, status, somebodys_page(error))
    code = found.group(0)
    text = _TAIL.split(text[found.start() :], maxsplit=1)[0].rstrip("'\") ")
    known = catalog.known_code(code)
    if _is_passing(status) or (known is not None and known.retry):
        return SignInUnavailableError(f"{DOING}: {text}", status=status, code=code, hint=_PASSING)
    return SignInError(f"{DOING}: {text}", status=status, code=code, hint=way_out(code, text))


def _is_passing(status: int | None) -> bool:
    return status is not None and (status == _HTTP_THROTTLED or status >= _HTTP_SERVER_ERROR)


def _without_code(text: str, status: int | None, page: str) -> AzureError:
    oauth = _OAUTH.search(text)
    if _is_passing(status):
        hint = f"{AGAIN} {page}"
        return SignInUnavailableError(f"{DOING}: HTTP {status} without a code", status=status, hint=hint)
    if oauth is None:
        return _not_entra(status, page)
    hint = "Compare tenant id, client id and secret or certificate." if oauth[1] == "invalid_client" else ""
    return SignInError(f"{DOING}: Entra answered {oauth[1]}", status=status, code=oauth[1], hint=hint)


def _not_entra(status: int | None = None, page: str = BETWEEN) -> SignInUnavailableError:
    says = unreadable(DOING, f"it is not Entra's{f' (HTTP {status})' if status else ''}").message
    return SignInUnavailableError(says, status=status, hint=page)
