"""Every command of azcmagent that arcferry prints or runs, against Microsoft's reference."""

import re
import tomllib
from argparse import ArgumentParser
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

import pytest
from tests.commands.texts import ROOT, Text, printed, written

from arcferry import catalog
from arcferry.azure import AzureTarget
from arcferry.fleet.inventory import Host
from arcferry.fleet.steps.connect import connect_options

TABLE: dict[str, Any] = tomllib.loads(Path(__file__).with_name("azcmagent.toml").read_text(encoding="utf-8"))
_CALL = re.compile(r"(?<![\w./\\-])azcmagent (?!_)((?:[a-z]+)(?: [^\n`|;>&()\u3000-\u9fff\uff00-\uffef]*)?)")
_SCRIPTED = re.compile(r"(?:run_agent \d+|Invoke-Agent @\() *([^)\n]*)")
_SENTENCE_ENDS = re.compile(r"(?<=[^-.])[.,:;](?= |$).*")


_SETTINGS = ("proxy.", "config.", "connection.", "extensions.", "guestconfiguration.", "incomingconnections.")


class RefusedError(Exception):
    """What azcmagent says of what it does not take."""


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise RefusedError(message)


@cache
def _parser(command: str) -> _Parser:
    known = TABLE["commands"][command]
    made = _Parser(prog=command, add_help=False, allow_abbrev=False)
    for names, takes in (TABLE["common"]["flags"] | known.get("flags", {})).items():
        made.add_argument(*names.split(), **({} if takes else {"action": "store_true"}))
    made.add_argument("words", nargs="*")
    return made


def check(text: str) -> None:
    """Parse what follows `azcmagent` as the reference says.

    Raises:
        RefusedError: the reference has no such command or flag, or a flag lacks its value.
    """
    words = text.replace('"', "").replace("'", "").split()
    command = next((one for one in (" ".join(words[:2]), words[0]) if one in TABLE["commands"]), "")
    if not command:
        raise RefusedError(f"no command {words[0]}")
    given = _parser(command).parse_args(words[len(command.split()) :])
    if len(given.words) > TABLE["commands"][command].get("words", 0):
        raise RefusedError(f"{given.words}: too many words")


# Words after the tool's name that are a sentence's.
PROSE = {
    "prints": "a note of the log's reader says what the tool prints",
    "ends": "says that the tool ends",
    "where": "says where the tool is",
    "not": "a shell's own words, which the catalogue looks for: azcmagent not found",
    "available": "dnf's own words, which the catalogue looks for: No package azcmagent available",
    "completed": "the onboarding script's own words, which a reader looks for",
}


def lines() -> Iterator[Text]:
    """Every call; of a sentence, what stands there up to the last flag or setting."""
    for one in (*written(), *printed()):
        documented = one.where.endswith((".md", ".yml"))
        for text in re.findall(r"`(azcmagent [^`]+)`", one.text) if documented else [one.text]:
            for found in _CALL.finditer(text):
                call = _SENTENCE_ENDS.sub("", found[1]).strip().rstrip(".,:;")
                if call.split()[0] not in PROSE:
                    yield Text(one.where, call if one.tool else _told(call.split()))


def _told(words: list[str]) -> str:
    command = 2 if " ".join(words[:2]) in TABLE["commands"] else 1
    marked = [at for at, word in enumerate(words) if word.startswith("-") or word.startswith(_SETTINGS)]
    if not marked:
        return " ".join(words[:command])
    flags = TABLE["common"]["flags"] | TABLE["commands"].get(" ".join(words[:command]), {}).get("flags", {})
    takes = next((takes for names, takes in flags.items() if words[marked[-1]] in names.split()), 0)
    return " ".join(words[: marked[-1] + 1 + takes])


EVERY = tuple(dict.fromkeys(lines()))


@pytest.mark.parametrize("line", EVERY, ids=lambda one: f"{one.where}-{one.text[:50]}")
def test_azcmagent_takes_the_line(line: Text) -> None:
    try:
        check(line.text)
    except RefusedError as refused:
        pytest.fail(f"azcmagent {line.text}: {refused} ({line.where})")


def scripted() -> Iterator[Text]:
    """What the host scripts run: the words that stand in them as they are."""
    for path in sorted((ROOT / "src/arcferry/bundle/hostscripts").iterdir()):
        if path.suffix in (".sh", ".ps1"):
            for found in _SCRIPTED.finditer(path.read_text(encoding="utf-8")):
                words = [
                    one.strip("'\" ")
                    for one in re.split(r"[ ,]+", found[1])
                    if one.strip("'\" ") not in ("", "$@")
                ]
                if words and re.fullmatch(r"[a-z]+", words[0]):
                    yield Text(path.name, " ".join(words))


@pytest.mark.parametrize("line", tuple(scripted()), ids=lambda one: f"{one.where}-{one.text[:50]}")
def test_azcmagent_takes_what_the_host_scripts_run(line: Text) -> None:
    check(line.text)


def test_every_key_of_a_config_file_is_a_flag_of_connect() -> None:
    """In the file of `--config` a key is a flag without its dashes."""
    names = (str(UUID(int=1)), str(UUID(int=2)), "rg", "eastasia", "", "")
    target = AzureTarget(catalog.cloud("AzureCloud"), *names)
    found = connect_options(target, Host("server01", "10.0.0.1", tags={"a": "b"}))
    flags = {name for names in TABLE["commands"]["connect"]["flags"] for name in names.split()}
    assert {f"--{key}" for key in (*found, "access-token")} <= flags


REFUSED = {
    "check --region eastasia": "unrecognized",
    "connect --location": "expected one argument",
    "status": "no command",
    "config set proxy.url a b": "too many",
    "logs --all": "unrecognized",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_azcmagent_refuses_is_found(text: str) -> None:
    with pytest.raises(RefusedError, match=REFUSED[text]):
        check(text)


def test_there_are_lines_to_look_at() -> None:
    texts = {one.text for one in EVERY}
    assert {"config get proxy.url", "disconnect --force-local-only"} <= texts
    assert len({one.text for one in scripted()}) > 8
