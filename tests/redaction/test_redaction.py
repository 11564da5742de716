"""Credentials are nowhere in what is kept: one place takes them out, whichever reader comes after."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.redaction import HIDDEN, redact, redact_json

from .conftest import everything_said

_CANARY = "Zx9canary~Q1w2E3r4"
_JWT = "eyJ0eXAiOiJKV1QiLCJhbGci.eyJhdWQiOiJodHRwczovL21hbm.c2lnbmF0dXJlY2FuYXJ5"
_SAMPLES = sorted((Path(__file__).parents[1] / "evidence" / "readers" / "samples").glob("*/*"))
_PLANTED = [
    f"azcmagent connect --service-principal-id 1 --service-principal-secret {_CANARY} --tenant-id 2",
    f'azcmagent connect --service-principal-secret="{_CANARY}"',
    f"azcmagent.exe connect -i 1 -p {_CANARY} -g rg",
    f"azcmagent connect --access-token {_CANARY}",
    f'$ServicePrincipalClientSecret="{_CANARY}";',
    f"    ServicePrincipalSecret : {_CANARY}",
    f'{{"service-principal-secret": "{_CANARY}", "location": "eastasia"}}',
    f'time="2026-01-10T06:00:00Z" level=debug msg="body {{\\"access_token\\":\\"{_CANARY}\\"}}"',
    f"Authorization: Bearer {_CANARY}",
    f'level=debug Headers="map[Authorization:[Bearer {_CANARY}]]"',
    f"> Proxy-Authorization: Basic {_CANARY}",
    f"Using HTTPS Proxy : http://svc-arc:{_CANARY}@proxy.example:8080",
    f"http://svc:{_CANARY}@with-at@proxy.example:8080",
    f'"sharedKey": "{_CANARY}",',
    f"  sharedKey  = {_CANARY}",
    f" neighbor 192.0.2.1 password 7 {_CANARY}",
    f"rtr1# enable secret 5 {_CANARY}",
    f"username admin privilege 15 secret 9 {_CANARY}",
    f'set protocols bgp group MS authentication-key "{_CANARY}"',
    f"  key-string {_CANARY}",
    f'   password "{_CANARY}";',
    f"snmp-server community {_CANARY} RO",
    f"Password: {_CANARY}",
    f"$pw = ConvertTo-SecureString '{_CANARY}' -AsPlainText -Force",
    f"curl -u svc:{_CANARY} https://aka.ms/azcmagent",
    f"curl --proxy-user svc:{_CANARY} https://aka.ms/azcmagent",
    f"https://store.blob.core.windows.net/x?sv=1&sig={_CANARY}&se=2",
    f"DefaultEndpointsProtocol=https;AccountKey={_CANARY};",
    f"client_secret={_CANARY}&grant_type=client_credentials",
    f"-----BEGIN PRIVATE KEY-----\n{_CANARY}\n-----END PRIVATE KEY-----",
    f"sshpass -p {_CANARY} ssh admin@192.0.2.9",
]


@pytest.mark.parametrize("line", _PLANTED)
def test_a_secret_in_every_form_is_hidden(line: str) -> None:
    hidden = redact(line)
    assert _CANARY not in hidden
    assert HIDDEN in hidden
    assert hidden.count("\n") == line.count("\n")


def test_a_token_is_known_by_its_form() -> None:
    assert redact(f"got {_JWT} from the service") == f"got {HIDDEN} from the service"


@pytest.mark.parametrize(
    "line",
    [
        (
            "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent is the client "
            "secret value."
        ),
        "AADSTS7000222: The provided client secret keys for app '1' are expired.",
        "https://login.microsoftonline.com/tenant/oauth2/v2.0/token",
        "azcmagent check -p -l eastasia",
        "Proxy Bypass List : []",
        "neighbor 192.0.2.1 remote-as 12076",
        "12076:51010 12076:5060",
        '{"name": "AzureKeyVault.JapanEast", "id": "x"}',
        '{"password": null, "token": ""}',
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert redact(line) == line


def _planted_in(path: Path) -> bytes:
    data = path.read_bytes()
    planted = "\n".join(line for line in _PLANTED if not line.startswith("{"))
    if path.suffix == ".json":
        value = json.loads(data)
        keys = {
            "sharedKey": _CANARY,
            "httpsProxy": f"http://u:{_CANARY}@p:1",
            "x": f"--access-token {_CANARY}",
        }
        return json.dumps({**value, **keys} if isinstance(value, dict) else [*value, keys]).encode()
    if data[1:2] == b"\x00" or data.startswith(b"\xff\xfe"):
        return data + f"\n{planted}\n".encode("utf-16-le")
    return data + f"\n{planted}\n".encode()


@pytest.mark.parametrize("path", _SAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_planted_secret_comes_out_of_any_reader(path: Path) -> None:
    planted = _planted_in(path)
    assert _CANARY in planted.decode(
        "utf-16-le" if planted[1:2] == b"\x00" else "utf-8", errors="ignore"
    ) or (planted.startswith(b"\xff\xfe"))
    assert _CANARY not in everything_said(planted)


@given(st.text(max_size=200), st.sampled_from(_PLANTED), st.text(max_size=200))
def test_whatever_stands_around_a_line_the_secret_goes(before: str, line: str, after: str) -> None:
    assert _CANARY not in redact(f"{before}\n{line}\n{after}")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["secret", "password", "sharedKey", "Authorization", "a"]), inner, max_size=3
            )
        ),
        max_leaves=20,
    )
)
def test_json_stays_json(value: object) -> None:
    json.loads(redact_json(json.dumps(value)))
    json.loads(redact_json(json.dumps(value, indent=1)))
