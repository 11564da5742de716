"""What each tool's folder holds, whole, without a secret, and as its page says."""

import hashlib
import json
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest

from arcferry import bundle, export
from arcferry.bundle.form import BundleFile
from arcferry.errors import BundleRefusedError, FileInputError, InputError
from arcferry.export import ExportOptions, Tool
from arcferry.export.content import settings
from arcferry.fleet.window import parse_window

TOKEN = export.TokenFile(r"\\fs01\arcferry-token$\token")
Make = Callable[..., ExportOptions]
WINDOWS = [Tool.GPO, Tool.CONFIGMGR, Tool.INTUNE, Tool.SCRIPT]
CONTENT = {Tool.GPO: "share", Tool.CONFIGMGR: "content", Tool.INTUNE: "source", Tool.SCRIPT: "share"}
TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
# learn.microsoft.com, Task Scheduler Schema, 2026-11: the order of a sequence, or the members of an `all`.
SEQUENCES = {
    "BootTrigger": ["Enabled", "StartBoundary", "EndBoundary", "Repetition", "ExecutionTimeLimit", "Delay"],
    "CalendarTrigger": [
        "Enabled", "StartBoundary", "EndBoundary", "Repetition", "ExecutionTimeLimit", "RandomDelay",
        "ScheduleByDay", "ScheduleByWeek", "ScheduleByMonth", "ScheduleByMonthDayOfWeek",
    ],
    "Exec": ["Command", "Arguments", "WorkingDirectory"],
    "ScheduleByDay": ["DaysInterval"],
    "Repetition": ["Interval", "Duration", "StopAtDurationEnd"],
}  # fmt: skip
MEMBERS = {
    "Task": {"RegistrationInfo", "Triggers", "Settings", "Data", "Principals", "Actions"},
    "RegistrationInfo": {
        "URI", "SecurityDescriptor", "Source", "Date", "Author", "Version", "Description", "Documentation",
    },
    "Principals": {"Principal"},
    "Principal": {
        "UserId", "LogonType", "GroupId", "DisplayName", "RunLevel", "ProcessTokenSidType",
        "RequiredPrivileges",
    },
    "Settings": {
        "AllowStartOnDemand", "RestartOnFailure", "MultipleInstancesPolicy", "DisallowStartIfOnBatteries",
        "StopIfGoingOnBatteries", "AllowHardTerminate", "StartWhenAvailable", "NetworkProfileName",
        "RunOnlyIfNetworkAvailable", "WakeToRun", "Enabled", "Hidden", "DeleteExpiredTaskAfter",
        "IdleSettings", "NetworkSettings", "ExecutionTimeLimit", "Priority", "RunOnlyIfIdle",
        "UseUnifiedSchedulingEngine", "DisallowStartOnRemoteAppSession",
    },
    "Triggers": {"BootTrigger", "CalendarTrigger"},
    "Actions": {"Exec"},
}  # fmt: skip
VALUES = {
    "LogonType": {"S4U", "Password", "InteractiveToken", "InteractiveTokenOrPassword"},
    "RunLevel": {"LeastPrivilege", "HighestAvailable"},
    "MultipleInstancesPolicy": {"Parallel", "Queue", "IgnoreNew", "StopExisting"},
}
DURATION = re.compile(r"P(?=.)(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?")


def faults_of_task(node: ET.Element) -> list[str]:
    """What of a task is not in the Task Scheduler's schema, for the elements that are written here."""
    name = node.tag.removeprefix(TASK)
    children = [child.tag.removeprefix(TASK) for child in node]
    found = []
    if name in SEQUENCES:
        places = [SEQUENCES[name].index(child) if child in SEQUENCES[name] else -1 for child in children]
        if -1 in places or places != sorted(set(places)):
            found.append(f"{name}: {children}")
    elif name in MEMBERS:
        if not set(children) <= MEMBERS[name] or (name != "Triggers" and len(set(children)) < len(children)):
            found.append(f"{name}: {children}")
    elif children:
        found.append(f"{name} has children")
    if name in VALUES and node.text not in VALUES[name]:
        found.append(f"{name}: {node.text}")
    if name in {"Delay", "ExecutionTimeLimit"} and not DURATION.fullmatch(node.text or ""):
        found.append(f"{name}: {node.text}")
    return found + [fault for child in node for fault in faults_of_task(child)]


