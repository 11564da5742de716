from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from arcferry_lab.azure.entra import ASSERTION_TYPE
from arcferry_lab.twin import Twin

if TYPE_CHECKING:
    from tests.lab.conftest import Browser

pytestmark = pytest.mark.lab
SCOPE = "https://management.azure.com/.default"


def token_url(twin: Twin, tenant: str = "") -> str:
    return f"https://login.microsoftonline.com/{tenant or twin.azure.tenant_id}/oauth2/v2.0/token"


def form(twin: Twin, **changes: str) -> dict[str, str]:
    fields = {
        "grant_type": "client_credentials",
        "client_id": twin.client.client_id,
        "client_secret": twin.client.secret,
        "scope": SCOPE,
    }
    return {key: value for key, value in (fields | changes).items() if value}


@pytest.mark.parametrize(
    ("changes", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_secret": ""}, 401, "invalid_client", 7000216),
        ({"client_id": "no-such-app"}, 400, "unauthorized_client", 700016),
        ({"client_id": ""}, 400, "invalid_request", 900144),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"scope": "https://management.azure.com"}, 400, "invalid_scope", 1002012),
        ({"scope": "https://unknown.example/.default"}, 400, "invalid_resource", 500011),
        ({"client_assertion_type": ASSERTION_TYPE, "client_assertion": "x"}, 401, "invalid_client", 50027),
    ],
)
async def test_what_is_wrong_has_entras_number(
    *, twin: Twin, browser: "Browser", changes: dict[str, str], status: int, error: str, number: int
) -> None:
    answer = await browser.ask("POST", token_url(twin), form=form(twin, **changes))
    assert answer[0] == status
    assert answer[1]["error"] == error
    assert answer[1]["error_codes"] == [number]
    assert answer[1]["error_description"].startswith(f"AADSTS{number}: ")
    assert twin.client.secret not in str(answer[1])


async def test_an_unknown_tenant_is_told_at_discovery_and_at_the_token(
    twin: Twin, browser: "Browser"
) -> None:
    url = token_url(twin, "00000000-0000-0000-0000-000000000000")
    assert (await browser.ask("POST", url, form=form(twin)))[1]["error_codes"] == [90002]
    url = "https://login.microsoftonline.com/elsewhere.example/v2.0/.well-known/openid-configuration"
    assert (await browser.ask("GET", url))[1]["error_codes"] == [90002]


async def test_the_documents_lead_from_one_to_the_next(twin: Twin, browser: "Browser") -> None:
    _, instance, _ = await browser.ask("GET", "https://login.microsoftonline.com/common/discovery/instance")
    _, configuration, _ = await browser.ask(
        "GET", instance["tenant_discovery_endpoint"].replace(f":{twin.network.port}", "")
    )
    assert configuration["token_endpoint"].endswith(f"/{twin.azure.tenant_id}/oauth2/v2.0/token")
    _, keys, _ = await browser.ask("GET", configuration["jwks_uri"].replace(f":{twin.network.port}", ""))
    token = await browser.token()
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["RS256"], audience="https://management.azure.com")
    assert claims["appid"] == twin.client.client_id
    assert claims["tid"] == twin.azure.tenant_id
    assert claims["exp"] - claims["iat"] == 3600


def assertion(twin: Twin, pem: bytes, **changes: object) -> str:
    certificate = twin.client.certificates[-1]
    now = datetime.now(UTC)
    claims = {
        "aud": f"https://login.microsoftonline.com/{twin.azure.tenant_id}/oauth2/v2.0/token",
        "iss": twin.client.client_id,
        "sub": twin.client.client_id,
        "exp": now + timedelta(minutes=5),
    } | changes
    thumbprint = urlsafe_b64encode(certificate.fingerprint(SHA256())).decode().rstrip("=")
    key = load_pem_private_key(pem[pem.index(b"-----BEGIN PRIVATE") :], None)
    return jwt.encode(claims, key, algorithm="PS256", headers={"x5t#S256": thumbprint})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({}, None),
        ({"exp": 1_600_000_000}, 700024),
        ({"aud": "https://elsewhere.example/token"}, 700023),
        ({"iss": "another"}, 700211),
        ({"sub": "another"}, 700021),
    ],
)
async def test_an_assertion_is_checked_in_each_of_its_parts(
    twin: Twin, browser: "Browser", changes: dict[str, Any], number: int | None
) -> None:
    port = "" if twin.network.port == 443 else f":{twin.network.port}"
    audience = f"https://login.microsoftonline.com{port}/{twin.azure.tenant_id}/oauth2/v2.0/token"
    pem = twin.register_certificate()
    fields = form(
        twin,
        client_secret="",
        client_assertion_type=ASSERTION_TYPE,
        client_assertion=assertion(twin, pem, **({"aud": audience} | changes)),
    )
    status, body, _ = await browser.ask("POST", token_url(twin), form=fields)
    assert (status == 200) == (number is None)
    assert body.get("error_codes") == ([number] if number else None)


async def test_an_assertion_by_another_key_is_refused(twin: Twin, browser: "Browser") -> None:
    mine = twin.register_certificate()
    twin.register_certificate()
    fields = form(
        twin,
        client_secret="",
        client_assertion_type=ASSERTION_TYPE,
        client_assertion=assertion(twin, mine),
    )
    assert (await browser.ask("POST", token_url(twin), form=fields))[1]["error_codes"] == [700027]


async def test_an_expired_secret_is_no_wrong_one(twin: Twin, browser: "Browser") -> None:
    twin.azure.faults.add("entra/expired-secret")
    answer = await browser.ask("POST", token_url(twin), form=form(twin))
    assert answer[1]["error_codes"] == [7000222]
    twin.azure.faults.clear()
    assert await browser.token()
