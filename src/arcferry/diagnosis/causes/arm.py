"""What Azure Resource Manager refuses: rights, providers, names, policies, locks, limits."""

from arcferry import command_line
from arcferry.command_line import Word
from arcferry.diagnosis.causes import named
from arcferry.diagnosis.causes.cause import Group
from arcferry.diagnosis.causes.coded import coded
from arcferry.diagnosis.finding import Command, Owner, command

_ROLE = "Azure Connected Machine Onboarding"
_PROVIDERS = ("Microsoft.HybridCompute", "Microsoft.GuestConfiguration", "Microsoft.HybridConnectivity")


def _scoped(group: Group) -> Word:
    """The resource group as a scope."""
    return command_line.resource_id(named.scope(group), "/subscriptions/SUBSCRIPTION/resourceGroups/GROUP")


def _group(group: Group) -> Word:
    return command_line.group(named.resource_group(group), "GROUP")


def _subscription(group: Group) -> Word:
    return command_line.guid(named.subscription(group), "SUBSCRIPTION")


def _assignment(group: Group) -> tuple[Command, ...]:
    who, scope = command_line.guid(named.principal(group), "OBJECT_ID"), _scoped(group)
    return (
        command(
            "az",
            "az role assignment list --assignee-object-id {who} --scope {scope} --include-inherited "
            "--fill-principal-name false --output table",
            who=who,
            scope=scope,
        ),
        command(
            "az",
            "az role assignment create --assignee-object-id {who} --assignee-principal-type ServicePrincipal "
            '--role "Azure Connected Machine Onboarding" --scope {scope}',
            who=who,
            scope=scope,
        ),
    )


def _registration(group: Group) -> tuple[Command, ...]:
    wanted = dict.fromkeys((named.provider(group), *_PROVIDERS))
    return tuple(
        command(
            "az",
            "az provider register --namespace {name} --subscription {subscription} --wait",
            name=command_line.word(name, "NAMESPACE"),
            subscription=_subscription(group),
        )
        for name in wanted
    )


def _machines(group: Group) -> tuple[Command, ...]:
    return (
        command(
            "az",
            "az resource list --resource-group {group} --resource-type Microsoft.HybridCompute/machines "
            "--output table",
            group=_group(group),
        ),
        Command("azcmagent", "azcmagent show"),
    )


def _what_was_refused(group: Group) -> str:
    action = named.action(group)
    return f"the action {action}" if action else "creating the machine"


def _policy(group: Group) -> str:
    return f"The policy assignment {named.policy(group)}" if named.policy(group) else "A policy"


