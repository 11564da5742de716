from collections.abc import Sequence
from dataclasses import dataclass

from arcferry.bundle import PackageFormat
from arcferry.errors import InputError, UnknownNameError
from arcferry.text import quoted

PACKAGES = "packages.microsoft.com"
"""The host that Microsoft's Linux packages are on."""

_ARCHITECTURES = {
    PackageFormat.DEB: {"amd64": "amd64", "arm64": "arm64"},
    PackageFormat.RPM: {"amd64": "x86_64", "arm64": "aarch64"},
}


@dataclass(frozen=True, slots=True)
class Distribution:
    """A Linux distribution for which Microsoft keeps a repository with the agent.

    Attributes:
        name: as it is asked for, such as `debian12`.
        display: as people write it.
        format: deb for a repository that apt reads, rpm for one that dnf or zypper reads.
        path: the repository's path on `PACKAGES`.
        suite: the codename that apt looks under; empty for rpm.
    """

    name: str
    display: str
    format: PackageFormat
    path: str
    suite: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A distribution, and the architecture in the words of its own format (`amd64`, `x86_64`)."""

    distribution: Distribution
    architecture: str

    @property
    def name(self) -> str:
        """Such as `debian12-amd64`."""
        return f"{self.distribution.name}-{self.architecture}"


def choose(text: str, *, besides: Sequence[str] = ()) -> Choice:
    """Read `debian12` or, for another architecture than amd64, `debian12:arm64`.

    `besides` is what else could have been asked for, offered too if the name is unknown.

    Raises:
        UnknownNameError: no such distribution; near names are offered.
        InputError: no such architecture.
    """
    name, _, architecture = text.strip().lower().partition(":")
    found = _BY_NAME.get(name)
    if found is None:
        raise UnknownNameError("distribution", name, (*_BY_NAME, *besides))
    known = _ARCHITECTURES[found.format]
    own = known.get(architecture or "amd64") or (architecture if architecture in known.values() else "")
    if not own:
        raise InputError(
            f"{quoted(text)}: the architecture is none of {', '.join(known)}", hint=f"{name}:arm64"
        )
    return Choice(found, own)


def names() -> tuple[str, ...]:
    """Every distribution's name."""
    return tuple(_BY_NAME)


def _deb(name: str, display: str, path: str, suite: str) -> Distribution:
    return Distribution(name, display, PackageFormat.DEB, f"{path}/prod", suite)


def _rpm(name: str, display: str, path: str) -> Distribution:
    return Distribution(name, display, PackageFormat.RPM, f"{path}/prod")


# Which repository a distribution uses: Microsoft's install_linux_azcmagent.sh, as copies in public
# repositories of early 2026 have it (agent.md §4.3). Alma, CentOS, Oracle and Rocky use Red Hat's. The
# distributions that Arc supports: azure-management-docs, servers/prerequisites.md, 2026-08-20. That
# ubuntu2604 has the agent is told by public deployments (2026-09-26), and nowhere in the script.
_ALL = (
    _deb("debian11", "Debian 11", "debian/11", "bullseye"),
    _deb("debian12", "Debian 12", "debian/12", "bookworm"),
    _deb("debian13", "Debian 13", "debian/13", "trixie"),
    _deb("ubuntu1804", "Ubuntu 18.04", "ubuntu/18.04", "bionic"),
    _deb("ubuntu2004", "Ubuntu 20.04", "ubuntu/20.04", "focal"),
    _deb("ubuntu2204", "Ubuntu 22.04", "ubuntu/22.04", "jammy"),
    _deb("ubuntu2404", "Ubuntu 24.04", "ubuntu/24.04", "noble"),
    _deb("ubuntu2604", "Ubuntu 26.04", "ubuntu/26.04", "resolute"),
    _rpm("rhel7", "Red Hat Enterprise Linux 7", "rhel/7"),
    _rpm("rhel8", "Red Hat Enterprise Linux 8", "rhel/8"),
    _rpm("rhel9", "Red Hat Enterprise Linux 9", "rhel/9"),
    _rpm("rhel10", "Red Hat Enterprise Linux 10", "rhel/10"),
    _rpm("alma8", "AlmaLinux 8", "rhel/8"),
    _rpm("alma9", "AlmaLinux 9", "rhel/9"),
    _rpm("rocky8", "Rocky Linux 8", "rhel/8"),
    _rpm("rocky9", "Rocky Linux 9", "rhel/9"),
    _rpm("oracle7", "Oracle Linux 7", "rhel/7"),
    _rpm("oracle8", "Oracle Linux 8", "rhel/8"),
    _rpm("oracle9", "Oracle Linux 9", "rhel/9"),
    _rpm("oracle10", "Oracle Linux 10", "rhel/10"),
    _rpm("sles12", "SUSE Linux Enterprise Server 12", "sles/12"),
    _rpm("sles15", "SUSE Linux Enterprise Server 15", "sles/15"),
    _rpm("amazon2", "Amazon Linux 2", "amazonlinux/2"),
    _rpm("amazon2023", "Amazon Linux 2023", "amazonlinux/2023"),
)
_BY_NAME = {one.name: one for one in _ALL}
