import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from importlib import resources
from pathlib import Path

import pytest

from arcferry import bundle
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
    with pytest.raises(InputError, match="'windows'"):
        opened.host_script("windows")
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
    *, tmp_path: Path, agent: Path, key: bundle.SecretKey, now: datetime, rpm: Make, msi: Make
) -> None:
    others = [tmp_path / "in" / "azcmagent.rpm", tmp_path / "in" / "AzureConnectedMachineAgent-1.67.msi"]
    for path, content in zip(others, (rpm(), msi()), strict=True):
        path.write_bytes(content)
    for name, agents in (("a", (agent, *others)), ("b", (*others[::-1], agent))):
        bundle.build(tmp_path / name, bundle.Contents(agents), key, created=now)
    assert everything(tmp_path / "a") == everything(tmp_path / "b")
    opened = bundle.open_bundle(tmp_path / "a", key.public(), now=now)
    versions = {agent.format.value: agent.version for agent in opened.manifest.agents}
    assert versions == {"deb": "1.67.0", "rpm": "1.67.0-7", "msi": "1.67"}


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
    bundle.build(tmp_path / "b", bundle.Contents((agent,), service_tags=tags), key, created=now)
    (carried,) = bundle.open_bundle(tmp_path / "b", key.public(), now=now).files(Role.SERVICE_TAGS)
    assert carried.name == "data/ServiceTags_Public_20251028.json"
    assert carried.read() == tags.read_bytes()


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not beside this checkout")
def test_the_real_files_are_carried(
    tmp_path: Path, agent: Path, key: bundle.SecretKey, now: datetime
) -> None:
    contents = bundle.Contents(
        (agent,),
        SHARED / "ServiceTags_Public_20251028.json",
        SHARED / "bgp-service-communities-2019-05-30.json",
    )
    bundle.build(tmp_path / "b", contents, key, created=now)
    opened = bundle.open_bundle(tmp_path / "b", key.public(), now=now)
    assert opened.files(Role.COMMUNITIES)[0].length == 152381


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\0", b"<html>", b"[]", b'{"values": 3}', b"[" * 100_000])
@pytest.mark.parametrize("kind", ["service_tags", "communities"])
def test_what_is_no_service_tags_or_communities_is_refused(
    *, tmp_path: Path, agent: Path, key: bundle.SecretKey, now: datetime, kind: str, content: bytes
) -> None:
    path = tmp_path / "download.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"download\.json"):
        bundle.build(tmp_path / "b", bundle.Contents((agent,), **{kind: path}), key, created=now)
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


def test_a_full_disk_leaves_nothing(tmp_path: Path, agent: Path, grow: Callable[[Path, int], None]) -> None:
    """A limit on file size stands for the full disk: the write fails in the middle in the same way."""
    grow(agent, 4 * 2**20)
    code = f"""
import resource, signal
from pathlib import Path
from arcferry import bundle, times
from arcferry.errors import FileInputError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
try:
    bundle.build(Path({str(tmp_path / "b")!r}), bundle.Contents((Path({str(agent)!r}),)),
                 bundle.new_secret_key(), created=times.now())
except FileInputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "cannot be copied: File too large" in done.stdout
    assert beside(tmp_path / "b") == ["in"]


def test_memory_stays_bounded(tmp_path: Path, agent: Path, grow: Callable[[Path, int], None]) -> None:
    """256 MB are packed and verified in far less memory than that."""
    grow(agent, 256 * 2**20)
    code = f"""
import resource
from pathlib import Path
from arcferry import bundle, times
key = bundle.new_secret_key()
out = Path({str(tmp_path / "b")!r})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
bundle.build(out, bundle.Contents((Path({str(agent)!r}),)), key, created=times.now())
bundle.open_bundle(out, key.public(), now=times.now())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 20 * 1024


def test_killed_at_any_moment_there_is_a_whole_bundle_or_none(
    tmp_path: Path, agent: Path, key: bundle.SecretKey
) -> None:
    """The process is ended by its own audit hook at every file operation in turn, as if power failed."""
    code = f"""
import os, sys
from pathlib import Path
from arcferry import bundle, times
left = int(sys.argv[1])
def count(event, arguments):
    global left
    if event in ("open", "os.rename", "os.mkdir", "os.chmod", "os.remove", "tempfile.mkdtemp"):
        left -= 1
        if left == 0:
            os._exit(9)
key = bundle.load_secret_key(Path({str(tmp_path / "key")!r}))
contents = bundle.Contents((Path({str(agent)!r}),))
sys.addaudithook(count)
bundle.build(Path({str(tmp_path / "out" / "b")!r}), contents, key, created=times.now())
"""
    (tmp_path / "key").write_bytes(key.to_bytes())
    (tmp_path / "key").chmod(0o600)
    out = tmp_path / "out" / "b"
    for moment in (3, 8, 21, 34, 55, 10_000):
        done = subprocess.run([sys.executable, "-c", code, str(moment)], check=False, capture_output=True)
        if done.returncode == 9:
            assert not out.exists()
        else:
            assert done.returncode == 0, done.stderr
    assert bundle.open_bundle(out, key.public(), now=bundle.read_unverified(out).created)
