"""Azure's own command line against the twin: what works, as a table.

    python3 -m venv .az && .az/bin/pip install azure-cli
    .venv/bin/python scripts/az_twin.py .az/bin/az

Run by hand, as azure-cli is no dependency of arcferry. The twin starts for it and ends with it; az gets a
folder for its settings and no other way to Azure. Each line is one command as a person would type it; what is
expected to be refused names Azure's code. The exit code is 1 where a line went otherwise.
"""

import asyncio
import os
import sys
import tempfile
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from arcferry_lab.azure.roles import ROLES
from arcferry_lab.twin import RESOURCE_GROUP, Twin, TwinSettings

_ROUTE_FILTER = "rf-microsoft-peering"
_MICROSOFT = "--circuit-name er-onprem -n MicrosoftPeering -g {group}"
_LINK = "--path primary --peering-name MicrosoftPeering -n er-onprem -g {group}"
_NEW = "--bandwidth 50 --peering-location Taipei --provider Contoso -n er-new -g rg-az"
_WITHIN = "--filter-name rf-new -n allow -g rg-az"
_GRAPH = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
_COUNT = '{{"query":"resources|where\\u0020type=~\'microsoft.hybridcompute/machines\'|count"}}'
_JOIN = '{{"query":"resources|join"}}'
_READER = (
    "--role acdd72a7-3385-48ef-bd42-f606fba81ae7 --assignee-object-id {principal} "
    "--assignee-principal-type ServicePrincipal --scope /subscriptions/{subscription}/resourceGroups/rg-az"
)
_MACHINE = (
    "/subscriptions/{subscription}/resourceGroups/rg-az/providers/Microsoft.HybridCompute/machines/web01"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One command of az.

    Attributes:
        text: its words, with places for the twin's names.
        code: Azure's code where it is to be refused, empty where it is to work.
    """

    text: str
    code: str = ""


SIGN_IN = (
    "cloud register --name twin --endpoint-resource-manager {arm}",
    "cloud set --name twin",
    "login --service-principal --username {client} --password @{secret} --tenant {tenant}",
)
LINES = (
    Line("account show"),
    Line("account list-locations"),
    Line("group create -n rg-az -l eastasia --tags site=one"),
    Line("group show -n rg-az"),
    Line("group list"),
    Line("group update -n rg-az --set tags.site=two"),
    Line("group exists -n rg-az"),
    Line("provider list"),
    Line("provider show -n Microsoft.HybridCompute"),
    Line("provider register -n Microsoft.HybridCompute"),
    Line("network route-filter list"),
    Line(f"network route-filter show -n {_ROUTE_FILTER} -g {{group}}"),
    Line("network route-filter rule list-service-communities"),
    Line("network route-filter create -n rf-new -g rg-az -l eastasia"),
    Line(f"network route-filter rule create {_WITHIN} --access Allow --communities 12076:5060 12076:51012"),
    Line("network route-filter rule list --filter-name rf-new -g rg-az"),
    Line(f"network route-filter rule update {_WITHIN} --add communities 12076:5070"),
    Line(f"network route-filter rule show {_WITHIN}"),
    Line("network route-filter update -n rf-new -g rg-az --tags site=one"),
    Line(f"network route-filter delete -n {_ROUTE_FILTER} -g {{group}}", "InUseRouteFilterCannotBeDeleted"),
    Line("network express-route list"),
    Line("network express-route show -n er-onprem -g {group}"),
    Line("network express-route get-stats -n er-onprem -g {group}"),
    Line(f"network express-route list-route-tables {_LINK}"),
    Line(f"network express-route list-route-tables-summary {_LINK}"),
    Line(f"network express-route list-arp-tables {_LINK}"),
    Line("network express-route update -n er-onprem -g {group} --sku-tier Standard"),
    Line("network express-route delete -n er-onprem -g {group}", "ConflictError"),
    Line("network express-route peering list --circuit-name er-onprem -g {group}"),
    Line(f"network express-route peering show {_MICROSOFT}"),
    Line(f"network express-route peering get-stats {_MICROSOFT}"),
    Line(f"network express-route peering update {_MICROSOFT} --route-filter {{other_filter}}"),
    Line(f"network express-route create {_NEW} --sku-tier Premium --sku-family MeteredData"),
    Line("network express-route delete -n er-new -g rg-az"),
    Line("resource list --resource-type Microsoft.Network/routeFilters"),
    Line("resource list -g rg-az"),
    Line("resource show --ids {other_filter}"),
    Line("rest --method put --url " + _MACHINE + '?api-version=2025-01-13 --body {{"location":"eastasia"}}'),
    Line("resource show --api-version 2025-01-13 --ids " + _MACHINE),
    Line("resource show --api-version 2020-01-01 --ids " + _MACHINE, "NoRegisteredProviderFound"),
    Line(f"rest --method post --url {_GRAPH} --body {_COUNT}"),
    Line(f"rest --method post --url {_GRAPH} --body {_JOIN}", "ParserFailure"),
    Line("network route-filter delete -n rf-new -g rg-az", "InUseRouteFilterCannotBeDeleted"),
    Line(f"network express-route peering update {_MICROSOFT} --route-filter {{own_filter}}"),
    Line("network route-filter rule delete " + _WITHIN),
    Line("network route-filter delete -n rf-new -g rg-az"),
    Line("lock create -n keep -g rg-az --lock-type CanNotDelete"),
    Line("lock list -g rg-az"),
    Line("group delete -n rg-az --yes", "ScopeLocked"),
    Line("lock delete -n keep -g rg-az"),
    Line("policy definition list"),
    Line("policy assignment list -g rg-az"),
    Line(f"role assignment create {_READER}"),
    Line("role assignment list -g rg-az --fill-principal-name false"),
    Line("role definition list -g rg-az"),
    Line("group delete -n rg-az --yes"),
    Line("group show -n rg-az", "ResourceGroupNotFound"),
)


async def main(az: str) -> int:
    """Run every line; returns the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        async with Twin.start(TwinSettings(Path(folder) / "twin")) as twin:
            twin.client.roles = (ROLES["owner"],)  # as locks and roles take more than a contributor's
            environment = _environment(twin, Path(folder))
            values = _values(twin)
            for text in SIGN_IN:
                code, _, err = await _run(az, text.format(**values).split(), environment)
                if code:
                    print(f"az {text.split()[0]}: {err}")
                    return 1
            wrong = 0
            for line in LINES:
                words = line.text.format(**values).split()
                code, _, err = await _run(az, words, environment)
                good = (line.code in err and code != 0) if line.code else code == 0
                wrong += not good
                shown = line.code or "works"
                print(f"{'ok ' if good else 'BAD'} {shown:32} az {_short(line.text)}", flush=True)
                if not good:
                    print(f"    exit {code}: {err.strip()[-600:]}")
    print(f"{len(LINES) - wrong} of {len(LINES)} as expected")
    return 1 if wrong else 0


def _environment(twin: Twin, folder: Path) -> dict[str, str]:
    return os.environ | {
        "AZURE_CONFIG_DIR": str(folder / "az"),
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "AZURE_CORE_COLLECT_TELEMETRY": "false",
        "AZURE_CORE_ONLY_SHOW_ERRORS": "true",
        "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
        "REQUESTS_CA_BUNDLE": str(twin.paths.ca),
    }


def _values(twin: Twin) -> dict[str, str]:
    azure = twin.azure
    base = f"/subscriptions/{azure.subscription_id}/resourceGroups"
    filters = "providers/Microsoft.Network/routeFilters"
    return {
        "arm": azure.arm_url,
        "authority": azure.authority,
        "client": twin.client.client_id,
        "principal": twin.client.object_id,
        "secret": str(twin.paths.secret),
        "tenant": azure.tenant_id,
        "subscription": azure.subscription_id,
        "group": RESOURCE_GROUP,
        "own_filter": f"{base}/{RESOURCE_GROUP}/{filters}/{_ROUTE_FILTER}",
        "other_filter": f"{base}/rg-az/{filters}/rf-new",
    }


async def _run(az: str, words: list[str], environment: dict[str, str]) -> tuple[int, str, str]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        az, *words, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


def _short(text: str) -> str:
    return " ".join(takewhile(lambda word: not word.startswith("-"), text.split()))


if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit(__doc__)
    sys.exit(asyncio.run(main(sys.argv[1])))
