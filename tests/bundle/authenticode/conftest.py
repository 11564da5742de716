import datetime as dt
import random
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku
from cryptography.x509.oid import NameOID

from arcferry.bundle.authenticode import Roots

NOW = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
PRODUCT = """<?xml version="1.0"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
  <Product Id="0B1F6A51-0D43-4E1B-8E39-0C1C3C0A5A01" Name="Azure Connected Machine Agent"
           Version="1.67.3421.1187" Manufacturer="Microsoft Corporation" Language="1033"
           UpgradeCode="0B1F6A51-0D43-4E1B-8E39-0C1C3C0A5A02">
    <Package InstallerVersion="500" Compressed="yes" Platform="x64"/>
    <Media Id="1" Cabinet="agent.cab" EmbedCab="yes"/>
    <Directory Id="TARGETDIR" Name="SourceDir">
      <Directory Id="ProgramFiles64Folder"><Directory Id="Agent" Name="AzureConnectedMachineAgent">
        <Component Id="Main" Guid="0B1F6A51-0D43-4E1B-8E39-0C1C3C0A5A04" Win64="yes">
          <File Id="Exe" Name="azcmagent.exe" Source="azcmagent.exe" KeyPath="yes"/>
        </Component>
      </Directory></Directory>
    </Directory>
    <Feature Id="All" Level="1"><ComponentRef Id="Main"/></Feature>
  </Product>
</Wix>
"""


@dataclass
class Party:
    """A certificate with its key, and the certificates above it."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey
    above: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def chain_pem(self) -> bytes:
        rest = (above.public_bytes(serialization.Encoding.PEM) for above in self.above)
        return self.pem + b"".join(rest)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def issue(
    name: str,
    by: Party | None,
    *,
    organization: str = "Microsoft Corporation",
    use: x509.ObjectIdentifier | None = None,
    authority: bool = False,
    since: dt.datetime = NOW - 400 * DAY,
    until: dt.datetime = NOW + 400 * DAY,
) -> Party:
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
        ]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=authority,
                crl_sign=authority,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    if use is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=use == Eku.TIME_STAMPING)
    certificate = builder.sign(by.key if by else key, hashes.SHA256())
    return Party(certificate, key, (by.certificate, *by.above) if by else ())


@dataclass
class Authorities:
    root: Party
    issuing: Party
    stamping: Party

    @property
    def roots(self) -> Roots:
        return Roots.from_pem(self.root.pem)

    def signer(self, **settings: object) -> Party:
        settings = {"use": Eku.CODE_SIGNING, "by": self.issuing} | settings
        return issue("Microsoft Corporation", **settings)

    def for_other_use(self, party: Party, use: x509.ObjectIdentifier) -> x509.Certificate:
        """The same certificate in all but its use, with a signature that holds."""
        old = party.certificate
        builder = (
            x509.CertificateBuilder()
            .subject_name(old.subject)
            .issuer_name(old.issuer)
            .public_key(party.key.public_key())
            .serial_number(old.serial_number)
            .not_valid_before(old.not_valid_before_utc)
            .not_valid_after(old.not_valid_after_utc)
        )
        for extension in old.extensions:
            other = x509.ExtendedKeyUsage([use])
            value = other if isinstance(extension.value, x509.ExtendedKeyUsage) else extension.value
            builder = builder.add_extension(value, critical=extension.critical)
        return builder.sign(self.root.key, hashes.SHA256())


def authorities() -> Authorities:
    root = issue("Test Root 2011", None, authority=True)
    issuing = issue("Test Code Signing 2011", root, authority=True)
    stamping = issue("Test Time-Stamp 2010", root, use=Eku.TIME_STAMPING)
    return Authorities(root, issuing, stamping)


@pytest.fixture(scope="session")
def trusted() -> Authorities:
    return authorities()


@pytest.fixture(scope="session")
def foreign() -> Authorities:
    """The same names, with other keys."""
    return authorities()


@pytest.fixture(scope="session")
def plain_msi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("wixl") is None:
        pytest.skip("needs wixl (Debian: wixl)")
    folder = tmp_path_factory.mktemp("msi")
    (folder / "product.wxs").write_text(PRODUCT)
    # Too much, and too random, for the cabinet to lie among the small streams.
    (folder / "azcmagent.exe").write_bytes(b"MZ" + random.Random(1).randbytes(20_000))  # noqa: S311 - no secret
    run("wixl", "-a", "x64", "-o", "agent.msi", "product.wxs", cwd=folder)
    return folder / "agent.msi"


Sign = Callable[..., Path]


@pytest.fixture
def sign(tmp_path: Path, plain_msi: Path) -> Sign:
    if shutil.which("osslsigncode") is None:
        pytest.skip("needs osslsigncode (Debian: osslsigncode)")

    def sign(
        signer: Party,
        *more: str,
        stamped_by: Party | None = None,
        stamped_at: dt.datetime = NOW - 10 * DAY,
        out: str = "signed.msi",
        source: Path = plain_msi,
    ) -> Path:
        command = ["osslsigncode", "sign", "-h", "sha256", *more]
        command += ["-certs", _file(tmp_path / "signer.pem", signer.chain_pem)]
        command += ["-key", _file(tmp_path / "signer.key", signer.key_pem)]
        if stamped_by:
            command += ["-TSA-certs", _file(tmp_path / "tsa.pem", stamped_by.chain_pem)]
            command += ["-TSA-key", _file(tmp_path / "tsa.key", stamped_by.key_pem)]
            command += ["-TSA-time", str(int(stamped_at.timestamp()))]
        (tmp_path / out).unlink(missing_ok=True)
        run(*command, "-in", str(source), "-out", str(tmp_path / out), cwd=tmp_path)
        return tmp_path / out

    return sign


def _file(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


def run(*command: str, cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session", name="issue")
def issuer() -> Callable[..., Party]:
    return issue


@pytest.fixture(scope="session")
def now() -> dt.datetime:
    return NOW


@pytest.fixture(scope="session")
def days() -> Callable[[int], dt.timedelta]:
    return lambda count: count * DAY
