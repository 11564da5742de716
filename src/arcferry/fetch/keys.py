"""The keys that Microsoft's Linux repositories are signed with.

- `BC52 8686 B50D 79E3 39D3 721C EB3E 94AD BE12 29CF` signs the repositories that were made before May 2025.
  The file is https://packages.microsoft.com/keys/microsoft.asc as published since June 2025, when its
  signature of SHA-1 was replaced (microsoft/linux-package-repositories issue 47, 2025-07-01); the bytes are
  of copies in public repositories, read 2026-11-23.
- `AA86 F75E 427A 19DD 3334 6403 EE4D 7792 F748 182B` signs the newer ones (Debian 13, RHEL 10, Ubuntu 25.10
  and later; same issue). The file is https://packages.microsoft.com/keys/microsoft-2025.asc, as in
  rpm-software-management/distribution-gpg-keys, commit d463e16, read 2026-11-23; its fingerprint as
  https://learn.microsoft.com/linux/packages gives it, cited alike by several public repositories.

A fingerprint is a hash of the key itself, so where the bytes came from does not matter once it agrees.
Microsoft means to bring a new key each year: a later one comes by `--repository-key`.
"""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from arcferry.errors import BundleRefusedError
from arcferry.fetch.openpgp import Keyring, read_keys
from arcferry.files import read_bounded

PINNED = {
    "microsoft.asc": "bc528686b50d79e339d3721ceb3e94adbe1229cf",
    "microsoft-2025.asc": "aa86f75e427a19dd33346403ee4d7792f748182b",
}
"""Fingerprints of the keys that arcferry brings, by file."""

_LARGEST_FILE = 1024 * 1024


def repository_keys(more: Sequence[Path] = ()) -> Keyring:
    """Microsoft's keys, and those in the files that a user trusts beside them.

    Raises:
        FileInputError: a file cannot be read, or holds no public key.
        BundleRefusedError: a key that came with arcferry is not the pinned one.
    """
    found = Keyring(())
    for name, fingerprint in PINNED.items():
        data = resources.files("arcferry").joinpath(f"fetch/keyring/{name}").read_bytes()
        keys = read_keys(data, name)
        if keys.fingerprints != (fingerprint,):
            raise BundleRefusedError(
                f"{name} of arcferry is not the key {fingerprint}", hint="Install it anew."
            )
        found += keys
    for path in more:
        found += read_keys(read_bounded(path, limit=_LARGEST_FILE), str(path))
    return found
