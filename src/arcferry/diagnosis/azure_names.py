"""Names in the messages of Entra ID and Resource Manager, for commands that can be run as they are.

Messages may be in any language; ids, scopes and actions have one form everywhere. A name that is not there is
a placeholder in capitals, or empty if a sentence does without it.
"""

import re

_GUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_NAMES: dict[str, tuple[str, str]] = {
    "subscription": (rf"/subscriptions/({_GUID})", "SUBSCRIPTION"),
    # A group's name may hold parentheses, and a message may put the scope in parentheses: a name that ends at
    # one is not certain to be whole.
    "resource_group": (r"/resourceGroups/([A-Za-z0-9_.-]{1,90})(?![\w.()-])", "GROUP"),
    "provider": (
        r"\b(Microsoft\.(?:HybridCompute|GuestConfiguration|HybridConnectivity|AzureArcData|Compute))\b",
        "Microsoft.HybridCompute",
    ),
    "action": (r"\b(Microsoft\.[A-Za-z]{2,40}(?:/[A-Za-z]{2,60}){1,6})\b", ""),
    "principal": (rf"object id '?({_GUID})", "OBJECT_ID"),
    "application": (
        rf"(?:\bapp(?:lication)?\b|\bclient\b|appid)(?: with identifier)?[^0-9a-f\n]{{1,40}}({_GUID})",
        "CLIENT_ID",
    ),
    "tenant": (rf"tenant[^0-9a-f\n]{{0,12}}({_GUID})", "TENANT_ID"),
    "policy": (r"policyAssignments?/([A-Za-z0-9_.-]{1,90})", ""),
}
_AS_WRITTEN = ("provider", "action")
NAMES = tuple(_NAMES)
PROVIDERS = ("Microsoft.HybridCompute", "Microsoft.GuestConfiguration", "Microsoft.HybridConnectivity")
"""The resource providers that Azure Arc needs."""


def azure_name(name: str, messages: str) -> str:
    """The first name of this kind in the messages, or what stands in its place.

    Args:
        name: one of `NAMES`: `application` is its client id, `principal` the object id of the identity that
            was refused, `action` what it was refused, `policy` an assignment's name.
        messages: of Entra ID, Resource Manager or the agent.
    """
    pattern, otherwise = _NAMES[name]
    found = re.search(pattern, messages, 0 if name in _AS_WRITTEN else re.IGNORECASE)
    return found[1].rstrip(".") if found else otherwise
