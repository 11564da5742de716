import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, ConfigDict, Field, TypeAdapter, ValidationError

from arcferry import times
from arcferry.errors import BundleRefusedError, InputError, first_problem
from arcferry.text import quoted

MANIFEST = "manifest.json"
SEAL = "manifest.json.minisig"
SCHEMA = 1
KIND = "arcferry-bundle"
ITSELF = "arcferry-itself"
"""The kind of a bundle that carries arcferry and no agent."""

_KINDS = (KIND, ITSELF)
# It is read before anything vouches for it, so it is bounded.
LIMIT = 16 * 1024 * 1024
MOST_FILES = 10_000
# What a reader of JSON that keeps numbers as doubles still holds exactly (RFC 8259, section 6).
HIGHEST_VERSION = 2**53 - 1
EXPIRES_AFTER = timedelta(days=90)
_LONGEST_LIFE = timedelta(days=3650)
# A clock that takes local time for UTC is off by at most 14 hours.
_CLOCK_SLACK = timedelta(days=1)
_SAME_ARCHITECTURE = {"x86_64": "amd64", "x64": "amd64", "aarch64": "arm64", "noarch": "all"}
_REQUIREMENTS = "requirements/"
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+~-]{0,99}")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
# Of the 260 characters that a whole path may have on Windows, the folder of the bundle needs some.
_LONGEST = 200
_Plain = Annotated[str, Field(pattern=r"^[A-Za-z0-9.+:~_^-]{0,100}$")]
_Distribution = Annotated[str, Field(pattern=r"^[a-z]+[0-9]*$", max_length=40)]
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,39}")
_STRICT = ConfigDict(extra="forbid", strict=True)


class Role(StrEnum):
    """What a file of a bundle is for."""

    AGENT = "agent"
    HOST_SCRIPT = "host-script"
    CATALOG = "catalog"
    SERVICE_TAGS = "service-tags"
    COMMUNITIES = "communities"
    ROUTE_FILTER = "route-filter"
    NOTIFICATION_HOSTS = "notification-hosts"
    DISCOVERY = "discovery"
    CERTIFICATE = "certificate"
    GUIDE = "guide"
    WHEEL = "wheel"
    INSTALLER = "installer"


class PackageFormat(StrEnum):
    """The installer that takes an agent package."""

    MSI = "msi"
    DEB = "deb"
    RPM = "rpm"


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """One file of a bundle: its relative path with `/`, what it is for, and exactly what it holds.

    Attributes:
        origin: the https address that it was downloaded from in the end, without query; empty for a file
            that was at hand.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: str
    role: Role
    length: Annotated[int, Field(ge=0, le=HIGHEST_VERSION)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    origin: Annotated[str, Field(pattern=r"^(https://[!-~]{1,2000})?$")] = ""


@dataclass(frozen=True, slots=True)
class AgentPackage:
    """An agent package in a bundle.

    Attributes:
        file: the name of its `ManifestFile`.
        version: as the package states it, else as its file name does; empty if neither does.
        architecture: as the package's own format spells it (`amd64`, `x86_64`, `x64`).
        signature: who signed it and when, as verified when the bundle was built; empty if that is not
            done for its format.
        signer: the SHA-1 thumbprint of the signer's certificate as Windows shows it, or empty likewise.
        distributions: the Linux distributions that it was fetched or named for, such as `rhel9`, sorted;
            empty if nobody said. Left out of the document then, as in bundles of before it was known.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    file: str
    format: PackageFormat
    version: _Plain
    architecture: _Plain
    signature: Annotated[str, Field(pattern=r"^[ -~]{0,300}$")] = ""
    signer: Annotated[str, Field(pattern=r"^([0-9A-F]{40})?$")] = ""
    distributions: tuple[_Distribution, ...] = ()

    @property
    def processor(self) -> str:
        """The architecture in one spelling for every package format (`amd64`, `arm64`, `all`), or empty."""
        return same_architecture(self.architecture)

    @property
    def servers(self) -> tuple[str, ...]:
        """The kinds of servers that it is for."""
        processor = self.processor or "any"
        if self.format is PackageFormat.MSI:
            return (f"Windows {processor}",)
        return tuple(f"Linux {one} {processor}" for one in self.distributions or (self.format.value,))


