from arcferry.bundle.build import EXPIRES_AFTER, Contents, build
from arcferry.bundle.keys import (
    PublicKey,
    SecretKey,
    create_key_pair,
    is_encrypted,
    load_public_key,
    load_secret_key,
    new_secret_key,
)
from arcferry.bundle.manifest import AgentPackage, Manifest, ManifestFile, PackageFormat, Role
from arcferry.bundle.opened import Bundle, BundleFile
from arcferry.bundle.verify import claimed_key, open_bundle, read_unverified

__all__ = [
    "EXPIRES_AFTER",
    "AgentPackage",
    "Bundle",
    "BundleFile",
    "Contents",
    "Manifest",
    "ManifestFile",
    "PackageFormat",
    "PublicKey",
    "Role",
    "SecretKey",
    "build",
    "claimed_key",
    "create_key_pair",
    "is_encrypted",
    "load_public_key",
    "load_secret_key",
    "new_secret_key",
    "open_bundle",
    "read_unverified",
]
