"""The Azure side on the twin, through the official clients."""

import asyncio
import stat
from pathlib import Path

import pytest
from azure.core.pipeline import PipelineResponse
from azure.core.rest import HttpRequest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)

from arcferry import azure, errors
from arcferry.azure.turn import LONGEST_WAIT, BoundedRetry
from arcferry.https import safe
from arcferry_lab.azure.state import ArcMachine
from arcferry_lab.twin import RESOURCE_GROUP, Twin

from .conftest import aim, principal

pytestmark = pytest.mark.lab


def put_machine(twin: Twin, name: str, vm_id: str = "v") -> None:
    twin.azure.machines[RESOURCE_GROUP, name.lower()] = ArcMachine(
        RESOURCE_GROUP, name, "eastasia", {"a": "b"}, {"vmId": vm_id, "agentVersion": "1.67"}
    )


async def test_a_good_preflight(twin: Twin) -> None:
    put_machine(twin, "Web01")
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        found = await azure.prepare(session)
    assert {check.name for check in found.checks if check.answer.value == "ok"} == {
        "sign-in", "subscription", "provider", "location", "resource group", "locks", "policies",
    }  # fmt: skip
    machine = found.machines["web01"]
    assert (machine.name, machine.vm_id, machine.agent_version, machine.tags) == (
        "Web01",
        "v",
        "1.67",
        {"a": "b"},
    )


async def test_the_onboarding_role_sees_less_and_is_enough(twin: Twin) -> None:
    client = twin.azure.add_client("onboarding")
    async with azure.signed_in(aim(twin), azure.with_secret(client.client_id, client.secret)) as session:
        found = await azure.prepare(session)
    assert not found.hindrances
    assert {check.name for check in found.checks if check.answer.value == "ok"} == {
        "sign-in",
        "resource group",
    }


async def test_many_machines_cost_one_request_a_page(twin: Twin) -> None:
    for number in range(250):
        put_machine(twin, f"m{number:03}")
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        machines = await azure.list_machines(session)
    lists = [call for call in twin.azure.journal if call.path.split("?")[0].endswith("/machines")]
    assert (len(machines), len(lists)) == (250, 3)


async def test_one_machine_and_none(twin: Twin) -> None:
    put_machine(twin, "web01")
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        found = await azure.get_machine(session, "WEB01")
        assert found is not None
        assert found.status == "AwaitingConnection"
        assert not found.connected
        assert await azure.get_machine(session, "web02") is None


async def test_a_missing_group_is_no_missing_machine(twin: Twin) -> None:
    async with azure.signed_in(aim(twin, resource_group="rg-none"), principal(twin)) as session:
        with pytest.raises(errors.NotFoundError, match="ResourceGroupNotFound"):
            await azure.get_machine(session, "web01")


async def test_one_token_serves_many(twin: Twin) -> None:
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        tokens = await asyncio.gather(*(session.token() for _ in range(5)))
    assert len({token.text for token in tokens}) == 1
    assert tokens[0].text.startswith("eyJ")
    assert tokens[0].text not in repr(tokens[0])


REFUSED = {
    "arm/401": (errors.SignInError, 401, "clock"),
    "arm/403": (errors.PermissionDeniedError, 403, "Azure Connected Machine Onboarding"),
    "arm/409": (errors.ConflictError, 409, ""),
    "arm/429": (errors.ThrottledError, 429, "what is done is kept"),
    "arm/500": (errors.AzureUnavailableError, 500, "fault of Azure's own"),
}


@pytest.mark.parametrize("fault", REFUSED)
async def test_answers_become_our_errors(twin: Twin, fault: str) -> None:
    kind, status, hint = REFUSED[fault]
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        await session.token()
        await twin.add_fault(fault)
        with pytest.raises(errors.AzureError) as caught:
            await azure.list_machines(session)
    assert type(caught.value) is kind
    assert caught.value.status == status
    assert hint in caught.value.hint
    assert caught.value.message.startswith(f"list machines in {RESOURCE_GROUP}: Azure answered {status}")


async def test_throttling_is_waited_out(twin: Twin) -> None:
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        await twin.add_fault("arm/429", times=2)
        assert await azure.list_machines(session) == {}
    assert [call.status for call in twin.azure.journal if "/machines" in call.path] == [429, 429, 200]


async def test_a_page_that_is_no_json(twin: Twin) -> None:
    async with azure.signed_in(aim(twin), principal(twin)) as session:
        await twin.add_fault("arm/garbage")
        with pytest.raises(errors.AzureError):
            await azure.list_machines(session)


SIGN_IN = {
    "secret": ({"secret": "wrong"}, "AADSTS7000215", "value of the secret, not its id"),
    "client": (
        {"client_id": "11111111-2222-3333-4444-555555555555"},
        "AADSTS700016",
        "Compare the client id",
    ),
}


@pytest.mark.parametrize("case", SIGN_IN)
async def test_entra_refuses(twin: Twin, case: str) -> None:
    changes, code, hint = SIGN_IN[case]
    who = {"client_id": twin.client.client_id, "secret": twin.client.secret} | changes
    async with azure.signed_in(aim(twin), azure.with_secret(**who)) as session:
        with pytest.raises(errors.SignInError) as caught:
            await session.token()
    assert caught.value.message.startswith(f"sign in to Entra: {code}")
    assert "Trace ID" not in caught.value.message
    assert hint in caught.value.hint
    assert twin.client.secret not in caught.value.message


