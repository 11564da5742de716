"""The one place where exceptions of the Azure SDK become arcferry's."""

import logging
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
from azure.core import exceptions as core

from arcferry import command_line
from arcferry.diagnosis.refusal import way_out, way_out_of_page
from arcferry.errors import (
    ArcferryError,
    AzureError,
    AzureUnavailableError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    SignInError,
    ThrottledError,
)
from arcferry.https import safe
from arcferry.text import one_line, said

_LOG = logging.getLogger(__name__)
_ACTION = re.compile(r"action '([A-Za-z0-9._/*-]{3,200})'")
_NAMESPACE = re.compile(r"namespace '([A-Za-z][A-Za-z0-9]{0,60}(?:\.[A-Za-z][A-Za-z0-9]{0,60}){1,3})'")
_SUBSCRIPTION = re.compile(
    r"/subscriptions/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:[/?]|$)", re.IGNORECASE
)
_CODE = re.compile(r"[A-Za-z][\w.]{1,99}")
_HTTP_FORBIDDEN, _HTTP_THROTTLED, _HTTP_SERVER_ERROR = 403, 429, 500
_NOT_REGISTERED = frozenset({"missingsubscriptionregistration", "invalidsubscriptionregistrationstate"})
_NO_SUBSCRIPTION = frozenset({"subscriptionnotfound", "invalidsubscriptionid"})
_NO_GROUP = "resourcegroupnotfound"
# ARM's own code, and the Arc service's (HCRP404 in reports of `az connectedmachine`).
_NO_RESOURCE = frozenset({"resourcenotfound", "notfound", "hcrp404"})
_KINDS: dict[int, type[AzureError]] = {
    401: SignInError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    412: ConflictError,
    429: ThrottledError,
}
_COMPARE = {
    401: "The token was refused: compare tenant, subscription and cloud, and this machine's clock.",
    404: "Compare the name, the resource group and the subscription.",
}
"""What a status alone advises, whatever its code."""

AGAIN = "Run the same command again in a few minutes; what is done is kept."
_OWN_FAULT = f"This is a fault of Azure's own. {AGAIN}"
COMPARE_SUBSCRIPTION = "Compare --subscription-id, and --tenant-id with the subscription's own tenant:"
LIST_SUBSCRIPTIONS = 'az account list --query "[].{name:name, id:id, tenant:tenantId}" --output table'
WHO_REGISTERS = "An owner or contributor of the subscription runs this once"
BETWEEN = (
    "A proxy, a gateway or a sign-in page may have answered in Azure's place: arcferry check shows what this "
    "path does to the name."
)


@dataclass(frozen=True, slots=True)
class Permission:
    """What reading something takes.

    Attributes:
        action: Azure's name for it, such as `Microsoft.Network/routeFilters/read`.
        role: the least built-in role that arcferry advises for it.
        on: what the role is to be given on.
    """

    action: str
    role: str
    on: str


@contextmanager
def translated(doing: str, needs: Permission | None = None) -> Iterator[None]:
    """Let only arcferry's errors out of the block.

    Args:
        doing: what was tried, such as `list machines`.
        needs: what it takes, for advice where it is not allowed.
    """
    try:
        yield
    except ArcferryError:
        raise
    except core.AzureError as error:
        raise from_sdk(error, doing, needs) from None
    except (OSError, aiohttp.ClientError, TimeoutError) as error:
        raise AzureUnavailableError(f"{doing}: {safe(said(error))}") from None
    except Exception:  # noqa: BLE001  # the SDK's readers raise whatever a body makes of them that is not Azure's
        _LOG.debug("%s: an answer that cannot be read", doing, exc_info=True)
        raise unreadable(doing) from None


def unreadable(doing: str, what: str = "it is not of the form that Azure documents") -> AzureUnavailableError:
    """An answer that came, and is none of Azure's."""
    return AzureUnavailableError(f"{doing}: the answer cannot be read: {what}", hint=BETWEEN)


def somebodys_page(error: core.HttpResponseError) -> str:
    """The way out where somebody else answered, with that for a page, if it is one."""
    if "html" not in _answered_as(error):
        return BETWEEN
    request = getattr(error.response, "request", None)
    host = urlsplit(str(getattr(request, "url", ""))).hostname
    return f"{BETWEEN} {way_out_of_page(host) if host else ''}".rstrip()


def missing(error: NotFoundError) -> str:
    """What ARM says is not there: `resource`, `group` or `subscription`; empty where it does not say."""
    code = error.code.lower()
    known = ((_NO_RESOURCE, "resource"), ({_NO_GROUP}, "group"), (_NO_SUBSCRIPTION, "subscription"))
    return next((what for codes, what in known if code in codes), "")


