"""The types in which a cause's named values enter a command line: nothing of a document gets in as it is."""

from collections.abc import Callable, Mapping
from functools import partial

from arcferry import command_line
from arcferry.command_line import Word
from arcferry.diagnosis.words import PLACEHOLDERS
from arcferry.routing.filter_change import FILTER_UNKNOWN


def _reference(value: object) -> Word:
    """A route filter as a circuit's command takes it: its name within the circuit's own group, or its id."""
    whole = "/" in str(value)
    make = command_line.resource_id if whole else command_line.resource
    return make(value, FILTER_UNKNOWN)


TYPES: Mapping[str, Callable[[object], Word]] = {
    "host": command_line.host,
    "address": command_line.address,
    "proxy": command_line.proxy,
    "community": command_line.community,
    "resolver": command_line.server,
    "resolver_port": lambda value: command_line.port(value if isinstance(value, int) else 0),
    "circuit": partial(command_line.resource, otherwise="CIRCUIT"),
    "circuit_group": command_line.group,
    "sku_family": partial(command_line.word, otherwise="SKU-FAMILY"),
    "msees": partial(command_line.address, otherwise=PLACEHOLDERS["msee"]),
    "msee": partial(command_line.address, otherwise=PLACEHOLDERS["msee"]),
    "received_network": partial(command_line.address, otherwise="PREFIX"),
    "arc_location": command_line.location,
    "machine": partial(command_line.resource, otherwise="MACHINE"),
    "agent_proxy": command_line.proxy,
    "communities": command_line.community,
    "subscription": partial(command_line.guid, otherwise="SUBSCRIPTION"),
    "resource_group": partial(command_line.group, otherwise="GROUP"),
    "scope": partial(command_line.resource_id, otherwise="/subscriptions/SUBSCRIPTION/resourceGroups/GROUP"),
    "principal": partial(command_line.guid, otherwise="OBJECT_ID"),
    "application": partial(command_line.guid, otherwise="CLIENT_ID"),
    "providers": partial(command_line.word, otherwise="NAMESPACE"),
    "near": partial(command_line.location, otherwise="REGION"),
    "code": partial(command_line.word, otherwise="CODE"),
    "filter": partial(command_line.resource, otherwise=FILTER_UNKNOWN),
    "filter_group": command_line.group,
    "to_attach": _reference,
    "attached_ids": partial(command_line.resource_id, otherwise="ID"),
    "attached_names": partial(command_line.resource, otherwise=FILTER_UNKNOWN),
    "denying_rules": partial(command_line.resource, otherwise="RULE-THAT-DENIES"),
}
