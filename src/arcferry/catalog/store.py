"""What the catalogue holds, and reading it from its dated TOML files, each at most once in a process."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).with_name("data")
FILES = ("azcm", "clouds", "communities", "endpoints", "msiexec", "regions")
_adopted: dict[str, "CatalogFile"] = {}


class Steering(StrEnum):
    """Who decides which address a name answers with."""

    TRAFFIC_MANAGER = "traffic-manager"
    FRONT_DOOR = "front-door"
    CDN = "cdn"
    NONE_KNOWN = "none-known"


class Carrier(StrEnum):
    """The Azure service behind an endpoint, as far as routing cares."""

    ARC = "arc"
    ENTRA = "entra"
    ARM = "arm"
    REGIONAL = "regional"
    EDGE = "edge"


class When(StrEnum):
    """The moment at which the agent needs an endpoint."""

    INSTALL = "install"
    CONNECT = "connect"
    ALWAYS = "always"
    FEATURE = "feature"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fact comes from and the day it was true."""

    text: str
    taken: date

    def __str__(self) -> str:
        """The source and its day, for a reader."""
        return f"{self.text}, {self.taken}"


@dataclass(frozen=True, slots=True)
class Cloud:
    """One Azure cloud.

    Attributes:
        name: as `azcmagent --cloud` takes it, such as `AzureCloud`.
        authority: Entra's sign-in URL.
        arm: Azure Resource Manager's URL, which is also its token audience.
        discovery_host: the host that tells a region's own HIS name.
        service_tag_cloud: the `cloud` field of this cloud's service-tag file.
    """

    name: str
    authority: str
    arm: str
    discovery_host: str
    his_suffix: str
    service_tag_cloud: str
    source: Source


@dataclass(frozen=True, slots=True)
class Region:
    """One Azure region, by its ARM name.

    Attributes:
        his_code: the short name in its HIS host, None where unknown. A hint only: the discovery call decides.
        his_code_status: how sure the code is, such as `verified-official` or `unknown`.
        gas_status: how sure its guest-configuration name is: `verified`, `documented` or `pattern`.
        note: what else is worth knowing, such as restricted access; often empty.
    """

    name: str
    display: str
    cloud: str
    his_code: str | None
    his_code_status: str
    gas_status: str
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A name that Azure Arc requires, or that one of its features uses.

    Attributes:
        host: a concrete host name. Empty for a regional HIS host before discovery.
        when: the moment the agent needs it.
        required: whether the agent fails without it at that moment.
        private_link: whether an Arc private link scope can serve it.
        steering: who decides which address it answers with.
        carrier: the service behind it, which decides the communities that can carry it.
        discovered: whether the host is learned from the discovery call.
        features: the features that use it, such as `esu` or `sql`; empty for the agent's core alone.
        since: the first day on which that is so; None for what was always so.
        until: the last one; None where no end is known.
        answers_in: where it answers, if neither name nor service says so: an ARM region, `unknown`, or the
            service tags that hold its answers, `tags:A,B`.
        locations: the machines' regions in which it is used; empty for all.
    """

    host: str
    port: int
    purpose: str
    when: When
    required: bool
    private_link: bool
    steering: Steering
    carrier: Carrier
    discovered: bool
    source: Source
    features: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    answers_in: str = ""
    locations: tuple[str, ...] = ()

    @property
    def placed_by(self) -> tuple[str, ...]:
        """The service tags whose regions are those in which it may answer; empty where none say so."""
        kind, _, tags = self.answers_in.partition(":")
        return tuple(tags.split(",")) if kind == "tags" else ()

    @property
    def place_is_unknown(self) -> bool:
        """Whether no document says where it answers."""
        return self.answers_in == "unknown"

    def holds_on(self, day: date) -> bool:
        """Whether it is used on this day."""
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)

    @property
    def at_the_edge(self) -> bool:
        """Whether Front Door or a CDN serves it, which Microsoft peering carries nowhere."""
        return self.carrier is Carrier.EDGE or self.steering in (Steering.FRONT_DOOR, Steering.CDN)

    @property
    def url(self) -> str:
        """As `azcmagent check` prints it."""
        return f"https://{self.host}"


@dataclass(frozen=True, slots=True)
class Code:
    """A code of the agent (`AZCM0026`), Windows Installer (`1603`), Entra ID, Windows, curl …, or a service.

    Attributes:
        code: as it is printed.
        exit_code: what the process ends with; 1 for what the Windows installation script only prints; None
            for a code that is no process's.
        family: who says it: `agent`, `install-script`, `msiexec`, `msi-error`, `entra`, `arm`,
            `powershell`, `winhttp`, `winsock`, `win32`, `hresult`, `curl`; `service` of the agent; or
            `words` of any program.
        phase: what was being done, such as `network` or `install`.
        retry: whether the same command may well succeed later, with nothing changed.
        outcome: `success`, `reboot` (success, after a restart) or `failure`.
        cause: the slug of the cause that it means; empty where the code alone does not tell.
        yields: what explains this code better than it does itself; see `catalog/data/azcm.toml`.
        only_with: a pattern without which the words beside the code do not mean `cause`; empty for none.
        pattern: of the family `words`, what is looked for in a line; see `catalog/data/words.toml`.
        beside: a second pattern, for another line of the same run; empty for none.
        beats: codes of Entra ID that these words explain.
    """

    code: str
    exit_code: int | None
    family: str
    phase: str
    meaning: str
    remedy: str
    retry: bool
    source: str
    outcome: str = "failure"
    cause: str = ""
    yields: tuple[str, ...] = ()
    only_with: str = ""
    pattern: str = ""
    beside: str = ""
    beats: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The code with whoever says it, where its number alone would not tell."""
        said_by = {"msi-error": "msi error"}.get(self.family, self.family)
        return f"{said_by} {self.code}" if self.code.isdigit() else self.code


