import re
import subprocess
import sys
import tomllib
from email.parser import BytesParser
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.tags import Tag
from packaging.utils import canonicalize_name, parse_wheel_filename

from arcferry.bundle import manifest
from arcferry.bundle.itself import PLATFORMS, PYTHONS, WheelTarget, locked
from arcferry.bundle.itself.lock import LockedWheel, read_requirements, to_requirements

ROOT = Path(__file__).parents[3]
TARGETS = [WheelTarget(python, platform) for python in PYTHONS for platform in PLATFORMS]
# What the markers of packages ask, written out once more so that the script's own table is put to the test.
WINDOWS = {
    "os_name": "nt",
    "sys_platform": "win32",
    "platform_system": "Windows",
    "platform_machine": "AMD64",
}
LINUX = {
    "os_name": "posix",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
}


def test_the_locks_match_uv_lock() -> None:
    script = ROOT / "scripts/self_lock.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.tag)
def test_every_wheel_is_the_locked_one_of_uv_lock(target: WheelTarget) -> None:
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    hashes = {
        (package["name"], package.get("version")): {
            wheel["hash"].removeprefix("sha256:") for wheel in package.get("wheels", ())
        }
        for package in packages
    }
    for wheel in locked(target):
        assert wheel.sha256 in hashes[wheel.name, wheel.version], wheel


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.tag)
def test_what_arcferry_needs_is_locked_and_fits_the_target(target: WheelTarget) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wheels = {wheel.name: wheel for wheel in locked(target)}
    for text in project["dependencies"]:
        need = Requirement(text)
        assert need.specifier.contains(wheels[canonicalize_name(need.name)].version), text
    for wheel in wheels.values():
        name, version, _, tags = parse_wheel_filename(wheel.file)
        assert (name, str(version)) == (wheel.name, wheel.version)
        assert any(fits(tag, target) for tag in tags), wheel.file
        assert not manifest.name_fault(f"wheels/{wheel.file}")


def fits(tag: Tag, target: WheelTarget) -> bool:
    """Whether a wheel of this tag runs there, by the rules of PEP 425 and 600 in short."""
    minor = int(target.python.partition(".")[2])
    python = {target.abi, "py3", *(f"py3{older}" for older in range(minor + 1))}
    if tag.abi == "abi3":
        python |= {f"cp3{older}" for older in range(2, minor + 1)}
    abi = tag.abi in {target.abi, "abi3", "none"}
    ending = {"linux_x86_64": r"any|manylinux(1|2010|2014|_2_\d+)_x86_64", "win_amd64": "any|win_amd64"}
    return tag.interpreter in python and abi and bool(re.fullmatch(ending[target.platform], tag.platform))


def test_windows_alone_gets_what_only_windows_needs() -> None:
    windows = {wheel.name for wheel in locked(WheelTarget("3.11", "win_amd64"))}
    linux = {wheel.name for wheel in locked(WheelTarget("3.11", "linux_x86_64"))}
    assert windows - linux == {"colorama", "sspilib"}
    assert linux <= windows


def test_the_wheels_need_nothing_that_is_not_locked(wheels: Path, here: tuple[WheelTarget, ...]) -> None:
    for target in here:
        held = {wheel.name: wheel for wheel in locked(target)}
        asked = {**(WINDOWS if target.platform == "win_amd64" else LINUX), "extra": ""}
        asked |= {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
        asked |= {"python_version": target.python, "python_full_version": f"{target.python}.0"}
        for wheel in held.values():
            with ZipFile(wheels / wheel.file) as archive:
                metadata = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
                needs = BytesParser().parsebytes(archive.read(metadata)).get_all("Requires-Dist") or []
            for need in map(Requirement, needs):
                if need.marker is None or need.marker.evaluate(asked):
                    version = held[canonicalize_name(need.name)].version
                    assert need.specifier.contains(version), f"{wheel.file} needs {need}"


def test_the_locks_name_no_host() -> None:
    for target in TARGETS:
        assert "//" not in to_requirements(locked(target))


def test_a_list_is_read_as_it_was_written() -> None:
    wheel = LockedWheel("a-b", "1.0+x", "a_b-1.0+x-py3-none-any.whl", "0" * 64)
    assert read_requirements(to_requirements([wheel])) == (wheel,)


@pytest.mark.parametrize("line", ["a==1", "--index-url https://x", "a==1 --hash=sha256:00  # a.whl", " "])
def test_a_line_that_is_no_locked_wheel_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="no locked wheel"):
        read_requirements(f"{line}\n")
