"""TLS sessions that come about and prove the wrong thing: by whom, for whom, from when until when."""

from datetime import MAXYEAR

from arcferry import command_line
from arcferry.diagnosis.causes.cause import Cause, Group, Match
from arcferry.diagnosis.destination import Destination
from arcferry.diagnosis.finding import Command, Confidence, Evidence, Owner, Remedy, Severity, command
from arcferry.diagnosis.wording import letter, listed
from arcferry.evidence.case import Case
from arcferry.evidence.document import CodeSeen
from arcferry.probe.observation import Stage
from arcferry.times import to_text

A_DAY = 86_400.0
_PUBLIC_ISSUERS = ("microsoft", "digicert", "globalsign")
_REVOCATION_CODES = ("80092012", "80092013", "revocation_offline", "no_revocation_check")
_TIMELY = ("certificate-expired", "certificate-not-yet-valid")


def failed_with(facts: Destination, *kinds: str) -> bool:
    """Whether TLS failed in one of these ways; in any way where none is named."""
    failure = facts.failure
    return failure is not None and failure.stage is Stage.TLS and (not kinds or failure.kind in kinds)


def is_about_time(facts: Destination) -> bool:
    """Whether a certificate was refused for its dates."""
    return failed_with(facts, *_TIMELY)


def _issuer(facts: Destination) -> str:
    return facts.tls.issuer if facts.tls else ""


def _shown(facts: Destination) -> Match:
    """A match for each issuer, with the certificate as evidence."""
    tls = facts.tls
    if tls is None:
        return Match()
    says = (
        f"{facts.host} shows a certificate for {tls.subject or 'nobody'}, issued by {tls.issuer or 'nobody'}"
    )
    until = f", valid until {to_text(tls.not_after)}" if tls.not_after.year < MAXYEAR else ""
    origin = facts.latest.origin if facts.latest else ""
    return Match(signature=(tls.issuer,), evidence=(Evidence(origin, says + until),))


def show_certificate(group: Group) -> Command:
    """How to see the certificate with what every server has."""
    name = command_line.host(group.hosts[0])
    return command(
        "sh", "openssl s_client -connect {name}:443 -servername {name} -showcerts </dev/null", name=name
    )


def _by_a_public_ca(facts: Destination) -> bool:
    """Whether the issuer bears the name of an authority that Azure uses."""
    return any(name in _issuer(facts).lower() for name in _PUBLIC_ISSUERS)


def _untrusted_root(facts: Destination, _: Case) -> Match | None:
    if not failed_with(facts, "certificate-untrusted") or not _by_a_public_ca(facts):
        return None
    shown = _shown(facts)
    return Match(Confidence.EXPECTED, ("root",), shown.evidence)


UNTRUSTED_ROOT = Cause(
    slug="tls/untrusted-root",
    title="The certificate bears the name of Azure's own authority, and its root is not trusted here",
    severity=Severity.ERROR,
    owner=Owner.SERVER,
    applies=_untrusted_root,
    headline=lambda group: (
        f"The root of {_issuer(group.first)} is not trusted, so {group.subject} is refused"
    ),
    remedy=lambda group: Remedy(
        summary="Put the missing root certificates into the server's machine store.",
        steps=(
            (
                "Azure's certificates end in DigiCert Global Root G2 or one of Microsoft's RSA and ECC "
                "roots of 2017. A server without internet does not fetch roots by itself."
            ),
            (
                "Bring the root over in a file, compare its thumbprint with the authority's own page, "
                "and import it into the machine's store, not the user's."
            ),
            (
                "A name proves nothing: compare the thumbprint of what is shown with that seen from "
                "elsewhere. An inspecting device can copy the name."
            ),
        ),
        commands=(
            Command(
                "powershell", r"Get-ChildItem Cert:\LocalMachine\Root | Sort-Object Subject | ft Subject"
            ),
            Command("sh", "sudo update-ca-certificates --fresh"),
            show_certificate(group),
        ),
    ),
)


def _intercepted(facts: Destination, _: Case) -> Match | None:
    return _shown(facts) if failed_with(facts, "certificate-untrusted", "self-signed") else None


