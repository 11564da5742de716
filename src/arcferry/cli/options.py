"""Options that several commands share: one spelling, one environment name, one help text each."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Output(StrEnum):
    """The forms in which a command gives its data."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


LOCATION_VARIABLE = "ARCFERRY_LOCATION"
"""Where a location is set once for every command that asks for one."""

LocationOption = Annotated[
    str,
    typer.Option(
        "--location",
        "-l",
        envvar=LOCATION_VARIABLE,
        metavar="REGION",
        help="The Azure region where the machines are to appear, such as eastasia.",
    ),
]

CloudOption = Annotated[
    str,
    typer.Option("--cloud", metavar="CLOUD", help="AzureCloud, AzureUSGovernment or AzureChinaCloud."),
]

OutputOption = Annotated[
    Output,
    typer.Option("--output", "-o", help="A table for people, one JSON document, or one JSON object a line."),
]

ResolverOption = Annotated[
    str | None,
    typer.Option(
        "--resolver",
        envvar="ARCFERRY_RESOLVER",
        metavar="IP[:PORT]",
        help="Ask this DNS server instead of the system's own; answers differ by resolver.",
    ),
]

ProxyOption = Annotated[
    str | None,
    typer.Option(
        "--proxy",
        envvar="ARCFERRY_PROXY",
        metavar="URL",
        help="Go through this HTTP proxy, such as http://proxy.example:8080; it then resolves the names.",
    ),
]

CaFileOption = Annotated[
    Path | None,
    typer.Option(
        "--ca-file",
        envvar="ARCFERRY_CA_FILE",
        metavar="FILE",
        help="Trust the CA certificates in this file too, such as an inspecting proxy's.",
    ),
]

PortOption = Annotated[
    int | None,
    typer.Option(
        "--port",
        envvar="ARCFERRY_PORT",
        metavar="N",
        help="Reach endpoints on this port instead of 443, where a forwarder stands between.",
    ),
]

WithOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--with",
        metavar="FILE",
        help="Judge by this too: a route filter, circuit, route table, service tags, community list. May be "
        "repeated. What arcferry data holds is used without being named.",
    ),
]
