import base64
import binascii
import hashlib
import os
import secrets
import struct
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from arcferry import files
from arcferry.errors import FileInputError, InputError

_LIMIT = 4096
_ALGORITHM = b"Ed"
_NO_KDF = b"\x00\x00"
_SCRYPT = b"Sc"
_CHECKSUM = b"B2"
_SCRYPT_R = 8
# minisign's own key asks for 1 GiB and p = 1; more would let a key file occupy the machine.
_LARGEST_SCRYPT = 1 << 30
_HIGHEST_P = 16
_COST = struct.Struct("<2Q")
# 128 MiB, N = 2^17: OWASP's recommended cost (password storage cheat sheet, read 2026-11). minisign's
# own is 1 GiB, more than a small build machine may have to spare; it reads either.
_DEFAULT_COST = 1 << 22, 1 << 27
_PUBLIC_SIZE = 2 + 8 + 32
_HEAD_SIZE = 2 + 2 + 2 + 32 + 8 + 8
_SECRET_SIZE = _HEAD_SIZE + 8 + 64 + 32


def key_id_text(key_id: bytes) -> str:
    """A key id as minisign prints it: the eight bytes, last first, in hexadecimal."""
    return key_id[::-1].hex().upper()


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A minisign public key: what a bundle's receiver must have from a source other than the bundle."""

    key_id: bytes
    key: bytes

    @property
    def id(self) -> str:
        """As minisign prints it, 16 hexadecimal digits."""
        return key_id_text(self.key_id)

    def ed25519(self) -> Ed25519PublicKey:
        """The key as the cryptography library holds it."""
        return Ed25519PublicKey.from_public_bytes(self.key)

    def to_bytes(self) -> bytes:
        """The content of minisign's public key file."""
        body = base64.b64encode(_ALGORITHM + self.key_id + self.key).decode()
        return f"untrusted comment: minisign public key {self.id}\n{body}\n".encode()


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A minisign secret key, opened; it seals bundles and stays on the machine that builds them."""

    key_id: bytes
    seed: bytes = field(repr=False)

    def ed25519(self) -> Ed25519PrivateKey:
        """The key as the cryptography library holds it."""
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def public(self) -> PublicKey:
        """The public half."""
        return PublicKey(self.key_id, self.ed25519().public_key().public_bytes_raw())

    def to_bytes(self, password: str = "") -> bytes:
        """The content of minisign's secret key file, encrypted if a password is given."""
        pair = self.seed + self.public().key
        if not password:
            # Stock minisign leaves the checksum of an unencrypted key zero (`minisign -G -W`, 0.11).
            return _secret_file(_NO_KDF, bytes(48), self.key_id + pair + bytes(32))
        plain = self.key_id + pair + _checksum(self.key_id + pair)
        salt = secrets.token_bytes(32)
        sealed = _masked(plain, password, salt, *scrypt_parameters(*_DEFAULT_COST))
        return _secret_file(_SCRYPT, salt + _COST.pack(*_DEFAULT_COST), sealed)


def new_secret_key() -> SecretKey:
    """A fresh key with a random id."""
    return SecretKey(secrets.token_bytes(8), secrets.token_bytes(32))


def create_key_pair(path: Path, *, password: str = "") -> PublicKey:
    """Write a new secret key to `path`, readable by its owner only, and the public one to `path` + `.pub`.

    Raises:
        FileInputError: one of the two exists already, or the folder cannot be written.
    """
    key = new_secret_key()
    public_path = path.with_name(f"{path.name}.pub")
    for one in (path, public_path):
        if one.exists() or one.is_symlink():
            raise FileInputError(one, "exists already", hint="A key is never overwritten; name another file.")
    _create(path, key.to_bytes(password), 0o600)
    try:
        _create(public_path, key.public().to_bytes(), 0o644)
    except FileInputError:
        path.unlink(missing_ok=True)
        raise
    return key.public()


def load_public_key(path: Path) -> PublicKey:
    """Read a minisign public key file that holds one key.

    Raises:
        FileInputError: the file is missing or no such key; a secret key given by mistake is named as such.
    """
    keys = load_public_keys(path)
    if len(keys) > 1:
        raise FileInputError(path, f"holds {len(keys)} keys, and one is needed here")
    return keys[0]


