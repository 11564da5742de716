"""Repositories that dnf, yum and zypper read: a signed repomd.xml names the hash of the list of packages."""

import re
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from yarl import URL

from arcferry.errors import BundleRefusedError
from arcferry.fetch.distributions import Choice
from arcferry.fetch.elements import child, elements, text
from arcferry.fetch.openpgp import Keyring, Signed, verify_detached
from arcferry.fetch.package import (
    AGENT,
    LARGEST_INDEX,
    LARGEST_SIGNED,
    Package,
    below,
    broken,
    checked,
    length_of,
    newest,
    unpacked,
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
    path, digest, dated = _primary(signed, place(url))
    primary = below(base, path)
    packed, _ = await client.read(primary, limit=LARGEST_INDEX)
    content = unpacked(checked(packed, digest, place(primary)), place(primary))
    found = _packages(content, signed.fingerprint, dated, place(primary))
    own = [one for one in found if one.architecture in (choice.architecture, "noarch")]
    return newest(own, choice, wanted, place(base))


def _primary(signed: Signed, where: str) -> tuple[str, Digest, datetime | None]:
    """The list's path and hash, and when it was made."""
    try:
        found = elements(signed.data, _REPO, "data", lambda one: one.get("type") == "primary")
        if len(found) != 1:
            raise BundleRefusedError(f"{where} names {len(found)} lists of packages, expected one")
        path = child(found[0], "location").attrib["href"]
        return path, _digest(found[0], text(found[0], "size")), _dated(signed)
    except (KeyError, ValueError) as error:
        raise broken(error, where) from None


def _dated(signed: Signed) -> datetime | None:
    """A revision is in seconds since 1970 where createrepo or Pulp wrote it; others write what they like."""
    revisions = [(one.text or "").strip() for one in elements(signed.data, _REPO, "revision")]
    if not revisions or not _SECONDS.fullmatch(revisions[0]):
        return None
    return datetime.fromtimestamp(int(revisions[0]), UTC)


def _packages(content: bytes, signer: str, dated: datetime | None, where: str) -> list[Package]:
    try:
        found = elements(content, _COMMON, "package", lambda one: text(one, "name") == AGENT)
        return [_package(one, signer, dated) for one in found]
    except (KeyError, ValueError) as error:
        raise broken(error, where) from None


def _package(element: Element, signer: str, dated: datetime | None) -> Package:
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


def _digest(element: Element, length: str) -> Digest:
    algorithm = child(element, "checksum").get("type", "")
    return Digest(algorithm, text(element, "checksum").lower(), length_of(length))
