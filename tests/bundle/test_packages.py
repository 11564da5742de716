import gzip
import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.bundle import PackageFormat, packages
from arcferry.bundle.packages import PackageFacts, UnusablePackageError
from arcferry.bundle.packages import msi as msi_reader
from arcferry.errors import FileInputError

Make = Callable[..., bytes]


@pytest.mark.parametrize("pack", ["gz", "xz"])
def test_a_deb_tells_its_own_version(tmp_path: Path, deb: Make, pack: str) -> None:
    path = tmp_path / "agent-9.9.deb"
    path.write_bytes(deb(version="1:1.67.03421.1187-2~x", architecture="arm64", pack=pack))
    assert packages.inspect(path) == (PackageFormat.DEB, PackageFacts("1:1.67.03421.1187-2~x", "arm64"))


def test_a_deb_packed_in_zstandard_is_known_by_its_name(tmp_path: Path, deb: Make) -> None:
    path = tmp_path / "azcmagent_1.67.0_arm64.deb"
    path.write_bytes(deb(pack="zst"))
    assert packages.inspect(path) == (PackageFormat.DEB, PackageFacts("1.67.0", "arm64"))


def test_an_rpm_tells_its_own_version(tmp_path: Path, rpm: Make) -> None:
    path = tmp_path / "x.rpm"
    path.write_bytes(rpm(version="1.68.1", architecture="aarch64"))
    assert packages.inspect(path) == (PackageFormat.RPM, PackageFacts("1.68.1-7", "aarch64"))


def test_an_msi_tells_its_own_version_whatever_its_name(tmp_path: Path, msi: Make) -> None:
    path = tmp_path / "AzureConnectedMachineAgent-1.99_arm64.msi"
    path.write_bytes(msi(version="1.67.3421.1187"))
    assert packages.inspect(path) == (PackageFormat.MSI, PackageFacts("1.67.3421.1187", "x64"))


def test_the_content_decides_and_not_the_name(tmp_path: Path, rpm: Make) -> None:
    path = tmp_path / "azcmagent_1.67.0_amd64.deb"
    path.write_bytes(rpm())
    assert packages.inspect(path)[0] is PackageFormat.RPM


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><title>Sign in</title>", "neither MSI, deb nor rpm"),
        (b"MZ" + b"\0" * 100, "neither MSI, deb nor rpm"),
        (b"!<arch>\n", "not a Debian package"),
        (b"!<arch>\nlibx.o/         ", "header is damaged"),
        (b"\xed\xab\xee\xdb" + b"\0" * 200, "a header is missing"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 20, "cut short"),
    ],
)
def test_other_content_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "agent.deb"
    path.write_bytes(content)
    with pytest.raises(FileInputError, match=says) as caught:
        packages.inspect(path)
    assert str(path) in caught.value.message


def test_another_program_is_refused(tmp_path: Path, deb: Make, rpm: Make, msi: Make) -> None:
    word_document = msi(root="0609020000000000c000000000000046")
    for content, says in (
        (deb(package="cowsay"), "'cowsay', not 'azcmagent'"),
        (rpm(package="cowsay"), "'cowsay', not 'azcmagent'"),
        (word_document, "not an installer package"),
        (msi(product="Cowsay"), "installs 'Cowsay', not the Azure Connected Machine Agent"),
    ):
        path = tmp_path / "agent"
        path.write_bytes(content)
        with pytest.raises(FileInputError, match=says):
            packages.inspect(path)


def test_a_version_with_strange_characters_is_refused(tmp_path: Path, deb: Make) -> None:
    path = tmp_path / "agent.deb"
    path.write_bytes(deb(version="1.0$(reboot)"))
    with pytest.raises(FileInputError, match="characters"):
        packages.inspect(path)


@pytest.mark.parametrize("kind", ["deb", "rpm", "msi"])
def test_every_package_cut_short_is_refused(
    tmp_path: Path, request: pytest.FixtureRequest, kind: str
) -> None:
    whole = request.getfixturevalue(kind)()
    path = tmp_path / "agent"
    for length in range(0, len(whole), 7 if kind == "msi" else 1):
        path.write_bytes(whole[:length])
        with pytest.raises(FileInputError, match=r"cut short|is empty|neither|whole|not a Debian|damaged"):
            packages.inspect(path)