def same_architecture(name: str) -> str:
    """One name for a processor that package formats spell differently."""
    return _SAME_ARCHITECTURE.get(name.lower(), name.lower())


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle holds and for how long it is to be believed.

    Attributes:
        version: grows with every bundle of one origin.
        created: aware, whole seconds.
        expires: aware, whole seconds; from this instant on the bundle is refused.
        name: what its builder calls the row of bundles that it belongs to; empty if nobody said. Left out of
            the document then, as in bundles of before it was known.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    version: Annotated[int, Field(ge=1, le=HIGHEST_VERSION)]
    created: AwareDatetime
    expires: AwareDatetime
    agents: tuple[AgentPackage, ...]
    files: Annotated[tuple[ManifestFile, ...], Field(max_length=MOST_FILES)]
    schema: int = SCHEMA
    kind: str = KIND
    name: Annotated[str, Field(pattern=rf"^({_NAME.pattern})?$")] = ""

    def to_bytes(self) -> bytes:
        """Canonical JSON: sorted keys, sorted files, ASCII, one key a line, a line feed at the end."""
        document = dataclasses.asdict(self)
        document["created"] = times.to_text(self.created)
        document["expires"] = times.to_text(self.expires)
        document["files"] = sorted(document["files"], key=lambda file: file["name"])
        document["agents"] = sorted(document["agents"], key=lambda agent: agent["file"])
        # Bundles of before a field was known must give the bytes again that were sealed.
        for optional, holder in (("name", document), *(("distributions", one) for one in document["agents"])):
            if not holder[optional]:
                del holder[optional]
        return f"{json.dumps(document, indent=2, sort_keys=True)}\n".encode("ascii")

    @property
    def sha256(self) -> str:
        """The SHA-256 of the manifest's file, in hexadecimal: what two people compare over the phone."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @property
    def id(self) -> str:
        """The first 12 digits of `sha256`, to tell one bundle from another."""
        return self.sha256[:12]

    @property
    def trusted_comment(self) -> str:
        """What the seal says beside the signature."""
        created, expires = times.to_text(self.created), times.to_text(self.expires)
        return f"arcferry bundle version:{self.version} created:{created} expires:{expires}"

    @property
    def lineage(self) -> tuple[str, ...]:
        """The kinds of servers that a bundle is for, sorted: system, distribution and processor of each.

        If nobody said for which distribution a Linux package is, its format stands there. For a bundle of
        arcferry itself it is each Python and platform. All of it is what the seal covers, so whoever renames
        a bundle changes nothing.
        """
        installers = (file.name for file in self.files if file.role is Role.INSTALLER)
        targets = (name for name in installers if name.startswith(_REQUIREMENTS))
        return tuple(
            sorted(
                {server for agent in self.agents for server in agent.servers}
                | {name.removeprefix(_REQUIREMENTS).removesuffix(".txt") for name in targets}
            )
        )


@dataclass(frozen=True, slots=True)
class _Preamble:
    """What is read of a manifest first: a newer one may have any other shape."""

    schema: int
    kind: str


_MANIFEST: TypeAdapter[Manifest] = TypeAdapter(Manifest)
_PREAMBLE: TypeAdapter[_Preamble] = TypeAdapter(_Preamble)


def new_manifest(
    created: datetime, version: int | None, expires_after: timedelta, *, kind: str = KIND, name: str = ""
) -> Manifest:
    """A manifest that lists nothing yet; its version, if none is given, is the digits of `created`.

    Raises:
        InputError: the version or the life is out of range, or the name is none.
    """
    created = created.astimezone(UTC).replace(microsecond=0)
    version = int(created.strftime("%Y%m%d%H%M%S")) if version is None else version
    if not 1 <= version <= HIGHEST_VERSION:
        raise InputError(f"the version {version} is not between 1 and {HIGHEST_VERSION}")
    if not timedelta(days=1) <= expires_after <= _LONGEST_LIFE:
        raise InputError(f"a bundle lives from 1 to {_LONGEST_LIFE.days} days, not {expires_after.days}")
    if name and not _NAME.fullmatch(name):
        raise InputError(
            f"the name {quoted(name)} is not one for a bundle",
            hint="Up to 40 small letters, digits, dots and hyphens, such as debian12 or dmz-windows.",
        )
    return Manifest(version, created, created + expires_after, agents=(), files=(), kind=kind, name=name)


def read_manifest(data: bytes) -> Manifest:
    """Read a manifest and check that it contradicts nothing in itself.

    Raises:
        BundleRefusedError: another kind or schema, a wrong shape, a path that is not allowed, two files
            of one name, or bytes that are not canonical.
    """
    try:
        head = _PREAMBLE.validate_json(data)
        if head.kind not in _KINDS or head.schema != SCHEMA:
            raise BundleRefusedError(
                f"{MANIFEST}: is {quoted(head.kind)} schema {head.schema}, not {KIND} schema {SCHEMA}",
                hint="A newer arcferry may have built it.",
            )
        manifest = _MANIFEST.validate_json(data)
    except ValidationError as error:
        raise BundleRefusedError(f"{MANIFEST}: {first_problem(error)}") from error
    _check_names(manifest)
    packages = {file.name for file in manifest.files if file.role is Role.AGENT}
    described = [agent.file for agent in manifest.agents]
    if sorted(described) != sorted(packages):
        odd = min(packages.symmetric_difference(described), default="an agent package is described twice")
        raise BundleRefusedError(f"{MANIFEST}: agents and files disagree: {odd}")
    # Two readers that take the same bytes in two ways cannot be played against each other.
    if manifest.to_bytes() != data:
        raise BundleRefusedError(f"{MANIFEST}: is not canonical JSON")
    return manifest


def check_dates(manifest: Manifest, now: datetime, *, called: Path) -> None:
    """Check that the bundle `called` so is to be believed at `now`.

    Raises:
        BundleRefusedError: expired, or from more than a day in the future.
    """
    if now >= manifest.expires:
        raise BundleRefusedError(
            f"{called}: expired on {times.to_text(manifest.expires)}",
            hint="Build a new bundle; an old one may lack endpoints and fixes that Azure now requires.",
        )
    if manifest.created - now > _CLOCK_SLACK:
        raise BundleRefusedError(
            f"{called}: created on {times.to_text(manifest.created)}, which is in the future",
            hint=f"This machine's clock says {times.to_text(now)}. Is it right?",
        )


def name_fault(name: str) -> str:
    """What keeps `name` from being a bundle's relative path, or an empty string if nothing does.

    A bundle is carried on sticks and shares between Windows and Linux, so a name must mean the same
    file on both: ASCII, `/` between segments, no dots that climb, no Windows device name.
    """
    if "\x00" in name:
        return "holds a NUL character"
    if "\\" in name:
        return "holds a backslash"
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return "is an absolute path"
    if len(name) > _LONGEST:
        return f"is longer than {_LONGEST} characters"
    segments = name.split("/")
    if ".." in segments:
        return "leaves the bundle"
    return next(filter(None, map(_segment_fault, segments)), "")


def _segment_fault(segment: str) -> str:
    if segment in {"", "."}:
        return "has an empty part"
    if _DEVICE.fullmatch(segment):
        return "is a device name on Windows"
    if segment.endswith(".") or not _SEGMENT.fullmatch(segment):
        return "holds characters that do not mean the same on Windows and Linux"
    return ""


def _check_names(manifest: Manifest) -> None:
    # Windows takes names that differ in case only for one: the second file would overwrite the first.
    seen: dict[str, str] = {name.casefold(): name for name in (MANIFEST, SEAL)}
    for file in manifest.files:
        if problem := name_fault(file.name):
            raise BundleRefusedError(f"{MANIFEST}: the path {quoted(file.name)} {problem}")
        folded = file.name.casefold()
        if folded in seen:
            other = seen[folded]
            how = "is named twice" if other == file.name else f"differs from {other} in case only"
            raise BundleRefusedError(f"{MANIFEST}: {file.name} {how}")
        seen[folded] = file.name
    for folded, name in seen.items():
        parents = (folded[:at] for at, letter in enumerate(folded) if letter == "/")
        if clash := next((seen[parent] for parent in parents if parent in seen), None):
            raise BundleRefusedError(f"{MANIFEST}: {clash} is a file and also a folder, of {name}")
