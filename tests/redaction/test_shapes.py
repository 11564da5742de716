"""No secret comes out, in whatever shape it was written, of whatever alphabet, in whatever file."""

import json

import pytest

from arcferry.redaction import mask, mask_value

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
