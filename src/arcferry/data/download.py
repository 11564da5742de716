"""The weekly service-tag file from Microsoft's download page, whose link to it changes every week."""

import re
from dataclasses import dataclass

from yarl import URL

from arcferry.catalog import Cloud
from arcferry.errors import AzureError, InputError
from arcferry.files import FILE_LIMIT
from arcferry.https import Advice, HttpsClient
from arcferry.text import quoted

SITE = "https://www.microsoft.com"
"""Where the download pages are."""

ADVICE = Advice(
    not_allowed="Download the file on another machine, then arcferry data import FILE.",
    no_answer="This command wants a connected machine. Else download the file elsewhere, then arcferry data "
    "import FILE.",
)
_HOSTS = ("www.microsoft.com", "download.microsoft.com")
# Download centre ids, as people have cited them in MicrosoftDocs/azure-docs issues 52181 and 109308.
_PAGES = {"AzureCloud": 56519, "AzureUSGovernment": 57063, "AzureChinaCloud": 57062}
_PAGE_LIMIT = 8 * 1024 * 1024
_LINK = re.compile(r"https://[^\s\"'<>\\]{1,300}/ServiceTags_([A-Za-z]{1,40})_(20\d{6})\.json")


@dataclass(frozen=True, slots=True)
class Download:
    """A downloaded file, its name, and the address that gave it."""

    name: str
    data: bytes
    url: str


def is_allowed(url: URL, site: URL) -> bool:
    """Whether the page, a link in it or a redirect may lead here: Microsoft's two hosts, or `site`'s own."""
    known = (*((host, 443) for host in _HOSTS), (site.host, site.port))
    return url.scheme == "https" and (url.host, url.port) in known and not (url.user or url.password)


async def service_tags(client: HttpsClient, cloud: Cloud, *, site: str = SITE) -> Download:
    """The current service-tag file of one cloud, by the download pages of `site`.

    Raises:
        InputError: `site` is no https address.
        AzureError: the page has no link to the file, or leads elsewhere; or no usable answer.
    """
    page = site_url(site) / "en-us/download/details.aspx" % {"id": str(_PAGES[cloud.name])}
    data, answered = await client.read(page, limit=_PAGE_LIMIT)
    links = {
        found[2]: found[0]
        for found in _LINK.finditer(data.decode(errors="replace"))
        if found[1].lower() == cloud.service_tag_cloud.lower()
    }
    if not links:
        raise AzureError(
            f"{answered} has no link to a file ServiceTags_{cloud.service_tag_cloud}_….json",
            hint="The page may have changed. Open it in a browser, download the file, then arcferry data "
            "import FILE.",
        )
    link = links[max(links)]
    try:
        newest = URL(link)
    except ValueError:
        raise AzureError(f"{answered} has the link {quoted(link)}, which is no address") from None
    content, origin = await client.read(newest, limit=FILE_LIMIT)
    return Download(newest.name, content, origin)


def site_url(site: str) -> URL:
    """The address of the download pages, checked.

    Raises:
        InputError: it is no https address.
    """
    try:
        base = URL(site)
    except ValueError:
        base = URL()
    if base.scheme != "https" or not base.host or base.user:
        shown = "" if "@" in site else f" {quoted(site)}"
        raise InputError(f"--download-url{shown} is not an address such as {SITE}")
    return base.with_path("/") if base.path in ("", "/") else base
