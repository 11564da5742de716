"""No secret comes out, in whatever shape it was written, of whatever alphabet, in whatever file."""

import json

import pytest

from arcferry.redaction import mask, mask_value, redact_json

from .conftest import SECRETS, SHAPES, containers, everything_known, everything_said

_LONG = {name: secret for name, secret in SECRETS.items() if name not in ("short", "hex")}
_FILLED = [
    *((shape.replace("{secret}", secret), secret) for shape in SHAPES["any"] for secret in SECRETS.values()),
    *((shape.replace("{secret}", secret), secret) for shape in SHAPES["long"] for secret in _LONG.values()),
    *((text, secret) for text, secret in SHAPES["router"]),
]
_IN_FILES = [(text, secret) for text, secret in _FILLED if secret not in list(SECRETS.values())[2:]]


def test_every_shape_is_masked() -> None:
    assert [text for text, secret in _FILLED if secret in mask(text)] == []


_PASTED = [
    (shape.replace("{secret}", secret), secret)
    for shape in SHAPES["transcripts"]
    for secret in (SECRETS["entra"], "hunter2pass")
]


def test_every_shape_of_a_transcript_is_masked() -> None:
    around = ("{}", "PS C:\\Users\\admin> {}", "[root@srv01 ~]# {}", "> {}")
    assert [
        text
        for text, secret in _PASTED
        for frame in around
        if "\n" not in text or frame == "{}"
        if secret in mask(frame.format(text.replace("\n", "\r\n")))
    ] == []


@pytest.mark.parametrize("width", [60, 79, 80, 100, 120])
def test_no_part_of_a_secret_is_left_where_a_console_cut_its_line(width: int) -> None:
    left = []
    for text, secret in _PASTED:
        lines = (text if "\n" in text else f"PS C:\\Windows\\system32> {text}").split("\n")
        cut = "\n".join(line[at : at + width] for line in lines for at in range(0, len(line) or 1, width))
        hidden = mask(cut)
        assert hidden.count("\n") == cut.count("\n")
        whole = hidden.replace("\n", "")
        left += [cut for at in range(len(secret) - 7) if secret[at : at + 8] in whole]
    assert left == []


def test_a_line_that_mail_broke_at_a_blank() -> None:
    text = "azcmagent connect --location eastasia --service-principal-secret\nhunter2pass --cloud AzureCloud"
    assert "hunter2" not in mask(text)
    usage = "  --service-principal-secret\n    Secret of the service principal, see the documentation"
    assert mask(usage) == usage


def test_lines_stay_where_they_are() -> None:
    assert [text for text, _ in _FILLED if mask(text).count("\n") != text.count("\n")] == []


def test_what_is_masked_stays_so() -> None:
    assert [text for text, _ in _FILLED if mask(mask(text)) != mask(text)] == []


def test_no_shape_in_any_file_comes_out() -> None:
    leaks = [
        (name, text)
        for text, secret in _IN_FILES
        for name, data in containers(text)
        if secret in everything_known(data)
    ]
    assert leaks == []


@pytest.mark.shared
def test_no_shape_that_others_found_comes_out(hostile: list[dict[str, str]]) -> None:
    leaks = [
        (name, one["name"])
        for one in hostile
        for name, data in containers(one["text"])
        if one["secret"] in everything_said(data)
    ]
    assert leaks == []


@pytest.mark.parametrize(
    "value",
    [
        {"name": "CLIENT_SECRET", "value": "hunter2"},
        {"value": "hunter2", "name": "password"},
        ["azcmagent", "connect", "--service-principal-secret", "hunter2"],
        ["azcmagent", "connect", "-p", "hunter2"],
        {"client_secret": "hunter2"},
        {"headers": {"Authorization": ["Bearer hunter2"]}},
        {"password": {"type": 7, "text": "hunter2"}},
        {"passwords": ["hunter2"]},
        {"community": {"name": "hunter2", "authorization": "read-only"}},
        {"x": [{"y": "password: hunter2"}]},
        {"password: hunter2": 1},
        {"pin": {"client\u005fsecret": "hunter2"}},
    ],
)
def test_values_of_json(value: object) -> None:
    assert "hunter2" not in json.dumps(mask_value(value))


_SIGNATURES = ["c2lnbmVk", "3045022100" + "ab" * 60, "MEUCIQDx+/" + "Ab3" * 80]


@pytest.mark.parametrize("signature", _SIGNATURES)
def test_the_signature_of_a_prefix_is_nowhere(signature: str) -> None:
    prefix = {
        "prefix": "203.0.113.0/24",
        "validationId": "7b1c2d3e-0000-4000-8000-1a2b3c4d5e6f",
        "signature": signature,
        "validationState": "SignatureVerificationFailed",
    }
    config = {
        "advertisedPublicPrefixes": ["203.0.113.0/24"],
        "advertisedPublicPrefixesState": "ValidationNeeded",
        "advertisedPublicPrefixInfo": [prefix],
        "customerASN": 64512,
    }
    peering = {"peeringType": "MicrosoftPeering", "state": "Enabled", "microsoftPeeringConfig": config}
    circuit = {"name": "er1", "serviceProviderProperties": {}, "sku": {}, "peerings": [peering]}
    printed = "\n".join(f"{key:<16}: {value}" for key, value in prefix.items())
    command = (
        f"Set-AzExpressRouteCircuitMicrosoftPeeringPrefixConfig -Prefix 203.0.113.0/24 -Signature {signature}"
    )
    for text in (json.dumps(peering), json.dumps(circuit, indent=2), printed, f"PS C:\\> {command}"):
        assert signature not in everything_said(text.encode())
    assert signature not in redact_json(json.dumps(peering))
    assert signature not in json.dumps(mask_value(circuit))
    assert signature not in mask(f"{printed}\n{command}")
