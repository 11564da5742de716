"""Signing in as each kind of identity, against the services that give their tokens."""

import json
import os
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from tests.azure.conftest import aim

from arcferry import azure, errors
from arcferry.azure import Identity
from arcferry.azure.preflight.identity import Who, who
from arcferry_lab.azure.metadata import metadata
from arcferry_lab.azure.state import Application
from arcferry_lab.twin import Twin

pytestmark = pytest.mark.lab

ISSUER, SUBJECT = "https://issuer.example/", "system:serviceaccount:arc:arcferry"
OTHER = "a66c9f65-b9e8-42c7-8f93-9d69638e80fd"


async def checked(twin: Twin, identity: Identity) -> dict[str, azure.PreflightCheck]:
    async with azure.signed_in(aim(twin), identity) as session:
        return {check.name: check for check in (await azure.examine(session)).checks}


@asynccontextmanager
async def on_a_machine(
    twin: Twin, own: Application | None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    runner = web.AppRunner(metadata(twin.azure, own, ("127.0.0.1",)))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", f"http://{host}:{port}")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    try:
        yield
    finally:
        await runner.cleanup()


async def test_a_machine_signs_in_as_itself_past_any_proxy(
    twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = twin.azure.add_client("reader")
    async with on_a_machine(twin, own, monkeypatch):
        for identity in (azure.managed_identity(), azure.managed_identity(own.client_id)):
            checks = await checked(twin, identity)
            assert own.object_id in checks["sign-in"].says
            assert "credential" not in checks


@pytest.mark.parametrize("has_one", [True, False])
async def test_a_machine_without_that_identity(
    twin: Twin, monkeypatch: pytest.MonkeyPatch, has_one: bool
) -> None:
    own = twin.azure.add_client("reader") if has_one else None
    async with on_a_machine(twin, own, monkeypatch):
        with pytest.raises(errors.SignInError, match="dentity") as caught:
            await checked(twin, azure.managed_identity(OTHER if has_one else ""))
    assert "--client-id is for a user-assigned one alone" in caught.value.hint


def az(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, prints: str = "", ends: int = 0, complains: str = ""
) -> None:
    """A program of az's name that answers as `az account get-access-token` does."""
    (folder / "answer").write_text(prints)
    path = folder / "az"
    path.write_text(f"#!{sys.executable}\nimport sys\n"
                    f"print({complains!r}, file=sys.stderr)\nprint(open({str(folder / 'answer')!r}).read())\n"
                    f"sys.exit({ends})\n")  # fmt: skip
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def az_token(twin: Twin, client: Application, tenant: str = "") -> str:
    text = twin.azure.signer.access_token(
        tenant=tenant or twin.azure.tenant_id,
        client=client.client_id,
        object_id=client.object_id,
        audience="https://management.azure.com",
    )
    ends = int((datetime.now(UTC) + timedelta(hours=1)).timestamp())
    return json.dumps({"accessToken": text, "expires_on": ends, "tokenType": "Bearer"})


async def test_whoever_is_signed_in_to_az(
    twin: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = twin.azure.add_client("reader")
    az(tmp_path, monkeypatch, prints=az_token(twin, user))
    checks = await checked(twin, azure.AzLogin())
    assert user.object_id in checks["sign-in"].says


async def test_az_is_signed_in_to_another_tenant(
    twin: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    az(tmp_path, monkeypatch, prints=az_token(twin, twin.client, OTHER))
    checks = await checked(twin, azure.AzLogin())
    assert list(checks) == ["sign-in"]
    assert checks["sign-in"].answer.value == "hindrance"
    assert f"the token is of tenant {OTHER}" in checks["sign-in"].says
    assert f"az login --tenant {twin.azure.tenant_id}" in checks["sign-in"].hint


NO_AZ = {"not signed in": "ERROR: Please run 'az login' to setup account.", "no az": ""}


@pytest.mark.parametrize("case", NO_AZ)
async def test_nobody_is_signed_in_to_az(
    twin: Twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    if NO_AZ[case]:
        az(tmp_path, monkeypatch, ends=1, complains=NO_AZ[case])
    else:
        monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(errors.SignInError) as caught:
        await checked(twin, azure.AzLogin())
    assert caught.value.exit_code == 4
    assert "az login --tenant" in caught.value.hint


def assertion(key: rsa.RSAPrivateKey, **changes: object) -> str:
    now = datetime.now(UTC)
    claims = {
        "iss": ISSUER, "sub": SUBJECT, "aud": "api://AzureADTokenExchange", "iat": now,
        "exp": now + timedelta(minutes=5),
    }  # fmt: skip
    return jwt.encode(claims | changes, key, algorithm="RS256")


FEDERATED = {
    "trusted": ({}, ""),
    "another subject": ({"sub": "somebody"}, "AADSTS700213"),
    "another issuer": ({"iss": "https://elsewhere.example/"}, "AADSTS700211"),
    "expired": ({"exp": datetime(2020, 1, 1, tzinfo=UTC)}, "AADSTS700024"),
}


@pytest.mark.parametrize("case", FEDERATED)
async def test_a_token_of_another_issuer(twin: Twin, tmp_path: Path, case: str) -> None:
    changes, code = FEDERATED[case]
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    client = twin.azure.add_client("reader")
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    client.trusted.append((ISSUER, SUBJECT, public))
    path = tmp_path / "token"
    path.write_text(assertion(key, **changes))
    identity = azure.federated(client.client_id, path)
    if code:
        with pytest.raises(errors.SignInError, match=code):
            await checked(twin, identity)
        return
    assert client.object_id in (await checked(twin, identity))["sign-in"].says


def test_a_token_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(errors.FileInputError, match="none"):
        azure.federated(OTHER, tmp_path / "none")
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(errors.FileInputError, match="holds no token"):
        azure.federated(OTHER, tmp_path / "empty")


@pytest.mark.parametrize(("days", "answer"), [(400, "ok"), (10, "warning"), (-2, "hindrance")])
async def test_the_days_of_a_certificate(twin: Twin, tmp_path: Path, days: int, answer: str) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "arcferry")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days, hours=1))
        .sign(key, hashes.SHA256())
    )
    client = twin.azure.add_client("reader")
    client.certificates.append(certificate)
    path = tmp_path / "both.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate.public_bytes(Encoding.PEM)
    )
    path.chmod(0o600)
    checks = await checked(twin, azure.with_certificate(client.client_id, path))
    assert checks["credential"].answer.value == answer


ODD_TOKENS = ("", "x", "a.b.c", "a.e30.c", "a.W10.c", "a.bnVsbA.c", "é.é.é", f"a.{'W' * 9999}.c")


@pytest.mark.parametrize("token", ODD_TOKENS)
def test_a_token_that_says_nothing_is_of_nobody(token: str) -> None:
    assert who(token) == Who()
