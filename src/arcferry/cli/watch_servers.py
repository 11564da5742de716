"""Watching from the servers of an inventory: how they are reached, and by whose script they look."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arcferry.cli import options
from arcferry.cli.bundle_shared import open_bundle
from arcferry.cli.inventory import EncodingOption, read
from arcferry.cli.onboard_options import HostOptions, quiet_libraries, sign_in_of
from arcferry.cli.options import is_on_command_line, option
from arcferry.cli.winrm import WinrmOptions
from arcferry.errors import InputError

if TYPE_CHECKING:
    from arcferry.catalog import Cloud, Region
    from arcferry.watch.watcher import Looks

_OWN_WAY = ("resolver", "proxy", "port")


@dataclass(frozen=True, kw_only=True)
class WatchedServers(HostOptions, WinrmOptions):
    """The servers that look, where they do."""

    inventory: Annotated[
        Path | None,
        option(
            "--inventory FILE",
            "Look from one server of each network of this inventory, as for onboard.",
            panel=options.HOSTS,
        ),
    ] = None
    inventory_encoding: EncodingOption = ""
    bundle: options.OptionalBundleOption = None
    bundle_key: options.OptionalBundleKeyOption = None
    allow_older: options.AllowOlderOption = ""

    def refuse_own_way(self, context: typer.Context) -> None:
        """Refuse what says how this machine looks, where servers do.

        Raises:
            InputError: one of these options was typed.
        """
        typed = [f"--{name}" for name in _OWN_WAY if is_on_command_line(context, name)]
        if typed:
            raise InputError(
                f"{' and '.join(typed)} with --inventory: servers look by their own resolvers and proxies",
                hint="Watch by resolvers in another run, with another --state; or leave them out.",
            )

    def looks(self, cloud: "Cloud", region: "Region", state: Path) -> "Looks":
        """A look from each network of the inventory, by the name of its history.

        Raises:
            InputError: an option or, as FileInputError, the inventory is wrong.
            BundleRefusedError: the bundle is not what its seal says.
        """
        from arcferry.fleet.by_host import Asking, looks
        from arcferry.fleet.measured import joined_scripts

        if self.inventory is None or self.bundle is None or self.bundle_key is None:
            hint = "Pass --bundle and --bundle-key: the sealed bundle holds the script that servers look by."
            raise InputError("servers look by the script of a bundle", hint=hint)
        quiet_libraries()
        hosts = read(self.inventory, self.inventory_encoding, cloud.name, self.how).hosts
        scripts = joined_scripts(
            open_bundle(self.bundle, self.bundle_key, state, self.allow_older, keeps=False)
        )
        return looks(hosts, Asking(cloud, region, scripts, sign_in_of(self, self, hosts)))
