import base64
import hashlib
import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

import pytest

from arcferry.bundle import SecretKey
from arcferry.bundle.itself import WheelTarget, targets
from arcferry.bundle.itself.build import gather
from arcferry.bundle.itself.lock import LockedWheel, to_requirements
from arcferry.bundle.manifest import Manifest, ManifestFile, Role
from arcferry.bundle.seal import make_seal
from arcferry.errors import BlockedError

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
INSTALLER = resources.files("arcferry").joinpath("bundle/itself/installer")
Install = Callable[..., "subprocess.CompletedProcess[str]"]
Small = Callable[..., Path]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests that need wheels on one worker, so that pip gets them once."""
    for item in items:
        near = item.path.is_relative_to(Path(__file__).parent)
        if near and "wheels" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("wheels"))
            item.add_marker(pytest.mark.timeout(400))


@pytest.fixture(scope="session")
def here() -> tuple[WheelTarget, ...]:
    """Both platforms for the Python that runs the tests."""
    return targets()


@pytest.fixture(scope="session")
def wheels(here: tuple[WheelTarget, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every locked wheel of `here`, from the index that pip is set to use."""
    folder = tmp_path_factory.mktemp("locked") / "wheels"
    folder.mkdir()
    try:
        gather(here, folder, None, lambda _: None)
    except BlockedError as error:
        pytest.skip(f"no package index to get wheels from: {error.message}")
    return folder


@pytest.fixture(scope="session")
def install() -> Install:
    """Run a bundle's install.sh with this Python, without any network interface where that can be had."""
    alone = ["unshare", "-n" if os.geteuid() == 0 else "-rn"]
    able = shutil.which("unshare") and not subprocess.run([*alone, "true"], check=False).returncode

    def run(bundle: Path, *arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
        command = [*(alone if able else ()), "sh", str(bundle / "install.sh"), *map(str, arguments)]
        if "--python" not in arguments:
            command += ["--python", sys.executable]
        # A program that reached for an index all the same would find none.
        nothing = {"PIP_NO_INDEX": "1", "PIP_INDEX_URL": "", "PIP_FIND_LINKS": ""}
        environ = {**os.environ, **nothing, **environment}
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=300)

    return run


def fake_wheel(says: str) -> bytes:
    """A wheel that is installed as arcferry is and has its command, which prints `says`."""
    code = f"import sys\ndef main():\n    print({says!r})\n    sys.exit({says == 'broken'})\n"
    held = {
        "fake.py": code,
        "arcferry-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: arcferry\nVersion: 1\n",
        "arcferry-1.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "arcferry-1.dist-info/entry_points.txt": "[console_scripts]\narcferry = fake:main\n",
    }
    record = ""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, text in held.items():
            archive.writestr(name, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{name},sha256={digest},{len(text)}\n"
        archive.writestr("arcferry-1.dist-info/RECORD", f"{record}arcferry-1.dist-info/RECORD,,\n")
    return target.getvalue()


@pytest.fixture
def small(tmp_path: Path, key: SecretKey, here: tuple[WheelTarget, ...]) -> Small:
    """Write a sealed bundle with the real installer and a wheel of a few bytes, for every one of `here`."""

    def write(name: str, says: str = "arcferry 1", extra: Mapping[str, bytes] | None = None) -> Path:
        wheel = b"no wheel at all" if says == "no wheel" else fake_wheel(says)
        file = "arcferry-1-py3-none-any.whl"
        line = LockedWheel("arcferry", "1", file, hashlib.sha256(wheel).hexdigest())
        contents = {f"wheels/{file}": wheel, **(extra or {})}
        for target in here:
            contents[f"requirements/{target.tag}.txt"] = to_requirements([line]).encode()
        for installer in ("install.sh", "install.ps1", "install.py"):
            contents.setdefault(installer, INSTALLER.joinpath(installer).read_bytes())
        listed = tuple(
            ManifestFile(one, Role.INSTALLER, len(data), hashlib.sha256(data).hexdigest())
            for one, data in contents.items()
        )
        manifest = Manifest(1, NOW, NOW + timedelta(days=90), (), listed)
        data = manifest.to_bytes()
        seal = make_seal(data, manifest.trusted_comment, key).to_bytes()
        for one, content in {**contents, "manifest.json": data, "manifest.json.minisig": seal}.items():
            path = tmp_path / name / one
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return tmp_path / name

    return write
