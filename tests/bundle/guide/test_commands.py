"""Every command can be typed as it stands: the files are there, and the scripts take these words."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import tree_sitter
import tree_sitter_powershell
from tests.bundle.guide.conftest import DEB, MSI, RPM, MakeFacts, make_certificate
from tests.bundle.guide.typed import HOST_SCRIPTS, Typed, script_words, typed

from arcferry.bundle.guide import NAMES, BundleFacts, guide_files
from arcferry.bundle.guide.commands import commands, load_toml

USAGE = re.compile(
    r"^#   (?:sh linux\.sh|windows\.ps1) (?P<verb>[a-z]+)(?P<arguments>(?: [A-Z0-9\[\].|a-z-]+)*)",
    re.MULTILINE,
)
ALLOWED = Path(__file__).parents[1] / "hostscript/windows/allowed.toml"
# Programs that Windows Server 2012 R2 ships, and what an administrator may have brought.
PROGRAMS = {"powershell.exe", "certutil", "minisign.exe"}
ENGINE = "powershell.exe -NoProfile -ExecutionPolicy Bypass -File "
# Names for cmdlets in every PowerShell, and cmdlets that the guide calls and the host script does not.
OTHERS = {
    "Read-Host",
    "ConvertTo-Json",
    "Remove-Variable",
    "New-Object",
    "Get-FileHash",
    "cd",
    "mkdir",
    "Format-List",
    "Get-ExecutionPolicy",
    "Select-String",
    "Tee-Object",
}


def shapes(script: str) -> dict[str, set[int]]:
    """How many arguments each verb takes, from the script's own head."""
    found: dict[str, set[int]] = {}
    for match in USAGE.finditer((HOST_SCRIPTS / script).read_text(encoding="utf-8")):
        required = [word for word in match["arguments"].split() if "[" not in word and "]" not in word]
        optional = [word for word in match["arguments"].split() if "[" in word or "]" in word]
        counts = range(len(required), len(required) + len(optional) + 1)
        found.setdefault(match["verb"], set()).update(counts)
    return found


def all_typed(facts: BundleFacts) -> list[Typed]:
    files = guide_files(facts)
    return [command for name in NAMES if name.endswith(".txt") for command in typed(files[name])]


def test_a_reader_finds_every_step_in_every_text(facts: BundleFacts, text_name: str) -> None:
    commands = typed(guide_files(facts)[text_name])
    for system in ("windows", "linux"):
        verbs = [words[0] for one in commands if one.where == system and (words := script_words(one))]
        expected = [
            "verify",
            "facts",
            "install",
            "check",
            "connect",
            "show",
            "evidence",
            "disconnect",
            "uninstall",
        ]
        assert list(dict.fromkeys(verbs)) == expected, system


@pytest.mark.parametrize(("system", "script"), [("windows", "windows.ps1"), ("linux", "linux.sh")])
def test_the_host_script_takes_these_words(facts: BundleFacts, system: str, script: str) -> None:
    known = shapes(script)
    assert {"facts", "verify", "install", "check", "connect", "show", "disconnect", "uninstall"} <= set(known)
    runs = [words for one in all_typed(facts) if one.where == system and (words := script_words(one))]
    assert runs
    for verb, *arguments in runs:
        assert len(arguments) in known[verb], (verb, arguments)


@pytest.mark.parametrize("name", [MSI, DEB, RPM])
def test_a_package_is_installed_with_its_own_hash(facts: BundleFacts, name: str) -> None:
    wanted = {name, name.replace("/", "\\")}
    found = [words for one in all_typed(facts) if (words := script_words(one)) and wanted & set(words)]
    assert len(found) == 2  # one in each language
    assert {words[2] for words in found} == {facts.sha256(name)}


def test_every_file_that_a_command_names_is_in_the_bundle(facts: BundleFacts) -> None:
    held = {file.name for file in facts.manifest.files} | {"manifest.json"}
    named = set()
    for one in all_typed(facts):
        for word in re.findall(r"(?<![\w/-])(?:host|agent|certificates)[/\\][\w.+~*-]+", one.text):
            path = word.replace("\\", "/")
            pattern = re.compile(re.escape(path).replace(r"\*", "[^/]*"))
            assert any(pattern.fullmatch(name) for name in held), one.text
            named.add(path)
    assert {
        MSI,
        DEB,
        RPM,
        "certificates/Root.crt",
        "certificates/Root.cer",
        "certificates/Intermediate.cer",
    } <= named