def load_public_keys(path: Path) -> tuple[PublicKey, ...]:
    """Read the public keys of one origin: one or more minisign public key files, one after the other.

    Raises:
        FileInputError: the file is missing, holds anything else, or two keys of one id; a secret key given
            by mistake is named as such.
    """
    lines = files.read_bounded(path, limit=_LIMIT).splitlines()
    pairs = [lines[at : at + 2] for at in range(0, len(lines), 2)]
    keys = []
    for raw in (_key_body(pair, path) for pair in pairs or [[]]):
        if len(raw) == _SECRET_SIZE:
            raise FileInputError(
                path, "is a secret key", hint=f"Give the public one, such as {path.name}.pub"
            )
        if len(raw) != _PUBLIC_SIZE or raw[:2] != _ALGORITHM:
            raise FileInputError(path, "is not a minisign public key")
        keys.append(PublicKey(raw[2:10], raw[10:]))
    if len({key.key_id for key in keys}) != len(keys):
        raise FileInputError(path, "holds two keys of one id", hint="Remove one of them.")
    return tuple(keys)


def is_encrypted(path: Path) -> bool:
    """Whether the secret key in `path` needs a password."""
    return _secret_body(path)[2:4] == _SCRYPT


def load_secret_key(path: Path, password: str = "") -> SecretKey:
    """Open a minisign secret key file.

    Raises:
        FileInputError: the file is missing, readable by everybody, or no such key.
        InputError: the key needs a password, or another one.
    """
    raw = _secret_body(path)
    if os.name == "posix" and path.stat().st_mode & 0o007:
        raise FileInputError(
            path, "every user of this machine can read the secret key", hint=f"chmod 600 {path}"
        )
    sealed = raw[_HEAD_SIZE:]
    if raw[2:4] == _SCRYPT:
        if not password:
            raise InputError(f"{path}: the key is protected by a password, and none was given")
        n, p = scrypt_parameters(*_COST.unpack(raw[38:_HEAD_SIZE]))
        if 128 * n * _SCRYPT_R > _LARGEST_SCRYPT or p > _HIGHEST_P:
            raise FileInputError(path, "asks for more memory or time than any minisign key does")
        sealed = _masked(sealed, password, raw[6:38], n, p)
    body, checksum = sealed[:72], sealed[72:]
    unchecked = raw[2:4] == _NO_KDF and not any(checksum)
    if not unchecked and not secrets.compare_digest(_checksum(body), checksum):
        raise InputError(f"{path}: wrong password, or the key file is damaged")
    key = SecretKey(body[:8], body[8:40])
    if key.public().key != body[40:]:
        raise FileInputError(path, "its two halves do not belong together: the key file is damaged")
    return key


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(_ALGORITHM + body, digest_size=32).digest()


def _secret_file(kdf: bytes, parameters: bytes, sealed: bytes) -> bytes:
    body = base64.b64encode(_ALGORITHM + kdf + _CHECKSUM + parameters + sealed).decode()
    return f"untrusted comment: minisign encrypted secret key\n{body}\n".encode()


def _secret_body(path: Path) -> bytes:
    raw = _key_body(files.read_bounded(path, limit=_LIMIT).splitlines(), path)
    if len(raw) == _PUBLIC_SIZE:
        raise FileInputError(path, "is a public key", hint="Bundles are sealed with the secret one.")
    right = len(raw) == _SECRET_SIZE and raw[:2] == _ALGORITHM and raw[4:6] == _CHECKSUM
    if not right or raw[2:4] not in {_NO_KDF, _SCRYPT}:
        raise FileInputError(path, "is not a minisign secret key")
    return raw


def _key_body(lines: list[bytes], path: Path) -> bytes:
    try:
        if len(lines) == 2 and lines[0].startswith(b"untrusted comment: "):  # noqa: PLR2004 - two lines
            return base64.b64decode(lines[1].strip(), validate=True)
    except binascii.Error:
        pass
    raise FileInputError(path, "is not a key file in minisign's format")


def _create(path: Path, data: bytes, mode: int) -> None:
    with files.naming(path, "cannot be written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())


def scrypt_parameters(operations: int, memory: int) -> tuple[int, int]:
    """N and p for r = 8, picked as libsodium's `crypto_pwhash_scryptsalsa208sha256` picks them.

    A key file states its cost as libsodium counts it: operations, and bytes of memory.
    """
    operations = max(operations, 32768)
    if operations < memory // 32:
        return _power_of_two(operations // (_SCRYPT_R * 4)), 1
    n = _power_of_two(memory // (_SCRYPT_R * 128))
    return n, max(1, min(operations // 4 // n, 0x3FFFFFFF) // _SCRYPT_R)


def _power_of_two(most: int) -> int:
    return 1 << min(62, max(1, most.bit_length() - 1))


def _masked(data: bytes, password: str, salt: bytes, n: int, p: int) -> bytes:
    """`data` exclusive-or the stream that scrypt makes of the password; the same call takes it off again."""
    memory = 128 * _SCRYPT_R * (n + p) + (1 << 20)
    stream = hashlib.scrypt(
        password.encode(), salt=salt, n=n, r=_SCRYPT_R, p=p, maxmem=memory, dklen=len(data)
    )
    return bytes(a ^ b for a, b in zip(data, stream, strict=True))
