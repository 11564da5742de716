import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcferry.fleet.host_state import HostAgent, HostFacts, read_agent, read_facts, version_key
from arcferry.fleet.script import read_answer
from arcferry.text import clean

GOOD: dict[str, Any] = {
    "schema": 1,
    "verb": "facts",
    "ok": True,
    "os": "linux",
    "hostname": "web01",
    "distro": {"id": "debian", "version": "12", "name": "Debian 12"},
    "arch": "x86_64",
    "package_format": "deb",
    "systemd": True,
    "disk_free": 10**9,
    "opt_free": 10**9,
    "azure_vm": None,
    "agent": {"installed": True, "version": "1.67.0", "vm_id": "abc", "last_heartbeat": ""},
}


def test_facts_survive_the_record() -> None:
    answer = read_answer("facts", json.dumps(GOOD))
    assert answer is not None
    facts = read_facts(answer, skew=1.5, staged={"a": "b"})
    assert facts.agent == HostAgent(installed=True, version="1.67.0", vm_id="abc")
    assert HostFacts.from_json(json.loads(json.dumps(asdict(facts)))) == facts


@pytest.mark.parametrize(
    "text",
    [
        f"Welcome to web01!\n{json.dumps(GOOD)}\nlogout\n",
        f'{{"schema":1,"verb":"other","ok":false}}\n{json.dumps(GOOD)}\n{{"schema":',
        f"{'[' * 100_000}\n{json.dumps(GOOD)}\n{'{' * 100_000}",
    ],
    ids=["banner", "other-answers", "deep-nesting"],
)
def test_the_answer_is_found_in_noise(text: str) -> None:
    answer = read_answer("facts", text)
    assert answer is not None
    assert answer.text("hostname") == "web01"


@pytest.mark.parametrize(
    "text", ["", "sh: 1: syntax error", '{"schema":2,"verb":"facts","ok":true}', '["facts"]', "{}"]
)
def test_what_is_no_answer(text: str) -> None:
    assert read_answer("facts", text) is None


def test_ok_is_true_only_where_it_says_so() -> None:
    answer = read_answer("facts", json.dumps(GOOD | {"ok": "true"}))
    assert answer is not None
    assert not answer.ok


NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), JSON), JSON)
def test_any_answer_gives_clean_facts(changes: dict[str, Any], agent: object) -> None:
    document = GOOD | changes | {"schema": 1, "verb": "facts", "agent": agent}
    answer = read_answer("facts", json.dumps(document))
    assert answer is not None
    facts = read_facts(answer, skew=None, staged={})
    texts = [facts.os, facts.hostname, facts.distro, facts.arch, facts.package_format, facts.agent.version]
    assert all(clean(text) == text and len(text.encode()) <= 1200 for text in texts)
    assert facts.disk_free is None or isinstance(facts.disk_free, int)
    assert HostFacts.from_json(asdict(facts)) == facts
    assert read_agent(answer) == facts.agent


@given(st.text(max_size=200))
def test_any_output_is_survived(text: str) -> None:
    assert read_answer("facts", text) is None


@pytest.mark.parametrize(
    ("older", "newer"),
    [("1.9", "1.10"), ("1.67.0", "1.67.03422.1"), ("1.66.5", "1.67"), ("", "0.1"), ("1.67-rc", "1.67.1")],
)
def test_versions_are_compared_by_their_numbers(older: str, newer: str) -> None:
    assert version_key(older) < version_key(newer)


def test_equal_versions() -> None:
    assert version_key("1.67") == version_key("1.67.0") == version_key(" 1.67.00 ")
