"""Run every line of az that changes something with the real az, and keep what it sends.

    AZ=/tmp/az/bin/az .venv/bin/python -m tests.manual.az_sent

`az` signs in at, and talks to, a server of this script on the loopback address, which plays Entra ID,
Resource Manager and Graph as far as these lines ask. What is not a GET is kept in
`tests/commands/az-sent.json`, by the line; `tests/commands/test_az_sent.py` holds what arcferry prints
against it. A parser alone lets
`--add communities=VALUE` pass, which az then sends as something else, or not at all.
"""

import json
import os
import re
import shlex
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from tests.commands.az_sent_lines import KEPT, WRONG, to_run

AZ = os.environ.get("AZ", "az")
TENANT = "99999999-8888-7777-6666-555555555555"
SUBSCRIPTION = "22222222-3333-4444-5555-666666666666"
_GUID = re.compile(r"(?<=/roleAssignments/)[0-9a-f-]{36}")
FOUR, SIX = (
    f"/subscriptions/S/resourceGroups/G/providers/Microsoft.Network/routeFilters/{name}"
    for name in ("four", "six")
)
# What the circuit, the filter and its rule hold before each line: it must still be there afterwards.
RULE: dict[str, Any] = {
    "name": "allow",
    "properties": {
        "provisioningState": "Succeeded",
        "access": "Allow",
        "routeFilterRuleType": "Community",
        "communities": ["12076:5060", "12076:51030"],
    },
}
PEERING: dict[str, Any] = {
    "name": "MicrosoftPeering",
    "properties": {
        "peeringType": "MicrosoftPeering",
        "state": "Enabled",
        "peerASN": 65010,
        "vlanId": 300,
        "primaryPeerAddressPrefix": "198.51.100.0/30",
        "secondaryPeerAddressPrefix": "198.51.100.4/30",
        "microsoftPeeringConfig": {
            "advertisedPublicPrefixes": ["203.0.113.0/28"],
            "advertisedPublicPrefixInfo": [{"prefix": "203.0.113.0/28", "validationId": "invented"}],
            "advertisedCommunities": ["12076:5010"],
            "customerASN": 65011,
            "routingRegistryName": "APNIC",
            "legacyMode": 0,
        },
        "ipv6PeeringConfig": {
            "primaryPeerAddressPrefix": "2001:db8:1::/126",
            "secondaryPeerAddressPrefix": "2001:db8:2::/126",
            "routeFilter": {"id": SIX},
            "state": "Enabled",
        },
    },
}
CIRCUIT: dict[str, Any] = {
    "location": "eastasia",
    "sku": {"name": "Standard_MeteredData", "tier": "Standard", "family": "MeteredData"},
    "properties": {
        "serviceProviderProperties": {
            "serviceProviderName": "Contoso Carrier",
            "peeringLocation": "Amsterdam",
            "bandwidthInMbps": 1000,
        },
        "peerings": [
            {"name": PEERING["name"], "properties": PEERING["properties"] | {"routeFilter": {"id": FOUR}}}
        ],
        "allowClassicOperations": False,
        "globalReachEnabled": True,
    },
    "tags": {"owner": "network"},
}
APPLICATION = {"id": "77777777-0000-0000-0000-000000000000", "appId": TENANT, "passwordCredentials": []}
ANSWERS: tuple[tuple[str, object], ...] = (
    (r"/subscriptions", {"value": [
        {"id": f"/subscriptions/{SUBSCRIPTION}", "subscriptionId": SUBSCRIPTION, "tenantId": TENANT,
         "displayName": "one", "state": "Enabled"}
    ]}),
    (r"/locations", {"value": [{"name": "eastasia", "displayName": "East Asia"}]}),
    (r"/openid-configuration", {
        "issuer": "{base}/adfs", "authorization_endpoint": "{base}/a", "token_endpoint": "{base}/token"
    }),
    (r"/token", {"token_type": "Bearer", "expires_in": 3600, "access_token": "not-a-token"}),
    (r"/resource[gG]roups/[^/]+", {"location": "eastasia"}),
    (r"/routeFilterRules/[^/]+", RULE),
    (r"/routeFilters/[^/]+", {"location": "eastasia", "properties": {"rules": [RULE]}}),
    (r"/peerings/[^/]+", PEERING),
    (r"/expressRouteCircuits/[^/]+", CIRCUIT),
    (r"/roleDefinitions", {"value": [
        {"id": "/providers/Microsoft.Authorization/roleDefinitions/b64e21ea-ac4e-4cdf-9dc9-5b892992bee7"}
    ]}),
    (r"/providers/[\w.]+(/register)?", {"registrationState": "Registered", "resourceTypes": [
        {"resourceType": "machines", "apiVersions": ["2024-07-10"], "locations": []}
    ]}),
    (r"/addPassword", {"secretText": "invented", "keyId": TENANT}),
    (r"/applications", {"value": [APPLICATION]}),
    (r"/applications/[^/]+", APPLICATION),
)  # fmt: skip


