"""What ends, and when: agents' support, silent machines, bundles, certificates, announced changes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

from cryptography import x509

from arcferry import catalog, command_line
from arcferry.azure import Identity, Machine, ServicePrincipal
from arcferry.azure.preflight.sign_in import ends_command
from arcferry.bundle import VersionRecord
from arcferry.errors import FileInputError
from arcferry.files import FILE_LIMIT, read_bounded
from arcferry.fleet.host_state import version_key
from arcferry.text import one_line
from arcferry.verify.standing import Verification

_AUTO_UPGRADE = "auto-upgrade"


class DueKind(StrEnum):
    """What ends."""

    AGENT = "agent-support"
    MACHINE = "machine-identity"
    BUNDLE = "bundle"
    CREDENTIAL = "credential"
    CERTIFICATE = "certificate"
    ANNOUNCED = "announced"


@dataclass(frozen=True, slots=True)
class Due:
    """One day of the calendar.

    Attributes:
        day: the first day on which it does not hold any more; of what is announced, its own day.
        key: what tells it from others of its kind, the same next time.
        source: who says so, and as of when.
        servers: those that it concerns, where it concerns some alone.
    """

    day: date
    kind: DueKind
    key: str
    title: str
    hint: str = ""
    source: str = ""
    servers: tuple[str, ...] = ()

    def days(self, today: date) -> int:
        """How many days are left; below 0 where it has passed."""
        return (self.day - today).days


@dataclass(frozen=True, slots=True)
class Unknown:
    """An end that is not known here, and who can tell."""

    what: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class AutoUpgrade:
    """A machine whose agent Azure is to upgrade, and the command that turns it off."""

    name: str
    failure: str
    turn_off: str


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The calendar as of a moment.

    Attributes:
        dues: the nearest first.
        scope: whose machines these are, so that two calendars keep their days apart.
        upgrades: machines with automatic upgrade.
        upgrade_needs: the names that it downloads from, which no route filter lets through.
        half: whether Azure did not say all that it was asked.
        refused: whether that is for want of a right.
    """

    at: datetime
    dues: tuple[Due, ...]
    unknown: tuple[Unknown, ...]
    scope: str = ""
    upgrades: tuple[AutoUpgrade, ...] = ()
    upgrade_needs: tuple[str, ...] = ()
    notes: Sequence[str] = ()
    half: bool = False
    refused: bool = False

    @property
    def today(self) -> date:
        """The day that it was made on."""
        return self.at.date()

    @property
    def over(self) -> tuple[Due, ...]:
        """What has ended already. What is announced is no fault of anybody's."""
        passed = (due for due in self.dues if due.days(self.today) <= 0)
        return tuple(due for due in passed if due.kind is not DueKind.ANNOUNCED)


def lifecycle(
    found: Verification | None,
    who: Identity | None,
    *,
    at: datetime,
    cloud: catalog.Cloud,
    state: Path,
    ca_file: Path | None,
) -> Lifecycle:
    """Everything that is known to end.

    Args:
        found: what Azure says of the machines; None where it was not asked.
        who: who signs in to Azure.
        at: now.
        cloud: whose announced changes are meant.
        state: the folder in which opened bundles are remembered.
        ca_file: the CA that Azure is reached through, where there is one.
    """
    machines = [row.machine for row in found.rows if row.machine] if found else []
    every = [
        *_agents(machines), *_machines(found), *_bundles(state), *_credential(who), *_ca(ca_file),
        *_announced(at.date(), cloud),
    ]  # fmt: skip
    dues = [one for one in every if isinstance(one, Due)]
    unknown = [one for one in every if isinstance(one, Unknown)]
    if found is None:
        unknown.insert(0, Unknown("agents: Azure was not asked", "Sign in, as for arcferry verify."))
    elif found.half:
        unknown.insert(
            0, Unknown("agents: Azure's answer is not whole", "arcferry verify says what it lacks.")
        )
    return Lifecycle(
        at, tuple(sorted(dues, key=lambda due: (due.day, due.kind, due.key))), tuple(unknown),
        f"{found.target.subscription_id}/{found.target.resource_group.lower()}" if found else "",
        tuple(_upgrades(machines)), _upgrade_needs(cloud),
        found.notes if found else (), bool(found and found.half), bool(found and found.refused),
    )  # fmt: skip


def _agents(machines: Iterable[Machine]) -> Iterator[Due | Unknown]:
    """When each version that is in use stops being supported."""
    groups: dict[tuple[int, ...], list[str]] = {}
    for machine in machines:
        groups.setdefault(version_key(machine.agent_version)[:2], []).append(machine.name)
    source = str(catalog.releases_source())
    for number, names in sorted(groups.items()):
        version = ".".join(map(str, number))
        release = catalog.release_of(version)
        what = f"{len(names)} agent{'s' if len(names) > 1 else ''}"
        if not number:
            yield Unknown(f"{what} of no known version, such as {names[0]}'s")
        elif release is None:
            newest = catalog.agent_releases()[-1]
            says = f"{what} of {version}, which is newer than the list of releases ({newest.version})"
            yield Unknown(says, "arcferry data update brings a newer catalogue.")
        else:
            by = "came out in" if release.version == version else "came out by"
            title = f"{what} of {version} out of Microsoft's support ({by} {release.month:%Y-%m})"
            hint = "arcferry bundle build --fetch brings a newer agent; arcferry upgrade installs it."
            yield Due(release.unsupported_from, DueKind.AGENT, version, title, hint, source, tuple(names))


