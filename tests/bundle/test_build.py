import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from importlib import resources
from pathlib import Path

import pytest

from arcferry import bundle
from arcferry.bundle.build import READERS
from arcferry.bundle.manifest import Role
from arcferry.errors import FileInputError, InputError

Make = Callable[..., bytes]
SHARED = Path(__file__).parents[3] / "shared" / "data"
TAGS = {
    "changeNumber": 7,
    "cloud": "Public",
    "values": [
        {
            "name": "AzureArcInfrastructure",
            "id": "AzureArcInfrastructure",
            "properties": {
                "changeNumber": 1,
                "region": "",
                "regionId": 0,
                "platform": "Azure",
                "systemService": "AzureArcInfrastructure",
                "addressPrefixes": ["20.42.64.0/28"],
            },
        }
    ],
}


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def beside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.parent.iterdir())


def test_it_holds_what_a_closed_network_needs(
    built: Path, agent: Path, key: bundle.SecretKey, now: datetime
) -> None:
    opened = bundle.open_bundle(built, key.public(), now=now)
    package = opened.agent_package("deb")
    assert package is not None
    assert package.read() == agent.read_bytes()
    assert opened.agent(package).version == "1.67.0"
    assert opened.agent_package("rpm") is None
    script = resources.files("arcferry.bundle").joinpath("hostscripts/linux.sh").read_bytes()
    assert opened.host_script("linux").read() == script
    with pytest.raises(InputError, match="'plan9'"):
        opened.host_script("plan9")
    own = {item.name for item in resources.files("arcferry.catalog").joinpath("data").iterdir()}
    carried = {Path(file.name).name for file in opened.files(Role.CATALOG)}
    assert carried == {name for name in own if name.endswith(".toml")} != set()


def test_the_manifest_states_every_file_exactly(built: Path) -> None:
    document = json.loads((built / "manifest.json").read_bytes())
    on_disk = everything(built)
    assert {file["name"] for file in document["files"]} == set(on_disk) - {
        "manifest.json",
        "manifest.json.minisig",
    }
    for file in document["files"]:
        assert file["length"] == len(on_disk[file["name"]])
        assert file["sha256"] == hashlib.sha256(on_disk[file["name"]]).hexdigest()
    assert document["version"] == 20261123080000
    assert document["expires"] == "2027-02-21T08:00:00Z"


