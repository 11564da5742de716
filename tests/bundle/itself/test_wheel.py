import hashlib
import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from arcferry import __version__
from arcferry.bundle.itself.wheel import own_wheel
from arcferry.errors import FileInputError, InputError

ROOT = Path(__file__).parents[3]
INFO = f"arcferry-{__version__}.dist-info"


def held(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def changed(data: bytes, name: str, content: bytes | None) -> bytes:
    """The wheel with one file replaced, or left out."""
    files = {**held(data), name: content}
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for one, kept in files.items():
            if kept is not None:
                archive.writestr(one, kept)
    return target.getvalue()


@pytest.fixture(scope="module")
def own() -> bytes:
    return own_wheel(None)[1]


def test_it_holds_what_the_build_backend_would_pack(own: bytes, tmp_path: Path) -> None:
    build = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(tmp_path)], cwd=ROOT, check=True, capture_output=True)
    wanted = held(next(tmp_path.glob("*.whl")).read_bytes())
    found = held(own)
    assert found.keys() == wanted.keys()
    package = [name for name in wanted if name.startswith("arcferry/")]
    assert [name for name in package if found[name] != wanted[name]] == []
    assert found[f"{INFO}/entry_points.txt"] == wanted[f"{INFO}/entry_points.txt"]
    assert found[f"{INFO}/licenses/LICENSE"] == wanted[f"{INFO}/licenses/LICENSE"]


def test_its_record_lists_every_file_with_its_hash(own: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"arcferry-{__version__}-py3-none-any.whl"
    path.write_bytes(own)
    command = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--no-compile"]
    subprocess.run([*command, "--target", tmp_path / "in", path], check=True, capture_output=True)
    record = (tmp_path / "in" / INFO / "RECORD").read_text()
    for name in held(own).keys() - {f"{INFO}/RECORD"}:
        assert re.search(rf"^{re.escape(name)},sha256=[\w-]{{43}},\d+$", record, re.MULTILINE), name


def test_the_same_arcferry_gives_the_same_wheel(own: bytes) -> None:
    wheel, again = own_wheel(None)
    assert again == own
    assert (wheel.name, wheel.version) == ("arcferry", __version__)
    assert wheel.file == f"arcferry-{__version__}-py3-none-any.whl"


def test_it_says_nothing_of_this_machine(own: bytes) -> None:
    for name, data in held(own).items():
        assert os.fsencode(ROOT) not in data, name
    assert not {"direct_url.json", "INSTALLER", "REQUESTED"} & {name.split("/")[-1] for name in held(own)}


def test_a_wheel_at_hand_is_taken_as_it_is(own: bytes, tmp_path: Path) -> None:
    path = tmp_path / "any-name.whl"
    path.write_bytes(changed(own, "arcferry/added.py", b"# a patch\n"))
    wheel, data = own_wheel(path)
    assert data == path.read_bytes()
    assert wheel.file == f"arcferry-{__version__}-py3-none-any.whl"


def test_a_wheel_of_another_version_is_refused(own: bytes, tmp_path: Path) -> None:
    path = tmp_path / "arcferry-9.whl"
    path.write_bytes(changed(own, f"{INFO}/METADATA", None))
    with pytest.raises(FileInputError, match=f"not a wheel of arcferry {re.escape(__version__)}"):
        own_wheel(path)


def test_a_wheel_that_needs_other_packages_is_refused(own: bytes, tmp_path: Path) -> None:
    metadata = held(own)[f"{INFO}/METADATA"].replace(b"Requires-Dist: typer", b"Requires-Dist: typo", 1)
    path = tmp_path / "a.whl"
    path.write_bytes(changed(own, f"{INFO}/METADATA", metadata))
    with pytest.raises(FileInputError, match="needs other packages"):
        own_wheel(path)


@pytest.mark.parametrize("data", [b"", b"PK\x05\x06", b"no zip", b"PK\x03\x04" + bytes(99)])
def test_what_is_no_wheel_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.whl"
    path.write_bytes(data)
    with pytest.raises(FileInputError, match="is not a wheel"):
        own_wheel(path)


def test_a_wheel_cut_short_is_refused(own: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.whl"
    path.write_bytes(own[: len(own) // 2])
    with pytest.raises(FileInputError, match="is not a wheel"):
        own_wheel(path)


@pytest.fixture
def site(own: bytes, tmp_path: Path) -> Path:
    """A folder with this arcferry installed, not editable."""
    path = tmp_path / f"arcferry-{__version__}-py3-none-any.whl"
    path.write_bytes(own)
    command = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--quiet"]
    subprocess.run([*command, "--target", tmp_path / "site", path], check=True, capture_output=True)
    return tmp_path / "site"


def hash_there(site: Path) -> str:
    """What the arcferry in `site` makes of itself, or why it does not."""
    code = (
        f"import sys; sys.path.insert(0, {str(site)!r})\n"
        "from arcferry.bundle.itself.wheel import own_wheel\n"
        "from arcferry.errors import InputError\n"
        "try: print(own_wheel(None)[0].sha256)\n"
        "except InputError as error: print(error.message)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_an_installed_arcferry_makes_the_wheel_it_came_from(site: Path, own: bytes) -> None:
    assert hash_there(site) == hashlib.sha256(own).hexdigest()


@pytest.mark.parametrize("name", ["arcferry/times.py", "arcferry/py.typed", "arcferry/zz.py"])
def test_an_installed_arcferry_that_was_changed_is_refused(site: Path, name: str) -> None:
    if name.endswith("py.typed"):
        (site / name).unlink()
    else:
        (site / name).write_text("# changed, or added\n")
    assert hash_there(site) == f"{name} is not as it was installed"


def test_an_arcferry_that_is_not_installed_needs_a_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arcferry.bundle.itself.wheel._NAME", "arcferry-nowhere")
    with pytest.raises(InputError, match="without being installed") as caught:
        own_wheel(None)
    assert "--wheel" in caught.value.hint
