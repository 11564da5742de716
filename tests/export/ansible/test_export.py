"""What an export for Ansible holds, and what Ansible says of it before any server is met."""

import asyncio
import re
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from arcferry import __version__
from arcferry.errors import InputError
from arcferry.export.ansible import COLLECTION, SETTINGS, write_ansible
from arcferry.export.options import ExportOptions, TokenFile

from .conftest import ControlNode, Sealed

UNSAFE = "!unsafe"


class Loader(yaml.SafeLoader):
    """Reads Ansible's own mark for a text that is no template."""


Loader.add_constructor(UNSAFE, lambda loader, node: (UNSAFE, loader.construct_scalar(node)))


def read(path: Path) -> Any:  # noqa: ANN401 - YAML of any shape
    return yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)  # noqa: S506 - derives from SafeLoader


def tasks_of(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every task with its file's name, those inside blocks too."""
    for path in sorted((folder / COLLECTION / "roles/onboard/tasks").glob("*.yml")):
        yield from ((path.stem, task) for task in flat(read(path)))


def flat(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for task in tasks:
        yield task
        for part in ("block", "rescue", "always"):
            yield from flat(task.get(part, []))


def module(task: dict[str, Any]) -> str:
    return next((key for key in task if "." in key), "")


def test_settings_hold_the_order_and_the_hash(export: Path, sealed: Sealed) -> None:
    assert read(export / SETTINGS) == {
        "onboard_tenant_id": "66666666-7777-8888-9999-000000000000",
        "onboard_subscription_id": "11111111-2222-3333-4444-555555555555",
        "onboard_resource_group": "rg-arc",
        "onboard_location": "eastasia",
        "onboard_cloud": "AzureCloud",
        "onboard_bundle_sha256": sealed.bundle.manifest.sha256,
        "onboard_tags": {"site": "lab", "odd": (UNSAFE, "{{ lookup('pipe', 'id') }}")},
        "onboard_windows_bundle": r"\\fs01\arcferry\bundle",
    }


def test_proxy_is_a_setting_where_it_is_given(sealed: Sealed, tmp_path: Path) -> None:
    write_ansible(sealed.options(proxy="http://proxy:8080"), tmp_path / "out")
    assert read(tmp_path / "out" / SETTINGS)["onboard_proxy"] == "http://proxy:8080"


def test_an_upgrade_is_a_setting(sealed: Sealed, tmp_path: Path) -> None:
    write_ansible(replace(sealed.options(), upgrades=True), tmp_path / "out")
    assert read(tmp_path / "out" / SETTINGS)["onboard_upgrades"] is True


def test_the_bundle_lies_beside_it_whole(export: Path, sealed: Sealed) -> None:
    for file in sealed.bundle.manifest.files:
        assert (export / "bundle" / file.name).stat().st_size == file.length
    assert (export / "bundle/manifest.json.minisig").read_bytes() == sealed.bundle.seal


def test_a_way_to_sign_in_is_refused(sealed: Sealed, tmp_path: Path) -> None:
    wanted = ExportOptions(sealed.bundle, sealed.options().target, sign_in=TokenFile("/mnt/token/arc"))
    with pytest.raises(InputError, match="--token-file"):
        write_ansible(wanted, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_every_path_that_the_steps_name_exists(export: Path) -> None:
    steps = (export / "STEPS.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `([^`]+)` \|", steps, re.MULTILINE)
    assert len(named) > 5
    assert [path for path in named if not (export / path).exists()] == []


def test_the_page_of_steps_is_there_for_a_browser_too(export: Path) -> None:
    page = (export / "STEPS.html").read_text(encoding="utf-8")
    assert "<code>ansible-playbook onboard.yml</code>" in page
    assert "<table>" in page


def test_the_steps_and_the_readme_name_settings_that_exist(export: Path) -> None:
    known = options(export)
    for page in ("STEPS.md", f"{COLLECTION}/README.md"):
        text = (export / page).read_text(encoding="utf-8")
        named = set(re.findall(r"`(onboard_\w+)`", text))
        assert named
        assert named <= known.keys(), page
    assert set(re.findall(r"`(onboard_\w+)`", text)) == known.keys(), "the README lists all of them"


def options(export: Path) -> dict[str, Any]:
    specs = read(export / COLLECTION / "roles/onboard/meta/argument_specs.yml")
    found: dict[str, Any] = specs["argument_specs"]["main"]["options"]
    return found


def test_defaults_are_those_of_the_argument_spec(export: Path) -> None:
    defaults = read(export / COLLECTION / "roles/onboard/defaults/main.yml")
    specs = options(export)
    assert {name for name, spec in specs.items() if not spec.get("required")} == defaults.keys()
    assert {name: spec["default"] for name, spec in specs.items() if "default" in spec} == {
        name: defaults[name] for name, spec in specs.items() if "default" in spec
    }
    assert all(spec["description"] and spec["type"] for spec in specs.values())


def test_galaxy_names_this_version(export: Path) -> None:
    galaxy = read(export / COLLECTION / "galaxy.yml")
    assert (galaxy["namespace"], galaxy["name"], galaxy["version"]) == ("arcferry", "onboard", __version__)


def test_every_verb_has_a_file_for_each_system(export: Path) -> None:
    files = {path.stem for path in (export / COLLECTION / "roles/onboard/tasks").glob("*.yml")}
    verbs = ("facts", "verify", "install", "check", "connect", "show")
    assert {f"{system}_{verb}" for system in ("linux", "windows") for verb in verbs} <= files


def test_what_touches_the_token_is_never_logged(export: Path) -> None:
    words = ("onboard_token", "onboard_config", "onboard_minted")
    handled = [
        (file, task)
        for file, task in tasks_of(export)
        if module(task) and any(re.search(rf"\b{word}\b(?!_)", str(task[module(task)])) for word in words)
    ]
    assert {file for file, _ in handled} == {"token", "linux_connect", "windows_connect", "main"}
    assert [(file, task["name"]) for file, task in handled if task.get("no_log") is not True] == []


def test_the_token_is_on_no_command_line(export: Path) -> None:
    for file, task in tasks_of(export):
        arguments = task.get(module(task))
        line = arguments.get("argv") or arguments.get("cmd") if isinstance(arguments, dict) else arguments
        assert "onboard_config" not in str(line), (file, task["name"])
        assert not re.search(r"\bonboard_token\b", str(line)), (file, task["name"])


def test_modules_are_few_and_named_in_full(export: Path) -> None:
    used = {"windows": set[str](), "linux": set[str]()}
    for file, task in tasks_of(export):
        kind = "windows" if file.startswith("windows") else "linux"
        used[kind].add(module(task) or "block")
    builtin = {
        f"ansible.builtin.{name}"
        for name in ("assert", "command", "copy", "debug", "fail", "file", "set_fact", "stat")
    }
    both = {"block", "ansible.builtin.import_tasks", "ansible.builtin.include_tasks"}
    assert used["linux"] == builtin | both
    assert used["windows"] - both == {
        "ansible.builtin.script",
        "ansible.builtin.set_fact",
        *(f"ansible.windows.win_{name}" for name in ("command", "copy", "file", "stat")),
    }


def test_what_asks_a_server_does_not_count_as_a_change(export: Path) -> None:
    runs = [task for _, task in tasks_of(export) if module(task).endswith(("command", ".script"))]
    assert len(runs) > 10
    assert [task["name"] for task in runs if "changed_when" not in task or "failed_when" not in task] == []


def test_ansible_takes_the_syntax(control: ControlNode) -> None:
    ended = asyncio.run(control.run("ansible-playbook", "onboard.yml", "--syntax-check"))
    assert ended.code == 0, ended.text


WRONG = {
    "cloud": ({"onboard_cloud": "AzureMoon"}, "onboard_cloud must be one of"),
    "tags": ({"onboard_tags": "site"}, "onboard_tags"),
    "unset": ({"onboard_tenant_id": None}, "missing required arguments: onboard_tenant_id"),
    "location": ({"onboard_location": "East Asia"}, "onboard_location (such as eastasia)"),
    "subscription": ({"onboard_subscription_id": "mine"}, "onboard_subscription_id (a GUID)"),
    "proxy": ({"onboard_proxy": "http://me:pw@proxy"}, "without a user"),
    "name": ({"onboard_resource_name": "10.0.0.4"}, "10.0.0.4 cannot be a machine's name"),
    "bundle": ({"onboard_bundle": "/nonexistent"}, "/nonexistent/manifest.json"),
    "exchanged": ({"onboard_bundle_sha256": "0" * 64}, "is not the one of onboard_bundle_sha256"),
}
"""By a server's name: settings that differ from the export's, and what is said of them."""


def test_a_wrong_setting_is_refused_before_a_server_is_met(control: ControlNode, tmp_path: Path) -> None:
    """These servers do not exist: had one been met, Ansible would call it unreachable."""
    settings = read(control.folder / SETTINGS) | {
        "onboard_bundle": f"{control.folder}/bundle",
        "onboard_results": f"{tmp_path}/results",
        "onboard_tags": {},
    }
    servers = {
        name: {key: value for key, value in (settings | wrong).items() if value is not None}
        for name, (wrong, _) in WRONG.items()
    }
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": servers}}))
    play = {"hosts": "all", "gather_facts": False, "roles": [{"role": "arcferry.onboard.onboard"}]}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    words = ("-i", f"{tmp_path}/hosts.yml", f"{tmp_path}/play.yml")
    ended = asyncio.run(control.run("ansible-playbook", *words, ANSIBLE_KEEP_REMOTE_FILES="0"))
    assert ended.code == 2
    said = dict(
        re.findall(
            r"^fatal: \[(\w+)\]: FAILED! => (.*?)^(?=fatal|TASK|PLAY|ok|skipping|changed)",
            ended.out,
            re.DOTALL | re.MULTILINE,
        )
    )
    assert {name for name, (_, says) in WRONG.items() if says not in said.get(name, "")} == set(), ended.text
    assert not (tmp_path / "results").exists(), "a server that was not met has no result"
    counts = [ended.recap(name) for name in WRONG]
    assert [(count["failed"], count["unreachable"]) for count in counts] == [(1, 0)] * len(WRONG)


def test_files_that_ansible_would_leave_on_servers_are_refused(control: ControlNode) -> None:
    words = ("onboard.yml", "--limit", "web01")
    ended = asyncio.run(control.run("ansible-playbook", *words, ANSIBLE_KEEP_REMOTE_FILES="1"))
    assert ended.code == 2
    assert "ANSIBLE_KEEP_REMOTE_FILES" in ended.text
    assert ended.recap("web01")["unreachable"] == 0


def test_the_collection_can_be_packed(control: ControlNode, tmp_path: Path) -> None:
    words = ("collection", "build", str(control.folder / COLLECTION), "--output-path", str(tmp_path))
    ended = asyncio.run(control.run("ansible-galaxy", *words))
    assert ended.code == 0, ended.text
    with tarfile.open(tmp_path / f"arcferry-onboard-{__version__}.tar.gz") as packed:
        assert "roles/onboard/meta/argument_specs.yml" in packed.getnames()


def test_the_settings_can_be_read_with_ansible_doc(control: ControlNode) -> None:
    ended = asyncio.run(control.run("ansible-doc", "-t", "role", "arcferry.onboard.onboard"))
    assert ended.code == 0, ended.text
    assert "onboard_windows_bundle" in ended.out
