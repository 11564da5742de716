"""Real servers, keys and repositories: HTTPS with its own CA, gpg, apt-ftparchive, createrepo_c, wixl."""

import gzip
import lzma
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from arcferry import catalog
from arcferry.fetch import Choice, Distribution, FetchOptions, FetchRequest, Sources, fetch, read_sources
from arcferry.fetch.request import Fetched
from arcferry_lab.hosts.package import build_agent_package
from arcferry_lab.pki import Authority

PUBLIC = catalog.cloud("public")
DEB = "debian/12/prod"
RPM = "rhel/9/prod"
MSI = "azcmagent/latest/AzureConnectedMachineAgent.msi"
PAST = "20200101T000000"
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def needs(*programs: str) -> None:
    missing = [name for name in programs if not shutil.which(name)]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


@dataclass
class Site:
    """An HTTPS server whose every host is a folder, with faults."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[web.BaseRequest] = field(default_factory=list)
    answers: dict[str, Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]] = field(
        default_factory=dict
    )
    cuts: list[int] = field(default_factory=list)
    ranges: bool = True
    etags: bool = True

    @property
    def paths(self) -> list[str]:
        return [one.path for one in self.asked]

    def tag(self, data: bytes) -> str:
        return f'"{hash(data) & 0xFFFFFFFF:x}"'

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(request)
        if found := self.answers.get(request.path):
            return await found(request)
        data = self.files.get(request.path)
        if data is None:
            return web.Response(status=404)
        return await self._file(request, data)

    async def _file(self, request: web.BaseRequest, data: bytes) -> web.StreamResponse:
        tag = self.tag(data)
        headers = {"ETag": tag} if self.etags else {}
        if self.etags and request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers=headers)
        start = 0
        wanted = request.headers.get("Range", "")
        if wanted and self.ranges and request.headers.get("If-Range", tag) == tag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        response = web.StreamResponse(status=206 if "Content-Range" in headers else 200, headers=headers)
        response.content_length = len(data) - start
        await response.prepare(request)
        end = min(len(data), start + self.cuts.pop(0)) if self.cuts else len(data)
        await response.write(data[start:end])
        if end < len(data) and request.transport:
            request.transport.close()
        return response

    def moved(self, path: str, target: str) -> None:
        async def away(_: web.BaseRequest) -> web.StreamResponse:
            return web.Response(status=302, headers={"Location": target})

        self.answers[path] = away


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority("a test's own CA")


@pytest.fixture
def ca_file(tmp_path: Path, authority: Authority) -> Path:
    path = tmp_path / "ca.pem"
    path.write_bytes(authority.pem)
    return path


@pytest.fixture
async def site(authority: Authority) -> AsyncIterator[Site]:
    found = Site()
    runner = web.ServerRunner(web.Server(found.answer))
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=authority.server_context(["127.0.0.1"]))
    await listener.start()
    found.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


@dataclass
class Gpg:
    """Real keys in a home of their own."""

    home: Path

    def __call__(self, *arguments: str, data: bytes = b"") -> bytes:
        command = ["gpg", "--batch", "--yes", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
        environment = {**os.environ, "GNUPGHOME": str(self.home)}
        done = subprocess.run(
            [*command, *arguments], input=data, env=environment, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def key(self, name: str, kind: str = "rsa2048", life: str = "10d", *options: str) -> None:
        self(*options, "--quick-gen-key", f"{name} <{name}@test.example>", kind, "sign", life)

    def public(self, name: str) -> bytes:
        return self("--armor", "--export", name)

    def sign(self, name: str, data: bytes, *options: str) -> bytes:
        return self(*options, "--armor", "--detach-sign", "--local-user", name, data=data)

    def clear(self, name: str, data: bytes, *options: str) -> bytes:
        return self(*options, "--clearsign", "--local-user", name, data=data)


@pytest.fixture(scope="session")
def gpg() -> Iterator[Gpg]:
    """`good`, `other`, a `weak` one of 1024 bits, and `old`, which expired in 2020."""
    needs("gpg", "gpgconf")
    # The agent's socket has no room for pytest's long paths.
    home = Path(tempfile.mkdtemp(prefix="arcferry-gpg-"))
    found = Gpg(home)
    for name in ("good", "other"):
        found.key(name)
    found.key("weak", "rsa1024")
    found.key("old", "rsa2048", "30d", "--faked-system-time", PAST)
    yield found
    subprocess.run(["gpgconf", "--kill", "all"], env={**os.environ, "GNUPGHOME": str(home)}, check=True)
    # The agent goes on taking its sockets away after the command has ended.
    shutil.rmtree(home, onerror=_unless_gone)


def _unless_gone(_function: object, _path: str, error: tuple[object, BaseException, object]) -> None:
    if not isinstance(error[1], FileNotFoundError):
        raise error[1]


@pytest.fixture
def key_file(tmp_path: Path, gpg: Gpg) -> Path:
    path = tmp_path / "good.asc"
    path.write_bytes(gpg.public("good"))
    return path


@dataclass
class AptRepository:
    """A real repository as apt-ftparchive makes it, signed by gpg and put on the site."""

    site: Site
    gpg: Gpg
    folder: Path
    suite: str = "bookworm"
    prefix: str = f"/packages.microsoft.com/{DEB}"

    def add(self, version: str) -> Path:
        pool = self.folder / "pool/main/a/azcmagent"
        pool.mkdir(parents=True, exist_ok=True)
        return build_agent_package(pool, version=version)

    def index(self) -> bytes:
        return _run(["apt-ftparchive", "packages", "pool"], self.folder)

    def release(self, *options: str) -> bytes:
        """Write the indexes; the Release of them."""
        root = self.folder / f"dists/{self.suite}"
        binary = root / "main/binary-amd64"
        binary.mkdir(parents=True, exist_ok=True)
        index = self.index()
        (binary / "Packages").write_bytes(index)
        (binary / "Packages.gz").write_bytes(gzip.compress(index, mtime=0))
        (binary / "Packages.xz").write_bytes(lzma.compress(index))
        settings = [f"-oAPT::FTPArchive::Release::{one}" for one in (f"Codename={self.suite}", *options)]
        return _run(["apt-ftparchive", *settings, "release", f"dists/{self.suite}"], self.folder)

    def publish(self, key: str = "good", *gpg_options: str, release: bytes | None = None) -> None:
        release = self.release() if release is None else release
        self.put(f"dists/{self.suite}/InRelease", self.gpg.clear(key, release, *gpg_options))
        self.upload()

    def upload(self) -> None:
        for path in self.folder.rglob("*"):
            if path.is_file():
                self.put(str(path.relative_to(self.folder)), path.read_bytes())

    def put(self, path: str, data: bytes) -> None:
        self.site.files[f"{self.prefix}/{path}"] = data


@pytest.fixture
def apt(tmp_path: Path, site: Site, gpg: Gpg) -> AptRepository:
    needs("apt-ftparchive")
    found = AptRepository(site, gpg, tmp_path / "apt")
    found.add("1.66.0")
    found.add("1.67.3")
    return found


_SPEC = """Name: azcmagent
Version: {version}
Release: 7
Summary: twin of the agent
License: none
BuildArch: {architecture}
%description
twin of the agent
%files
"""


@dataclass
class RpmRepository:
    """A real repository of real packages as rpmbuild and createrepo_c make them, signed by gpg."""

    site: Site
    gpg: Gpg
    folder: Path
    prefix: str = f"/packages.microsoft.com/{RPM}"

    def add(self, version: str, name: str = "azcmagent", architecture: str = "x86_64") -> Path:
        spec = self.folder.parent / "agent.spec"
        spec.write_text(_SPEC.format(version=version, architecture=architecture).replace("azcmagent", name))
        packages = self.folder / "Packages/a"
        packages.mkdir(parents=True, exist_ok=True)
        defines = [f"--define=_topdir {self.folder.parent}/build", f"--define=_rpmdir {packages}"]
        flat = "--define=_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm"
        _run(["rpmbuild", "-bb", "--quiet", "--target", architecture, *defines, flat, str(spec)], self.folder)
        return packages / f"{name}-{version}-7.{architecture}.rpm"

    def make(self, *options: str) -> bytes:
        """Write the lists; the repomd.xml of them."""
        shutil.rmtree(self.folder / "repodata", ignore_errors=True)
        _run(["createrepo_c", "--quiet", "--no-database", *options, "."], self.folder)
        return (self.folder / "repodata/repomd.xml").read_bytes()

    def publish(self, key: str = "good", *gpg_options: str, repomd: bytes | None = None) -> None:
        repomd = self.make() if repomd is None else repomd
        for path in self.folder.rglob("*"):
            if path.is_file():
                self.put(str(path.relative_to(self.folder)), path.read_bytes())
        self.put("repodata/repomd.xml", repomd)
        self.put("repodata/repomd.xml.asc", self.gpg.sign(key, repomd, *gpg_options))

    def put(self, path: str, data: bytes) -> None:
        self.site.files[f"{self.prefix}/{path}"] = data


@pytest.fixture
def yum(tmp_path: Path, site: Site, gpg: Gpg) -> RpmRepository:
    needs("rpmbuild", "createrepo_c")
    found = RpmRepository(site, gpg, tmp_path / "yum" / "repo")
    found.folder.mkdir(parents=True)
    found.add("1.66.0")
    found.add("1.67.3")
    found.add("9.0.0", name="azcmagent-other")
    return found


def _run(command: list[str], folder: Path) -> bytes:
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


_PRODUCT = """<?xml version="1.0"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
  <Product Id="*" Name="{name}" Version="{version}" Manufacturer="Microsoft Corporation" Language="1033"
           UpgradeCode="0B1F6A51-0D43-4E1B-8E39-0C1C3C0A5A02">
    <Package InstallerVersion="500" Compressed="yes" Platform="x64"/>
    <Media Id="1" Cabinet="agent.cab" EmbedCab="yes"/>
    <Directory Id="TARGETDIR" Name="SourceDir">
      <Component Id="Main" Guid="0B1F6A51-0D43-4E1B-8E39-0C1C3C0A5A04" Win64="yes">
        <File Id="Exe" Name="azcmagent.exe" Source="azcmagent.exe" KeyPath="yes"/>
      </Component>
    </Directory>
    <Feature Id="All" Level="1"><ComponentRef Id="Main"/></Feature>
  </Product>