def not_registered(namespace: str, subscription: str, *, registering: bool = False) -> tuple[str, str]:
    """What to say of a resource provider that is not registered, and the command of who may do it."""
    says = (
        f"the registration of resource provider {namespace} in subscription {subscription} is not complete"
        if registering
        else f"subscription {subscription} is not registered for resource provider {namespace}"
    )
    command = command_line.line(
        "az provider register --namespace {namespace} --subscription {subscription} --wait",
        namespace=command_line.word(namespace, "NAMESPACE"),
        subscription=command_line.guid(subscription, "SUBSCRIPTION"),
    )
    return says, command


def from_sdk(error: core.AzureError, doing: str, needs: Permission | None = None) -> AzureError:
    """The arcferry error for one of the SDK's, without a token in its text."""
    if isinstance(error, core.DecodeError) and not isinstance(error, core.IncompleteReadError):
        unread = unreadable(doing, f"it is no JSON{_answered_as(error)}")
        return AzureUnavailableError(unread.message, hint=somebodys_page(error))
    status = getattr(error, "status_code", None)
    if isinstance(error, core.HttpResponseError) and isinstance(status, int):
        return _answered(error, status, doing, needs)
    return _unavailable(error, doing)


def _answered(error: core.HttpResponseError, status: int, doing: str, needs: Permission | None) -> AzureError:
    # Empty where the body has none, whatever else is in it.
    said_code, said_text = getattr(error.error, "code", None), getattr(error.error, "message", None)
    code = said_code if isinstance(said_code, str) and _CODE.fullmatch(said_code) else ""
    text = safe(said_text) if isinstance(said_text, str) else ""
    if not code and status != _HTTP_THROTTLED:
        # Every refusal of ARM's has a code: without one it is somebody else's, and means nothing of the kind.
        what = f"HTTP {status} without a code of Azure's{_answered_as(error)}"
        return AzureUnavailableError(f"{doing}: {what}", status=status, hint=somebodys_page(error))
    kind = _KINDS.get(status, AzureUnavailableError if status >= _HTTP_SERVER_ERROR else AzureError)
    says = f"Azure answered {status}{f' {code}' if code else ''}{f': {text}' if text else ''}"
    hint = _advice(status, code, text)
    if code.lower() in _NOT_REGISTERED:
        kind, named = ConflictError, _NAMESPACE.search(text)
        says, command = not_registered(
            named[1] if named else "NAMESPACE",
            _subscription_of(error) or "SUBSCRIPTION",
            registering=code.lower() == "invalidsubscriptionregistrationstate",
        )
        hint = f"{WHO_REGISTERS}: {command}"
    elif code.lower() in _NO_SUBSCRIPTION:
        kind, subscription = NotFoundError, _subscription_of(error) or "of this id"
        says = f"there is no subscription {subscription}, or this identity cannot see it"
        hint = f"{COMPARE_SUBSCRIPTION} {LIST_SUBSCRIPTIONS}"
    elif status == _HTTP_FORBIDDEN and "auth" in code.lower():
        hint = _role(text, needs)
    return kind(f"{doing}: {says}", status=status, code=code, hint=hint)


def _advice(status: int, code: str, text: str) -> str:
    """What the causes say of the code, then what the status alone does."""
    known = way_out(code, text)
    if status >= _HTTP_SERVER_ERROR:
        return _OWN_FAULT
    if status == _HTTP_THROTTLED:
        return f"{known or 'Azure asks for fewer requests.'} {AGAIN}"
    return " ".join(filter(None, (known, _COMPARE.get(status, ""))))


def _role(text: str, needs: Permission | None) -> str:
    action = _ACTION.search(text)
    named = action.group(1) if action else needs.action if needs else ""
    role = f"the role “{needs.role}”" if needs else "a role that allows it"
    place = f" on {needs.on}" if needs else ""
    lacks = f"; it lacks {named}" if named else ""
    return f"Give the service principal {role}{place}{lacks}. A new role can take ten minutes to count."


def _subscription_of(error: core.HttpResponseError) -> str:
    request = getattr(error.response, "request", None)
    found = _SUBSCRIPTION.search(str(getattr(request, "url", "")))
    return found.group(1) if found else ""


def _answered_as(error: core.HttpResponseError) -> str:
    """The type of the body, for people to recognise a web page by."""
    kind = getattr(error.response, "content_type", None)
    return f" ({one_line(kind.partition(';')[0], limit=60)})" if isinstance(kind, str) and kind else ""


def _unavailable(error: core.AzureError, doing: str) -> AzureUnavailableError:
    chain = list(_chain(error))
    tls = [one for one in chain if isinstance(one, ssl.SSLError | aiohttp.ClientSSLError)]
    # The error that names host and port says most, if no connection came about; else the one at the bottom.
    connecting = [one for one in chain if isinstance(one, aiohttp.ClientConnectorError)]
    text = safe(said((connecting or tls or chain[-1:])[0]))
    if tls:
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


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was caused by; the SDK keeps that in a field of its own."""
    seen: object = error
    for _ in range(9):
        if not isinstance(seen, BaseException):
            return
        yield seen
        seen = getattr(seen, "inner_exception", None) or seen.__cause__
