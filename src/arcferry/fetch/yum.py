"""Repositories that dnf, yum and zypper read: a signed repomd.xml names the hash of the list of packages."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from yarl import URL

from arcferry.errors import BundleRefusedError
from arcferry.fetch.distributions import Choice
from arcferry.fetch.openpgp import Keyring, Signed, verify_detached
from arcferry.fetch.package import (
    AGENT,
    LARGEST_SIGNED,
    Package,
    below,
    length_of,
    newest,
    read_index,
    reading,
)
from arcferry.fetch.transfer import Digest
from arcferry.https import HttpsClient, place

_REPO = "http://linux.duke.edu/metadata/repo"
_SECONDS = re.compile(r"\d{9,11}")
_COMMON = "http://linux.duke.edu/metadata/common"


async def find(client: HttpsClient, base: URL, choice: Choice, wanted: str, keys: Keyring) -> Package:
    """The agent of a repository, by a list that a trusted key has signed.

    The signature covers which packages there are, not for which release of a distribution they are: there is
    no such word in repomd.xml, so that much rests on the address.

    Raises:
        StaleError: the list is not the one that was signed; worth another try.
        BundleRefusedError: it is not signed by a trusted key, or cannot be read.
        AzureError: no usable answer, or no such version.
    """
    url = base / "repodata" / "repomd.xml"
    data, _ = await client.read(url, limit=LARGEST_SIGNED)
    signature, _ = await client.read(url.with_name("repomd.xml.asc"), limit=LARGEST_SIGNED)
    signed = verify_detached(data, signature, keys, place(url))
    with reading(place(url)):
        path, digest, dated = _primary(signed, place(url))
    primary = below(base, path)
    content = await read_index(client, primary, digest)
    with reading(place(primary)):
        found = elements(content, _COMMON, "package", lambda one: text(one, "name") == AGENT)
        packages = [_package(one, signed.fingerprint, dated) for one in found]
    return newest(packages, choice, wanted, place(base))


def _primary(signed: Signed, where: str) -> tuple[str, Digest, datetime | None]:
    """The list's path and hash, and when it was made."""
    found = elements(signed.data, _REPO, "data", lambda one: one.get("type") == "primary")
    if len(found) != 1:
        raise BundleRefusedError(f"{where} names {len(found)} lists of packages, expected one")
    path = child(found[0], "location").attrib["href"]
    # createrepo and Pulp write the revision in seconds since 1970; others write what they like.
    revision = next(((one.text or "").strip() for one in elements(signed.data, _REPO, "revision")), "")
    dated = datetime.fromtimestamp(int(revision), UTC) if _SECONDS.fullmatch(revision) else None
    return path, _digest(found[0], text(found[0], "size")), dated


def _package(element: ET.Element, signer: str, dated: datetime | None) -> Package:
    # An epoch is no part of the file's name, and the agent has none.
    version = child(element, "version").attrib
    return Package(
        version=f"{version['ver']}-{version['rel']}",
        architecture=text(element, "arch"),
        path=child(element, "location").attrib["href"],
        digest=_digest(element, child(element, "size").attrib["package"]),
        signer=signer,
        dated=dated,
    )


def _digest(element: ET.Element, length: str) -> Digest:
    algorithm = child(element, "checksum").get("type", "")
    return Digest(algorithm, text(element, "checksum").lower(), length_of(length))


def elements(
    data: bytes,
    namespace: str,
    name: str,
    keep: Callable[[ET.Element], bool] = lambda _: True,
) -> list[ET.Element]:
    """Every element of this name that `keep` wants, in the order of the document; the others are let go.

    Raises:
        ValueError: no XML, or it declares entities, which no list of packages does.
    """
    builder = _SafeTreeBuilder(f"{{{namespace}}}{name}", keep)
    # What is read here was signed, and a declaration of entities, by which XML can grow, is refused.
    parser = ET.XMLParser(target=builder)  # noqa: S314 - as above
    try:
        parser.feed(data)
        parser.close()
    except ET.ParseError as error:
        raise ValueError(f"no valid XML: {error}") from None
    return builder.found


def child(element: ET.Element, name: str) -> ET.Element:
    """The first child of this name, in whatever namespace.

    Raises:
        KeyError: there is none.
    """
    found = element.find(f"{{*}}{name}")
    if found is None:
        raise KeyError(name)
    return found


def text(element: ET.Element, name: str) -> str:
    """A child's text.

    Raises:
        KeyError: there is no such child.
    """
    return (child(element, name).text or "").strip()


class _SafeTreeBuilder(ET.TreeBuilder):
    """Lets go of each element as it ends: a list of all packages as one tree would take a gigabyte."""

    def __init__(self, wanted: str, keep: Callable[[ET.Element], bool]) -> None:
        super().__init__()
        self.found: list[ET.Element] = []
        self._wanted = wanted
        self._keep = keep
        self._depth = 0

    def start(self, tag: str, attrs: dict[str, str]) -> ET.Element:
        self._depth += tag == self._wanted
        return super().start(tag, attrs)

    def end(self, tag: str) -> ET.Element:
        element = super().end(tag)
        if tag == self._wanted:
            self._depth -= 1
            if self._depth:
                return element
            if self._keep(element):
                self.found.append(element)
            else:
                element.clear()
        return element

    def doctype(self, *_: str | None) -> None:
        raise ValueError("it declares a document type, with which entities come")
