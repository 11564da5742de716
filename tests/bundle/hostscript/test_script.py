"""The script itself, and the verbs that change nothing, on this machine in three shells."""

import hashlib
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SCRIPT = Path(__file__).parents[3] / "src/arcferry/bundle/hostscripts/linux.sh"
NETWORK = SCRIPT.with_name("linux-network.sh")
OTHER_LANGUAGES = r"\b(?:nc|python3?|perl|jq|eval)\b|(?:^|[;&|(])\s*source "
NETWORK_TOOLS = r"\b(curl|wget|openssl|dig|host|nslookup|resolvectl|getent)\b"
Run = Callable[..., Any]


def code_of(script: Path) -> str:
    """The script without its comments, and without the texts that it prints."""
    lines = [line for line in script.read_text(encoding="ascii").splitlines() if line.lstrip()[:1] != "#"]
    return re.sub(r"(refuse|fail) .*", "", "\n".join(lines))


@pytest.mark.parametrize("script", [SCRIPT, NETWORK], ids=lambda path: path.name)
@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not on PATH")
def test_shellcheck_finds_nothing(script: Path) -> None:
    done = subprocess.run(["shellcheck", "-s", "sh", script], capture_output=True, text=True, check=False)
    assert done.stdout == ""


@pytest.mark.parametrize(("script", "most"), [(SCRIPT, 690), (NETWORK, 470)], ids=["main", "network"])
def test_it_stays_short_enough_to_be_read(script: Path, most: int) -> None:
    text = script.read_text(encoding="ascii")
    assert len(text.splitlines()) <= most
    assert max(map(len, text.expandtabs(4).splitlines())) <= 120


def test_it_uses_no_network_tool_and_no_other_language() -> None:
    # Whether the tools are there is a fact; that is their only mention.
    code = code_of(SCRIPT).replace("for tool in curl wget openssl gpg; do", "")
    assert re.findall(NETWORK_TOOLS, code) == []
    assert re.findall(OTHER_LANGUAGES, code + code_of(NETWORK), re.MULTILINE) == []
    assert re.findall(NETWORK_TOOLS, code_of(NETWORK))


def test_certificates_are_always_verified() -> None:
    code = code_of(NETWORK)
    sending = code[code.index("dial() {") : code.index("dial_proxy() {")]
    assert "-verify_return_error" in sending
    assert "-verify_hostname" in sending
    assert re.findall(r"--insecure|curl.* -k\b|no-check-certificate|-partial_chain", code) == []
    # The one connection without: it shows who answers, with nothing on its standard input.
    assert len(re.findall(r"\bopenssl s_client -connect", code)) == 1
    assert "</dev/null" in code[code.index("keep_leaf() {") : code.index("leaf_line() {")]


def test_the_file_beside_it_does_nothing_by_itself(shell: list[str], tmp_path: Path) -> None:
    done = subprocess.run([*shell, NETWORK], capture_output=True, check=True, cwd=tmp_path)
    assert (done.stdout, done.stderr) == (b"", b"")
    outside = re.sub(
        r"^\w+\(\) \{.*?^\}$|^\w+\(\) \{.*\}$", "", code_of(NETWORK), flags=re.MULTILINE | re.DOTALL
    )
    assert [line for line in outside.splitlines() if line and not re.match(r"[A-Z]+=\d+", line)] == []


