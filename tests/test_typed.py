"""What a value from outside must be to be shown as what it is called."""

from collections.abc import Callable

import pytest

from arcferry import typed

_SECRET = "Qp7~hT2.yV6_oKl1-Sq8Xa3Mb5Gc0Ie4Fr9Pz"


@pytest.mark.parametrize("name", [typed.label, typed.name])
@pytest.mark.parametrize("text", [_SECRET, f"Succeeded {_SECRET}", "CN=x, password=hunter2"])
def test_a_name_holds_no_secret(name: Callable[[str], str], text: str) -> None:
    shown = name(text)
    assert "[redacted]" in shown
    assert _SECRET not in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "Succeeded",
        "Hong Kong2",
        "中華電信",
        "AT&T NetBond",
        "CN=Zscaler Intermediate Root CA (zscalertwo.net) (t),OU=Zscaler Inc.,O=Zscaler Inc.,C=US",
        "CN=Microsoft Azure RSA TLS Issuing CA 07,O=Microsoft Corporation,C=US",
        "CN=FG100FTK19001234,OU=Certificate Authority,O=Fortinet",
    ],
)
def test_a_name_stays_as_it_is(text: str) -> None:
    assert typed.label(text) == text
    assert typed.name(text) == text