FAMILY = (
    coded(
        "arm/not-authorized",
        "The identity may not do this in Azure",
        Owner.AZURE,
        f"Assign the role {_ROLE} to the identity, at the resource group.",
        steps=(
            (
                "A new assignment takes up to ten minutes to count; a token that was made before may "
                "have to be renewed."
            ),
            (
                "The role does not allow deleting: disconnecting with the machine's resource needs "
                "Azure Connected Machine Resource Administrator."
            ),
        ),
        commands=_assignment,
        subject="Azure Arc onboarding: a role assignment is missing",
        ask=lambda group: (
            f"The identity with object id {named.principal(group)} is refused {_what_was_refused(group)}.",
            f'Please assign it the role "{_ROLE}" at {named.scope(group)}.',
        ),
    ),
    coded(
        "arm/provider-not-registered",
        "The subscription is not registered with a resource provider that Azure Arc needs",
        Owner.AZURE,
        f"Register {', '.join(_PROVIDERS)} in the subscription, once.",
        steps=(
            (
                "Registering needs a right at the subscription (such as Contributor); the onboarding "
                "role has none."
            ),
        ),
        commands=_registration,
        subject="Azure Arc onboarding: please register the resource providers",
        ask=lambda group: (
            f"Subscription {named.subscription(group)} is not registered with {named.provider(group)}.",
            f"Please register {', '.join(_PROVIDERS)} in it. It is done once and costs nothing.",
        ),
    ),
    coded(
        "arm/name-taken",
        "A machine of this name exists already",
        Owner.AZURE,
        "Find out whether it is a remainder of this server, a clone, or another server of the same name.",
        steps=(
            (
                "A remainder: delete the machine in Azure, then connect again. Two servers: pass "
                "--resource-name."
            ),
            (
                "A clone of a connected server: azcmagent disconnect --force-local-only on the clone, "
                "then connect it "
                "under a name of its own."
            ),
            "The onboarding role may not delete; ask the owner of the resource group.",
        ),
        commands=_machines,
        subject="Azure Arc onboarding: a machine of this name is there already",
        ask=lambda group: (
            f"In {named.scope(group)} there is a machine of this name already.",
            (
                "Please tell us which server it belongs to, or delete it if it is Disconnected or "
                "Expired and a remainder."
            ),
        ),
    ),
    coded(
        "arm/name-reserved",
        "Azure does not allow this name",
        Owner.SERVER,
        "Pass another name with --resource-name; the server itself keeps its name.",
        steps=(
            "Words such as LOGIN, MICROSOFT and WINDOWS are reserved, at the start of a name or as a whole.",
            "At most 54 letters, digits, hyphens and underscores, not ending in a hyphen or underscore.",
        ),
        commands=lambda _: (
            Command("azcmagent", "azcmagent connect --resource-name NAME --config connect.json"),
        ),
    ),
    coded(
        "arm/region-not-available",
        "Azure does not offer this location for it",
        Owner.AZURE,
        "Choose a location that Azure Arc serves and that the subscription may use.",
        commands=lambda _: (
            Command(
                "az",
                (
                    "az provider show --namespace Microsoft.HybridCompute --query "
                    "\"resourceTypes[?resourceType=='machines'].locations\" --output json"
                ),
            ),
        ),
        subject="Azure Arc onboarding: which location may we use?",
        ask=lambda group: (
            (
                f"Subscription {named.subscription(group)} cannot create machines of Azure Arc at the "
                "location we gave."
            ),
            "Please name the location to use, or have the region opened for the subscription.",
        ),
    ),
    coded(
        "arm/policy-forbids",
        "A policy of Azure forbids the machine as it was asked for",
        Owner.AZURE,
        (
            "Meet the policy, most often with a tag, another location or another name, or have an "
            "exemption made."
        ),
        steps=("azcmagent connect --tags sets the tags that a policy asks for.",),
        commands=lambda group: (
            command(
                "az",
                "az policy assignment list --scope {scope} --disable-scope-strict-match --output table",
                scope=_scoped(group),
            ),
        ),
        subject="Azure Policy: the Azure Arc onboarding is denied",
        ask=lambda group: (
            (f"{_policy(group)} denies new machines of Azure Arc in {named.scope(group)}."),
            (
                "Please tell us what it asks for, or exempt Microsoft.HybridCompute/machines in this "
                "resource group."
            ),
        ),
    ),
    coded(
        "arm/locked",
        "A lock forbids the change",
        Owner.AZURE,
        "Have the lock lifted for the time of the roll-out, or use another resource group.",
        steps=(
            "A lock of the kind ReadOnly forbids new machines too; CanNotDelete forbids disconnecting only.",
        ),
        commands=lambda group: (
            command("az", "az lock list --resource-group {group} --output table", group=_group(group)),
        ),
        subject="Azure Arc onboarding: a lock is in the way",
        ask=lambda group: (
            f"A lock on {named.scope(group)}, or above it, forbids the change.",
            "Please lift it for the time of the roll-out, or name a resource group without one.",
        ),
    ),
    coded(
        "arm/limit-reached",
        "A limit of Azure is reached",
        Owner.AZURE,
        "Have the limit raised, or make room under it.",
        steps=("Every connected machine is an object in Entra ID and counts towards the directory's quota.",),
        commands=lambda _: (
            Command(
                "az",
                (
                    "az rest --method get --url https://graph.microsoft.com/beta/organization "
                    '--url-parameters select=directorySizeQuota --query "value[].directorySizeQuota"'
                ),
            ),
        ),
        subject="Azure Arc onboarding: a limit is reached",
        ask=lambda _: (
            (
                "Connecting further servers is refused, because a limit of the subscription, the "
                "resource group or the "
                "directory is reached."
            ),
            "Please have it raised, or tell us which remainders we may delete.",
        ),
    ),
    coded(
        "arm/group-missing",
        "The resource group does not exist",
        Owner.AZURE,
        "Create the resource group, or correct its name or the subscription.",
        commands=lambda group: (
            command(
                "az",
                "az group show --name {group} --subscription {subscription}",
                group=_group(group),
                subscription=_subscription(group),
            ),
            command(
                "az",
                "az group create --name {group} --subscription {subscription} --location REGION",
                group=_group(group),
                subscription=_subscription(group),
            ),
        ),
        subject="Azure Arc onboarding: the resource group is missing",
        ask=lambda group: (
            (
                f"The resource group {named.resource_group(group)} is not in subscription "
                f"{named.subscription(group)}."
            ),
            "Please create it, or tell us the right one.",
        ),
    ),
    coded(
        "arm/subscription-unusable",
        "The subscription is not there, not visible, or disabled",
        Owner.AZURE,
        "Pass the id of a subscription that is enabled and that this identity can see.",
        steps=("A subscription of another tenant looks the same as one that does not exist.",),
        commands=lambda _: (
            Command(
                "az",
                (
                    'az account list --all --query "[].{name:name, id:id, state:state, tenant:tenantId}" '
                    "--output table"
                ),
            ),
        ),
        subject="Azure Arc onboarding: the subscription cannot be used",
        ask=lambda group: (
            f"Subscription {named.subscription(group)} is not found, or it is disabled.",
            "Please check its state, and that the onboarding's identity has a role in it.",
        ),
    ),
    coded(
        "arm/throttled",
        "Azure asks for slower requests",
        Owner.SERVER,
        "Wait, then go on with fewer servers at once.",
        steps=("arcferry onboard waits as Azure asks; scripts that connect hundreds at once do not.",),
        commands=lambda _: (Command("arcferry", "arcferry onboard apply INVENTORY --concurrency 10"),),
    ),
    coded(
        "arm/unavailable",
        "Azure Resource Manager has a fault of its own",
        Owner.AZURE,
        "Try again later, and look at the health of Azure.",
        commands=lambda _: (
            Command(
                "az",
                'az rest --method get --url "https://management.azure.com/tenants?api-version=2022-12-01"',
            ),
        ),
        subject="Azure Resource Manager answers with a fault of its own",
        ask=lambda group: (
            (
                f"Requests for subscription {named.subscription(group)} end with a fault of Azure's own, "
                "repeatedly."
            ),
            "Please look at Service Health and open a case with Microsoft if it lasts.",
        ),
    ),
)