def _inspector(group: Group) -> str:
    return _issuer(group.first) or "an authority that is not trusted"


INTERCEPTED = Cause(
    slug="tls/intercepted",
    title="The certificate comes from an authority that is not trusted: TLS is being inspected",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_intercepted,
    headline=lambda group: f"TLS to {group.subject} ends at {_inspector(group)}, not at Azure",
    remedy=lambda group: Remedy(
        summary=f"Exempt {listed(group.hosts)} from TLS inspection, or make the servers trust its CA.",
        steps=(
            (
                f"The certificates come from {_inspector(group)}, not from Azure: something on the way "
                "opens the connection."
            ),
            (
                "Exempt Azure Arc's names from inspection. This is the way that also works for "
                "extensions, some of which accept Azure's own certificates only."
            ),
            (
                "Where inspection must stay, install its CA in each server's machine store, and check "
                "again with --ca-file."
            ),
            "A 403 that shows up behind an inspected connection is a consequence, not another fault.",
        ),
        commands=(show_certificate(group),),
        request=letter(
            "TLS inspection: exempt the Azure Arc endpoints",
            [
                f"Connections from the Arc servers show certificates of {_inspector(group)}.",
                f"Please exempt: {listed(group.hosts, most=40)}.",
            ],
        ),
    ),
)


def _expired(facts: Destination, case: Case) -> Match | None:
    if not failed_with(facts, "certificate-expired") or abs(case.skew) > A_DAY:
        return None
    return _shown(facts)


def _not_yet_valid(facts: Destination, case: Case) -> Match | None:
    if not failed_with(facts, "certificate-not-yet-valid") or abs(case.skew) > A_DAY:
        return None
    return _shown(facts)


def _check_dates(group: Group, wrong: str) -> Remedy:
    return Remedy(
        summary=f"Check the server's clock; if it is right, a box on the way shows a certificate {wrong}.",
        steps=(
            (
                "Compare the server's clock with a good one: a clock that is days off makes valid "
                "certificates look out of date."
            ),
            (
                "With a right clock, look for the inspecting proxy or firewall whose own certificate "
                "this is; the issuer names it. Azure renews its certificates long before they end."
            ),
        ),
        commands=(
            Command("powershell", "w32tm /query /status"),
            Command("sh", "timedatectl"),
            show_certificate(group),
        ),
        request=letter(
            f"TLS: a certificate {wrong} is shown for {group.subject}",
            [
                f"Names: {listed(group.hosts, most=40)}.",
                f"Issuer: {_issuer(group.first) or 'unknown'}. The servers' clock is right.",
                "Please renew it, or exempt the names from inspection.",
            ],
        ),
    )


EXPIRED = Cause(
    slug="tls/expired",
    title="The certificate has ended",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_expired,
    headline=lambda group: f"The certificate of {group.subject} has ended",
    remedy=lambda group: _check_dates(group, "that has ended"),
)
NOT_YET_VALID = Cause(
    slug="tls/not-yet-valid",
    title="The certificate is not valid yet",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_not_yet_valid,
    headline=lambda group: f"The certificate of {group.subject} is not valid yet",
    remedy=lambda group: _check_dates(group, "that is not valid yet"),
)


def _mismatch(facts: Destination, _: Case) -> Match | None:
    return _shown(facts) if failed_with(facts, "name-mismatch") else None


NAME_MISMATCH = Cause(
    slug="tls/name-mismatch",
    title="The certificate is for another name",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_mismatch,
    headline=lambda group: f"Whatever answers for {group.subject} shows a certificate for another name",
    remedy=lambda group: Remedy(
        summary=f"Find what answers in place of {listed(group.hosts)}: a wrong record, NAT or a portal page.",
        steps=(
            "Look the name up on the server and compare with a public resolver; look at the hosts file.",
            (
                "A block or sign-in page, a load balancer, or a private endpoint for another service "
                "shows its own name."
            ),
        ),
        commands=(show_certificate(group),),
        request=letter(
            f"DNS or NAT: something else answers for {group.subject}",
            [
                *(f"- {one.host} {one.address}".rstrip() for one in group.affected),
                *(f"- {line.says}" for line in group.match.evidence[:6]),
                "Please check where this leads to.",
            ],
        ),
    ),
)


