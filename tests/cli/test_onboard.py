"""The command line of `onboard`: what it refuses before anything is touched."""

import subprocess
import sys
from pathlib import Path

import asyncssh
import pytest
from tests.cli.test_junit import suites
from tests.json_documents import known
from typer.testing import CliRunner, Result

from arcferry import bundle as bundles
from arcferry import errors, times
from arcferry.cli.app import app
from arcferry_lab.hosts import build_agent_package

GUID = "a66c9f65-b9e8-42c7-8f93-9d69638e80fd"


@pytest.fixture
def arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A whole command line that would begin a run; each test breaks one thing in it."""
    for name in ("AZURE_CLIENT_SECRET", "ARCFERRY_SECRET_FILE", "SSH_AUTH_SOCK"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "fleet.csv").write_text("name,address\nweb01,127.0.0.1\n")
    (tmp_path / "known_hosts").write_text("")
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(tmp_path / "id")
    bundles.create_key_pair(tmp_path / "key")
    bundles.build(
        tmp_path / "bundle",
        bundles.Contents((build_agent_package(tmp_path),)),
        bundles.load_secret_key(tmp_path / "key"),
        created=times.now(),
    )
    secret = tmp_path / "secret"
    secret.write_text("hush\n")
    secret.chmod(0o600)
    return {
        "INVENTORY": str(tmp_path / "fleet.csv"),
        "--bundle": str(tmp_path / "bundle"),
        "--bundle-key": str(tmp_path / "key.pub"),
        "--known-hosts": str(tmp_path / "known_hosts"),
        "--ssh-key": str(tmp_path / "id"),
        "--location": "eastasia",
        "--tenant-id": GUID,
        "--subscription-id": GUID,
        "--resource-group": "rg-arc",
        "--client-id": GUID,
        "--secret-file": str(secret),
        "--state": str(tmp_path / "state"),
    }


def invoke(arguments: dict[str, str], verb: str = "apply") -> Result:
    words = [word for name, value in arguments.items() for word in (name, value) if name != "INVENTORY"]
    return CliRunner().invoke(app, ["onboard", verb, arguments["INVENTORY"], *words])


BROKEN = {
    "no inventory": ("INVENTORY", "/none.csv", errors.FileInputError, "/none.csv: no such file"),
    "no bundle": ("--bundle", "/none", errors.FileInputError, "/none"),
    "bundle key": ("--bundle-key", "/none.pub", errors.FileInputError, "/none.pub"),
    "known hosts": ("--known-hosts", "/none", errors.FileInputError, "/none: no such file"),
    "ssh key": ("--ssh-key", "/etc/hostname", errors.FileInputError, "is not a private key"),
    "location": ("--location", "eastasai", errors.UnknownNameError, "eastasai"),
    "tenant": ("--tenant-id", "??", errors.InputError, "neither a GUID nor a domain name"),
    "subscription": ("--subscription-id", "my subscription", errors.InputError, "is not a GUID"),
    "group": ("--resource-group", "a/b", errors.InputError, "is not a name that ARM accepts"),
    "client": ("--client-id", "me", errors.InputError, "is not a GUID"),
    "secret file": ("--secret-file", "/none", errors.FileInputError, "/none"),
    "cloud": ("--cloud", "AzureMoon", errors.UnknownNameError, "AzureMoon"),
    "arm url": ("--arm-url", "http://management.azure.com", errors.InputError, "--arm-url"),
    "authority": ("--authority", "https://login/path?x", errors.InputError, "--authority"),
    "certificate": ("--certificate", "/none.pem", errors.FileInputError, "/none.pem"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_refused_before_anything_is_touched(arguments: dict[str, str], case: str) -> None:
    option, value, kind, says = BROKEN[case]
    result = invoke(arguments | {option: value})
    assert type(result.exception) is kind, result.output
    assert says in str(result.exception)
    assert result.exception.exit_code == 2
    assert not Path(arguments["--state"]).exists()


def test_no_secret_at_all(arguments: dict[str, str]) -> None:
    del arguments["--secret-file"]
    result = invoke(arguments)
    assert isinstance(result.exception, errors.InputError)
    assert "no secret and no certificate" in result.exception.message
    assert "AZURE_CLIENT_SECRET" in result.exception.hint


def test_a_secret_that_others_can_read(arguments: dict[str, str]) -> None:
    Path(arguments["--secret-file"]).chmod(0o644)
    result = invoke(arguments)
    assert isinstance(result.exception, errors.FileInputError)
    assert "can be read by others (mode 0644)" in result.exception.message
    assert "chmod 600" in result.exception.hint


def test_no_key_to_sign_in_with(arguments: dict[str, str]) -> None:
    del arguments["--ssh-key"]
    result = invoke(arguments)
    assert isinstance(result.exception, errors.InputError)
    assert "no key to sign in" in result.exception.message


def test_azure_that_cannot_be_reached(arguments: dict[str, str]) -> None:
    nobody = {"--arm-url": "https://127.0.0.1:9", "--authority": "https://127.0.0.1:9"}
    result = invoke(arguments | nobody)
    assert isinstance(result.exception, errors.AzureUnavailableError)
    assert result.exception.message == "sign in to Entra: no answer: 127.0.0.1:9: Connection refused"
    assert "hush" not in result.output + str(result.exception)


def test_retry_of_a_run_that_is_not_there(arguments: dict[str, str]) -> None:
    arguments |= {"--cause": "arm/throttled"}
    words = [word for pair in arguments.items() for word in pair if word != "INVENTORY"]
    for more, says, code in (
        ([], "--failed for", 2),
        (["--failed"], "Begin it with arcferry onboard apply", 2),
        (["--failed", "--run", "0123456789ab"], "arcferry onboard status", 3),
    ):
        error = CliRunner().invoke(app, ["onboard", "retry", *words, *more]).exception
        assert isinstance(error, errors.ArcferryError)
        assert (says in error.hint, error.exit_code) == (True, code)


def test_plan_shows_the_tags_of_each_host(arguments: dict[str, str], tmp_path: Path) -> None:
    """Also of a host that cannot be reached: they come from the inventory."""
    del arguments["--secret-file"]
    rows = '"site=taipei,role=web team"', "site=taipei;role=db", ""
    lines = [f"web0{number},127.0.0.1,{number},{cell}" for number, cell in enumerate(rows, start=1)]
    Path(arguments["INVENTORY"]).write_text("\n".join(["name,address,port,tags", *lines]))
    document = known(invoke(arguments | {"--output": "json"}, "plan").stdout)
    assert [host["tags"] for host in document["hosts"]] == [
        {"site": "taipei", "role": "web team"},
        {"site": "taipei", "role": "db"},
        {},
    ]
    table = invoke(arguments, "plan").stdout.splitlines()
    shown = {line.split()[0]: line for line in table if line.startswith(("HOST", "web"))}
    assert "TAGS" in shown["HOST"]
    assert "site='taipei', role='web team'" in shown["web01"]
    assert "site='taipei', role='db'" in shown["web02"]


def test_plan_has_no_column_for_tags_where_no_host_has_any(arguments: dict[str, str]) -> None:
    del arguments["--secret-file"]
    assert "TAGS" not in invoke(arguments, "plan").stdout


def test_plan_for_ci_has_a_case_for_each_host(arguments: dict[str, str]) -> None:
    del arguments["--secret-file"]
    Path(arguments["INVENTORY"]).write_text("name,address,port\nweb01,127.0.0.1,1\n")
    ended = invoke(arguments | {"--output": "junit"}, "plan")
    ((name, outcome, says),) = suites(ended.stdout)["onboard plan"]
    assert (ended.exit_code, name, outcome) == (1, "web01", "failure")
    assert "127.0.0.1:1" in says


def test_tags_of_the_command_line_are_everybody_s_and_the_inventory_s_stand_above(
    arguments: dict[str, str],
) -> None:
    del arguments["--secret-file"]
    Path(arguments["INVENTORY"]).write_text("name,address,port,tags\nweb01,127.0.0.1,1,site=taipei\n")
    document = known(invoke(arguments | {"--output": "json", "--tags": "site=all,a=b"}, "plan").stdout)
    assert document["hosts"][0]["tags"] == {"site": "taipei", "a": "b"}
    wrong = invoke(arguments | {"--tags": "a=b,a=c"}, "plan").exception
    assert isinstance(wrong, errors.InputError)
    assert "--tags: tag 'a' is given twice" in wrong.message


def test_status_of_an_empty_state(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["onboard", "status", "--state", str(tmp_path), "--output", "json"])
    document = known(result.stdout)
    assert (document["kind"], document["runs"], document["findings"]) == ("runs", [], [])


def test_help_does_not_load_what_it_does_not_need() -> None:
    code = (
        "import sys; from arcferry.cli.app import app\n"
        "try: app(['onboard', 'apply', '--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('dbos', 'asyncssh', 'azure', 'aiohttp') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
