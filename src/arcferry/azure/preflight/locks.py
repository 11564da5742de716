"""Locks: one that makes things read-only keeps machines from being made."""

from arcferry import command_line
from arcferry.azure.arm import Document, properties
from arcferry.azure.preflight.check import (
    Inquiry,
    PreflightCheck,
    Subject,
    Topic,
    hindrance,
    ok,
    unknown,
    warning,
)
from arcferry.errors import NotFoundError, PermissionDeniedError
from arcferry.language import marked
from arcferry.text import one_line

TOPIC = Topic(marked("locks"))
OF_SUBSCRIPTION = Topic(marked("locks"), Subject.SUBSCRIPTION)
_VERSION = "2020-05-01"
_PART = "/providers/microsoft.authorization/locks/"
_LIST = "az lock list --resource-group {group} --subscription {subscription} --output table"
_LIST_ALL = "az lock list --subscription {subscription} --output table"


async def locks(asked: Inquiry) -> list[PreflightCheck]:
    """What of the group and the subscription is locked; a lock on one resource in them is not of interest."""
    unseen, found = list[str](), dict[str, Document]()
    for place, command in ((asked.group, asked.line(_LIST)), (asked.subscription, asked.line(_LIST_ALL))):
        try:
            path = f"{place}/providers/Microsoft.Authorization/locks"
            listed = await asked.get_list(path, _VERSION, "read the locks")
        except (PermissionDeniedError, NotFoundError):
            unseen.append(command)
            continue
        for lock in listed:
            identity = str(lock.get("id") or "").lower()
            if identity.partition(_PART)[0] in {asked.group.lower(), asked.subscription.lower()}:
                found[identity] = lock
    checks = [check for lock in found.values() if (check := _told(asked, lock))]
    if unseen:
        whose = "the group and the subscription" if len(unseen) > 1 else "the subscription"
        whose = "the group" if unseen == [asked.line(_LIST)] else whose
        checks.append(unknown(TOPIC, f"this identity may not read the locks of {whose}", unseen[-1]))
    return checks or [ok(TOPIC, "neither the group nor the subscription is locked")]


def _told(asked: Inquiry, lock: Document) -> PreflightCheck | None:
    level = str(properties(lock).get("level") or "").lower()
    name = one_line(str(lock.get("name") or "without a name"), limit=80)
    identity = lock.get("id")
    on_group = str(identity).lower().startswith(f"{asked.group.lower()}/")
    topic = TOPIC if on_group else OF_SUBSCRIPTION
    place = f"resource group {asked.session.target.resource_group}" if on_group else "the subscription"
    if level == "readonly":
        command = command_line.line(
            "az lock delete --ids {lock}", lock=command_line.resource_id(identity, "LOCK-ID")
        )
        says = f"lock {name} makes {place} read-only: no machine can be made"
        return hindrance(topic, says, "Whoever set it decides; an owner takes it away by:", command)
    if level == "cannotdelete":
        says = (
            f"lock {name} on {place} keeps machines from being deleted: servers can be connected, not removed"
        )
        return warning(topic, says, "Whoever set it lifts it where servers are to be taken away again.")
    return None
