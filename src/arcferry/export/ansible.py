"""The export for Ansible: a project with a real collection, the bundle beside it, and no secret."""

from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from arcferry import __version__
from arcferry import bundle as bundles
from arcferry.errors import InputError
from arcferry.export.ansible_hosts import ansible_hosts
from arcferry.export.content import BUNDLE
from arcferry.export.options import WAIT, ExportOptions
from arcferry.export.steps import as_html, page_text
from arcferry.files import packaged, write_whole

COLLECTION = PurePosixPath("ansible_collections/arcferry/onboard")
"""Where the collection lies in an export; Ansible wants exactly these folders."""

SETTINGS = PurePosixPath("group_vars/all/arcferry.yml")

INVENTORY = PurePosixPath("inventory.yml")

_INVENTORY_HEAD = "# A server's name here becomes its machine's name in Azure. No password belongs in here.\n"
_SETTINGS_HEAD = "# Where the servers go in Azure, and which bundle they get. No secret belongs in here.\n"


def write_ansible(options: ExportOptions, folder: Path) -> None:
    """Write the project: playbook, settings, inventory, collection and bundle.

    Args:
        options: what is asked for. A sign-in is refused: Ansible takes a token on the control node.
        folder: made if it does not exist; what it holds already is not looked at.

    Raises:
        InputError: a way to sign in was given.
        BundleRefusedError: a file of the bundle changed since it was opened.
        FileInputError: the disk is full, or the folder cannot be written.
    """
    if options.sign_in is not None:
        raise InputError(
            "Ansible takes no --certificate-thumbprint and no --token-file",
            hint="Its role takes a token on the control node: see STEPS.md in the export.",
        )
    templates = resources.files("arcferry.export") / "ansible_collection"
    for name, data in packaged(templates / "project"):
        write_whole(folder / name, data)
    for name, data in packaged(templates / "collection"):
        write_whole(folder / COLLECTION / name, data.replace(b"{{arcferry_version}}", __version__.encode()))
    (folder / "results").mkdir(exist_ok=True)
    steps = page_text("ansible")
    write_whole(folder / "STEPS.md", steps.encode())
    write_whole(folder / "STEPS.html", as_html(steps).encode())
    if options.inventory is not None:
        hosts = _verbatim(ansible_hosts(options.inventory, options.tags))
        write_whole(folder / INVENTORY, _INVENTORY_HEAD.encode() + _yaml(hosts))
    write_whole(folder / SETTINGS, _SETTINGS_HEAD.encode() + _yaml(_settings(options)))
    bundles.copy_bundle(options.bundle, folder / BUNDLE)


def _settings(options: ExportOptions) -> dict[str, Any]:
    target = options.target
    always = {
        "onboard_tenant_id": target.tenant_id,
        "onboard_subscription_id": target.subscription_id,
        "onboard_resource_group": target.resource_group,
        "onboard_location": target.location,
        "onboard_cloud": target.cloud.name,
        "onboard_bundle_sha256": options.bundle.manifest.sha256,
        "onboard_tags": _verbatim(dict(options.tags)),
    }
    given = {
        "onboard_proxy": options.proxy,
        "onboard_private_link_scope": options.private_link_scope,
        "onboard_gateway_id": options.gateway_id,
        "onboard_upgrades": options.upgrades,
        "onboard_windows_bundle": f"{options.share}\\{BUNDLE}" if options.share.startswith("\\\\") else "",
    }
    waits = {"onboard_wait_seconds": options.wait} if options.wait != WAIT else {}
    return always | {name: value for name, value in given.items() if value} | waits


class _Verbatim(str):
    """A text that Ansible must not take for a template."""

    __slots__ = ()


def _verbatim(value: Any) -> Any:  # noqa: ANN401  # mappings of whatever is written
    """The same, with every text that Ansible would take for a template marked as none."""
    if isinstance(value, dict):
        return {name: _verbatim(inner) for name, inner in value.items()}
    return _Verbatim(value) if isinstance(value, str) and "{" in value else value


class _Dumper(yaml.SafeDumper):
    """YAML as Ansible's own linter wants it: lists are indented."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """As in the base class, except that it would put a list at its key's depth."""
        del indentless
        super().increase_indent(flow, indentless=False)


_Dumper.add_representer(
    _Verbatim, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style="'")
)


def _yaml(document: dict[str, Any]) -> bytes:
    text: str = yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, explicit_start=True, width=110
    )
    return text.encode()