def parse(data: bytes) -> ET.Element:
    return ET.fromstring(data)  # noqa: S314  # our own


@pytest.fixture(params=WINDOWS)
def tool(request: pytest.FixtureRequest) -> Tool:
    return request.param


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("sign_in", ["certificate", "token"])
def test_every_path_that_the_page_names_is_there(
    make_options: Make, tmp_path: Path, tool: Tool, sign_in: str
) -> None:
    changed = {"sign_in": TOKEN} if sign_in == "token" else {}
    out = tmp_path / "out"
    export.export(make_options(**changed), tool, out)
    text = (out / "STEPS.md").read_text(encoding="utf-8")
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"(?ms)^```.*?^```$", "", text))
    named = {
        span
        for span in spans
        if re.fullmatch(r"[\w-]+(/[\w.-]+)*(\.(ps1|sh|xml|json))", span) and "/" in span
    }
    assert named
    assert {name for name in named if not (out / name).is_file()} == set()
    assert f"`{CONTENT[tool]}/onboard.ps1`" in text
    for word in re.findall(r"robocopy (\S+)|IntuneWinAppUtil\.exe -c (\S+)", text):
        assert (out / "".join(word)).is_dir()
    assert "{{" not in text
    assert re.findall(r"(?m)^## (\d+)\.", text) == [str(n) for n in range(1, text.count("\n## ") + 1)]


def test_the_page_as_html_is_well_formed_and_needs_nothing(
    make_options: Make, tmp_path: Path, tool: Tool
) -> None:
    out = tmp_path / "out"
    export.export(make_options(), tool, out)
    text = (out / "STEPS.html").read_text(encoding="utf-8")
    opened: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag not in {"meta", "br", "hr"}:
                opened.append(tag)
            assert not {"src", "href"} & {name for name, _ in attrs}

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    Reader().feed(text)
    assert opened == []
    assert "<script" not in text
    assert r"\\fs01\arcferry" in text


def test_the_content_is_wrapper_settings_and_the_sealed_bundle(
    make_options: Make, key: bundle.SecretKey, tmp_path: Path, tool: Tool
) -> None:
    out = tmp_path / "out"
    made = make_options()
    export.export(made, tool, out)
    content = out / CONTENT[tool]
    scripts = {"onboard.ps1"} | ({"onboard.sh"} if tool is Tool.SCRIPT else set())
    assert {path.name for path in content.iterdir()} == scripts | {"settings.json", "bundle"}
    copied = bundle.open_bundle(content / "bundle", key.public(), now=made.bundle.manifest.created)
    assert copied.id == made.bundle.id
    held = json.loads((content / "settings.json").read_text(encoding="ascii"))
    assert (held["via"], held["bundle"], held["results"]) == (
        tool.value,
        made.bundle.id,
        r"\\fs01\arcferry\results",
    )
    assert held["files"]["manifest.json"] == made.bundle.manifest.sha256
    assert {"host/windows.ps1", "host/windows-network.ps1", "agent/a.msi"} <= set(held["files"])
    assert held["packages"]["msi-amd64"] == "agent/a.msi"


def test_who_writes_the_share_is_said_first(make_options: Make, tmp_path: Path) -> None:
    for tool in (Tool.GPO, Tool.SCRIPT):
        export.export(make_options(), tool, tmp_path / tool.value)
        text = (tmp_path / tool.value / "STEPS.md").read_text(encoding="utf-8")
        first = text[text.index("\n## 1. ") : text.index("\n## 2. ")]
        assert "Who can write the share is administrator on every server" in first
        for word in (
            "RequireSecuritySignature $true",
            "RequireMutualAuthentication=1, RequireIntegrity=1",
            "SHA-256",
        ):
            assert word in first
        assert r"`\\*\arcferry`" in first