def test_facts_say_what_this_machine_is(shell: list[str], here: Run) -> None:
    answer = here(shell, "facts")
    assert answer["verb"] == "facts"
    assert answer["os"] == "linux"
    assert answer["hostname"] == platform.node()
    assert answer["arch"] == platform.machine()
    assert answer["root"] is (os.geteuid() == 0)
    assert answer["package_format"] in {"deb", "rpm", "none"}
    release = platform.freedesktop_os_release()
    assert answer["distro"] == {
        "id": release["ID"],
        "version": release.get("VERSION_ID", ""),
        "name": release["PRETTY_NAME"],
    }
    free = os.statvfs("/var")
    assert abs(answer["disk_free"] - free.f_bavail * free.f_frsize) < 2**30
    assert abs(datetime.fromisoformat(answer["time"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert set(answer["agent"]) == {
        "installed",
        "version",
        "status",
        "resource_id",
        "resource_name",
        "subscription_id",
        "resource_group",
        "location",
        "vm_id",
        "vm_uuid",
        "tenant_id",
        "last_heartbeat",
    }


def test_facts_come_through_standard_input(shell: list[str]) -> None:
    with SCRIPT.open("rb") as script:
        done = subprocess.run([*shell, "-s", "facts"], stdin=script, capture_output=True, check=True)
    assert done.stdout.startswith(b'{"schema":1,"verb":"facts","ok":true,')


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
def test_a_script_cut_short_on_its_way_does_nothing(shell: list[str], share: float) -> None:
    text = SCRIPT.read_bytes()
    part = text[: int(len(text) * share)]
    done = subprocess.run([*shell, "-s", "facts"], input=part, capture_output=True, check=False)
    assert done.stdout == b""


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["bogus"],
        ["facts verify"],
        ["facts", "x"],
        ["facts", "East Asia", "AzureCloud"],
        ["facts", "eastasia", "AzureClown"],
        ["facts", "eastasia", "AzureCloud", "f", "g"],
        ["verify"],
        ["verify", "x", "y", "z"],
        ["verify", "x", "nothex"],
        ["verify", "x", "g" * 64],
        ["install", "x"],
        ["install", "x", "$(reboot)"],
        ["connect"],
        ["connect", "a", "b", "c"],
        ["--report-failure"],
        ["disconnect"],
        ["check", "eastasia"],
        ["check", "east asia", "AzureCloud"],
        ["check", "eastasia; reboot", "AzureCloud"],
        ["check", "eastasia", "AzureClown"],
        ["\x1b[2J"],
    ],
)
def test_a_wrong_call_ends_with_2(shell: list[str], here: Run, arguments: list[str]) -> None:
    answer = here(shell, *arguments)
    assert answer.status == 2
    assert answer["code"] == "usage"


def test_verify_compares_each_file(shell: list[str], here: Run, tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes(b"good")
    (tmp_path / "-rf bad\n").write_bytes(b"bad")
    good = hashlib.sha256(b"good").hexdigest()
    answer = here(shell, "verify", tmp_path / "good", good.upper())
    assert answer["files"] == [{"name": str(tmp_path / "good"), "sha256": good, "ok": True}]
    everything = [
        tmp_path / "good",
        good,
        tmp_path / "-rf bad\n",
        good,
        tmp_path / "gone",
        good,
        "/etc",
        good,
    ]
    answer = here(shell, "verify", *everything, cwd=tmp_path)
    assert answer.status == 1
    assert answer["code"] == "hash-mismatch"
    assert "-rf bad" in answer["message"]
    assert [file["ok"] for file in answer["files"]] == [True, False, False, False]
    assert answer["files"][1]["sha256"] == hashlib.sha256(b"bad").hexdigest()
    assert answer["files"][2] == {"name": str(tmp_path / "gone"), "sha256": "", "ok": False}


NASTY = [
    b'"\\/',
    bytes(range(1, 32)) + b"\x7f",
    "é ≠ 漢字 😀 \u202e\x85".encode(),
    b"\xff\xfe\xc3",
    b"\xc0\xaf\xe0\x80\x80\xf0\x80\x80\x80",
    b"\xed\xa0\x80\xed\xbf\xbf",
    b"\xf4\x8f\xbf\xbf\xf4\x90\x80\x80\xf8\x88\x80\x80\x80",
    b"\xe2\x82A\xe2\xc3\xa9\x80\x80",
    b"$(touch /tmp/x) `id` ${PATH} %s %n \\u0041",
    b"-n",
    b"-e \\t",
]


def names_in_answer(here: Run, shell: list[str], names: list[bytes]) -> list[str]:
    pairs = [item for name in names for item in (name, b"0" * 64)]
    return [file["name"] for file in here(shell, "verify", *pairs)["files"]]


def test_every_text_becomes_json(shell: list[str], here: Run) -> None:
    assert names_in_answer(here, shell, NASTY) == [name.decode("utf-8", "ignore") for name in NASTY]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(
        st.one_of(
            st.binary(max_size=12),
            st.text(max_size=8).map(lambda text: text.encode("utf-8", "surrogatepass")),
        ).map(lambda name: name.replace(b"\0", b"")),
        min_size=1,
        max_size=12,
    )
)
def test_any_bytes_become_json(shell: list[str], here: Run, names: list[bytes]) -> None:
    assert names_in_answer(here, shell, names) == [name.decode("utf-8", "ignore") for name in names]


def test_only_root_changes_anything(shell: list[str], here: Run, tmp_path: Path) -> None:
    package = tmp_path / "p"
    package.write_bytes(b"")
    empty = hashlib.sha256(b"").hexdigest()
    options = {"user": 65534, "cwd": "/"} if os.geteuid() == 0 else {}
    for arguments in (["install", package, empty], ["uninstall"], ["disconnect", "--local-only"]):
        # On standard input, as the folder that it lies in may be closed to this user.
        with SCRIPT.open("rb") as script:
            answer = here([*shell, "-s"], *arguments, stdin=script, **options)
        assert answer["code"] == "not-root"


def test_the_callers_environment_decides_nothing(shell: list[str], here: Run, tmp_path: Path) -> None:
    for name in ("od", "awk", "uname", "id", "df"):
        (tmp_path / name).write_text("#!/bin/sh\necho hijacked\n")
        (tmp_path / name).chmod(0o755)
    evil = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
        "IFS": "1a",
        "ENV": str(tmp_path),
        "CDPATH": "/etc:/usr",
    }
    answer = here(shell, "facts", env=evil)
    assert b"hijacked" not in answer.raw
    assert answer["hostname"] == platform.node()


