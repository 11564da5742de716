"""The twin is a distribution of its own: arcferry has none of it, and both go together by version alone."""

import io
import os
import subprocess
import sys
import sysconfig
import zipfile
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

import pytest

from arcferry import __version__
from arcferry.bundle.itself import PLATFORMS, PYTHONS, WheelTarget, locked
from arcferry.bundle.itself.wheel import own_wheel

ROOT = Path(__file__).parents[2]
BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
LAB = f"arcferry_lab-{__version__}-py3-none-any.whl"
PRODUCT = f"arcferry-{__version__}-py3-none-any.whl"


def of_the_lab(names: list[str]) -> list[str]:
    return [name for name in names if name.startswith(("arcferry_lab", "arcferry/lab/", "lab/"))]


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return BytesParser().parsebytes(archive.read(name))


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both wheels, as the build backend makes them."""
    folder = tmp_path_factory.mktemp("wheels")
    for project in (ROOT, ROOT / "lab"):
        subprocess.run(
            [sys.executable, "-c", BUILD, str(folder)], cwd=project, check=True, capture_output=True
        )
    assert {path.name for path in folder.iterdir()} == {PRODUCT, LAB}
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A Python of its own with all that arcferry and the twin need, and neither of them."""
    fresh = tmp_path / "fresh"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", fresh], check=True)
    (packages,) = fresh.glob("lib/python*/site-packages")
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if "arcferry" not in entry.name:
            (packages / entry.name).symlink_to(entry)
    return fresh


def install(environment: Path, wheels: Path, name: str) -> None:
    pip = [sys.executable, "-m", "pip", "--python", environment / "bin/python", "install", "--quiet"]
    subprocess.run([*pip, "--no-index", "--find-links", wheels, name], check=True)


def run(environment: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [environment / "bin/arcferry", *words],
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        cwd=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_arcferry_carries_nothing_of_it(wheels: Path) -> None:
    with zipfile.ZipFile(wheels / PRODUCT) as archive:
        assert of_the_lab(archive.namelist()) == []


def test_a_bundle_of_arcferry_itself_carries_nothing_of_it() -> None:
    with zipfile.ZipFile(io.BytesIO(own_wheel(None)[1])) as archive:
        assert of_the_lab(archive.namelist()) == []
    locks = [locked(WheelTarget(python, platform)) for python in PYTHONS for platform in PLATFORMS]
    assert "typer" in {wheel.name for wheel in locks[0]}
    assert [wheel.file for lock in locks for wheel in lock if "lab" in wheel.file] == []


def test_its_wheel_holds_every_file_of_it(wheels: Path) -> None:
    source = ROOT / "lab/src"
    there = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheels / LAB) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == there
    assert {"arcferry_lab/hosts/boot.sh", "arcferry_lab/hosts/windows/agent/azcmagent.c"} <= held


def test_each_names_the_very_version_of_the_other(wheels: Path) -> None:
    product, lab = metadata(wheels / PRODUCT), metadata(wheels / LAB)
    assert product["Version"] == lab["Version"] == __version__
    wanted = product.get_all("Requires-Dist", [])
    assert [one for one in wanted if "lab" in one] == [f"arcferry-lab=={__version__}; extra == 'lab'"]
    assert f"arcferry=={__version__}" in lab.get_all("Requires-Dist", [])


@pytest.mark.lab
def test_the_command_is_there_where_the_twin_is_installed(
    environment: Path, wheels: Path, tmp_path: Path
) -> None:
    install(environment, wheels, "arcferry")
    assert " lab " not in run(environment, "--help").stdout
    for words in (["lab"], ["lab", "--help"], ["lab", "up", "--hosts", "2"]):
        missed = run(environment, *words)
        assert (missed.returncode, missed.stdout) == (3, "")
        assert f"pip install 'arcferry[lab]=={__version__}'" in missed.stderr
    install(environment, wheels, f"arcferry[lab]=={__version__}")
    assert " lab " in run(environment, "--help").stdout
    assert "demo" in run(environment, "lab", "--help").stdout
    folder = str(tmp_path / "lab")
    started = run(environment, "lab", "up", "--quiet", "--folder", folder)
    assert (started.returncode, started.stderr) == (0, "")
    assert run(environment, "lab", "down", "--quiet", "--folder", folder).returncode == 0