@given(st.data())
@pytest.mark.parametrize("kind", ["deb", "rpm", "msi"])
def test_readers_stand_any_damage(kind: str, request: pytest.FixtureRequest, data: st.DataObject) -> None:
    whole = bytearray(request.getfixturevalue(kind)())
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(8, len(whole) - 1))] = data.draw(st.integers(0, 255))
    read = {"deb": packages.read_deb, "rpm": packages.read_rpm, "msi": msi_reader.read}[kind]
    try:
        facts = read(io.BytesIO(bytes(whole)), len(whole))
    except UnusablePackageError:
        return
    assert isinstance(facts, PackageFacts)


def test_a_control_archive_that_swells_is_bounded(tmp_path: Path) -> None:
    swollen = gzip.compress(bytes(200 * 1024 * 1024))
    members = [(b"debian-binary", b"2.0\n"), (b"control.tar.gz", swollen), (b"data.tar.gz", b"")]
    parts = [b"!<arch>\n"]
    for name, content in members:
        parts.append(name.ljust(16) + b"0".ljust(32) + str(len(content)).encode().ljust(10) + b"`\n")
        parts.append(content + b"\n" * (len(content) % 2))
    path = tmp_path / "agent.deb"
    path.write_bytes(b"".join(parts))
    with pytest.raises(FileInputError, match="control"):
        packages.inspect(path)


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="dpkg-deb is not on PATH")
@pytest.mark.parametrize("compression", ["gzip", "xz", "none", "zstd"])
def test_packages_made_by_dpkg_deb(tmp_path: Path, compression: str) -> None:
    control = tmp_path / "root" / "DEBIAN" / "control"
    control.parent.mkdir(parents=True)
    fields = (
        "Package: azcmagent\nVersion: 1.67.0-3\nArchitecture: amd64\nMaintainer: a <a@b>\nDescription: x\n"
    )
    control.write_text(fields)
    path = tmp_path / "azcmagent_1.67.0-3_amd64.deb"
    command = ["dpkg-deb", f"-Z{compression}", "--uniform-compression", "-b", tmp_path / "root", path]
    subprocess.run(command, check=True, capture_output=True)
    assert packages.inspect(path) == (PackageFormat.DEB, PackageFacts("1.67.0-3", "amd64"))


@pytest.mark.skipif(not shutil.which("rpmbuild"), reason="rpmbuild is not on PATH")
def test_packages_made_by_rpmbuild(tmp_path: Path) -> None:
    spec = tmp_path / "azcmagent.spec"
    spec.write_text(
        "Name: azcmagent\nVersion: 1.67.0\nRelease: 3\nSummary: x\nLicense: x\n%description\nx\n%files\n"
    )
    command = ["rpmbuild", "-bb", "--define", f"_topdir {tmp_path}", "--target", "x86_64-linux", spec]
    subprocess.run(command, check=True, capture_output=True)
    (path,) = tmp_path.rglob("*.rpm")
    assert packages.inspect(path) == (PackageFormat.RPM, PackageFacts("1.67.0-3", "x86_64"))
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size - 1)
    with pytest.raises(FileInputError, match="cut short"):
        packages.inspect(path)


@pytest.mark.skipif(not shutil.which("wixl"), reason="wixl is not on PATH")
def test_packages_made_by_wixl(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    guid = "11111111-1111-1111-1111-111111111111"
    source = tmp_path / "agent.wxs"
    source.write_text(
        f"""<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
        <Product Name="Azure Connected Machine Agent" Id="{guid}" UpgradeCode="{guid}" Language="1033"
        Version="1.67.0" Manufacturer="x"><Package InstallerVersion="200" Compressed="yes"/>
        <Media Id="1" Cabinet="c.cab" EmbedCab="yes"/>
        <Directory Id="TARGETDIR" Name="SourceDir"><Component Id="C" Guid="{guid}">
        <File Id="F" Source="a.txt"/></Component></Directory>
        <Feature Id="M" Level="1"><ComponentRef Id="C"/></Feature></Product></Wix>"""
    )
    path = tmp_path / "agent.msi"
    subprocess.run(["wixl", "-a", "x64", "-o", path, source], check=True, capture_output=True, cwd=tmp_path)
    assert packages.inspect(path) == (PackageFormat.MSI, PackageFacts("1.67.0", "x64"))
