"""Pages of whoever stands between: an answer that an Azure service does not give."""

from urllib.parse import urlsplit

from arcferry.probe.http import Response
from arcferry.probe.observation import Failure, Stage, TlsSession

_MICROSOFT = (
    "azure.cn",
    "azure.com",
    "azure.us",
    "chinacloudapi.cn",
    "cloud.microsoft",
    "live.com",
    "microsoft.com",
    "microsoftonline.cn",
    "microsoftonline.com",
    "microsoftonline.us",
    "office.com",
    "office365.us",
    "usgovcloudapi.net",
    "windows.net",
)
_PAGE = ("text/html", "application/xhtml+xml")
_GOOD, _REDIRECTS = range(200, 300), (301, 302, 303, 307, 308)
_NETWORK_AUTHENTICATION_REQUIRED = 511


def captive_page(host: str, session: TlsSession, answer: Response) -> Failure | None:
    """Why this answer is a gateway's page (a sign-in, a block notice) and not the service's own.

    Behind a public root the service itself has answered: nobody else has such a certificate for its name.
    Behind a private one, a page where an API answers, or a redirect away from Microsoft, is a stranger's.
    Error pages count for nothing, since services have their own.
    """
    if answer.status == _NETWORK_AUTHENTICATION_REQUIRED:
        return _failure(f"{host} answered 511: the network wants a sign-in first", session)
    if session.public_root:
        return None
    if answer.status in _REDIRECTS and _leads_away(host, answer.location):
        return _failure(f"{host} answered with a redirect to {answer.location}", session)
    if answer.status in _GOOD and answer.media_type in _PAGE:
        return _failure(f"{host} answered {answer.status} with a web page, where an API should", session)
    return None


def _failure(says: str, session: TlsSession) -> Failure:
    return Failure(Stage.HTTP, "captive-page", f"{says}; its certificate comes from {session.issuer}")


def _leads_away(host: str, location: str) -> bool:
    try:
        target = (urlsplit(location).hostname or "").rstrip(".")
    except ValueError:
        return False
    return (
        bool(target) and target != host and not f".{target}".endswith(tuple(f".{one}" for one in _MICROSOFT))
    )
