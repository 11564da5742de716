"""Minisign signatures: a bundle's seal, and the old key's signature by which a new one takes its place."""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature

from arcferry import files
from arcferry.bundle.keys import PublicKey, SecretKey, key_id_text, load_public_key, load_public_keys
from arcferry.bundle.manifest import MANIFEST, SEAL
from arcferry.errors import BundleRefusedError, FileInputError, InputError

LIMIT = 4096
_PREHASHED = b"ED"
# minisign leaves the first line free and unsigned. One fixed text leaves nothing in the file that
# could be changed without breaking the seal.
_UNTRUSTED = "untrusted comment: seal of an arcferry bundle"
_TRUSTED = "trusted comment: "
_SUFFIX = ".minisig"


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
    # A fifth line, or a comment of another wording, would be a place for what nobody signed.
    if seal.to_bytes() != data:
        raise BundleRefusedError(f"{SEAL}: is not in the form in which arcferry writes a seal")
    return seal


def check_seal(seal: Seal, manifest: bytes, key: PublicKey) -> None:
    """Check that `key` made `seal` over exactly these bytes.

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


def endorse(new: Path, old: SecretKey) -> Path:
    """Sign the public key file `new` with the old secret key; returns the signature's file beside it.

    Stock `minisign -V -p OLD.pub -m NEW.pub` checks it too. The signature is over the key in arcferry's
    own form, so a file that minisign wrote is written anew in that form.

    Raises:
        FileInputError: `new` is no public key, or the signature cannot be written.
        InputError: `new` is the old key itself.
    """
    key = load_public_key(new)
    if key == old.public():
        raise InputError(f"{new}: is the old key itself", hint="Make a new one: arcferry bundle key new")
    signature = make_seal(key.to_bytes(), _comment(key, old.public()), old)
    path = _signature_of(new)
    files.write_whole(new, key.to_bytes())
    files.write_whole(path, signature.to_bytes())
    return path


def accept(new: Path, accepted: Path) -> tuple[PublicKey, PublicKey]:
    """Add the key in `new` to the key file `accepted`, if a key in it signed the new one.

    Returns:
        The new key, and the one that signed it.

    Raises:
        FileInputError: a file is missing or not what it should be.
        BundleRefusedError: no accepted key signed the new one.
    """
    key, keys = load_public_key(new), load_public_keys(accepted)
    path = _signature_of(new)
    try:
        signature = read_seal(files.read_bounded(path, limit=LIMIT))
    except BundleRefusedError as error:
        raise FileInputError(path, "is not a signature that arcferry made") from error
    signer = next((one for one in keys if one.key_id == signature.key_id), None)
    if signer is None:
        known = " or ".join(one.id for one in keys)
        raise BundleRefusedError(f"{path}: was not made with key {known}, which {accepted} holds")
    try:
        check_seal(signature, key.to_bytes(), signer)
    except BundleRefusedError as error:
        raise BundleRefusedError(f"{new}: is not the key that {signer.id} signed") from error
    if signature.comment != _comment(key, signer):
        raise BundleRefusedError(f"{path}: is not about this key taking the place of {signer.id}")
    if key not in keys:
        files.write_whole(accepted, b"".join(one.to_bytes() for one in (key, *keys)))
    return key, signer


def _comment(new: PublicKey, old: PublicKey) -> str:
    return f"arcferry key:{new.id} succeeds:{old.id}"


def _signature_of(public: Path) -> Path:
    return public.with_name(f"{public.name}{_SUFFIX}")