def _machines(found: Verification | None) -> Iterator[Due]:
    """From when on each silent machine may be Expired."""
    days: dict[date, list[str]] = {}
    for row in found.rows if found else ():
        if row.expires:
            days.setdefault(row.expires.date(), []).append(row.name)
    for day, names in days.items():
        what = f"{len(names)} silent server{'s' if len(names) > 1 else ''}"
        hint = "arcferry verify names each with its cause. Once expired, it has to be connected anew."
        source = "Azure Arc-enabled servers overview, 2026-02-05: 45 days"
        title = f"{what} may lose the identity in Azure"
        yield Due(day, DueKind.MACHINE, f"{day}", title, hint, source, tuple(names))


def _bundles(state: Path) -> Iterator[Due | Unknown]:
    """When the newest bundle of each kind that was opened here is refused."""
    try:
        opened = VersionRecord(state, keeps=False).newest()
    except FileInputError as error:
        yield Unknown(f"bundles: {error.message}")
        return
    if not opened:
        yield Unknown("bundles: none was opened with this state folder")
    for one in opened:
        called = f"bundle {one.name or one.id} (version {one.version})"
        try:
            day = date.fromisoformat(one.expires)
        except ValueError:
            yield Unknown(f"{called}: opened before its end was kept", "arcferry bundle verify shows it.")
            continue
        hint = "arcferry bundle build makes the next one; what is installed from it goes on working."
        yield Due(day, DueKind.BUNDLE, one.name or one.id, f"{called} is refused", hint, f"opened {one.when}")


def _credential(who: Identity | None) -> Iterator[Due | Unknown]:
    """When what arcferry signs in with ends."""
    if not isinstance(who, ServicePrincipal):
        return
    if who.certificate_ends is not None:
        title = f"certificate of service principal {who.client_id} ends"
        hint = "Add a new one to the app registration before, and name it with --certificate."
        yield Due(who.certificate_ends.date(), DueKind.CREDENTIAL, who.client_id, title, hint)
        return
    what = "secret of the service principal: its end stands in Microsoft Graph, which was not asked"
    yield Unknown(what, ends_command(who.client_id))


def _ca(path: Path | None) -> Iterator[Due | Unknown]:
    """When the CA ends that Azure is reached through, as where a proxy inspects TLS."""
    if path is None:
        return
    try:
        found = x509.load_pem_x509_certificates(read_bounded(path, limit=FILE_LIMIT))
    except (FileInputError, ValueError):
        yield Unknown(f"CA file {path}: it cannot be read")
        return
    first = min(found, key=lambda one: one.not_valid_after_utc)
    name = one_line(first.subject.rfc4514_string(), limit=80)
    title = f"CA {name} of {path.name} ends"
    yield Due(first.not_valid_after_utc.date(), DueKind.CERTIFICATE, name, title)


def _announced(today: date, cloud: catalog.Cloud) -> Iterator[Due]:
    """What Microsoft has announced."""
    for one in catalog.ahead(today, cloud):
        what = f"{one.host} {one.says}" if one.host else one.says
        title = what if one.begins else f"last day: {what}"
        yield Due(one.day, DueKind.ANNOUNCED, one_line(what, limit=80), title, source=one.source)


def _upgrades(machines: Iterable[Machine]) -> Iterator[AutoUpgrade]:
    """Those with automatic upgrade. What turns it off is PowerShell's, as az has no command for it."""
    for machine in machines:
        if machine.auto_upgrade:
            command = command_line.line(
                "Update-AzConnectedMachine -Name {name} -ResourceGroupName {group} -SubscriptionId "
                "{subscription} -AgentUpgradeEnableAutomatic:$false",
                name=command_line.word(machine.name, "NAME"),
                group=command_line.group(machine.resource_group),
                subscription=command_line.guid(machine.subscription_id, "SUBSCRIPTION"),
            )
            yield AutoUpgrade(machine.name, machine.upgrade_failure, command)


def _upgrade_needs(cloud: catalog.Cloud) -> tuple[str, ...]:
    """The names that automatic upgrade downloads from and that a CDN or Front Door serves."""
    used = catalog.feature_endpoints(cloud, catalog.regions(cloud)[0], _AUTO_UPGRADE)
    return tuple(dict.fromkeys(one.host for one in used if one.carrier is catalog.Carrier.EDGE))