def _incomplete(facts: Destination, _: Case) -> Match | None:
    return _shown(facts) if failed_with(facts, "incomplete-chain") else None


INCOMPLETE_CHAIN = Cause(
    slug="tls/incomplete-chain",
    title="The certificate's issuer was not sent, and is not known here",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_incomplete,
    headline=lambda group: f"{group.subject} shows a certificate without its issuer, {_inspector(group)}",
    remedy=lambda group: Remedy(
        summary="Have the whole chain sent, or bring the issuer's certificate to the servers.",
        steps=(
            (
                "Azure sends its intermediate certificates. Where one is missing, something on the way "
                "(inspection, a load balancer) answers in its place with half a chain: correct it there."
            ),
            (
                "Windows would fetch the issuer from the address in the certificate; a server without "
                "internet cannot. As a makeshift, import the intermediate into the machine's store."
            ),
        ),
        commands=(
            show_certificate(group),
            Command(
                "powershell",
                r"Import-Certificate -FilePath issuer.crt -CertStoreLocation Cert:\LocalMachine\CA",
            ),
        ),
        request=letter(
            f"TLS: an incomplete certificate chain for {group.subject}",
            [
                (
                    f"{listed(group.hosts, most=40)}: the server's certificate is sent without its issuer "
                    f"({_inspector(group)})."
                ),
                "Which device answers here? Please let it send the whole chain, or exempt these names.",
            ],
        ),
    ),
)


def _offline(text: str) -> bool:
    return any(code in text.lower() for code in _REVOCATION_CODES)


def _no_revocation(facts: Destination, _: Case) -> Match | None:
    return Match() if facts.failure and failed_with(facts) and _offline(facts.failure.says) else None


def _told(code: CodeSeen) -> Evidence:
    return Evidence(code.origin, f"{code.code}: {code.says}".rstrip(": "), code.taken)


def _revocation_told(case: Case) -> tuple[Match, ...]:
    told = [code for code in case.codes if _offline(f"{code.code} {code.says}")]
    return (Match(evidence=tuple(_told(code) for code in told)),) if told else ()


REVOCATION_UNREACHABLE = Cause(
    slug="tls/revocation-unreachable",
    title="Whether a certificate was revoked cannot be asked: the revocation lists are not reachable",
    severity=Severity.ERROR,
    owner=Owner.NETWORK,
    applies=_no_revocation,
    concerns=_revocation_told,
    headline=lambda _: "Revocation of certificates cannot be checked: the lists' servers are not reachable",
    remedy=lambda _: Remedy(
        summary="Give the servers a way to the revocation servers over HTTP, or make that check a soft one.",
        steps=(
            (
                "Lists and OCSP answers come over HTTP, port 80, from names that ExpressRoute does not carry "
                "(CDN): oneocsp.microsoft.com, crl3.digicert.com, crl4.digicert.com, ocsp.digicert.com, "
                "www.microsoft.com/pkiops."
            ),
            (
                "Windows asks them through WinHTTP: the agent's own proxy setting does not count there. "
                "Set it with netsh winhttp set proxy, with these names only."
            ),
            "A call that waits for them takes some 15 to 30 seconds before it goes on or fails.",
        ),
        commands=(
            Command("powershell", "certutil -urlcache * delete; certutil -verify -urlfetch certificate.cer"),
            Command("powershell", "netsh winhttp show proxy"),
        ),
        request=letter(
            "Proxy: revocation lists for the Arc servers (HTTP, port 80)",
            [
                "Please allow HTTP from the Arc servers to oneocsp.microsoft.com, crl3.digicert.com,",
                "crl4.digicert.com, ocsp.digicert.com and www.microsoft.com/pkiops/*, through the proxy.",
            ],
        ),
    ),
)

FAMILY = (
    INTERCEPTED,
    UNTRUSTED_ROOT,
    INCOMPLETE_CHAIN,
    EXPIRED,
    NOT_YET_VALID,
    NAME_MISMATCH,
    REVOCATION_UNREACHABLE,
)
