"""What tells that a machine uses a private link scope, and what only looks as if it did."""

from pathlib import Path

import pytest

from arcferry.evidence.case import Case, Kind
from arcferry.evidence.reading import read_document

_SAMPLES = Path(__file__).with_name("samples")
_PATHS = sorted((*_SAMPLES.glob("azure-machine/*"), *_SAMPLES.glob("connect-settings/*")))


def _scope(text: str) -> str:
    return Case.of(read_document("handed-in", text.encode())).private_link_scope


@pytest.mark.parametrize("path", _PATHS, ids=lambda path: path.stem)
def test_every_document_tells_the_scope(path: Path) -> None:
    assert _scope(path.read_text(encoding="utf-8")).endswith("/privateLinkScopes/pls-arc-dublin")


@pytest.mark.parametrize(
    "text",
    [
        "azcmagent connect --config CONFIG --private-link-scope SCOPE-RESOURCE-ID",
        "az connectedk8s connect -g rg -n cluster --private-link-scope-resource-id /subscriptions/1",
        "FATAL  No indication of Private Link Scope but found private endpoint for https://gbl.his.arc.azure.com",
        '[{"id": "/subscriptions/1/resourceGroups/rg/providers/x/privateLinkScopes/y"}]',
    ],
)
def test_a_scope_that_is_only_spoken_of_is_not_used(text: str) -> None:
    assert not _scope(text)


def test_a_scope_in_a_variable_is_one_of_unknown_name() -> None:
    assert _scope("azcmagent.exe connect --private-link-scope $Env:PLscope --location northeurope")


def test_a_machine_without_a_scope_says_so() -> None:
    whole = (_SAMPLES / "azure-machine" / "query.json").read_text(encoding="utf-8")
    start = whole.index('"/subscriptions')
    text = whole[:start] + "null" + whole[whole.index("\n", start) - 1 :]
    (document,) = read_document("machine.json", text.encode())
    assert (document.kind, document.agent_state.private_link_scope) == (Kind.AZURE_MACHINE, "")


def test_each_machine_of_a_list_is_a_server_of_its_own() -> None:
    one = (_SAMPLES / "azure-machine" / "resource-show.json").read_text(encoding="utf-8")
    other = one.replace("wh-db-07", "wh-db-17")
    documents = read_document("machines.json", f'{{"value": [{one}, {other}]}}'.encode())
    assert [document.servers for document in documents] == [("wh-db-07",), ("wh-db-17",)]


def test_a_command_among_others_tells_it_too() -> None:
    text = (_SAMPLES / "connect-settings" / "windows.txt").read_text(encoding="utf-8")
    answer = "PS C:\\> nslookup gbl.his.arc.azure.com\nServer:  dc1.example\nAddress:  10.40.0.53\n\n"
    answer += "Name:    gbl.his.arc.azure.com\nAddress:  198.51.100.6\n"
    documents = read_document("session.txt", (text + answer).encode())
    assert [one.kind for one in documents] == [Kind.DNS_ANSWERS, Kind.CONNECT_SETTINGS]


def test_what_the_page_asks_for_is_read() -> None:
    """The command of `dns/private-answer-leak` gives these keys alone."""
    (document,) = read_document(
        "machine.json", b'{"name": "wh-db-07", "privateLinkScopeResourceId": null, "status": "Connected"}'
    )
    assert document.kind is Kind.AZURE_MACHINE
