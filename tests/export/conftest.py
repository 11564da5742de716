import hashlib
import importlib.util
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from arcferry import azure, bundle
from arcferry import export as exports
from arcferry.bundle.seal import make_seal
from arcferry.export import ExportOptions

TESTS = Path(__file__).parents[1]
SCRIPTS = TESTS.parent / "src/arcferry/bundle/hostscripts"
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
TENANT = "99999999-8888-7777-6666-555555555555"
SHARE = r"\\fs01\arcferry"
GROUP = r"CORP\Arc servers"
THUMBPRINT = "0123456789ABCDEF0123456789ABCDEF01234567"


def _load(path: Path) -> ModuleType:
    """A file of another test folder, which are no packages."""
    name = f"beside_{path.parent.name}_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec
        assert spec.loader
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


_hostscript = _load(TESTS / "bundle/hostscript/conftest.py")
namespaces = _hostscript.namespaces
root = _hostscript.root
agent_script = _hostscript.agent_script
shell = _hostscript.shell
dash = _hostscript.dash


@pytest.fixture(scope="session")
def rules() -> ModuleType:
    """The rules that the host script for Windows keeps."""
    return _load(TESTS / "bundle/hostscript/windows/test_rules.py")


@pytest.fixture(scope="session")
def key() -> bundle.SecretKey:
    return bundle.new_secret_key()


@pytest.fixture
def make_bundle(tmp_path: Path, key: bundle.SecretKey) -> Callable[..., Path]:
    """A sealed bundle with the real host scripts and any bytes as agents, by file name."""

    def make(agents: dict[str, bytes] | None = None, created: datetime = NOW) -> Path:
        agents = {"a.msi": b"msi", "a.deb": b"deb"} if agents is None else agents
        folder = tmp_path / "bundle-in"
        contents = {f"agent/{file}": data for file, data in agents.items()}
        contents |= {f"host/{path.name}": path.read_bytes() for path in SCRIPTS.iterdir() if path.is_file()}
        for file, data in contents.items():
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            target.chmod(0o755 if file.endswith(".sh") else 0o644)
        described = tuple(
            bundle.AgentPackage(f"agent/{file}", bundle.PackageFormat(file[-3:]), "1.67.0", "amd64")
            for file in agents
        )
        files = tuple(
            bundle.ManifestFile(
                file,
                bundle.Role.AGENT if file.startswith("agent/") else bundle.Role.HOST_SCRIPT,
                len(data),
                hashlib.sha256(data).hexdigest(),
            )
            for file, data in contents.items()
        )
        manifest = bundle.Manifest(7, created, created + timedelta(days=90), described, files)
        data = manifest.to_bytes()
        (folder / "manifest.json").write_bytes(data)
        seal = make_seal(data, manifest.trusted_comment, key).to_bytes()
        (folder / "manifest.json.minisig").write_bytes(seal)
        return folder

    return make


@pytest.fixture
def make_options(make_bundle: Callable[..., Path], key: bundle.SecretKey) -> Callable[..., ExportOptions]:
    """Options for all Windows tools, but for what is changed."""

    def make(agents: dict[str, bytes] | None = None, **changed: object) -> ExportOptions:
        target = azure.target(
            cloud="AzureCloud",
            tenant_id=TENANT,
            subscription_id=SUBSCRIPTION,
            resource_group="rg-arc",
            location="eastasia",
        )
        given: dict[str, object] = {
            "share": SHARE,
            "group": GROUP,
            "sign_in": exports.CertificateSignIn(TENANT, THUMBPRINT),
        }
        opened = bundle.open_bundle(make_bundle(agents), key.public(), now=NOW)
        given |= {"tags": exports.read_tags(changed.pop("tags", ()))}
        return exports.ExportOptions(opened, target, **{**given, **changed})  # type: ignore[arg-type]  # what a test gives

    return make