class Azure(BaseHTTPRequestHandler):
    """Answers by the end of the path, and keeps what changes something."""

    sent: list[dict[str, Any]]
    base: str

    def _answer(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        if self.command != "GET" and not url.path.endswith("/token"):
            body = json.loads(data) if data else None
            path = f"{_GUID.sub('NEW', url.path)}?{url.query}".rstrip("?")
            self.sent.append({"method": self.command, "path": path, "body": body})
        found = next((doc for end, doc in ANSWERS if re.search(f"{end}/?$", url.path)), {})
        if self.command in ("PUT", "PATCH"):
            found = {"id": url.path, **json.loads(data or b"{}")}
        text = json.dumps(found).replace("{base}", self.base).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = do_HEAD = _answer  # noqa: N815 - the base's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def azure(folder: Path) -> Iterator[tuple[dict[str, str], list[dict[str, Any]]]]:
    """The environment of an az that is signed in at the server, and what it sends."""
    key, certificate = folder / "key.pem", folder / "ca.pem"
    made = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*made, *named, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Azure)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    Azure.sent, Azure.base = [], f"https://localhost:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    env = os.environ | {
        "AZURE_CONFIG_DIR": str(folder / "config"),
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "REQUESTS_CA_BUNDLE": str(certificate),
        "NO_PROXY": "localhost",
    }
    endpoints = ("active-directory", "active-directory-resource-id", "resource-manager", "management")
    graphs = ("active-directory-graph-resource-id", "microsoft-graph-resource-id")
    where = [word for name in (*endpoints, *graphs) for word in (f"--endpoint-{name}", _endpoint(name))]
    _az(env, "cloud", "register", "--name", "here", "--skip-endpoint-discovery", *where)
    _az(env, "cloud", "set", "--name", "here")
    who = ("--username", SUBSCRIPTION, "--password", "invented", "--tenant", TENANT)
    _az(env, "login", "--service-principal", *who)
    try:
        yield env, Azure.sent
    finally:
        server.shutdown()


def _endpoint(name: str) -> str:
    return f"{Azure.base}/adfs" if name == "active-directory" else f"{Azure.base}/"


def _az(env: dict[str, str], *words: str) -> None:
    done = subprocess.run([AZ, *words], env=env, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        sys.exit(f"az {' '.join(words)}\n{done.stderr}")


def main() -> None:
    """Run the lines, and write what was sent."""
    said = json.loads(subprocess.run([AZ, "version"], capture_output=True, text=True, check=True).stdout)
    kept: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, azure(Path(folder)) as (env, sent):
        for line in to_run():
            sent.clear()
            _az(env, *line.argv)
            kept[line.text] = list(sent)
            print(line.text, *map(json.dumps, sent), sep="\n  ")  # noqa: T201 - to be read while it runs
        wrong = {}
        for text in WRONG:
            sent.clear()
            done = subprocess.run(
                [AZ, *shlex.split(text)], env=env, capture_output=True, text=True, check=False, timeout=300
            )
            wrong[text] = {"status": done.returncode, "sent": list(sent)}
    about = {"version": said["azure-cli"], "taken": datetime.now(UTC).date().isoformat()}
    KEPT.write_text(json.dumps({**about, "sent": kept, "wrong": wrong}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
