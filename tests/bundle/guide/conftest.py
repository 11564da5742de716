import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from arcferry.bundle.certificates import Certificate
from arcferry.bundle.guide import BundleFacts
from arcferry.bundle.manifest import AgentPackage, Manifest, ManifestFile, PackageFormat, Role

NOW = datetime(2026, 11, 23, 6, 43, tzinfo=UTC)
MSI = "agent/AzureConnectedMachineAgent.msi"
DEB = "agent/azcmagent_1.67.0_amd64.deb"
RPM = "agent/azcmagent-1.67.0-1.x86_64.rpm"
_AGENTS = {
    MSI: AgentPackage(MSI, PackageFormat.MSI, "1.67.0", "x64", "Microsoft Corporation, 2026-10-20"),
    DEB: AgentPackage(DEB, PackageFormat.DEB, "1.67.0", "amd64"),
    RPM: AgentPackage(RPM, PackageFormat.RPM, "1.67.0-1", "x86_64"),
}
_SCRIPTS = ("linux.sh", "linux-network.sh", "windows.ps1", "windows-network.ps1")

MakeFacts = Callable[..., BundleFacts]


def make_certificate(issued_to: str, issued_by: str = "") -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issued_by or issued_to)]),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issued_to)]),
        key.public_key(),
        1,
        NOW,
        NOW + timedelta(days=30),
    )
    der = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    return Certificate(issued_to, der, "a test", for_tls=not issued_by)


@pytest.fixture(scope="session")
def certificates() -> dict[str, Certificate]:
    return {
        "certificates/Intermediate": make_certificate("Example CA 1", "Example Root <G2>"),
        "certificates/Root": make_certificate("Example Root <G2>"),
    }


@pytest.fixture(scope="session")
def make(certificates: dict[str, Certificate]) -> MakeFacts:
    """A bundle with everything, or with what a test asks for."""

    def made(*agents: str, **changes: Any) -> BundleFacts:  # noqa: ANN401 - any field
        described = tuple(_AGENTS[name] for name in agents or _AGENTS)
        held = changes.get("certificates", certificates)
        names = [
            *(one.file for one in described),
            *(f"host/{name}" for name in _SCRIPTS),
            *(name for stem, one in held.items() for name, _ in one.files(stem)),
        ]
        listed = tuple(
            ManifestFile(name, Role.AGENT, 1, hashlib.sha256(name.encode()).hexdigest()) for name in names
        )
        fields: dict[str, Any] = {"certificates": held, "location": "eastasia"} | changes
        manifest = Manifest(20261123064300, NOW, NOW + timedelta(days=90), described, listed)
        return BundleFacts(manifest, "1F5A00C0FFEE1234", **fields)

    return made


@pytest.fixture(scope="session")
def facts(make: MakeFacts) -> BundleFacts:
    return make()


@pytest.fixture(params=["START-HERE.txt", "START-HERE.zh-TW.txt"])
def text_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["START-HERE.html", "START-HERE.zh-TW.html"])
def page_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)
