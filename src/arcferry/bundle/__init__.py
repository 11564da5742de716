from arcferry.bundle.build import Contents, build
from arcferry.bundle.form import BundleFile
from arcferry.bundle.keys import (
    PublicKey,
    SecretKey,
    create_key_pair,
    is_encrypted,
    load_public_key,
    load_public_keys,
    load_secret_key,
    new_secret_key,
)
from arcferry.bundle.manifest import (
    EXPIRES_AFTER,
    AgentPackage,
    Manifest,
    ManifestFile,
    PackageFormat,
    Role,
)
from arcferry.bundle.packing import copy_bundle
from arcferry.bundle.seal import accept, endorse
from arcferry.bundle.verify import Bundle, checked, claimed_key, open_bundle, read_unverified
from arcferry.bundle.versions import Older, VersionRecord

__all__ = [
    "EXPIRES_AFTER",
    "AgentPackage",
    "Bundle",
    "BundleFile",
    "Contents",
    "Manifest",
    "ManifestFile",
    "Older",
    "PackageFormat",
    "PublicKey",
    "Role",
    "SecretKey",
    "VersionRecord",
    "accept",
    "build",
    "checked",
    "claimed_key",
    "copy_bundle",
    "create_key_pair",
    "endorse",
    "is_encrypted",
    "load_public_key",
    "load_public_keys",
    "load_secret_key",
    "new_secret_key",
    "open_bundle",
    "read_unverified",
]
