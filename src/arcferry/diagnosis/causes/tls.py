"""TLS that something on the way replaces, or that does not come about."""

from datetime import MAXYEAR

from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.facts import Facts
from arcferry.diagnosis.finding import Command, Evidence, Owner, Remedy, Severity
from arcferry.diagnosis.material import Material
from arcferry.diagnosis.wording import letter, listed
from arcferry.probe.observation import Stage
from arcferry.times import to_text

A_DAY = 86_400.0


def failed_with(facts: Facts, *kinds: str) -> bool:
    """Whether TLS failed in one of these ways; in any way where none is named."""
    failure = facts.failure
    return failure is not None and failure.stage is Stage.TLS and (not kinds or failure.kind in kinds)


def _issuer(facts: Facts) -> str:
    tls = facts.latest.tls if facts.latest else None
    return tls.issuer if tls else ""


def _match(facts: Facts) -> Match:
    tls = facts.latest.tls if facts.latest else None
    if tls is None:
        return Match()
    says = (
        f"{facts.host} shows a certificate for {tls.subject or 'nobody'}, issued by {tls.issuer or 'nobody'}"
    )
    until = f", valid until {to_text(tls.not_after)}" if tls.not_after.year < MAXYEAR else ""
    origin = facts.latest.origin if facts.latest else ""
    return Match(signature=(tls.issuer,), evidence=(Evidence(origin, says + until),))


def _show(group: Group) -> tuple[Command, ...]:
    name = group.hosts[0]
    return (Command("sh", f"openssl s_client -connect {name}:443 -servername {name} -showcerts </dev/null"),)


def _bypass(group: Group) -> Remedy:
    issuer = _issuer(group.first) or "an authority that the public web does not trust"
    return Remedy(
        summary=(
            f"Exempt {listed(group.hosts)} from TLS inspection, or make the servers trust the inspecting CA."
        ),
        steps=(
            (
                f"The certificates come from {issuer}, not from Azure: something on the way opens the "
                "connection."
            ),
            (
                "Exempt Azure Arc's names from inspection. This is the way that also works for "
                "extensions, some of "
                "which accept Azure's own certificates only."
            ),
            (
                "Where inspection must stay, install its CA in each server's machine store, and check "
                "again with "
                "--ca-file."
            ),
            "A 403 that shows up behind an inspected connection is a consequence, not another fault.",
        ),
        commands=_show(group),
        request=letter(
            "TLS inspection: exempt the Azure Arc endpoints",
            [
                f"Connections from the Arc servers show certificates of {issuer}.",
                f"Please exempt: {listed(group.hosts, most=40)}.",
            ],
        ),
    )


INTERCEPTED = Cause(
    slug="tls/intercepted",
    title="The certificate comes from an authority that is not trusted: TLS is being inspected",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=lambda facts, _: _match(facts) if failed_with(facts, "certificate-untrusted") else None,
    headline=lambda group: (
        f"TLS to {group.subject} ends at {_issuer(group.first) or 'an authority that is not trusted'}, "
        "not at Azure"
    ),
    remedy=_bypass,
)


def _expired(facts: Facts, material: Material) -> Match | None:
    if not failed_with(facts, "certificate-expired") or abs(material.skew) > A_DAY:
        return None
    return _match(facts)


EXPIRED = Cause(
    slug="tls/certificate-expired",
    title="The certificate is out of date, or the server's clock is wrong",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_expired,
    headline=lambda group: f"The certificate of {group.subject} is not valid today",
    remedy=lambda group: Remedy(
        summary=(
            "Check the server's clock first; if it is right, a box on the way shows an expired certificate."
        ),
        steps=(
            (
                "Compare the server's clock with a good one: a clock that is days off makes valid "
                "certificates expire."
            ),
            (
                "Azure renews its certificates long before they end. With a right clock, look for the "
                "inspecting proxy "
                "or firewall whose own certificate has ended; the issuer names it."
            ),
        ),
        commands=(Command("powershell", "w32tm /query /status"), Command("sh", "timedatectl"), *_show(group)),
        request=letter(
            f"TLS: an expired certificate is shown for {group.subject}",
            [
                (
                    f"Issuer: {_issuer(group.first) or 'unknown'}. Please renew it, or exempt the names from "
                    "inspection."
                )
            ],
        ),
    ),
)
NAME_MISMATCH = Cause(
    slug="tls/name-mismatch",
    title="The certificate is for another name",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=lambda facts, _: _match(facts) if failed_with(facts, "name-mismatch") else None,
    headline=lambda group: f"Whatever answers for {group.subject} shows a certificate for another name",
    remedy=lambda group: Remedy(
        summary=(
            f"Find what answers in place of {listed(group.hosts)}: a wrong DNS record, NAT or a portal page."
        ),
        steps=(
            "Look the name up on the server and compare with a public resolver; look at the hosts file.",
            (
                "A block or sign-in page, a load balancer, or a private endpoint for another service "
                "shows its own name."
            ),
        ),
        commands=_show(group),
        request=letter(
            f"DNS or NAT: something else answers for {group.subject}",
            [
                *(f"{one.host} {one.address}".rstrip() for one in group.affected),
                "Please check where this leads to.",
            ],
        ),
    ),
)
HANDSHAKE_FAILED = Cause(
    slug="tls/handshake-failed",
    title="TCP connects, and no TLS session comes about",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=lambda facts, _: _match(facts) if failed_with(facts) else None,
    headline=lambda group: f"TCP to {group.subject} connects, but TLS does not come about",
    remedy=lambda group: Remedy(
        summary=(
            "Look for a middlebox that cuts TLS, then at the server's cipher suites; routing is not the "
            "cause."
        ),
        steps=(
            "The same failure at every endpoint means a middlebox, or the server's own TLS policy.",
            (
                "Agents 1.56 to 1.63 on Windows ask for AES-GCM suites with ECDHE for TLS 1.2, or TLS "
                "1.3: check the "
                "policy 'SSL Cipher Suite Order'."
            ),
            "A firewall that answers TCP itself and drops afterwards looks just like this: look at its log.",
        ),
        commands=(Command("powershell", "Get-TlsCipherSuite | Format-Table Name"), *_show(group)),
        request=letter(
            f"Firewall: TLS to {group.subject} is cut",
            [
                *(f"{one.host} {one.address}".rstrip() for one in group.affected),
                (
                    "TCP 443 connects and the TLS handshake is cut or never answered. Please check "
                    "inspection rules."
                ),
            ],
        ),
    ),
)

FAMILY = (INTERCEPTED, EXPIRED, NAME_MISMATCH, HANDSHAKE_FAILED)
