"""A Windows host of the twin's: `windows`, one for all tests of the package that imports it.

It reaches no twin until a test says how.
"""

import asyncio
from collections.abc import Iterator

import pytest

from arcferry_lab.hosts.windows import WindowsHost, WindowsSettings, cannot_host
from arcferry_lab.pki import Authority
from arcferry_lab.twin import Twin


def need_windows() -> None:
    """Skip by name where there can be no Windows host."""
    reason = cannot_host()
    if reason:
        pytest.skip(f"no Windows host here: {reason}")


def windows_settings(name: str = "win01", **changes: object) -> WindowsSettings:
    known: dict[str, object] = {
        "name": name, "address": "127.60.0.9", "resolver": "127.60.0.1:53", "service_port": 443,
        "ca_pem": Authority().pem,
    }  # fmt: skip
    return WindowsSettings(**(known | changes))  # type: ignore[arg-type] - of a table


def reaching(twin: Twin) -> dict[str, object]:
    """The settings of a host that reaches a twin."""
    network = twin.network
    return {
        "resolver": network.resolver,
        "service_port": network.port,
        "ca_pem": twin.authority.pem,
    }


@pytest.fixture(scope="session")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WindowsHost]:
    need_windows()
    host = WindowsHost(windows_settings(), tmp_path_factory.mktemp("windows") / "win01")
    asyncio.run(host.boot())
    yield host
    asyncio.run(host.stop())
