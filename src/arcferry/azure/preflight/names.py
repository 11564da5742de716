"""Names that are taken, and how many machines there are to be."""

from arcferry.azure.preflight.check import Inquiry, PreflightCheck, Topic, ok, unknown, warning
from arcferry.diagnosis.finding import Owner
from arcferry.language import marked

NAMES = Topic(marked("names"))
QUOTA = Topic(marked("quota"), owner=Owner.IDENTITY)

_SHOWN = 5
_DIRECTORY = (
    "az rest --method get --url https://graph.microsoft.com/beta/organization "
    '--url-parameters select=directorySizeQuota --query "value[].directorySizeQuota" --output json'
)


async def names(asked: Inquiry) -> list[PreflightCheck]:
    """Which of the wanted names are machines already; no question of its own is asked of Azure."""
    if not asked.wanted.machines or asked.machines is None:
        return []
    held = [asked.machines[name.lower()] for name in asked.wanted.machines if name.lower() in asked.machines]
    group = asked.session.target.resource_group
    if not held:
        many = len(asked.wanted.machines)
        says = f"none of the {many} names is" if many > 1 else "the one name is not"
        return [ok(NAMES, f"{says} a machine in {group} yet")]
    shown = ", ".join(f"{one.name} ({one.status or 'no status'})" for one in held[:_SHOWN])
    more = f" and {len(held) - _SHOWN} more" if len(held) > _SHOWN else ""
    of = f"{len(held)} of {len(asked.wanted.machines)}"
    says = f"{of} names are machines in {group} already: {shown}{more}"
    hint = (
        "Right where they are the same servers, from an earlier run or by another hand. A server that only "
        "has the same name cannot be connected by it: rename it in the inventory."
    )
    return [warning(NAMES, says, hint)]


async def quota(asked: Inquiry) -> list[PreflightCheck]:
    """How full the group and the directory are.

    Azure Arc sets no number of machines a group or a subscription any more (its documents had 5,000 a group
    until 2023-02-02). Each machine is an object of the directory, which by default holds 50,000, or 300,000
    with a verified domain (Microsoft Entra service limits, 2024-07-15).
    """
    if not asked.wanted.machines or asked.machines is None:
        return []
    new = sum(name.lower() not in asked.machines for name in asked.wanted.machines)
    if not new:
        return [ok(QUOTA, "no new machine would be made")]
    says = (
        f"{new} new {'machine' if new == 1 else 'machines'} beside the {len(asked.machines)} in the group, "
        "which has no limit; each is an object of Entra ID, whose directory holds 50,000 or 300,000: how "
        "full it is, Microsoft Graph knows"
    )
    return [unknown(QUOTA, says, _DIRECTORY, who="Whoever may read the directory")]