def test_the_same_inputs_give_the_same_bytes(
    tmp_path: Path, agent: Path, key: bundle.SecretKey, now: datetime
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    bundle.build(first, bundle.Contents((agent,)), key, created=now)
    os.utime(agent, (1, 1))
    elsewhere = now.astimezone(timezone(timedelta(hours=8))) + timedelta(microseconds=5)
    bundle.build(second, bundle.Contents((agent,)), key, created=elsewhere)
    assert everything(first) == everything(second)


def test_the_order_of_agents_does_not_matter(
    tmp_path: Path, agent: Path, key: bundle.SecretKey, now: datetime, rpm: Make
) -> None:
    other = tmp_path / "in" / "azcmagent.rpm"
    other.write_bytes(rpm())
    for name, agents in (("a", (agent, other)), ("b", (other, agent))):
        bundle.build(tmp_path / name, bundle.Contents(agents), key, created=now)
    assert everything(tmp_path / "a") == everything(tmp_path / "b")
    opened = bundle.open_bundle(tmp_path / "a", key.public(), now=now)
    versions = {agent.format.value: agent.version for agent in opened.manifest.agents}
    assert versions == {"deb": "1.67.0", "rpm": "1.67.0-7"}


def test_the_right_processor_is_chosen(
    tmp_path: Path, agent: Path, key: bundle.SecretKey, now: datetime, deb: Make
) -> None:
    arm = tmp_path / "in" / "azcmagent_1.67.0_arm64.deb"
    arm.write_bytes(deb(architecture="arm64"))
    bundle.build(tmp_path / "b", bundle.Contents((arm, agent)), key, created=now)
    opened = bundle.open_bundle(tmp_path / "b", key.public(), now=now)

    def chosen(*asked: str) -> str:
        package = opened.agent_package(*asked)
        return package.name if package else ""

    assert chosen("deb", "aarch64") == f"agent/{arm.name}"
    assert chosen("deb", "x86_64") == chosen("deb", "amd64") == chosen("deb") == f"agent/{agent.name}"
    assert chosen("deb", "s390x") == ""


def test_two_versions_for_one_kind_of_host_are_refused(
    tmp_path: Path, agent: Path, key: bundle.SecretKey, now: datetime, deb: Make
) -> None:
    other = tmp_path / "in" / "azcmagent_1.68.0_amd64.deb"
    other.write_bytes(deb(version="1.68.0"))
    with pytest.raises(InputError, match="same processor"):
        bundle.build(tmp_path / "b", bundle.Contents((agent, other)), key, created=now)
    assert not (tmp_path / "b").exists()


def test_service_tags_and_communities_are_carried_under_their_dated_names(
    tmp_path: Path, agent: Path, key: bundle.SecretKey, now: datetime
) -> None:
    tags = tmp_path / "ServiceTags_Public_20251028.json"
    tags.write_text(json.dumps(TAGS))
    bundle.build(tmp_path / "b", bundle.Contents((agent,), ((Role.SERVICE_TAGS, tags),)), key, created=now)
    (carried,) = bundle.open_bundle(tmp_path / "b", key.public(), now=now).files(Role.SERVICE_TAGS)
    assert carried.name == "data/ServiceTags_Public_20251028.json"
    assert carried.read() == tags.read_bytes()


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not beside this checkout")
def test_the_real_files_are_carried(
    tmp_path: Path, agent: Path, key: bundle.SecretKey, now: datetime
) -> None:
    documents = (
        (Role.SERVICE_TAGS, SHARED / "ServiceTags_Public_20251028.json"),
        (Role.COMMUNITIES, SHARED / "bgp-service-communities-2019-05-30.json"),
    )
    contents = bundle.Contents((agent,), documents)
    bundle.build(tmp_path / "b", contents, key, created=now)
    opened = bundle.open_bundle(tmp_path / "b", key.public(), now=now)
    assert opened.files(Role.COMMUNITIES)[0].length == 152381


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\0", b"<html>", b"[]", b'{"values": 3}', b"[" * 100_000])
@pytest.mark.parametrize("kind", list(READERS))
def test_what_is_another_document_is_refused(
    *, tmp_path: Path, agent: Path, key: bundle.SecretKey, now: datetime, kind: Role, content: bytes
) -> None:
    path = tmp_path / "download.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"download\.json"):
        bundle.build(tmp_path / "b", bundle.Contents((agent,), ((kind, path),)), key, created=now)
    assert beside(tmp_path / "b") == ["download.json", "in"]


def test_wrong_content_is_refused_and_nothing_is_left(
    tmp_path: Path, agent: Path, key: bundle.SecretKey, now: datetime
) -> None:
    page = tmp_path / "in" / "AzureConnectedMachineAgent.msi"
    page.write_bytes(b"<html>Access denied</html>")
    with pytest.raises(FileInputError, match=r"AzureConnectedMachineAgent\.msi: is not an agent package"):
        bundle.build(tmp_path / "b", bundle.Contents((agent, page)), key, created=now)
    assert beside(tmp_path / "b") == ["in"]


def test_a_name_that_cannot_be_carried_is_refused(
    tmp_path: Path, key: bundle.SecretKey, now: datetime, msi: Make
) -> None:
    path = tmp_path / "AzureConnectedMachineAgent (1).msi"
    path.write_bytes(msi())
    with pytest.raises(FileInputError, match="its name holds") as caught:
        bundle.build(tmp_path / "b", bundle.Contents((path,)), key, created=now)
    assert "Rename it" in caught.value.hint


def test_two_files_of_one_name_are_refused(
    tmp_path: Path, agent: Path, key: bundle.SecretKey, now: datetime, rpm: Make
) -> None:
    twin = tmp_path / "other" / agent.name.upper()
    twin.parent.mkdir()
    twin.write_bytes(rpm())
    with pytest.raises(InputError, match="two files would have the name"):
        bundle.build(tmp_path / "b", bundle.Contents((agent, twin)), key, created=now)


@pytest.mark.parametrize(
    "setting",
    [
        {"version": 0},
        {"version": 2**53},
        {"expires_after": timedelta(0)},
        {"expires_after": timedelta(days=4000)},
    ],
)
def test_settings_out_of_range_are_refused(
    tmp_path: Path, agent: Path, key: bundle.SecretKey, now: datetime, setting: dict[str, int]
) -> None:
    with pytest.raises(InputError):
        bundle.build(tmp_path / "b", bundle.Contents((agent,)), key, created=now, **setting)
    with pytest.raises(InputError, match="no agent package"):
        bundle.build(tmp_path / "b", bundle.Contents(()), key, created=now)


class TestTheNameIsTaken:
    def test_by_a_bundle_which_stays(
        self, built: Path, agent: Path, key: bundle.SecretKey, now: datetime
    ) -> None:
        before = everything(built)
        with pytest.raises(FileInputError, match="a bundle exists there") as caught:
            bundle.build(built, bundle.Contents((agent,)), key, created=now, version=2)
        assert "--replace" in caught.value.hint
        assert everything(built) == before

    def test_by_a_bundle_which_is_replaced(
        self, built: Path, agent: Path, key: bundle.SecretKey, now: datetime
    ) -> None:
        bundle.build(built, bundle.Contents((agent,)), key, created=now, version=2, replace=True)
        assert bundle.open_bundle(built, key.public(), now=now).manifest.version == 2
        assert beside(built) == ["bundle", "in"]

    @pytest.mark.parametrize("replace", [False, True])
    def test_by_something_else_which_is_never_deleted(
        self, tmp_path: Path, agent: Path, key: bundle.SecretKey, now: datetime, replace: bool
    ) -> None:
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / "thesis.txt").write_text("three years")
        (tmp_path / "file").write_text("dear")
        for out in (tmp_path / "home", tmp_path / "file"):
            with pytest.raises(FileInputError, match="exists"):
                bundle.build(out, bundle.Contents((agent,)), key, created=now, replace=replace)
        assert (tmp_path / "home" / "thesis.txt").read_text() == "three years"
        assert beside(tmp_path / "home") == ["file", "home", "in"]

    def test_by_a_bundle_with_something_put_into_it(
        self, built: Path, agent: Path, key: bundle.SecretKey, now: datetime
    ) -> None:
        (built / "host" / "notes.txt").write_text("dear")
        with pytest.raises(FileInputError, match=r"host/notes\.txt"):
            bundle.build(built, bundle.Contents((agent,)), key, created=now, replace=True)
        assert (built / "host" / "notes.txt").read_text() == "dear"

    def test_by_an_empty_folder_which_may_be_used(
        self, tmp_path: Path, agent: Path, key: bundle.SecretKey, now: datetime
    ) -> None:
        (tmp_path / "b").mkdir()
        bundle.build(tmp_path / "b", bundle.Contents((agent,)), key, created=now)
        assert bundle.open_bundle(tmp_path / "b", key.public(), now=now)


def test_others_can_read_what_was_built(built: Path) -> None:
    modes = {path.name: path.stat().st_mode & 0o777 for path in [built, *built.rglob("*")]}
    assert modes["bundle"] == modes["host"] == 0o755
    assert modes["linux.sh"] == 0o755
    assert modes["manifest.json"] == modes["azcm.toml"] == 0o644


FORMS = pytest.mark.parametrize("name", ["b", "b.zip"])
OPERATIONS = {"open", "os.rename", "os.mkdir", "os.chmod", "os.remove", "os.rmdir", "tempfile.mkdtemp"}


@FORMS
def test_a_limit_on_file_size_leaves_nothing(
    tmp_path: Path, agent: Path, grow: Callable[[Path, int], None], name: str
) -> None:
    """The write fails in the middle."""
    grow(agent, 4 * 2**20)
    code = f"""
import resource, signal
from pathlib import Path
from arcferry import bundle, times
from arcferry.errors import FileInputError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
try:
    bundle.build(Path({str(tmp_path / name)!r}), bundle.Contents((Path({str(agent)!r}),)),
                 bundle.new_secret_key(), created=times.now())
except FileInputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "cannot be copied: File too large" in done.stdout
    assert beside(tmp_path / name) == ["in"]


def _may_mount() -> bool:
    if not shutil.which("unshare"):
        return False
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not _may_mount(), reason="no mount namespace may be made here")
@pytest.mark.parametrize(
    ("name", "room"),
    [("b", 3), ("b.zip", 3), ("b.zip", 6)],
)
def test_a_full_disk_leaves_nothing(
    tmp_path: Path, agent: Path, grow: Callable[[Path, int], None], name: str, room: int
) -> None:
    """A small file system of its own; with 6 MiB only the zip finds no room beside its parts."""
    grow(agent, 4 * 2**20)
    (tmp_path / "stick").mkdir()
    (tmp_path / "code.py").write_text(f"""
import os
from pathlib import Path
from arcferry import bundle, times
from arcferry.errors import FileInputError
contents = bundle.Contents((Path({str(agent)!r}),))
try:
    bundle.build(Path("stick/{name}"), contents, bundle.new_secret_key(), created=times.now())
except FileInputError as error:
    print(error, os.listdir("stick"))
""")
    script = f'mount -t tmpfs -o size={room}m none stick && exec "$0" code.py'
    command = ["unshare", "-rm", "sh", "-c", script, sys.executable]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.endswith(("No space left on device []\n", "stick is full []\n")), (
        done.stdout,
        done.stderr,
    )


@FORMS
def test_memory_stays_bounded(
    tmp_path: Path, agent: Path, grow: Callable[[Path, int], None], name: str
) -> None:
    """256 MiB are packed and verified in far less memory than that; bench/bundle.py does 1 GiB."""
    grow(agent, 256 * 2**20)
    code = f"""
import resource
from pathlib import Path
from arcferry import bundle, times
key = bundle.new_secret_key()
out = Path({str(tmp_path / name)!r})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
bundle.build(out, bundle.Contents((Path({str(agent)!r}),)), key, created=times.now())
bundle.open_bundle(out, key.public(), now=times.now())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 20 * 1024


@FORMS
def test_killed_at_any_moment_there_is_a_whole_bundle_or_none(
    tmp_path: Path, agent: Path, key: bundle.SecretKey, name: str
) -> None:
    """The process is ended by its own audit hook at one file operation after another, as if power failed."""
    code = f"""
import os, sys
from pathlib import Path
from arcferry import bundle, times
left = int(sys.argv[1])
def count(event, arguments):
    global left
    if event in {OPERATIONS!r}:
        left -= 1
        if left == 0:
            os._exit(9)
key = bundle.load_secret_key(Path({str(tmp_path / "key")!r}))
contents = bundle.Contents((Path({str(agent)!r}),))
sys.addaudithook(count)
bundle.build(Path({str(tmp_path / "out" / name)!r}), contents, key, created=times.now())
print(int(sys.argv[1]) - left)
"""
    (tmp_path / "key").write_bytes(key.to_bytes())
    (tmp_path / "key").chmod(0o600)
    out = tmp_path / "out" / name

    def run(moment: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, str(moment)]
        return subprocess.run(command, check=False, capture_output=True, text=True)

    whole = run(10**6)
    assert whole.returncode == 0, whole.stderr
    operations = int(whole.stdout)
    seen = set()
    for moment in sorted({*range(2, operations, operations // 5), *range(operations - 8, operations + 1)}):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        assert run(moment).returncode == 9
        seen.add(out.exists())
        if out.exists():
            bundle.open_bundle(out, key.public(), now=bundle.read_unverified(out).created)
    assert seen == {False, True}


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not on PATH")
@FORMS
def test_all_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, agent: Path, key: bundle.SecretKey, name: str
) -> None:
    """As the kernel saw it: every content flushed, then the rename, then the folder that holds the name."""
    (tmp_path / "key").write_bytes(key.to_bytes())
    (tmp_path / "key").chmod(0o600)
    code = f"""
from pathlib import Path
from arcferry import bundle, times
bundle.build(Path("out/{name}"), bundle.Contents((Path({str(agent)!r}),)),
             bundle.load_secret_key(Path("key")), created=times.now())
"""
    trace = ["strace", "-f", "-y", "-e", "trace=fsync,rename,renameat,renameat2", "-o", "trace.txt"]
    command = [*trace, sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no process may be traced here: {done.stderr[:100]}")
    out = tmp_path / "out" / name
    source, flushed, after = _around_rename((tmp_path / "trace.txt").read_text(), str(out))
    parts = [source, *(f"{source}/{one}" for one in everything(out))] if out.is_dir() else [source]
    assert set(parts) <= flushed
    assert str(out.parent) in after


def _around_rename(trace: str, target: str) -> tuple[str, set[str], set[str]]:
    """What was renamed to `target`, and what had been flushed by then, under its last name, and after."""
    before: set[str] = set()
    after: set[str] = set()
    source = ""
    for call in trace.splitlines():
        if found := re.search(r"fsync\(\d+<([^>]*)>", call):
            (after if source else before).add(found[1])
        elif found := re.search(r'rename\w*\((?:AT\S+, )?"([^"]*)", (?:AT\S+, )?"([^"]*)"', call):
            if found[2] == target:
                source = found[1]
            elif found[1] in before:
                before.add(found[2])
    return source, before, after


class TestAsAZip:
    @pytest.fixture
    def out(self, tmp_path: Path, agent: Path, key: bundle.SecretKey, now: datetime) -> Path:
        out = tmp_path / "b.zip"
        bundle.build(out, bundle.Contents((agent,)), key, created=now)
        return out

    def test_it_holds_what_the_folder_holds(
        self, out: Path, built: Path, key: bundle.SecretKey, now: datetime
    ) -> None:
        with zipfile.ZipFile(out) as stock:
            assert {name: stock.read(name) for name in stock.namelist()} == everything(built)
        assert bundle.open_bundle(out, key.public(), now=now).id == bundle.read_unverified(built).id
        assert out.stat().st_mode & 0o777 == 0o644

    def test_the_same_inputs_give_the_same_bytes(
        self, out: Path, tmp_path: Path, agent: Path, key: bundle.SecretKey, now: datetime
    ) -> None:
        os.utime(agent, (1, 1))
        agent.chmod(0o600)
        bundle.build(tmp_path / "again.ZIP", bundle.Contents((agent,)), key, created=now)
        assert (tmp_path / "again.ZIP").read_bytes() == out.read_bytes()
        assert beside(out) == ["again.ZIP", "b.zip", "in"]

    def test_it_is_replaced_only_when_asked(
        self, out: Path, agent: Path, key: bundle.SecretKey, now: datetime
    ) -> None:
        before = out.read_bytes()
        with pytest.raises(FileInputError, match="a bundle exists there"):
            bundle.build(out, bundle.Contents((agent,)), key, created=now, version=2)
        assert out.read_bytes() == before
        bundle.build(out, bundle.Contents((agent,)), key, created=now, version=2, replace=True)
        assert bundle.open_bundle(out, key.public(), now=now).manifest.version == 2
        assert beside(out) == ["b.zip", "in"]

    @pytest.mark.parametrize("kind", ["folder", "link", "other zip"])
    def test_anything_else_there_stays(
        self, tmp_path: Path, agent: Path, key: bundle.SecretKey, now: datetime, kind: str
    ) -> None:
        out = tmp_path / "x.zip"
        if kind == "folder":
            out.mkdir()
        elif kind == "link":
            out.symlink_to(tmp_path / "elsewhere")
        else:
            with zipfile.ZipFile(out, "w") as other:
                other.writestr("thesis.txt", "three years")
        for replace in (False, True):
            with pytest.raises(FileInputError, match="exists and"):
                bundle.build(out, bundle.Contents((agent,)), key, created=now, replace=replace)
        assert beside(out) == ["in", "x.zip"]


@FORMS
def test_the_next_build_clears_away_what_a_killed_one_left(
    tmp_path: Path, agent: Path, key: bundle.SecretKey, now: datetime, name: str
) -> None:
    home = tmp_path / "home"
    for left in ("dead", "young", "held"):
        (home / f".{name}.{left}.arcferry" / "bundle").mkdir(parents=True)
    for old in ("dead", "held"):
        os.utime(home / f".{name}.{old}.arcferry", (1, 1))
    with (home / f".{name}.held.arcferry" / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.utime(home / f".{name}.held.arcferry", (1, 1))
        bundle.build(home / name, bundle.Contents((agent,)), key, created=now)
    assert sorted(path.name for path in home.iterdir()) == [
        f".{name}.held.arcferry",
        f".{name}.young.arcferry",
        name,
    ]


def test_a_bundle_that_was_put_aside_when_the_power_went_comes_back(
    tmp_path: Path, agent: Path, key: bundle.SecretKey, now: datetime
) -> None:
    out = tmp_path / "home" / "b"
    bundle.build(out, bundle.Contents((agent,)), key, created=now)
    out.rename(out.with_name(".b.abc.arcferry.old"))
    with pytest.raises(FileInputError, match="a bundle exists there"):
        bundle.build(out, bundle.Contents((agent,)), key, created=now, version=2)
    bundle.build(out, bundle.Contents((agent,)), key, created=now, version=2, replace=True)
    assert [path.name for path in out.parent.iterdir()] == ["b"]
