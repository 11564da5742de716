"""The lab's own code signing, in the place of Microsoft's: a root, and a signer that it certifies."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from arcferry import files
from arcferry_lab.system import run_tool

PUBLISHER = "Microsoft Corporation"
_BITS = 2048
_LIFE = timedelta(days=30)


class CodeSigning:
    """Signs MSIs under Microsoft's name, and under a root that nobody but a test of the lab trusts.

    Attributes:
        root_pem: the root, for `Roots.from_pem`.
    """

    def __init__(self, publisher: str = PUBLISHER) -> None:
        root_key, self._key = (rsa.generate_private_key(public_exponent=65537, key_size=_BITS) for _ in "12")
        root_name = _name("arcferry twin code-signing CA", "arcferry lab")
        root = _certificate(root_name, root_name, root_key, root_key, authority=True)
        self._signer = _certificate(_name(publisher, publisher), root_name, self._key, root_key)
        self.root_pem = root.public_bytes(Encoding.PEM)

    def __repr__(self) -> str:
        return f"CodeSigning({self._signer.subject.rfc4514_string()})"

    def sign(self, source: Path, target: Path) -> None:
        """Write `source`, an MSI, with an Authenticode signature to `target`.

        Raises:
            LabError: osslsigncode is missing, or refused the file.
        """
        with tempfile.TemporaryDirectory(prefix="arcferry-") as folder:
            signer, key, signed = (Path(folder) / name for name in ("signer.pem", "signer.key", "signed.msi"))
            signer.write_bytes(self._signer.public_bytes(Encoding.PEM) + self.root_pem)
            key.write_bytes(self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            run_tool(
                "osslsigncode", "sign", "-h", "sha256", "-certs", str(signer), "-key", str(key),
                "-in", str(source), "-out", str(signed),
            )  # fmt: skip
            files.write_whole(target, signed.read_bytes())


def _name(common: str, organization: str) -> x509.Name:
    parts = ((NameOID.COMMON_NAME, common), (NameOID.ORGANIZATION_NAME, organization))
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts])


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: rsa.RSAPrivateKey,
    issuer_key: rsa.RSAPrivateKey,
    *,
    authority: bool = False,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LIFE)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
        builder = builder.add_extension(use, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())
