"""A new key takes an old one's place: the old key signs the new public key."""

from pathlib import Path

from arcferry import files
from arcferry.bundle import seal
from arcferry.bundle.keys import PublicKey, SecretKey, load_public_key, load_public_keys
from arcferry.errors import BundleRefusedError, FileInputError, InputError

SUFFIX = ".minisig"


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
    signature = seal.make_seal(key.to_bytes(), _comment(key, old.public()), old)
    path = _signature_of(new)
    files.write_whole(new, key.to_bytes())
    files.write_whole(path, signature.to_bytes())
    return path


def accept(new: Path, accepted: Path) -> tuple[PublicKey, PublicKey]:
    """Add the key in `new` to the key file `accepted`, where a key in it signed the new one.

    Returns:
        The new key, and the one that signed it.

    Raises:
        FileInputError: a file is missing or not what it should be.
        BundleRefusedError: no accepted key signed the new one.
    """
    key, keys = load_public_key(new), load_public_keys(accepted)
    path = _signature_of(new)
    try:
        signature = seal.read_seal(files.read_bounded(path, limit=seal.LIMIT))
    except BundleRefusedError as error:
        raise FileInputError(path, "is not a signature that arcferry made") from error
    signer = next((one for one in keys if one.key_id == signature.key_id), None)
    if signer is None:
        known = " or ".join(one.id for one in keys)
        raise BundleRefusedError(f"{path}: was not made with key {known}, which {accepted} holds")
    try:
        seal.check_seal(signature, key.to_bytes(), signer)
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
    return public.with_name(f"{public.name}{SUFFIX}")
