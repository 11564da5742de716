from collections.abc import Callable

import pytest

from arcferry import export
from arcferry.errors import InputError
from arcferry.export import ExportOptions
from arcferry.export.options import read_tags

Make = Callable[..., ExportOptions]

CLIENT = "99999999-8888-7777-6666-555555555555"


@pytest.mark.parametrize(
    "changed",
    [
        {"share": "fs01"},
        {"share": r"\\fs01"},
        {"share": r"\\fs01\a'b"},
        {"share": r'\\fs01\a" -Command "x'},
        {"share": r"\\fs01\a`b"},
        {"share": r"\\fs01\..\x "},
        {"share": "/mnt/a b"},
        {"share": r"\\fs01\%TEMP%"},
        {"group": "Arc servers"},
        {"group": r"CORP\a'b"},
        {"group": 'CORP\\a" /grant "Everyone'},
        {"group": "CORP\\a\nb"},
        {"proxy": "http://user:secret@proxy:8080"},
        {"proxy": "proxy:8080"},
        {"proxy": "http://proxy:8080/ -x"},
        {"private_link_scope": "my-scope"},
        {"gateway_id": "/subscriptions/1"},
        {"delay": -1},
        {"delay": 1441},
        {"tags": ["novalue"]},
        {"tags": ["=x"]},
        {"tags": ["a=1", "A=2"]},
        {"tags": ["a<b=1"]},
        {"tags": ["a=" + "x" * 257]},
        {"tags": ["a=b\x1b[31m"]},
        {"sign_in": export.TokenFile(r"\\FS01\Arcferry\token")},
        {"upgrades": True},
    ],
)
def test_what_cannot_be_carried_safely_is_refused_by_option(
    make_options: Make, changed: dict[str, object]
) -> None:
    with pytest.raises(InputError) as caught:
        make_options(**changed)
    assert caught.value.message.startswith("--")
    assert "secret" not in caught.value.message + caught.value.hint


def test_a_token_beside_the_share_is_none_on_it(make_options: Make) -> None:
    made = make_options(sign_in=export.TokenFile(r"\\fs01\arcferry-token$\token"))
    assert made.sign_in == export.TokenFile(r"\\fs01\arcferry-token$\token")


def test_connect_options_are_those_of_the_agent(make_options: Make) -> None:
    scope = f"/subscriptions/{CLIENT}/resourceGroups/rg/providers/Microsoft.HybridCompute/privateLinkScopes/s"
    options = make_options(tags=["site=Taipei 1", "owner=ops"], private_link_scope=scope).connect_options
    assert options["tags"] == "site='Taipei 1',owner=ops"
    assert options["private-link-scope"] == scope
    assert "gateway-id" not in options
    assert options["service-principal-cert-thumbprint"] == "0123456789ABCDEF0123456789ABCDEF01234567"
    assert not any("secret" in name for name in options)


@pytest.mark.parametrize(
    "copied",
    [
        "\u200e01 23 45 67 89 ab cd ef 01 23 45 67 89 ab cd ef 01 23 45 67",
        "0123456789abcdef0123456789ABCDEF01234567",
    ],
)
def test_a_thumbprint_is_taken_as_the_console_shows_it(copied: str) -> None:
    made = export.CertificateSignIn(CLIENT, copied)
    assert made.thumbprint == "0123456789ABCDEF0123456789ABCDEF01234567"


@pytest.mark.parametrize(
    ("client", "thumbprint"), [("", "0" * 40), (CLIENT, ""), (CLIENT, "0" * 64), ("x", "0" * 40)]
)
def test_certificate_and_client_belong_together(client: str, thumbprint: str) -> None:
    with pytest.raises(InputError):
        export.CertificateSignIn(client, thumbprint)


def test_an_unknown_tool_offers_the_near_one() -> None:
    with pytest.raises(InputError) as caught:
        export.tool("gp")
    assert "gpo" in caught.value.hint


def test_tags_hold_equals_signs() -> None:
    assert dict(read_tags(["a=b=c"])) == {"a": "b=c"}
