"""OpenPGP signatures, by Sequoia (pysequoia), whose standard policy refuses weak hashes and short keys."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from arcferry import times
from arcferry.errors import BundleRefusedError, FileInputError
from arcferry.files import read_bounded
from arcferry.text import one_line

# The keys that Microsoft's Linux repositories are signed with.
# - `BC52 8686 B50D 79E3 39D3 721C EB3E 94AD BE12 29CF` signs the repositories that were made before May 2025.
#   The file is https://packages.microsoft.com/keys/microsoft.asc as published since June 2025, when its
#   signature of SHA-1 was replaced (microsoft/linux-package-repositories issue 47, 2025-07-01); the bytes are
#   of copies in public repositories, read 2026-11-23.
# - `AA86 F75E 427A 19DD 3334 6403 EE4D 7792 F748 182B` signs the newer ones (Debian 13, RHEL 10, Ubuntu 25.10
#   and later; same issue). The file is https://packages.microsoft.com/keys/microsoft-2025.asc, as in
#   rpm-software-management/distribution-gpg-keys, commit d463e16, read 2026-11-23; its fingerprint as
#   https://learn.microsoft.com/linux/packages gives it, cited alike by several public repositories.
#
# A fingerprint is a hash of the key itself, so where the bytes came from does not matter once it agrees.
# Microsoft means to bring a new key each year: a later one comes by `--repository-key`.
PINNED = {
    "microsoft.asc": "bc528686b50d79e339d3721ceb3e94adbe1229cf",
    "microsoft-2025.asc": "aa86f75e427a19dd33346403ee4d7792f748182b",
}
"""Fingerprints of the keys that arcferry brings, by file."""

_MOST_KEYS = 20
_LARGEST_FILE = 1024 * 1024
_SIGNATURE = re.compile(
    rb"^-----BEGIN PGP SIGNATURE-----.*?^-----END PGP SIGNATURE-----", re.DOTALL | re.MULTILINE
)


Keyring = tuple[Any, ...]
"""Public keys that are trusted: pysequoia's `Cert`s, which has no types."""


