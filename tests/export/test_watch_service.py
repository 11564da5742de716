"""The unit and the task of a watch, read by systemd's own tools and by an XML reader."""

import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from arcferry.errors import InputError
from arcferry.export.task import NAMESPACE
from arcferry.export.watch_service import WatchService, credential, task, unit, write_unit

WORDS = ("watch", "--location", "eastasia", "--notify", f"file:{credential('notify-1')}")
SERVICE = WatchService(
    name="arcferry-watch-eastasia",
    location="eastasia",
    program=("/bin/sh", "-m", "arcferry"),
    words=WORDS,
    data=Path("/var/lib/arcferry data"),
    credentials={"notify-1": Path("/etc/arcferry/hook")},
    writable=[Path("/var/lib/100% node_exporter")],
)
analyze = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")


def lines(service: WatchService) -> dict[str, str]:
    pairs = (line.partition("=") for line in unit(service).splitlines() if "=" in line)
    return {key: value for key, _, value in pairs}


@analyze
@pytest.mark.parametrize("run_as", ["", "arcferry"])
def test_systemd_takes_the_unit_without_a_word(tmp_path: Path, run_as: str) -> None:
    path = tmp_path / "arcferry-watch-eastasia.service"
    write_unit(path, unit(replace(SERVICE, run_as=run_as)))
    verified = subprocess.run(
        ["systemd-analyze", "verify", path], capture_output=True, text=True, check=False
    )
    about = [line for line in verified.stderr.splitlines() if path.name in line and "arcferry" in line]
    assert about == []


@analyze
def test_systemd_finds_it_hardened(tmp_path: Path) -> None:
    path = tmp_path / "arcferry-watch-eastasia.service"
    path.write_text(unit(SERVICE))
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=15", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout
    assert "Overall exposure level" in judged.stdout


def test_a_user_of_its_own_and_what_it_may_read_and_write() -> None:
    text = unit(SERVICE).splitlines()
    assert "DynamicUser=yes" in text
    assert "ProtectHome=yes" in text
    assert "LoadCredential=notify-1:/etc/arcferry/hook" in text
    assert 'ReadWritePaths="/var/lib/100%% node_exporter"' in text
    assert 'Environment="ARCFERRY_DATA=/var/lib/arcferry data"' in text
    assert not [line for line in text if line.startswith("User=")]


@pytest.mark.parametrize(
    "words",
    [
        ("--mail-from", "a$b%c@corp.example"),
        ("--with", '/etc/a "quoted" file.json'),
        ("--with", "/etc/a\\b.json", "--with", "/etc/it's.json"),
        ("--notify", "https://ops.example/a?b=c;d&e=${HOME}"),
    ],
)
def test_words_come_out_as_they_went_in(words: Sequence[str]) -> None:
    """shlex reads quotes as systemd does, and after it `%%` and `$$` are one of each."""
    found = shlex.split(lines(replace(SERVICE, words=words))["ExecStart"])[3:]
    assert [word.replace("%%", "%").replace("$$", "$") for word in found] == list(words)
    assert found == [word.replace("%", "%%").replace("$", "$$") for word in words]


def test_a_credential_is_put_in_by_systemd() -> None:
    assert lines(SERVICE)["ExecStart"].endswith(" --notify file:${CREDENTIALS_DIRECTORY}/notify-1")


@pytest.mark.parametrize(
    ("service", "says"),
    [
        (replace(SERVICE, words=("--with", "a\nExecStartPre=/bin/false")), "cannot stand in a service"),
        (replace(SERVICE, run_as="root; x"), "is no name of a user"),
        (
            replace(SERVICE, needs=[Path("/home/me/venv/bin/python")]),
            "/home/me/venv/bin/python lies in a home",
        ),
        (replace(SERVICE, data=Path("/root/.local/share/arcferry")), "lies in a home"),
    ],
)
def test_what_cannot_be_is_refused_with_a_way_out(service: WatchService, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        unit(service)
    assert caught.value.hint


def test_the_user_whose_home_it_is_may_look_there() -> None:
    text = unit(replace(SERVICE, run_as="me", needs=[Path("/home/me/venv/bin/python")]))
    assert "User=me\n" in text
    assert "ProtectHome=read-only\n" in text


def test_a_unit_of_somebody_else_s_stays(tmp_path: Path) -> None:
    path = tmp_path / "arcferry-watch-eastasia.service"
    write_unit(path, unit(SERVICE))
    write_unit(path, unit(SERVICE))
    path.write_text("[Unit]\n")
    with pytest.raises(InputError, match="is not arcferry's"):
        write_unit(path, unit(SERVICE))
    assert path.read_text() == "[Unit]\n"


def test_the_task_runs_without_rights_and_is_started_again() -> None:
    service = replace(SERVICE, program=(r"C:\Program Files\Python\python.exe", "-m", "arcferry"))
    service = replace(service, words=("watch", "--location", "eastasia", "--with", r"C:\a & b\filter.json"))
    root = ET.fromstring(task(service, r"C:\ProgramData\arcferry"))  # noqa: S314  # our own

    def text(path: str) -> str | None:
        return root.findtext("/".join(f"{{{NAMESPACE}}}{one}" for one in path.split("/")))

    assert text("Principals/Principal/UserId") == "S-1-5-19"
    assert text("Principals/Principal/RunLevel") == "LeastPrivilege"
    assert text("Settings/ExecutionTimeLimit") == "PT0S"
    assert text("Settings/MultipleInstancesPolicy") == "IgnoreNew"
    assert text("Triggers/BootTrigger/Repetition/Interval") == "PT5M"
    assert text("Actions/Exec/Command") == r"C:\Program Files\Python\python.exe"
    assert text("Actions/Exec/Arguments") == (
        r'-m arcferry watch --location eastasia --with "C:\a & b\filter.json" --state C:\ProgramData\arcferry'
    )
    with pytest.raises(InputError, match="percent sign"):
        task(replace(service, words=("--with", r"%TEMP%\filter.json")), "C:\\x")
    with pytest.raises(InputError, match="LOCAL SERVICE"):
        task(replace(service, run_as="me"), "C:\\x")
