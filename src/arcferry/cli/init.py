import os
from pathlib import Path

import typer

from arcferry.cli.site import NAME
from arcferry.errors import FileInputError

TEMPLATE = """\
# What holds for every arcferry command in this folder and those beneath it.
# A key is an option's name; an option stands above the environment (ARCFERRY_...), and that above this file.
# Paths are taken from the folder of this file. Secrets have no place here: name where they lie.

# Azure
#cloud = "AzureCloud"                # AzureUSGovernment, AzureChinaCloud
#location = "eastasia"
#location-unlisted = true            # the location is newer than this arcferry's list
#tenant-id = "00000000-0000-0000-0000-000000000000"
#subscription-id = "00000000-0000-0000-0000-000000000000"
#resource-group = "rg-arc"
#tags = ["site=taipei", "role=web"]  # for every machine; those of the inventory come on top

# Who signs in, and where its secret lies: one of the three
#client-id = "00000000-0000-0000-0000-000000000000"
#secret-file = "secret.txt"          # readable by its owner alone
#secret-env = "AZURE_CLIENT_SECRET"  # the variable's name
#certificate = "arcferry.pem"

# The network
#proxy = "http://proxy.example:8080"
#resolver = "10.0.0.53"
#ca-file = "inspecting-proxy.pem"
#circuit = "er-taipei"               # the ExpressRoute circuit, as Azure names it

# The bundle, and the servers
#bundle-key = "seal.pub"
#known-hosts = "known_hosts"
#ssh-key = "~/.ssh/id_ed25519"
#user = "root"
"""


def init() -> None:
    """Write a commented arcferry.toml into this folder: the settings of your site, typed once.

    Commands find it here and in every folder beneath, or by --config. A file that is there stays as it is.
    """
    path = Path(NAME)
    try:
        # Made anew or not at all, also if another process makes it at the same moment.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        raise FileInputError(path.absolute(), "is there already, and stays as it is") from None
    except OSError as error:
        raise FileInputError(path.absolute(), error.strerror or "cannot be written") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(TEMPLATE)
    typer.echo(str(path.absolute()))
    typer.echo("hint: take the # away before what you fill in", err=True)