@pytest.mark.parametrize("minutes", [0, 30])
def test_only_what_starts_many_servers_spreads_them(make_options: Make, tmp_path: Path, minutes: int) -> None:
    for tool in WINDOWS:
        out = tmp_path / tool.value
        export.export(make_options(delay=minutes), tool, out)
        commands = [
            line
            for line in (out / "STEPS.md").read_text().splitlines()
            if "onboard.ps1" in line and "-NoProfile" in line
        ]
        assert commands
        assert any("-Spread" in line for line in commands) is (minutes > 0)
        if tool is Tool.SCRIPT:
            assert any("-Spread" not in line and "-Uninstall" not in line for line in commands)


def test_every_code_that_a_script_ends_with_is_on_the_page(
    make_options: Make, tmp_path: Path, tool: Tool
) -> None:
    export.export(make_options(), tool, tmp_path / "out")
    text = (tmp_path / "out/STEPS.md").read_text(encoding="utf-8")
    if tool is Tool.GPO:
        return  # the Task Scheduler does nothing with it
    assert re.search(r"1618[^.]{0,80}another run is at work", text)
    assert tool is not Tool.SCRIPT or re.search(r"and 75 where another run is at work", text)


def test_no_export_knows_a_token(make_options: Make, tmp_path: Path, tool: Tool) -> None:
    out = tmp_path / "out"
    export.export(make_options(sign_in=TOKEN), tool, out)
    held = json.loads((out / CONTENT[tool] / "settings.json").read_text(encoding="ascii"))
    assert held["token_file"] == TOKEN.path
    assert "service-principal-id" not in held["connect"]
    text = (out / "STEPS.md").read_text(encoding="utf-8")
    assert r'"CORP\Arc servers:(OI)(CI)R"' in text
    assert "Authenticated Users:" not in text
    assert "Domain Computers" not in text


def test_results_can_be_written_and_not_read(make_options: Make, tmp_path: Path, tool: Tool) -> None:
    out = tmp_path / "out"
    export.export(make_options(), tool, out)
    text = (out / "STEPS.md").read_text(encoding="utf-8")
    (line,) = [one for one in text.splitlines() if 'results /grant "CORP' in one]
    rights = re.search(r'Arc servers:\(([A-Z,]+)\)"', line)
    assert rights
    # Make a file, pass through, read attributes and rights, wait: neither list (RD) nor delete (D, DC).
    assert set(rights[1].split(",")) == {"WD", "X", "RA", "RC", "S"}
    inherited = text.index("results /inheritance:r")
    assert inherited < text.index(line)


def test_the_task_is_of_the_schema_and_runs_as_system(make_options: Make, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export.export(make_options(share=r"\\fs01\R-D $x\arc ferry"), Tool.GPO, out)
    data = (out / "gpo" / "task.xml").read_bytes()
    assert data.startswith((b"\xff\xfe", b"\xfe\xff"))
    task = parse(data)
    assert task.tag == f"{TASK}Task"
    assert faults_of_task(task) == []
    assert task.findtext(f".//{TASK}UserId") == "S-1-5-18"
    assert task.find(f".//{TASK}LogonType") is None
    words = task.findtext(f".//{TASK}Arguments", "")
    assert r"$s='\\fs01\R-D $x\arc ferry';" in words
    for name in ("onboard.ps1", "settings.json"):
        digest = hashlib.sha256((out / "share" / name).read_bytes()).hexdigest()
        assert f"'{name}'='{digest}'" in words
    assert words.index("Get-FileHash") < words.index("& (Join-Path $d 'onboard.ps1') -From $s -Spread;")
    # In cmd, in the task's XML and in a policy, which puts in what is between percent signs.
    assert words.count('"') == 2
    assert "%" not in words


def test_the_preference_item_is_the_same_task_without_a_password(make_options: Make, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export.export(make_options(), Tool.GPO, out)
    container = parse((out / "gpo" / "ScheduledTasks.xml").read_bytes())
    assert (container.tag, [child.tag for child in container]) == ("ScheduledTasks", ["TaskV2"])
    properties = container.find("TaskV2/Properties")
    assert properties is not None
    assert (properties.get("runAs"), properties.get("logonType")) == (r"NT AUTHORITY\System", "S4U")
    assert "cpassword" not in properties.attrib
    (task,) = properties
    assert faults_of_task(task) == []
    alone = parse((out / "gpo" / "task.xml").read_bytes())
    assert task.findtext(".//Arguments") == alone.findtext(f".//{TASK}Arguments")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<Delay>PT2M</Delay>", "<Delay>2 minutes</Delay>"),
        (
            "<Enabled>true</Enabled>\n      <Delay>PT2M</Delay>",
            "<Delay>PT2M</Delay>\n      <Enabled>true</Enabled>",
        ),
        ("<RunLevel>HighestAvailable</RunLevel>", "<RunLevel>Highest</RunLevel>"),
        ("<Hidden>false</Hidden>", "<Hiden>false</Hiden>"),
    ],
)
def test_the_schema_check_sees_faults(make_options: Make, tmp_path: Path, before: str, after: str) -> None:
    export.export(make_options(), Tool.GPO, tmp_path / "out")
    text = (tmp_path / "out" / "gpo" / "task.xml").read_bytes().decode("utf-16")
    assert before in text
    assert faults_of_task(parse(text.replace(before, after).encode("utf-16")))


