"""One file of evidence from a server that arcferry does not reach: private, bounded, without secrets."""

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from arcferry.evidence.case import Kind
from arcferry.evidence.pack import cleaned
from arcferry.evidence.reading import read_document

if TYPE_CHECKING:
    from conftest import ClosedNetwork, PrivateRoot

SCRIPT = Path(__file__).parents[3] / "src/arcferry/bundle/hostscripts/linux.sh"
PLACE = ("eastasia", "AzureCloud")
HIMDS = "var/opt/azcmagent/log/himds.log"
LINE = (
    'time="2026-11-23T08:00:00Z" level=error msg="Get '
    "https://agentserviceapi.guestconfiguration.azure.com/: dial tcp 20.0.0.1:443: i/o timeout"
    '"\n'
)
SECRETS = (
    ("by http://svc:p/w!@proxy.corp:3128", "p/w!"),
    ('{"access-token": "short"}', "short"),
    ("Authorization: Bearer abcdefgh.ijkl", "ijkl"),
    ("eyJ0eXAiOiJKV1Qi.payload.sign", "payload"),
    ("password: hunter2", "hunter2"),
    ("CLIENT_SECRET=Zx9~q", "Zx9~q"),
    ("https://x.blob.core.windows.net/a?sv=2020&sig=AbC%3d", "AbC"),
    ("token: abcdefghijklmnopqrstuvwxyz", "ijkl"),
    ("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj", "MIIE"),
)
KEPT = (
    "error getting token: dial tcp 20.0.0.1:443: i/o timeout",
    "client secret: AADSTS7000215: Invalid client secret provided",
    "GET https://login.microsoftonline.com/common: 200",
)


def test_it_tells_facts_path_and_logs_and_the_pack_reads_it(
    dash: list[str], closed: "ClosedNetwork", agent_script: str
) -> None:
    closed.root.put("opt/azcmagent/bin/azcmagent", agent_script, 0o755)
    closed.root.put(HIMDS, LINE)
    closed.hosts["pas.windows.net"]["does"] = "refuse"
    answer = closed.run(dash, "evidence", *PLACE, "/web01.txt")
    path = closed.root.path / "web01.txt"
    data = path.read_bytes()
    assert (answer["verb"], answer["ok"], answer["file"]) == ("evidence", True, "/web01.txt")
    assert (answer["bytes"], path.stat().st_mode & 0o777) == (len(data), 0o600)
    facts = json.loads(data.splitlines()[0])
    assert (facts["verb"], facts["agent"]["version"]) == ("facts", "1.67.0")
    assert len(facts["path"]["endpoints"]) == 8
    kinds = {document.kind for document in read_document("web01.txt", data)}
    assert {Kind.ARCFERRY_CHECK, Kind.AGENT_LOG} <= kinds
    (packed,) = cleaned([("web01.txt", path)]).files
    assert LINE in packed.text


def test_it_is_bounded_and_written_without_an_agent_or_openssl(dash: list[str], root: "PrivateRoot") -> None:
    root.put(HIMDS, "x" * 40 + "\n" + (LINE * 20_000) + "the end\n")
    root.put("linux-network.sh", "")
    answer = root.run(dash, "evidence", *PLACE, "/e.txt")
    text = root.read("e.txt")
    assert (json.loads(text.splitlines()[0])["code"], answer["ok"]) == ("no-network-script", True)
    assert text.endswith("the end\n")
    assert len(text) < 1_200_000


def test_what_cannot_be_written_is_told(dash: list[str], root: "PrivateRoot") -> None:
    root.put("linux-network.sh", "")
    (root.path / "link").symlink_to("/etc/os-release")
    for name in ("/link", "/nowhere/e.txt"):
        assert root.run(dash, "evidence", *PLACE, name)["code"] == "no-file"
    assert "Debian" in root.read("etc/os-release")


def hidden(shell: list[str], text: str) -> str:
    """What the function of the script makes of a log."""
    script = SCRIPT.read_text(encoding="ascii")
    start = script.index("hide_secrets() {")
    body = script[start : script.index("\n}\n", start) + 3]
    done = subprocess.run(
        [*shell, "-c", f"{body}hide_secrets"], input=text, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout


def test_secrets_stay_on_the_server(shell: list[str]) -> None:
    found = hidden(shell, "".join(f"{line}\n" for line, _ in SECRETS)).splitlines()
    assert [secret for line, (_, secret) in zip(found, SECRETS, strict=True) if secret in line] == []
    assert all("[redacted]" in line for line in found)


@pytest.mark.parametrize("line", KEPT)
def test_the_words_of_errors_stay(dash: list[str], line: str) -> None:
    assert hidden(dash, f"{line}\n") == f"{line}\n"
