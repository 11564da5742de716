"""The table of rights: complete in itself, the same in docs/rights.md, and one role in every form."""

import json
import re
from pathlib import Path

import pytest

from arcferry import rights
from arcferry.errors import UnknownNameError
from arcferry.rights import Place, Task, rights_page
from arcferry_lab.azure.roles import ROLES

ROOT = Path(__file__).parents[2]
TASKS = rights.rights().task
GUID = "a66c9f65-b9e8-42c7-8f93-9d69638e80fd"
PLACE = Place(GUID, "rg-arc", "eastasia")


def test_the_page_is_what_the_table_says() -> None:
    page = (ROOT / "docs/rights.md").read_text(encoding="utf-8")
    assert rights_page() in page, "write what rights_page() gives between its two marks"


def test_onboard_is_microsofts_own_role() -> None:
    assert set(rights.task("onboard").actions) == set(ROLES["onboarding"].actions)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_no_right_stands_twice_and_none_is_a_wildcard(task: Task) -> None:
    assert len(set(task.actions)) == len(task.actions)
    assert not any("*" in action for action in task.actions)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_one_role_in_every_form(task: Task) -> None:
    files = {file.name: file.text for file in rights.role_files(task, PLACE)}
    assert set(files) == {f"role-{task.name}.{end}" for end in ("json", "bicep", "az.txt")}
    role = json.loads(files[f"role-{task.name}.json"])
    assert role["Actions"] == list(task.actions)
    assert role["AssignableScopes"] == [PLACE.scope(task.scope)]
    assert all(role[name] == [] for name in ("NotActions", "DataActions", "NotDataActions"))
    bicep = files[f"role-{task.name}.bicep"]
    assert re.findall(r"'(Microsoft\.[\w./]+/(?:read|write|delete|action))'", bicep) == list(task.actions)
    assert f"roleName: '{role['Name']}'" in bicep
    assert f"'{role['AssignableScopes'][0]}'" in bicep
    lines = files[f"role-{task.name}.az.txt"]
    for name in (f"role-{task.name}.json", f"role-{task.name}.bicep"):
        assert name in lines
    assert f'--role "{role["Name"]}" --scope {PLACE.scope(task.scope)}' in lines


def test_what_is_not_known_stands_there_in_capitals() -> None:
    text = "".join(file.text for task in TASKS for file in rights.role_files(task, Place()))
    assert "/subscriptions/SUBSCRIPTION/resourceGroups/RESOURCE-GROUP" in text
    assert "/subscriptions/SUBSCRIPTION/resourceGroups/CIRCUIT-GROUP" in text


def test_an_unknown_task_is_refused_with_a_near_name() -> None:
    with pytest.raises(UnknownNameError, match="onbord") as caught:
        rights.task("onbord")
    assert "onboard" in caught.value.hint