def test_the_same_order_gives_the_same_bytes(make_options: Make, tmp_path: Path, tool: Tool) -> None:
    made = make_options()
    for name in ("one", "two"):
        export.export(made, tool, tmp_path / name)
    assert names(tmp_path / "one") == names(tmp_path / "two")
    for name in names(tmp_path / "one"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_detection_asks_for_this_very_place(make_options: Make, rules: ModuleType, tmp_path: Path) -> None:
    for tool in (Tool.CONFIGMGR, Tool.INTUNE):
        out = tmp_path / tool.value
        export.export(make_options(), tool, out)
        text = (out / tool.value / "detect.ps1").read_text(encoding="ascii")
        assert "'/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-arc/'" in text
        assert rules.faults(text) == []


def test_an_export_to_upgrade_signs_nobody_in_and_asks_for_the_version(
    make_options: Make, rules: ModuleType, tmp_path: Path, tool: Tool
) -> None:
    out = tmp_path / "out"
    export.export(make_options(sign_in=None, upgrades=True, tags=["a=b"]), tool, out)
    text = (out / "STEPS.md").read_text(encoding="utf-8")
    assert text.startswith("# Steps: upgrade servers ")
    assert "{{" not in text
    assert not re.search(r"(?i)token|certificate\W|-Uninstall", re.sub(r"(?m)^\|.*", "", text))
    held = json.loads((out / CONTENT[tool] / "settings.json").read_text(encoding="ascii"))
    assert (held["way"], held["versions"]["msi-amd64"], held["token_file"]) == ("upgrade", "1.67.0", "")
    assert set(held["connect"]) == {"subscription-id", "resource-group", "tenant-id", "location", "cloud"}
    if tool is Tool.GPO:
        assert "<Description>Gives this server's" in (out / "gpo/task.xml").read_bytes().decode("utf-16")
        assert "New-GPO -Name 'arcferry upgrade'" in text
    if tool in {Tool.CONFIGMGR, Tool.INTUNE}:
        detect = (out / tool.value / "detect.ps1").read_text(encoding="ascii")
        assert "$Version = '1.67.0'" in detect
        assert rules.faults(detect) == []
        assert "by an agent of version 1.67.0 or newer" in text


@pytest.mark.parametrize(
    ("tool", "changed", "says"),
    [
        (Tool.GPO, {"share": ""}, "--share"),
        (Tool.GPO, {"share": "/mnt/arcferry"}, "UNC"),
        (Tool.GPO, {"group": ""}, "--group"),
        (Tool.INTUNE, {"sign_in": None}, "sign in"),
        (Tool.CONFIGMGR, {"agents": {"a.deb": b"deb"}}, "Windows"),
        (Tool.SCRIPT, {"agents": {"a.msi": b"msi"}, "share": "/mnt/arcferry"}, "Linux"),
        (Tool.ANSIBLE, {}, "Ansible"),
    ],
)
def test_what_a_tool_lacks_is_named_and_nothing_is_written(
    make_options: Make, tmp_path: Path, tool: Tool, changed: dict[str, object], says: str
) -> None:
    with pytest.raises(InputError, match=says) as caught:
        export.export(make_options(**changed), tool, tmp_path / "out")
    assert caught.value.hint
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out*"))


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_a_taken_name_is_refused_and_left_alone(make_options: Make, tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    if kind == "folder":
        out.mkdir()
    elif kind == "file":
        out.write_text("mine")
    else:
        out.symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileInputError, match="exists already"):
        export.export(make_options(), Tool.GPO, out)
    assert not list(tmp_path.glob(".out*"))


def test_a_bundle_that_changes_meanwhile_leaves_nothing(make_options: Make, tmp_path: Path) -> None:
    made = make_options()
    (made.bundle.path / "agent" / "a.msi").write_bytes(b"msj")
    with pytest.raises(BundleRefusedError, match=r"a\.msi"):
        export.export(made, Tool.GPO, tmp_path / "out")
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]


