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
        path: the repository's path on `PACKAGES`.
        suite: the codename that apt looks under; empty for a repository that dnf or zypper reads.
    """

    name: str
    display: str
    path: str
    suite: str = ""

    @property
    def format(self) -> PackageFormat:
        """What its repository holds."""
        return PackageFormat.DEB if self.suite else PackageFormat.RPM


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


# Which repository a distribution uses: Microsoft's install_linux_azcmagent.sh, as copies in public
# repositories of early 2026 have it (agent.md §4.3). Alma, CentOS, Oracle and Rocky use Red Hat's. The
# distributions that Arc supports: azure-management-docs, servers/prerequisites.md, 2026-08-20. That
# ubuntu2604 has the agent is told by public deployments (2026-09-26), and nowhere in the script. SLES 16,
# AlmaLinux 10 and Rocky Linux 10 are supported since release 1.62. Azure Linux 3 is missing: which of its
# repositories holds the agent is in no document that could be read.
_ALL = (
    Distribution("debian11", "Debian 11", "debian/11/prod", "bullseye"),
    Distribution("debian12", "Debian 12", "debian/12/prod", "bookworm"),
    Distribution("debian13", "Debian 13", "debian/13/prod", "trixie"),
    Distribution("ubuntu1804", "Ubuntu 18.04", "ubuntu/18.04/prod", "bionic"),
    Distribution("ubuntu2004", "Ubuntu 20.04", "ubuntu/20.04/prod", "focal"),
    Distribution("ubuntu2204", "Ubuntu 22.04", "ubuntu/22.04/prod", "jammy"),
    Distribution("ubuntu2404", "Ubuntu 24.04", "ubuntu/24.04/prod", "noble"),
    Distribution("ubuntu2604", "Ubuntu 26.04", "ubuntu/26.04/prod", "resolute"),
    Distribution("rhel7", "Red Hat Enterprise Linux 7", "rhel/7/prod"),
    Distribution("rhel8", "Red Hat Enterprise Linux 8", "rhel/8/prod"),
    Distribution("rhel9", "Red Hat Enterprise Linux 9", "rhel/9/prod"),
    Distribution("rhel10", "Red Hat Enterprise Linux 10", "rhel/10/prod"),
    Distribution("alma10", "AlmaLinux 10", "rhel/10/prod"),
    Distribution("alma8", "AlmaLinux 8", "rhel/8/prod"),
    Distribution("alma9", "AlmaLinux 9", "rhel/9/prod"),
    Distribution("rocky10", "Rocky Linux 10", "rhel/10/prod"),
    Distribution("rocky8", "Rocky Linux 8", "rhel/8/prod"),
    Distribution("rocky9", "Rocky Linux 9", "rhel/9/prod"),
    Distribution("oracle7", "Oracle Linux 7", "rhel/7/prod"),
    Distribution("oracle8", "Oracle Linux 8", "rhel/8/prod"),
    Distribution("oracle9", "Oracle Linux 9", "rhel/9/prod"),
    Distribution("oracle10", "Oracle Linux 10", "rhel/10/prod"),
    Distribution("sles12", "SUSE Linux Enterprise Server 12", "sles/12/prod"),
    Distribution("sles15", "SUSE Linux Enterprise Server 15", "sles/15/prod"),
    Distribution("sles16", "SUSE Linux Enterprise Server 16", "sles/16/prod"),
    Distribution("amazon2", "Amazon Linux 2", "amazonlinux/2/prod"),
    Distribution("amazon2023", "Amazon Linux 2023", "amazonlinux/2023/prod"),
)
_BY_NAME = {one.name: one for one in _ALL}
