"""Sign-ins to Entra ID that fail."""

from arcferry import command_line
from arcferry.command_line import Word
from arcferry.diagnosis.causes import named
from arcferry.diagnosis.causes.cause import Group
from arcferry.diagnosis.causes.coded import coded
from arcferry.diagnosis.finding import Command, Owner, command


def _credentials(group: Group) -> tuple[Command, ...]:
    return (
        command("az", "az ad app credential list --id {id} --output table", id=_id(group)),
        _certificates(group),
    )


def _id(group: Group) -> Word:
    return command_line.guid(named.application(group), "CLIENT_ID")


def _certificates(group: Group) -> Command:
    return command("az", "az ad app credential list --id {id} --cert --output table", id=_id(group))


def _application(group: Group) -> str:
    return f"application {named.application(group)} in tenant {named.tenant(group)}"


FAMILY = (
    coded(
        "signin/secret-invalid",
        "Entra ID does not accept the client secret",
        Owner.IDENTITY,
        "Pass the value of a secret that is valid for this application, or a certificate.",
        steps=(
            (
                "The portal shows a secret's value once and its id always; passing the id is the most "
                "frequent slip."
            ),
            "A certificate, or a short-lived token made elsewhere, keeps secrets off the servers.",
        ),
        commands=_credentials,
        subject="Azure Arc onboarding: Entra ID does not accept the client secret",
        ask=lambda group: (
            f"The onboarding signs in as {_application(group)}, and its secret is refused.",
            "Please hand us a new secret for it on the agreed way, or register the certificate that we send.",
        ),
    ),
    coded(
        "signin/secret-expired",
        "The client secret has expired",
        Owner.IDENTITY,
        "Make a new secret or, better, register a certificate for the application.",
        steps=("Note the day on which the new one ends, and replace it before.",),
        commands=lambda group: (
            *_credentials(group),
            command("az", "az ad app credential reset --id {id} --append --years 1", id=_id(group)),
        ),
        subject="Azure Arc onboarding: the client secret has expired",
        ask=lambda group: (
            f"The secret of {_application(group)} has expired, and no further server can be connected.",
            "Please make a new one, valid for the time of the roll-out, or register a certificate.",
        ),
    ),
    coded(
        "signin/wrong-tenant",
        "The sign-in went to the wrong tenant or cloud",
        Owner.IDENTITY,
        "Pass the tenant that the subscription trusts, and its cloud.",
        steps=("The tenant's id is in the subscription's overview; --cloud has to be the tenant's own.",),
        commands=lambda group: (
            command(
                "az",
                "az account show --subscription {subscription} --query tenantId --output tsv",
                subscription=command_line.guid(named.subscription(group), "SUBSCRIPTION"),
            ),
        ),
        subject="Azure Arc onboarding: which tenant and which cloud?",
        ask=lambda group: (
            f"The sign-in went to tenant {named.tenant(group)} and was refused there.",
            "Please tell us the tenant and the cloud of the subscription, and an identity of that tenant.",
        ),
    ),
    coded(
        "signin/application-unknown",
        "The tenant does not know the application, or it is disabled there",
        Owner.IDENTITY,
        "Pass the application's client id of this tenant, and see that it is enabled.",
        steps=(
            (
                "Client id, object id of the application and object id of the service principal are "
                "three ids; the "
                "agent wants the first."
            ),
        ),
        commands=lambda group: (
            command(
                "az",
                'az ad sp show --id {id} --query "{name:displayName, enabled:accountEnabled}" --output json',
                id=_id(group),
            ),
        ),
        subject="Azure Arc onboarding: the service principal is unknown or disabled",
        ask=lambda group: (
            f"Entra ID does not know {_application(group)}, or it is disabled.",
            (
                "Please make a service principal for the onboarding in this tenant, or enable it, and "
                "tell us its client id."
            ),
        ),
    ),
    coded(
        "signin/conditional-access",
        "A Conditional Access policy stops the sign-in",
        Owner.IDENTITY,
        "Let the onboarding's service principal sign in from the address that the servers leave with.",
        steps=(
            "The sign-in log of Entra ID names the policy: look for the application and the time.",
            (
                "People cannot answer a second factor in an unattended roll-out: a service principal can "
                "sign in there."
            ),
            (
                "Where a policy allows named locations only, the address is the public one behind "
                "the NAT of the "
                "ExpressRoute circuit, not the internet's."
            ),
        ),
        commands=lambda group: (
            command(
                "az",
                "az rest --method get --url https://graph.microsoft.com/beta/auditLogs/signIns "
                "--url-parameters \"filter=signInEventTypes/any(t: t eq 'servicePrincipal') and "
                "appId eq '{id}'\" top=5",
                id=_id(group),
            ),
        ),
        subject="Conditional Access: the Azure Arc onboarding is blocked",
        ask=lambda group: (
            f"A Conditional Access policy stops the sign-in of {_application(group)}.",
            (
                "Please exclude this service principal from it, or add the public addresses of our "
                "ExpressRoute NAT "
                "to the named locations that it allows."
            ),
        ),
    ),
    coded(
        "signin/tenant-restricted",
        "The company's own proxy does not allow the sign-in to this tenant",
        Owner.NETWORK,
        "Add the tenant to those that the proxy allows.",
        steps=(
            "Such a proxy opens TLS to the sign-in names and adds a header with the tenants that it allows.",
            "Neither secret nor rights are wrong: the same sign-in passes on a path without this proxy.",
        ),
        subject="Tenant restrictions: please allow the tenant of our Azure Arc onboarding",
        ask=lambda group: (
            f"Entra ID refuses the sign-in of {_application(group)}.",
            "The proxy on its way names the tenants that may be signed in to, and this one is not there.",
            "Please add the tenant to that list, or let the sign-in names past the proxy without it.",
        ),
    ),
    coded(
        "signin/certificate-not-found",
        "The application does not know the certificate",
        Owner.IDENTITY,
        "Register the public part of the certificate with the application.",
        steps=("The thumbprint that is registered and the one of the file on the server have to be equal.",),
        commands=lambda group: (
            _certificates(group),
            Command("sh", "openssl x509 -in certificate.pem -noout -fingerprint -sha1 -dates"),
        ),
        subject="Azure Arc onboarding: please register our certificate",
        ask=lambda group: (
            f"Entra ID does not know the certificate with which {_application(group)} signs in.",
            "Please register the public certificate that is attached.",
        ),
    ),
    coded(
        "signin/token-rejected",
        "The access token is not valid, or not any more",
        Owner.IDENTITY,
        "Get a new token for the right tenant and audience, and see that the clocks agree.",
        steps=(
            (
                "A token lives for about an hour; one that was made before the roll-out has run out in "
                "the middle of it."
            ),
            "A clock that is wrong by more than five minutes makes good tokens invalid.",
        ),
        commands=lambda _: (
            Command(
                "az",
                (
                    "az account get-access-token --resource https://management.azure.com/ --query "
                    "expiresOn --output tsv"
                ),
            ),
            Command("powershell", "w32tm /query /status"),
            Command("sh", "timedatectl"),
        ),
        subject="Azure Arc onboarding: the access token is refused",
        ask=lambda _: (
            "The access token that the onboarding was given is refused as not valid.",
            (
                "Please tell us how it is made (tenant, audience, lifetime), or give us an identity to "
                "make our own with."
            ),
        ),
    ),
    coded(
        "signin/timed-out",
        "Nobody completed the sign-in in time",
        Owner.SERVER,
        "Run the command again and enter the code within five minutes, or use a service principal.",
        steps=(
            "The page for the code can be opened on any device that reaches it; it need not be the server.",
        ),
        commands=lambda _: (
            Command("azcmagent", "azcmagent connect --use-device-code --config connect.json"),
        ),
    ),
)
