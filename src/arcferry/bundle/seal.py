import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature

from arcferry.bundle.keys import PublicKey, SecretKey, key_id_text
from arcferry.bundle.names import MANIFEST, SEAL
from arcferry.errors import BundleRefusedError

LIMIT = 4096
_PREHASHED = b"ED"
# minisign leaves the first line free and unsigned. One fixed text leaves nothing in the file that
# could be changed without breaking the seal.
_UNTRUSTED = "untrusted comment: seal of an arcferry bundle"
_TRUSTED = "trusted comment: "


@dataclass(frozen=True, slots=True)
class Seal:
    """A minisign signature over the BLAKE2b-512 digest of the manifest.

    Attributes:
        comment: the trusted comment, covered by `comment_signature` together with `signature`.
    """

    key_id: bytes
    signature: bytes
    comment: str
    comment_signature: bytes

    def to_bytes(self) -> bytes:
        """The one form in which this seal is written, and accepted."""
        signature = base64.b64encode(_PREHASHED + self.key_id + self.signature).decode()
        over_comment = base64.b64encode(self.comment_signature).decode()
        return f"{_UNTRUSTED}\n{signature}\n{_TRUSTED}{self.comment}\n{over_comment}\n".encode()


def make_seal(manifest: bytes, comment: str, key: SecretKey) -> Seal:
    """Seal the manifest's bytes; `comment` is readable in the file and covered by the seal."""
    secret = key.ed25519()
    signature = secret.sign(_digest(manifest))
    return Seal(key.key_id, signature, comment, secret.sign(signature + comment.encode()))


def read_seal(data: bytes) -> Seal:
    """Read a seal file; nothing in it is believed yet.

    Raises:
        BundleRefusedError: any byte is not as `Seal.to_bytes` writes it.
    """
    try:
        _, signature, comment, over_comment = data.decode("ascii").removesuffix("\n").split("\n")
        raw = base64.b64decode(signature, validate=True)
        seal = Seal(
            raw[2:10],
            raw[10:],
            comment.removeprefix(_TRUSTED),
            base64.b64decode(over_comment, validate=True),
        )
    except (ValueError, binascii.Error) as error:
        raise BundleRefusedError(f"{SEAL}: is not a minisign signature") from error
    if seal.to_bytes() != data:
        raise BundleRefusedError(f"{SEAL}: is not in the form in which arcferry writes a seal")
    return seal


def check_seal(seal: Seal, manifest: bytes, key: PublicKey) -> None:
    """Return where `key` made `seal` over exactly these bytes.

    Raises:
        BundleRefusedError: another key made it, or the manifest or the comment was changed.
    """
    if seal.key_id != key.key_id:
        raise BundleRefusedError(
            f"{SEAL}: made with key {key_id_text(seal.key_id)}, not with the key given, {key.id}",
            hint="Check which public key the people who built the bundle gave you.",
        )
    _verify(key, seal.signature, _digest(manifest), f"{MANIFEST}: is not what key {key.id} sealed")
    signed = seal.signature + seal.comment.encode()
    _verify(key, seal.comment_signature, signed, f"{SEAL}: its trusted comment was changed")


def _digest(manifest: bytes) -> bytes:
    return hashlib.blake2b(manifest).digest()


def _verify(key: PublicKey, signature: bytes, signed: bytes, problem: str) -> None:
    try:
        key.ed25519().verify(signature, signed)
    except (InvalidSignature, ValueError) as error:
        raise BundleRefusedError(problem) from error
