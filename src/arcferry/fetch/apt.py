"""Repositories that apt reads: a signed Release names the index by its hash, and that each package by its."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.parser import Parser

from yarl import URL

from arcferry import times
from arcferry.errors import BundleRefusedError, NotFoundError
from arcferry.fetch.distributions import Choice
from arcferry.fetch.openpgp import Keyring, Signed, verify_detached, verify_inline
from arcferry.fetch.package import (
    AGENT,
    LARGEST_SIGNED,
    Package,
    length_of,
    newest,
    read_index,
    reading,
)
from arcferry.fetch.transfer import Digest
from arcferry.https import HttpsClient, place
from arcferry.times import from_http

_COMPONENT = "main"
_PACKINGS = (".xz", ".gz", ".bz2", "")
_LARGEST_STANZA = 256 * 1024


@dataclass(frozen=True, slots=True)
class _Release:
    """What is signed (wiki.debian.org/DebianRepository/Format, "Release" files)."""

    fields: Mapping[str, str]
    files: Mapping[str, Digest]
    signer: str

    def date(self, name: str) -> datetime | None:
        try:
            return from_http(self.fields.get(name, ""))
        except ValueError:
            return None


async def find(client: HttpsClient, base: URL, choice: Choice, wanted: str, keys: Keyring) -> Package:
    """The agent of a repository, by an index that a trusted key has signed.

    Raises:
        StaleError: the index is not the one that was signed; worth another try.
        BundleRefusedError: it is not signed by a trusted key, is another distribution's, or has expired.
        AzureError: no usable answer, or no such version.
    """
    root = base / "dists" / choice.distribution.suite
    release = await _release(client, root, keys)
    _check(release, choice, place(root))
    url, digest = _index(root, release, choice)
    index = await read_index(client, url, digest) if digest else b""
    with reading(place(url)):
        packages = [_package(stanza, release) for stanza in _stanzas(index)]
    return newest(packages, choice, wanted, place(base))


async def _release(client: HttpsClient, root: URL, keys: Keyring) -> _Release:
    """`InRelease`, or where there is none, `Release` with its signature beside it."""
    try:
        data, _ = await client.read(root / "InRelease", limit=LARGEST_SIGNED)
        return _read(verify_inline(data, keys, place(root / "InRelease")), place(root))
    except NotFoundError:
        data, _ = await client.read(root / "Release", limit=LARGEST_SIGNED)
        signature, _ = await client.read(root / "Release.gpg", limit=LARGEST_SIGNED)
        return _read(verify_detached(data, signature, keys, place(root / "Release")), place(root))


def _read(signed: Signed, where: str) -> _Release:
    with reading(where):
        fields = _fields(signed.data.decode())
        files = {}
        for line in fields.get("sha256", "").split("\n"):
            if parts := line.split():
                digest, length, name = parts
                files[name] = Digest("sha256", digest.lower(), length_of(length))
    if not files:
        raise BundleRefusedError(f"{where} lists no SHA-256, and nothing weaker is believed")
    return _Release(fields, files, signed.fingerprint)


def _check(release: _Release, choice: Choice, where: str) -> None:
    """A signature says who, not for whom: another distribution's list, or an old one, is refused."""
    suite = choice.distribution.suite
    named = {release.fields.get("codename", ""), release.fields.get("suite", "")}
    if suite not in named:
        other = " and ".join(sorted(filter(None, named))) or "nothing"
        raise BundleRefusedError(
            f"{where} is signed, but for {other}, not for {suite}",
            hint="A mirror may have its folders mixed up.",
        )
    until = release.date("valid-until")
    if "valid-until" in release.fields and (until is None or until <= times.now()):
        raise BundleRefusedError(
            f"{where} was valid until {release.fields['valid-until']}",
            hint="A mirror may not have been brought up to date; compare this computer's clock too.",
        )


def _index(root: URL, release: _Release, choice: Choice) -> tuple[URL, Digest | None]:
    """Where the list of a processor's packages is, and its hash; None if the distribution has none."""
    stem = f"{_COMPONENT}/binary-{choice.architecture}/Packages"
    name = next((f"{stem}{packing}" for packing in _PACKINGS if f"{stem}{packing}" in release.files), None)
    if name is None:
        return root, None
    url, digest = root / name, release.files[name]
    if release.fields.get("acquire-by-hash", "").strip().lower() == "yes":
        # If it is to be had under its hash, it cannot be another one than the list names.
        url = url.parent / "by-hash" / "SHA256" / digest.value
    return url, digest


def _stanzas(index: bytes) -> Iterator[Mapping[str, str]]:
    """The agent's own paragraphs."""
    start = re.compile(rb"^Package:[ \t]*" + AGENT.encode() + rb"[ \t]*$", re.MULTILINE)
    for stanza in re.split(rb"\n[ \t]*\n", index.replace(b"\r\n", b"\n")):
        if len(stanza) <= _LARGEST_STANZA and start.search(stanza):
            yield _fields(stanza.strip(b"\n").decode("utf-8", "replace"))


def _fields(text: str) -> dict[str, str]:
    return {name.lower(): str(value).strip() for name, value in Parser().parsestr(text).items()}


def _package(stanza: Mapping[str, str], release: _Release) -> Package:
    return Package(
        version=stanza["version"],
        architecture=stanza["architecture"],
        path=stanza["filename"],
        digest=Digest("sha256", stanza["sha256"].lower(), length_of(stanza["size"])),
        signer=release.signer,
        dated=release.date("date"),
    )