def test_what_is_sent_back_is_what_was_written(facts: BundleFacts, text_name: str) -> None:
    text = guide_files(facts)[text_name].decode("utf-8-sig")
    for system, folder in (("windows", r"$HOME\arcferry-result" + "\\"), ("linux", "~/arcferry-result/")):
        written = {
            found
            for one in typed(text.encode())
            if one.where == system
            for found in re.findall(re.escape(folder) + r"[\w.]+", one.text)
        }
        assert written == {f"{folder}{name}" for name in ("answers.txt", "path.json", "evidence.txt")}
        tag = f"[{system.title()}] "
        assert all(f"- {tag}`{path}`" in text for path in written)


def test_the_token_is_never_in_a_command_or_near_the_results(facts: BundleFacts) -> None:
    for one in all_typed(facts):
        assert "TOKEN" not in one.text
        assert "json" not in one.text.replace("path.json", "").replace("manifest.json", ""), (
            "no file of settings"
        )
    connects = [
        one.text for one in all_typed(facts) if (words := script_words(one)) and words[0] == "connect"
    ]
    assert len(connects) == 2 * (1 + 2), "of each language: Linux, and Windows with a token or a certificate"
    assert all(re.search(r"connect (-|stdin) \|", line) for line in connects)


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_the_shell_understands_the_linux_commands(facts: BundleFacts, shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not on PATH")
    command = [shell, *(["sh"] if shell == "busybox" else []), "-n"]
    lines = [one.text for one in all_typed(facts) if one.where == "linux"]
    assert len(lines) > 20
    for line in lines:
        done = subprocess.run(command, input=line.encode(), capture_output=True, check=False)
        assert done.returncode == 0, (line, done.stderr)


def test_a_certificates_name_adds_no_line_to_type(make: MakeFacts, text_name: str) -> None:
    hostile = make_certificate("Root\r\n      rm -rf /\x1b[2J")
    text = guide_files(make(certificates={"certificates/Root": hostile}))[text_name]
    assert b"# Root rm -rf /" in text
    assert not [one for one in typed(text) if one.text.startswith("rm")]


def test_powershell_understands_the_windows_commands(facts: BundleFacts) -> None:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    modules = tomllib.loads(ALLOWED.read_text(encoding="utf-8"))["modules"]
    known = PROGRAMS | OTHERS | {name for module in modules for name in module["commands"]}
    lines = [one.text for one in all_typed(facts) if one.where == "windows"]
    assert len(lines) > 20
    for line in lines:
        tree = parser.parse(line.encode())
        assert not tree.root_node.has_error, line
        names = set(command_names(tree.root_node))
        assert names <= known, names - known


def command_names(node: tree_sitter.Node) -> list[str]:
    own = [node.text.decode()] if node.type == "command_name" and node.text else []
    return own + [name for child in node.children for name in command_names(child)]


def test_each_windows_script_run_bypasses_the_policy_and_the_profile(facts: BundleFacts) -> None:
    runs = [one.text for one in all_typed(facts) if one.where == "windows" and script_words(one)]
    assert len(runs) >= 16
    assert all(" | ".join(line.split(" | ")[-2:]).startswith(ENGINE) for line in runs)


def test_the_scripts_are_told_right_from_wrong(tmp_path: Path, make: MakeFacts) -> None:
    """The very line that checks the host script, run on a bundle's folder."""
    (tmp_path / "host").mkdir()
    for name in ("linux.sh", "linux-network.sh"):
        shutil.copy(HOST_SCRIPTS / name, tmp_path / "host" / name)
    hashes = subprocess.run(
        ["sha256sum", "host/linux.sh", "host/linux-network.sh"], cwd=tmp_path, capture_output=True, check=True
    ).stdout.decode()
    quoted = ",\n".join(f'"sha256": "{line[:64]}"' for line in hashes.splitlines())
    (tmp_path / "manifest.json").write_text(f"{{{quoted}}}")
    line = next(one.text for one in all_typed(make(DEB)) if "while read" in one.text)

    def said() -> str:
        return subprocess.run(
            ["sh", "-c", line], cwd=tmp_path, capture_output=True, check=True
        ).stdout.decode()

    assert said() == "right: host/linux-network.sh\nright: host/linux.sh\n"
    with (tmp_path / "host/linux.sh").open("a") as script:
        script.write("#")
    assert said() == "right: host/linux-network.sh\nWRONG: host/linux.sh\n"


def test_every_box_says_whether_it_only_reads(facts: BundleFacts) -> None:
    data = load_toml("commands.toml")
    names = {*data["script"], *data["plain"], "certificates"}
    assert set(data["reads"]) <= names
    text = guide_files(facts)["START-HERE.txt"].decode("utf-8-sig")
    places = [line for line in text.split("\r\n") if re.match(r"  (?:Windows \(|Linux \(|On another)", line)]
    assert len(places) > 10
    assert all(line.endswith((", only reads:", ", changes something:")) for line in places)
    for name in ("install", "connect", "uninstall", "disconnect", "certificates", "certificate"):
        assert all(box.does == "changes" for box in commands(name, facts))