def fingerprints(keys: Keyring) -> tuple[str, ...]:
    """Each key's fingerprint, in lower-case hexadecimal."""
    return tuple(str(one.fingerprint) for one in keys)


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature covers, and who made it.

    Attributes:
        data: the bytes that were signed, and nothing that stood around them.
        fingerprint: of the signer's key, as it is trusted.
    """

    data: bytes
    fingerprint: str


def read_keys(data: bytes, name: str) -> Keyring:
    """The public keys in a file, armored or not.

    Raises:
        FileInputError: it holds no public key, a secret one, or too many.
    """
    from pysequoia import Cert  # noqa: PLC0415 - a large library, which only this needs
    from pysequoia.packet import PacketPile, Tag  # noqa: PLC0415 - as above

    try:
        secret = any(
            packet.tag in (Tag.SecretKey, Tag.SecretSubkey) for packet in PacketPile.from_bytes(data)
        )
        found = () if secret else tuple(Cert.split_bytes(data))
    except (RuntimeError, ValueError) as error:
        raise FileInputError(name, f"holds no OpenPGP public key: {_words(error)}") from None
    if secret:
        raise FileInputError(name, "holds a secret key", hint="Give the public one alone.")
    if not 0 < len(found) <= _MOST_KEYS:
        raise FileInputError(name, f"holds {len(found)} OpenPGP keys, expected 1 to {_MOST_KEYS}")
    return found


def repository_keys(more: Sequence[Path] = ()) -> Keyring:
    """Microsoft's keys, and those in the files that a user trusts beside them.

    Raises:
        FileInputError: a file cannot be read, or holds no public key.
        BundleRefusedError: a key that came with arcferry is not the pinned one.
    """
    found: Keyring = ()
    for name, fingerprint in PINNED.items():
        data = resources.files("arcferry").joinpath(f"fetch/keyring/{name}").read_bytes()
        keys = read_keys(data, name)
        if fingerprints(keys) != (fingerprint,):
            raise BundleRefusedError(
                f"{name} of arcferry is not the key {fingerprint}", hint="Install it anew."
            )
        found += keys
    for path in more:
        found += read_keys(read_bounded(path, limit=_LARGEST_FILE), str(path))
    return found


def verify_inline(data: bytes, keys: Keyring, place: str) -> Signed:
    """Verify a text with its signature in one (RFC 9580, cleartext signature framework).

    Raises:
        BundleRefusedError: it is not signed, changed, or signed with a key, or in a way, that is not trusted.
    """
    from pysequoia import verify  # noqa: PLC0415 - as above

    block = _SIGNATURE.search(data)
    if block is None:
        raise BundleRefusedError(f"{place} holds no signature", hint=_HINT)
    signatures = _signatures(block[0], place)
    try:
        found = verify(data, lambda _: list(keys))
    except (RuntimeError, ValueError) as error:
        raise BundleRefusedError(f"{place}: {_why(signatures, keys, error)}", hint=_HINT) from None
    return Signed(bytes(found.bytes or b""), _signer([found], keys, place))


def verify_detached(data: bytes, signature: bytes, keys: Keyring, place: str) -> Signed:
    """Verify bytes with their signature in a file of its own.

    Raises:
        BundleRefusedError: as for `verify_inline`.
    """
    from pysequoia import verify  # noqa: PLC0415 - as above

    found = []
    signatures = _signatures(signature, place)
    failure: Exception = ValueError("none")
    for one in signatures:
        try:
            found.append(verify(bytes=data, store=lambda _: list(keys), signature=one))
        except (RuntimeError, ValueError) as error:
            failure = error
    if not found:
        raise BundleRefusedError(f"{place}: {_why(signatures, keys, failure)}", hint=_HINT)
    return Signed(data, _signer(found, keys, place))


_HINT = (
    "A mirror or a proxy may have changed it, or Microsoft signs with a newer key. Compare with "
    "https://packages.microsoft.com/keys/, then trust such a key with --repository-key FILE."
)


def _signatures(data: bytes, place: str) -> list[Any]:
    """Every signature in a file or a block: a repository may be signed with an old key and a new one."""
    from pysequoia import Sig  # noqa: PLC0415 - as above
    from pysequoia.packet import PacketPile, Tag  # noqa: PLC0415 - as above

    try:
        packets = [packet for packet in PacketPile.from_bytes(data) if packet.tag == Tag.Signature]
        found = [Sig.from_bytes(bytes(packet)) for packet in packets[:_MOST_KEYS]]
    except (RuntimeError, ValueError) as error:
        raise BundleRefusedError(
            f"{place}: its signature cannot be read: {_words(error)}", hint=_HINT
        ) from None
    if not found:
        raise BundleRefusedError(f"{place} holds no signature", hint=_HINT)
    return found


def _signer(verified: list[Any], keys: Keyring, place: str) -> str:
    """The first signer whose key is still good."""
    signers = {str(one.certificate) for found in verified for one in found.valid_sigs}
    now = times.now()
    for one in keys:
        if one.fingerprint not in signers:
            continue
        # What a key signed while it was good counts no longer once it has ended.
        if not one.is_revoked and not (one.expiration and one.expiration <= now):
            return str(one.fingerprint)
    raise BundleRefusedError(f"{place}: its signer's key has expired or was revoked", hint=_HINT)


def _why(signatures: list[Any], keys: Keyring, error: Exception) -> str:
    """Why no signature counts, as far as they tell."""
    known: list[tuple[str, Any]] = []
    strangers: list[tuple[str, Any]] = []
    for one in signatures:
        signer = str(one.issuer_fingerprint or one.issuer_key_id or "")
        trusted = any(key.endswith(signer) for key in fingerprints(keys))
        (known if trusted else strangers).append((signer.upper(), one.hash_algorithm))
    if not known:
        return f"signed with the key {' and '.join(name for name, _ in strangers)}, which is not trusted"
    return (
        "its signature does not hold: what it covers was changed, or the key or its hash "
        f"({known[0][1]}) is too weak ({_words(error)})"
    )


def _words(error: Exception) -> str:
    """The library's own words, without the call stack that it writes behind them."""
    return one_line(str(error).partition("\n")[0], limit=200)