@dataclass(frozen=True, slots=True)
class DocumentedCommunity:
    """One BGP community value as Microsoft documents it.

    Attributes:
        value: such as `12076:51010`.
        name: such as `East Asia` or `Microsoft Entra ID`.
        kind: `region`, `storage`, `sql`, `cosmos-db`, `backup`, `private-peering` or `service`.
        region: ARM name of the region, empty for a service community.
        service_tag_region: the region as service tags spell it (`centralfrance`), empty for a service.
        carrier: the `Carrier` of a service that it carries wherever its addresses lie; else empty.
        needs_authorization: whether Microsoft must allow its use (Microsoft 365).
    """

    value: str
    name: str
    kind: str
    cloud: str
    source: str
    region: str = ""
    service_tag_region: str = ""
    carrier: str = ""
    needs_authorization: bool = False


@dataclass(frozen=True, slots=True)
class CatalogFile:
    """One file of the catalogue.

    Attributes:
        source: what the file as a whole rests on, and the day that was true.
        sources: further sources, by the short key that rows name them with.
        content: everything in the file, as TOML gives it.
    """

    source: Source
    sources: dict[str, Source]
    content: dict[str, Any]


def _parsed(content: Mapping[str, Any]) -> CatalogFile:
    sources = {key: Source(**value) for key, value in content.get("sources", {}).items()}
    return CatalogFile(Source(content["source"], content["taken"]), sources, dict(content))


@cache
def built_in(name: str) -> CatalogFile:
    """The catalogue file `name`, without its ending, as arcferry came with it."""
    return _parsed(tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8")))


def load(name: str) -> CatalogFile:
    """The catalogue file `name`, without its ending; the adopted one where there is one."""
    return _adopted.get(name) or built_in(name)


def replace(name: str, content: Mapping[str, Any] | None) -> None:
    """Take `content`, already checked, for the catalogue file `name`; None takes the built-in one again.

    Whatever was made of the old one elsewhere stays: see `requirements.adopt`.
    """
    if content is None:
        _adopted.pop(name, None)
    else:
        _adopted[name] = _parsed(content)


def dated() -> date:
    """The day up to which the whole catalogue is known to have been true: its oldest file's."""
    return min(load(name).source.taken for name in FILES)