</Wix>
"""


@pytest.fixture(scope="session")
def make_msi(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., bytes]:
    """A real MSI by wixl, with random content of a size."""
    needs("wixl")

    def make(
        version: str = "1.67.3421.1187", name: str = "Azure Connected Machine Agent", size: int = 0
    ) -> bytes:
        folder = tmp_path_factory.mktemp("msi")
        (folder / "azcmagent.exe").write_bytes(os.urandom(size or 1000))
        (folder / "agent.wxs").write_text(_PRODUCT.format(version=version, name=name))
        _run(["wixl", "-a", "x64", "-o", "agent.msi", "agent.wxs"], folder)
        return (folder / "agent.msi").read_bytes()

    return make


@dataclass
class Fetcher:
    """`fetch` with the test's site as the mirror of everything, and its CA."""

    site: Site
    folder: Path
    means: dict[str, object]
    seen: list[str] = field(default_factory=list)

    def sources(self) -> Sources:
        return read_sources([self.site.url])

    async def __call__(self, *, means: dict[str, object] | None = None, **wanted: object) -> Fetched:
        settings = {
            "sources": self.sources(),
            "pauses": (0, 0, 0),
            "progress": lambda item, *_: self.seen.append(item),
        }
        given = FetchOptions(**(settings | self.means | (means or {})))  # type: ignore[arg-type]  # settings by name
        return await fetch(FetchRequest(PUBLIC, **wanted), self.folder, given)  # type: ignore[arg-type]  # likewise


@pytest.fixture
def fetcher(tmp_path: Path, site: Site, ca_file: Path, key_file: Path) -> Fetcher:
    return Fetcher(site, tmp_path / "downloads", {"ca_file": ca_file, "repository_keys": (key_file,)})


BOOKWORM = Choice(Distribution("debian12", "Debian 12", DEB, "bookworm"), "amd64")
EL9 = Choice(Distribution("rhel9", "Red Hat Enterprise Linux 9", RPM), "x86_64")
