"""What somebody with this network would hand in: the check's own output, and Azure's documents."""

import json
from collections.abc import Iterable

from arcferry import catalog
from arcferry.diagnosis import Diagnosis, judge
from arcferry.evidence.case import Document
from arcferry.evidence.reading import read_document
from arcferry.probe.https import check
from arcferry.probe.step import ProbeSettings
from arcferry.report.check import document
from arcferry_lab.azure.circuits import circuit
from arcferry_lab.azure.network import route_filters
from arcferry_lab.twin import Twin


def azure_documents(twin: Twin) -> dict[str, bytes]:
    """The files as `az … show` and the download pages give them, by name."""
    found = {
        twin.paths.service_tags.name: twin.azure.service_tags,
        twin.paths.communities.name: twin.azure.bgp_communities,
        **{f"route-filter-{one['name']}.json": one for one in route_filters(twin.azure)},
        "circuit.json": circuit(twin.azure),
    }
    return {name: json.dumps(content).encode() for name, content in found.items()}


async def checked(twin: Twin, *, proxied: bool) -> bytes:
    """What `arcferry check --output json` prints, from here."""
    cloud = catalog.cloud("AzureCloud")
    settings = ProbeSettings(
        resolver=twin.network.resolver,
        proxy=twin.network.proxy if proxied else None,
        ca_file=twin.paths.ca,
        port=twin.network.port,
    )
    result = await check(cloud, catalog.region(twin.azure.location, cloud), settings)
    return json.dumps(document(result)).encode()


def diagnosed(files: Iterable[tuple[str, bytes]]) -> Diagnosis:
    """The findings of these files, each read as if it had been handed in."""
    documents: list[Document] = []
    for name, data in files:
        documents += read_document(name, data)
    return judge(documents)
