import asyncio
from collections.abc import Iterator

import pytest

from arcferry_lab.hosts.windows import WindowsHost, WindowsSettings, cannot_host
from arcferry_lab.pki import Authority


@pytest.fixture(scope="session")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WindowsHost]:
    """One for all tests."""
    reason = cannot_host()
    if reason:
        pytest.skip(f"no Windows host here: {reason}")
    settings = WindowsSettings("win03", "127.60.0.24", "127.60.0.1:53", 443, Authority().pem)
    host = WindowsHost(settings, tmp_path_factory.mktemp("windows") / "win03")
    asyncio.run(host.boot())
    yield host
    asyncio.run(host.stop())
