"""What is refused about signing in over WinRM before any server is asked, and of which servers it is said."""

from pathlib import Path

import pytest

from arcferry.cli.winrm import WinrmOptions, winrm_trust
from arcferry.errors import InputError
from arcferry.fleet.inventory import Host


def windows(count: int, auth: str, port: int, user: str) -> list[Host]:
    return [
        Host(f"web{number:02}", "192.0.2.1", port, user=user, transport="winrm", auth=auth)
        for number in range(1, count + 1)
    ]


@pytest.mark.parametrize(
    ("hosts", "says"),
    [
        (windows(1, "basic", 5985, "me"), "web01: auth basic on port 5985: over HTTP"),
        (windows(3, "ntlm", 5986, ""), "web01, web02, web03: auth ntlm: no user"),
        (windows(5, "ntlm", 5986, "me"), "web01, web02, web03 and 2 more: auth ntlm: no password"),
        ([Host("db01", "192.0.2.2"), *windows(1, "certificate", 0, "")], "web01: auth certificate: no"),
    ],
)
def test_the_servers_are_named(hosts: list[Host], says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARCFERRY_WINRM_PASSWORD", raising=False)
    with pytest.raises(InputError) as refused:
        winrm_trust(WinrmOptions(), hosts)
    assert refused.value.message.startswith(says)
    assert refused.value.hint


def test_two_places_for_one_password_are_refused(tmp_path: Path) -> None:
    given = WinrmOptions(winrm_password_file=tmp_path / "password", winrm_keyring="arcferry")
    with pytest.raises(InputError, match="two places are named"):
        winrm_trust(given, windows(1, "ntlm", 5986, "me"))
