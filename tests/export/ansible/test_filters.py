"""The collection's filters: what they make of what servers print."""

import base64
import importlib.util
import json
from collections.abc import Callable
from importlib import resources
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.fleet.inventory.tags import tags_text as fleet_tags_text

PLUGIN = "ansible_collection/collection/plugins/filter/onboard.py"


def loaded() -> ModuleType:
    path = resources.files("arcferry.export") / PLUGIN
    with resources.as_file(path) as file:
        spec = importlib.util.spec_from_file_location("onboard_filters", file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


FILTERS: dict[str, Callable[..., Any]] = loaded().FilterModule().filters()
OK = '{"schema":1,"verb":"show","ok":true}'


@pytest.mark.parametrize(
    "printed",
    [OK, f"welcome\n{OK}\nlogout\n", f'{{"verb":"facts","ok":true}}\n{OK}', f"{OK}\n{{broken\n[1]\nnull"],
)
def test_the_answer_is_found_among_other_lines(printed: str) -> None:
    assert FILTERS["answer"]({"stdout": printed}, "show") == json.loads(OK)


@pytest.mark.parametrize(
    ("ran", "reason"),
    [
        ({}, "it printed nothing"),
        ({"stdout": "", "stderr": "sh: not found"}, "sh: not found"),
        ({"stdout": "x", "module_stderr": "no\x1b[2J Python\n"}, "no [2J Python"),
        ({"stdout": "[" * 100_000, "msg": "MODULE FAILURE"}, "MODULE FAILURE"),
        ({"stdout": '{"verb":"show","ok":"yes"}'}, "it printed nothing"),
        ({"stdout": '{"verb":"facts","ok":true}'}, "it printed nothing"),
    ],
)
def test_what_is_no_answer_becomes_a_refusal(ran: dict[str, Any], reason: str) -> None:
    found = FILTERS["answer"](ran, "show")
    assert (found["verb"], found["ok"], found["code"]) == ("show", False, "no-answer")
    assert found["message"].endswith(f": {reason}")


def test_a_usage_error_is_the_answer_to_any_verb() -> None:
    line = '{"schema":1,"verb":"usage","ok":false,"code":"usage","message":"no such verb"}'
    assert FILTERS["answer"]({"stdout": line}, "connect")["code"] == "usage"


@pytest.mark.parametrize("key", ["stdout", "stderr"])
def test_a_secret_that_was_printed_does_not_travel_on(key: str) -> None:
    line = '{"schema":1,"verb":"connect","ok":false,"output":"SECRET"}' if key == "stdout" else "SECRET"
    found = json.dumps(FILTERS["answer"]({key: line}, "connect", "SECRET"))
    assert "SECRET" not in found
    assert "[removed]" in found


@given(st.text(), st.sampled_from(["facts", "connect"]))
def test_whatever_is_printed_there_is_an_answer(printed: str, verb: str) -> None:
    found = FILTERS["answer"]({"stdout": printed}, verb)
    assert isinstance(found["ok"], bool)
    assert FILTERS["says"](found).isprintable()


def agents(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {
        "agents": [
            {"file": f"agent/{form}-{arch}", "format": form, "architecture": arch, "version": "1"}
            for form, arch in pairs
        ]
    }


@pytest.mark.parametrize(
    ("held", "form", "arch", "file"),
    [
        ([("deb", "amd64"), ("rpm", "x86_64")], "deb", "x86_64", "agent/deb-amd64"),
        ([("deb", "amd64"), ("rpm", "x86_64")], "rpm", "x86_64", "agent/rpm-x86_64"),
        ([("rpm", "noarch"), ("rpm", "aarch64")], "rpm", "aarch64", "agent/rpm-aarch64"),
        ([("msi", "x64")], "msi", "amd64", "agent/msi-x64"),
        ([("msi", "")], "msi", "amd64", "agent/msi-"),
        ([("deb", "amd64")], "deb", "aarch64", ""),
        ([("deb", "amd64")], "none", "x86_64", ""),
    ],
)
def test_the_package_that_fits(held: list[tuple[str, str]], form: str, arch: str, file: str) -> None:
    found = FILTERS["package"](agents(*held), {"package_format": form, "arch": arch})
    assert found["file"] == file


@pytest.mark.parametrize(
    ("agent", "needed"),
    [
        ({"installed": False, "version": ""}, True),
        ({"installed": True, "version": ""}, True),
        ({"installed": True, "version": "1.9.0"}, True),
        ({"installed": True, "version": "1.67.0"}, False),
        ({"installed": True, "version": "1.67.0-1"}, False),
        ({"installed": True, "version": "1.100.0"}, False),
        ({"installed": "yes", "version": "1.100.0"}, True),
        ("nonsense", True),
    ],
)
def test_a_newer_agent_is_left_alone(agent: object, needed: bool) -> None:
    assert FILTERS["needs_install"]({"version": "1.67.0"}, {"agent": agent}) is needed


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=4))
def test_tags_are_written_as_onboard_apply_writes_them(tags: dict[str, str]) -> None:
    assert FILTERS["tags_text"](tags) == fleet_tags_text(tags)


def jwt(ends: object) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": ends}).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJSUzI1NiJ9.{claims}.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("token", "problem"),
    [
        ("", "it is empty"),
        ("ERROR: Please run az login", "it has other letters than a token's"),
        (jwt(1_700_000_000), "it ran out, or does so within 5 minutes: mint a new one"),
        (jwt(4_000_000_000), ""),
        (jwt("soon"), ""),
        ("opaque-token-of-some-other-kind", ""),
        ("not.base64!.at-all", "it has other letters than a token's"),
        ("AAAAAAAA.AAAAAAAAAAAAA.AAAAAAAAA", ""),
    ],
)
def test_a_token_that_cannot_serve_is_named_before_it_is_sent(token: str, problem: str) -> None:
    assert FILTERS["token_problem"](token) == problem
