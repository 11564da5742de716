"""Names out of the messages of Entra ID and Resource Manager, for commands that can be run as they are.

Messages may be in any language; ids, scopes and actions have one form everywhere. What is not there, or not
safe to stand in a command, becomes a placeholder in capitals.
"""

import re
from itertools import chain

from arcferry.diagnosis.causes.cause import Group
from arcferry.diagnosis.causes.coded import said

_GUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_SUBSCRIPTION = re.compile(rf"/subscriptions/({_GUID})", re.IGNORECASE)
_GROUP = re.compile(r"/resourceGroups/([A-Za-z0-9_.()-]{1,90})", re.IGNORECASE)
_PROVIDER = re.compile(
    r"\b(Microsoft\.(?:HybridCompute|GuestConfiguration|HybridConnectivity|AzureArcData|Compute))\b"
)
_ACTION = re.compile(r"\b(Microsoft\.[A-Za-z]{2,40}(?:/[A-Za-z]{2,60}){1,6})\b")
_PRINCIPAL = re.compile(rf"object id '?({_GUID})", re.IGNORECASE)
_APPLICATION = re.compile(
    rf"(?:\bapp(?:lication)?\b|\bclient\b|appid)[^0-9a-f\n]{{1,40}}({_GUID})", re.IGNORECASE
)
_TENANT = re.compile(rf"tenant[^0-9a-f\n]{{0,12}}({_GUID})", re.IGNORECASE)
_POLICY = re.compile(r"policyAssignments?/([A-Za-z0-9_.-]{1,90})", re.IGNORECASE)
_SAFE_GROUP = re.compile(r"[A-Za-z0-9_.-]{1,90}")


def _whole(group: Group) -> str:
    """The messages, then what the agent says of itself: its resource id names subscription and group."""
    states = chain.from_iterable(state.properties for state in group.case.agents)
    return "\n".join((said(group), *(item for key, item in states if "id" in key)))


def _first(pattern: re.Pattern[str], group: Group, otherwise: str) -> str:
    found = pattern.search(_whole(group))
    return found[1] if found else otherwise


def subscription(group: Group) -> str:
    """The subscription's id, or `SUBSCRIPTION`."""
    return _first(_SUBSCRIPTION, group, "SUBSCRIPTION")


def resource_group(group: Group) -> str:
    """The resource group's name, or `GROUP`."""
    name = _first(_GROUP, group, "GROUP").rstrip(".")
    return name if _SAFE_GROUP.fullmatch(name) else "GROUP"


def scope(group: Group) -> str:
    """The resource group as a scope."""
    return f"/subscriptions/{subscription(group)}/resourceGroups/{resource_group(group)}"


def action(group: Group) -> str:
    """The action that was refused, or an empty text."""
    return _first(_ACTION, group, "")


def principal(group: Group) -> str:
    """The object id of the identity that was refused, or `OBJECT_ID`."""
    return _first(_PRINCIPAL, group, "OBJECT_ID")


def application(group: Group) -> str:
    """The application's id, or `CLIENT_ID`."""
    return _first(_APPLICATION, group, "CLIENT_ID")


def tenant(group: Group) -> str:
    """The tenant's id, or `TENANT_ID`."""
    return _first(_TENANT, group, "TENANT_ID")


def provider(group: Group) -> str:
    """The resource provider that the message names, or the one of Azure Arc's machines."""
    return _first(_PROVIDER, group, "Microsoft.HybridCompute")


def policy(group: Group) -> str:
    """The policy assignment that the message names, or an empty text."""
    return _first(_POLICY, group, "")
