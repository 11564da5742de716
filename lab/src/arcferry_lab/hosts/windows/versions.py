"""The Windows Servers that a host can be: what each one's registry says of itself.

Builds and release names as in "Windows Server release information"; .NET's releases as in "Determine which
.NET Framework versions are installed", both Microsoft's: what each server comes with, without updates.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from arcferry.errors import UnknownNameError

_NT = r"Software\\Microsoft\\Windows NT\\CurrentVersion"
_NET = r"Software\\Microsoft\\NET Framework Setup\\NDP\\v4\\Full"
_PRODUCT = r"System\\CurrentControlSet\\Control\\ProductOptions"
_PARAMETERS = r"System\\CurrentControlSet\\Services\\Tcpip\\Parameters"
_MOMENT = "1795893187"  # a key's line in Wine's registry file needs a time; which one matters to nobody


@dataclass(frozen=True, slots=True)
class WindowsVersion:
    """One Windows Server; `release_id` stays at 2009 since releases have a `display` name."""

    year: str
    build: str
    release_id: str
    display: str
    net_release: int
    net_version: str

    @property
    def product(self) -> str:
        """As Windows itself names it."""
        return f"Windows Server {self.year} Datacenter"


VERSIONS: Mapping[str, WindowsVersion] = {
    one.year: one
    for one in (
        WindowsVersion("2016", "14393", "1607", "", 394802, "4.6.01586"),
        WindowsVersion("2019", "17763", "1809", "", 461814, "4.7.03190"),
        WindowsVersion("2022", "20348", "2009", "21H2", 528449, "4.8.04161"),
        WindowsVersion("2025", "26100", "2009", "24H2", 533509, "4.8.09221"),
    )
}
DEFAULT_VERSION = "2022"


def version_of(year: str) -> WindowsVersion:
    """The Windows Server of a year.

    Raises:
        UnknownNameError: there is none of that year here.
    """
    if year not in VERSIONS:
        raise UnknownNameError("Windows Server", year, VERSIONS)
    return VERSIONS[year]


def registry(version: WindowsVersion, name: str, domain: str) -> str:
    """What to append to Wine's `system.reg`, whose later lines win."""
    keys: dict[str, dict[str, str | int]] = {
        _NT: {
            "ProductName": version.product,
            "EditionID": "ServerDatacenter",
            "InstallationType": "Server",
            "CurrentBuild": version.build,
            "CurrentBuildNumber": version.build,
            "ReleaseId": version.release_id,
            **({"DisplayVersion": version.display} if version.display else {}),
        },
        _NET: {"Install": 1, "Release": version.net_release, "Version": version.net_version},
        _PRODUCT: {"ProductType": "ServerNT"},
        _PARAMETERS: {"Domain": domain, "NV Domain": domain, "Hostname": name, "NV Hostname": name},
    }
    return "".join(
        f"\n[{key}] {_MOMENT}\n" + "".join(f'"{value}"={_data(data)}\n' for value, data in values.items())
        for key, values in keys.items()
    )


def _data(data: str | int) -> str:
    return f"dword:{data:08x}" if isinstance(data, int) else f'"{data}"'