async def test_another_tenant(twin: Twin) -> None:
    other = aim(twin, tenant_id="11111111-2222-3333-4444-555555555555")
    async with azure.signed_in(other, principal(twin)) as session:
        with pytest.raises(errors.SignInError, match="AADSTS90002"):
            await session.token()


async def test_a_ca_that_is_not_trusted(twin: Twin) -> None:
    strangers = azure.target(
        cloud="AzureCloud",
        tenant_id=twin.azure.tenant_id,
        subscription_id=twin.azure.subscription_id,
        resource_group=RESOURCE_GROUP,
        location="eastasia",
        arm_url=twin.azure.arm_url,
        authority=twin.azure.authority,
    )
    async with azure.signed_in(strangers, principal(twin)) as session:
        with pytest.raises(errors.AzureUnavailableError, match="TLS failed") as caught:
            await session.token()
    assert "--ca-file" in caught.value.hint


async def test_a_ca_file_that_is_none(twin: Twin, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(errors.FileInputError, match="holds no certificate"):
        async with azure.signed_in(
            azure.target(
                cloud="AzureCloud",
                tenant_id=twin.azure.tenant_id,
                subscription_id=twin.azure.subscription_id,
                resource_group="r",
                location="eastasia",
                ca_file=tmp_path / "ca.pem",
            ),
            principal(twin),
        ):
            pass


async def test_a_certificate_as_pem_and_as_pfx(twin: Twin, tmp_path: Path) -> None:
    pem = twin.paths.certificate.read_bytes()
    key, certificate = load_pem_private_key(pem, None), x509.load_pem_x509_certificate(pem)
    pfx = tmp_path / "client.pfx"
    pfx.write_bytes(pkcs12.serialize_key_and_certificates(b"a", key, certificate, None, NoEncryption()))  # type: ignore[arg-type]
    pfx.chmod(0o600)
    for path in (twin.paths.certificate, pfx):
        who = azure.with_certificate(twin.client.client_id, path)
        async with azure.signed_in(aim(twin), who) as session:
            assert (await session.token()).text
        assert "PRIVATE" not in repr(who)


def test_certificates_that_cannot_be_used(twin: Twin, tmp_path: Path) -> None:
    pem = twin.paths.certificate.read_bytes()
    key = load_pem_private_key(pem, None)
    cases = {
        "no-key.pem": x509.load_pem_x509_certificate(pem).public_bytes(Encoding.PEM),
        "no-certificate.pem": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "locked.pem": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
        + pem,
        "noise.pfx": b"\x30\x82noise",
    }
    for name, data in cases.items():
        path = tmp_path / name
        path.write_bytes(data)
        path.chmod(0o600)
        with pytest.raises(errors.FileInputError, match=name):
            azure.with_certificate(twin.client.client_id, path)


def test_a_secret_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("s3cret\n")
    path.chmod(0o600)
    assert azure.secret_from_file(path) == "s3cret"
    path.write_text("a\nb\n")
    with pytest.raises(errors.FileInputError, match="more than one line"):
        azure.secret_from_file(path)
    path.write_text("\n")
    with pytest.raises(errors.FileInputError, match="holds no secret"):
        azure.secret_from_file(path)
    path.chmod(0o640)
    with pytest.raises(errors.FileInputError, match="read by others"):
        azure.secret_from_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_secrets_are_not_shown() -> None:
    who = azure.with_secret("a66c9f65-b9e8-42c7-8f93-9d69638e80fd", "s3cret")
    assert "s3cret" not in repr(who) + str(who)
    assert safe("failed: eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2ln\x1b[31m") == "failed: [token]"


class _Answer:
    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = headers
        self.status_code = 429


@pytest.mark.parametrize(
    ("header", "again"), [("1", True), (str(LONGEST_WAIT + 1), False), ("soon", True), ("1e400", False)]
)
def test_the_longest_wait_is_bounded(header: str, again: bool) -> None:  # a data case
    retry = BoundedRetry()
    response: PipelineResponse[HttpRequest, _Answer] = PipelineResponse(
        HttpRequest("GET", "https://x.example"),
        _Answer({"Retry-After": header}),
        None,  # type: ignore[arg-type]
    )
    assert retry.is_retry(retry.configure_retries({}), response) is again


async def test_a_role_that_is_missing_is_named_with_its_action(twin: Twin) -> None:
    client = twin.azure.add_client("none")
    async with azure.signed_in(aim(twin), azure.with_secret(client.client_id, client.secret)) as session:
        with pytest.raises(errors.PermissionDeniedError) as caught:
            await azure.prepare(session)
    assert "it lacks Microsoft.HybridCompute/machines/read" in caught.value.message
    assert '--role "Azure Connected Machine Onboarding" --scope /subscriptions/' in caught.value.hint
    assert caught.value.hint.endswith("/resourceGroups/rg-arc")