def test_a_full_disk_leaves_nothing(
    make_options: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_options()

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(BundleFile, "copy_into", full)
    with pytest.raises(FileInputError, match=r"the disk at \S+ is full"):
        export.export(made, Tool.SCRIPT, tmp_path / "out")
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]


def test_linux_alone_needs_no_group_and_gets_no_windows_script(make_options: Make, tmp_path: Path) -> None:
    made = make_options(share="/mnt/arcferry", group="", sign_in=export.TokenFile("/run/arc/token"))
    export.export(made, Tool.SCRIPT, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out" / "share").iterdir()} == {
        "onboard.sh",
        "settings.json",
        "bundle",
    }
    text = (tmp_path / "out" / "STEPS.md").read_text()
    assert "icacls" not in text
    assert "sh ./onboard.sh --from /mnt/arcferry /run/arc/token)" in text
    for name in ("onboard.sh", "settings.json"):
        digest = hashlib.sha256((tmp_path / "out/share" / name).read_bytes()).hexdigest()
        assert f"{digest} {name}" in text
    first = text.index("Who can write the folder on Linux is root on every server")
    assert "root_squash" in text[first : text.index("Run it on Linux")]
    assert "arcferry collect /mnt/arcferry/results" in text


def test_settings_are_one_key_a_line(make_options: Make) -> None:
    lines = settings(make_options(tags=["stadt=Zürich"]), Tool.GPO).decode("ascii").splitlines()
    assert all(re.fullmatch(r'\{|\}|  \},?|  +"[^"]+": (\{|"(?:[^"\\]|\\.)*"|\d+),?', line) for line in lines)


def test_a_window_is_carried_as_instants_in_utc(make_options: Make, tmp_path: Path) -> None:
    options = make_options(window=parse_window("Sat 22:00-05:00 Asia/Taipei"))
    export.export(options, Tool.GPO, tmp_path / "out")
    held = json.loads((tmp_path / "out/share/settings.json").read_text(encoding="ascii"))
    stretches = held["window"].split(" ")
    # Of the Saturdays within the 90 days of a bundle of 2026-11-23.
    assert stretches[0] == "2026-11-28T14:00:00Z/2026-11-28T21:00:00Z"
    assert len(stretches) == 13
    task = (tmp_path / "out/gpo/task.xml").read_text(encoding="utf-16")
    assert "<Interval>PT30M</Interval>" in task
    page = (tmp_path / "out/STEPS.md").read_text(encoding="utf-8")
    assert "within `Sat 22:00-05:00 Asia/Taipei` alone" in page
    assert "repeated every 30 minutes for a day" in page


@pytest.mark.parametrize("tool", [Tool.CONFIGMGR, Tool.INTUNE, Tool.ANSIBLE])
def test_a_tool_that_cannot_keep_a_window_refuses_one(make_options: Make, tmp_path: Path, tool: Tool) -> None:
    options = make_options(window=parse_window("Sat 22:00-05:00 Asia/Taipei"))
    with pytest.raises(InputError, match="--window cannot be given to") as caught:
        export.export(options, tool, tmp_path / "out")
    assert caught.value.hint


def test_a_window_that_opens_too_often_is_refused(make_options: Make) -> None:
    often = ",".join(f"daily {hour:02}:00-{hour:02}:30" for hour in range(24))
    with pytest.raises(InputError, match="more than 1000 times"):
        make_options(window=parse_window(f"{often} UTC"))