COMMANDS = [
    "awk",
    "sed",
    "od",
    "tr",
    "head",
    "tail",
    "cat",
    "grep",
    "cut",
    "sort",
    "wc",
    "id",
    "uname",
    "ls",
    "mktemp",
    "rm",
    "cp",
    "mv",
    "printf",
    "echo",
    "test",
    "[",
    "true",
    "cd",
    "command",
    "declare",
    "local",
    "read",
    "type",
    "wait",
    "kill",
    "builtin",
    "unalias",
    "alias",
    "sha256sum",
    "timeout",
]
# A bash in POSIX mode refuses to start with functions of these names.
SPECIAL = ["unset", "set", "trap", "exit", "exec", "eval", "export", "readonly", "return", "shift", ".", ":"]


@pytest.mark.parametrize("special", [False, True], ids=["commands", "special"])
@pytest.mark.parametrize("command", ["dash", "bash", "bash --posix", "sh", "busybox sh"])
def test_functions_from_the_environment_take_no_programs_place(
    command: str, special: bool, here: Run, tmp_path: Path
) -> None:
    """bash alone takes them; called as sh too."""
    words = command.split()
    if not shutil.which("bash" if command == "sh" else words[0]):
        pytest.skip(f"{words[0]} is not on PATH")
    if special and "--posix" in words:
        pytest.skip("such a bash does not start")
    mark = tmp_path / "ran"
    names = [*COMMANDS, *(SPECIAL if special else [])]
    evil = {f"BASH_FUNC_{name}%%": f"() {{ echo {name} >>{mark}; }}" for name in names}
    evil |= {"PATH": os.environ["PATH"], "BASHOPTS": "nocasematch", "SHELLOPTS": "allexport:errexit:noglob"}
    options = {"executable": shutil.which("bash")} if command == "sh" else {}
    answer = here(words, "facts", env=evil, **options)
    assert not mark.exists(), mark.read_text()
    assert answer["hostname"] == platform.node()


def test_settings_of_the_callers_reach_no_program(shell: list[str], tmp_path: Path) -> None:
    """The first lines of the script, and then what is left of its environment."""
    head = SCRIPT.read_text().partition("\nset -u\n")[0]
    evil = {"SSL_CERT_FILE": "/x", "GREP_OPTIONS": "-v", "HOME": "/x", "TMPDIR": "/x", "OPENSSL_CONF": "/x"}
    evil |= {"LD_LIBRARY_PATH": "/x", "POSIXLY_CORRECT": "1", "BASH_ENV": "/dev/null", "ENV": "/dev/null"}
    evil |= {"PATH": os.environ["PATH"], "https_proxy": "http://p:3128", "a b": "x", "UID": "7"}
    script = tmp_path / "head.sh"
    script.write_text(f"{head}\nenv\n")
    done = subprocess.run([*shell, script], env=evil, capture_output=True, text=True, check=True)
    left = dict(line.partition("=")[::2] for line in done.stdout.splitlines())
    kept = {name: left[name] for name in ("HOME", "LC_ALL", "PATH", "https_proxy")}
    assert kept == {
        "HOME": "/root",
        "LC_ALL": "C",
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "https_proxy": "http://p:3128",
    }
    assert left.keys() - kept.keys() <= {"PWD", "OLDPWD", "_", "UID", "SHLVL", "a b"}


SHIPPED = (
    SCRIPT,
    SCRIPT.parents[1] / "itself/installer/install.sh",
    SCRIPT.parents[2] / "export/wrappers/onboard.sh",
)


@pytest.mark.parametrize("script", SHIPPED, ids=lambda path: path.name)
def test_every_shell_script_that_is_carried_begins_so(script: Path) -> None:
    def beginning(path: Path) -> str:
        text = path.read_text(encoding="ascii")
        return text[
            text.index("# Nothing of the caller's may stand") : text.index("unset IFS CDPATH ENV BASH_ENV")
        ]

    code = [line for line in code_of(script).splitlines() if line]
    assert code[0] == "POSIXLY_CORRECT=1"
    assert beginning(script) == beginning(SCRIPT)
