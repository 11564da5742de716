"""The subscription: that it exists, and that it lets anything be made."""

from arcferry.azure.mapping import COMPARE_SUBSCRIPTION, LIST_SUBSCRIPTIONS, missing, unreadable
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
from arcferry.azure.target import AzureTarget
from arcferry.errors import NotFoundError, PermissionDeniedError
from arcferry.language import marked
from arcferry.text import one_line

TOPIC = Topic(marked("subscription"), Subject.SUBSCRIPTION)
_VERSION = "2022-12-01"
_ASK = 'az account list --all --query "[].{name:name, id:id, state:state, tenant:tenantId}" --output table'
_MAY_MAKE = frozenset(("enabled", "active", "pastdue"))
"""Of Azure's subscription states (learn.microsoft.com, 2025-01-08); Warned lets nothing be made either."""


async def subscription(asked: Inquiry) -> list[PreflightCheck]:
    """Whether it is there and enabled."""
    doing = "read the subscription"
    number = asked.session.target.subscription_id
    try:
        found = await asked.get(asked.subscription, _VERSION, doing)
    except NotFoundError as error:
        if missing(error) != "subscription":
            raise
        return [missing_subscription(asked.session.target)]
    except PermissionDeniedError:
        return [unknown(TOPIC, f"this identity may not read subscription {number} itself", _ASK)]
    state = found.get("state")
    if not isinstance(state, str):
        raise unreadable(doing, "it does not say the subscription's state")
    called = one_line(str(found.get("displayName") or number), limit=80)
    if state.lower() not in _MAY_MAKE:
        says = f"subscription {called} is {one_line(state, limit=40)}: nothing can be made in it"
        return [hindrance(TOPIC, says, "Its billing owner enables it again: Azure portal, Subscriptions.")]
    if state.lower() == "pastdue":
        says = f"subscription {called} has an unpaid bill, and is disabled if it stays so"
        return [warning(TOPIC, says, "Its billing owner pays it: Azure portal, Cost Management.")]
    return [ok(TOPIC, f"{called} is enabled")]


def missing_subscription(target: AzureTarget) -> PreflightCheck:
    """There is no such subscription, or it is another tenant's, or not seen."""
    says = f"there is no subscription {target.subscription_id}, or this identity cannot see it"
    return hindrance(TOPIC, says, COMPARE_SUBSCRIPTION, LIST_SUBSCRIPTIONS)
