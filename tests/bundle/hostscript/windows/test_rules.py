"""What the host script for Windows may be made of: each rule is shown to catch its sin.

What a newer PowerShell or .NET would forgive is in newer.toml, for every script and command.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arcferry import catalog

tree_sitter = pytest.importorskip("tree_sitter", reason="tree-sitter is not installed")
powershell = pytest.importorskip("tree_sitter_powershell", reason="tree-sitter-powershell is not installed")

FOLDER = Path(__file__).parents[4] / "src/arcferry/bundle/hostscripts"
MAIN, NETWORK = FOLDER / "windows.ps1", FOLDER / "windows-network.ps1"
SCRIPTS = {path.name: path.read_text(encoding="ascii") for path in (MAIN, NETWORK)}
MODULES = tomllib.loads((Path(__file__).parent / "allowed.toml").read_text(encoding="utf-8"))["modules"]
ALLOWED = {command for module in MODULES for command in module["commands"]}
LONGEST_SCRIPT, LONGEST_FUNCTION, LONGEST_LINE = 860, 40, 120
BANNED_TOKENS = re.compile(
    r"-Verb\s+RunAs|Invoke-Expression|-EncodedCommand|DownloadString|ServerCertificateValidationCallback",
    re.IGNORECASE,
)
# A form for dates without a culture; in Thai or Saudi Windows it gives other years, and other digits.
OWN_CALENDAR = re.compile(
    r"\.ToString\(\s*(?:'[^']*[yMdHhmsf][^']*'|\"[^\"]*[yMdHhmsf][^\"]*\"|\$\w+)\s*\)"
    r"|\.To(?:Short|Long)(?:Date|Time)String\(|\{\d+:[^}]*(?:yy|MM|dd|HH|ss)[^}]*\}|Get-Date|\[DateTime\]::Parse\(",
    re.IGNORECASE,
)
# Of PowerShell 5.0 and later, or of no use here and hard to read.
BANNED_NODES = {
    "class_statement",
    "enum_statement",
    "trap_statement",
    "pipeline_chain_tail",
    "ternary_expression",
}


def parse(text: str) -> Any:  # noqa: ANN401 - tree-sitter is not typed
    return tree_sitter.Parser(tree_sitter.Language(powershell.language())).parse(text.encode()).root_node


def nodes(node: Any) -> Iterator[Any]:  # noqa: ANN401 - tree-sitter is not typed
    yield node
    for child in node.children:
        yield from nodes(child)


def said(node: Any) -> str:  # noqa: ANN401 - tree-sitter is not typed
    return str(node.text.decode())


def code_of(text: str) -> str:
    """The script without its comments: what they say is not run."""
    found = [(n.start_byte, n.end_byte) for n in nodes(parse(text)) if n.type == "comment"]
    for start, end in reversed(found):
        text = text[:start] + text[end:]
    return text


def functions(root: Any) -> dict[str, Any]:  # noqa: ANN401 - tree-sitter is not typed
    found = [n for n in nodes(root) if n.type == "function_statement"]
    return {said(next(c for c in n.children if c.type == "function_name")): n for n in found}


def faults(text: str, known: frozenset[str] = frozenset()) -> list[str]:
    """Everything in one script that breaks a rule; `known` is what it alone may call."""
    root = parse(text)
    own = functions(root)
    found = [
        f"syntax at line {n.start_point[0] + 1}" for n in nodes(root) if n.type == "ERROR" or n.is_missing
    ]
    found += [f"banned: {token}" for token in BANNED_TOKENS.findall(code_of(text))]
    for node in nodes(root):
        line = node.start_point[0] + 1
        if node.type in BANNED_NODES:
            found.append(f"{node.type} at line {line}")
        if node.type == "try_statement" and not {"catch_clauses", "finally_clause"} & {
            child.type for child in node.children
        }:
            found.append(f"try without catch or finally at line {line}")
        if node.type == "command_name" and said(node) not in ALLOWED | set(own) | known:
            found.append(f"command {said(node)} at line {line}")
        if node.type == "command_name_expr" and said(node) != '"$PSScriptRoot\\windows-network.ps1"':
            found.append(f"computed command {said(node)} at line {line}")
        if node.type == "function_statement" and node.end_point[0] - node.start_point[0] >= LONGEST_FUNCTION:
            found.append(f"long function at line {line}")
    found += [f"date in the server's own calendar: {one}" for one in OWN_CALENDAR.findall(code_of(text))]
    found += [f"long line {at}" for at, line in enumerate(text.splitlines(), 1) if len(line) > LONGEST_LINE]
    if len(text.splitlines()) > LONGEST_SCRIPT:
        found.append("long script")
    if "Set-StrictMode -Version 3.0" not in text:
        found.append("no Set-StrictMode")
    return found


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_script_keeps_every_rule(name: str) -> None:
    beside = {function for text in SCRIPTS.values() for function in functions(parse(text))}
    assert faults(SCRIPTS[name], frozenset(beside)) == []


@pytest.mark.parametrize(
    ("sample", "fault"),
    [
        ("if ($a {", "syntax"),
        ("$a = $b ? 1 : 2", "syntax"),
        ("class Host { }", "class_statement"),
        ("try { 1 }", "try without catch or finally"),
        ("Get-Item a | % { $_ }", "command %"),
        ("gci a", "command gci"),
        ("Write-Host a", "command Write-Host"),
        ("Invoke-WebRequest a", "command Invoke-WebRequest"),
        ("msiexec.exe /i a", "command msiexec.exe"),
        ("& $program a", "computed command $program"),
        (". $file", "computed command $file"),
        ("Invoke-Expression $a", "banned: Invoke-Expression"),
        ("Start-Process a -Verb RunAs", "banned: -Verb RunAs"),
        ("$a = $b.ToString('yyyy-MM-ddTHH:mm:ssZ')", "date in the server's own calendar"),
        ("$a = $b.ToString($form)", "date in the server's own calendar"),
        ("$a = '{0:yyyyMMdd}' -f $b", "date in the server's own calendar"),
        ("$a = $b.ToShortDateString()", "date in the server's own calendar"),
        ("$a = [DateTime]::Parse($b)", "date in the server's own calendar"),
        ("function Get-A {\n" + "    1\n" * 40 + "}", "long function"),
        ("# " + "a" * 120, "long line 1"),
        ("1\n" * (LONGEST_SCRIPT + 1), "long script"),
        ("1", "no Set-StrictMode"),
    ],
)
def test_each_rule_catches_its_sin(sample: str, fault: str) -> None:
    assert [found for found in faults(sample) if found.startswith(fault)], faults(sample)


def test_a_comment_may_name_what_code_may_not() -> None:
    assert faults("# never Invoke-Expression, && or ::new()\nSet-StrictMode -Version 3.0\n") == []


def test_the_allow_list_holds_nothing_that_is_not_called() -> None:
    called = {said(n) for text in SCRIPTS.values() for n in nodes(parse(text)) if n.type == "command_name"}
    assert ALLOWED - called == set()
    assert all(re.match(r"MicrosoftDocs/\S+ \S+$", module["source"]) for module in MODULES)


def test_the_main_script_opens_no_connection() -> None:
    pattern = r"WebRequest|WebClient|HttpClient|Sockets|TcpClient|Net\.Dns\]::GetHostEntry|Resolve-DnsName"
    assert re.findall(pattern, code_of(SCRIPTS[MAIN.name])) == []
    assert re.findall(pattern, code_of(SCRIPTS[NETWORK.name]))


def test_the_file_beside_it_does_nothing_by_itself() -> None:
    lists = [n for n in parse(SCRIPTS[NETWORK.name]).children if n.type == "statement_list"]
    outside = [s for part in lists for s in part.children if s.type not in {"function_statement", "comment"}]
    harmless = r"\$(script:)?\w+ = |Set-StrictMode |;?$"
    assert [said(s) for s in outside if not re.match(harmless, said(s))] == []
    called = [
        said(n) for s in outside for n in nodes(s) if n.type in {"command_name", "invokation_expression"}
    ]
    assert called == ["Set-StrictMode"]


LOAD = '. "$PSScriptRoot\\windows-network.ps1"'


def loaded_unseen(text: str) -> bool:
    """Whether the file beside it is loaded without comparing owner and rights with this script's own."""
    root = parse(text)
    loads = [n for n in nodes(root) if n.type == "try_statement" and LOAD in said(n)]
    checked = said(functions(root)["Open-NetworkScript"]) if "Open-NetworkScript" in functions(root) else ""
    compared = re.search(r"Get-Acl -LiteralPath \$one\)\.Sddl", checked) and "-ceq $rights[1]" in checked
    held = "[IO.File]::Open($path, 'Open', 'Read', 'Read')" in checked
    order = [
        re.search(r"\$held = Open-NetworkScript\s.*" + re.escape(LOAD), said(n), re.DOTALL) for n in loads
    ]
    return not (compared and held and order and all(order) and text.count(LOAD) == len(loads))


def test_the_file_beside_it_is_loaded_only_as_this_ones_equal() -> None:
    text = SCRIPTS[MAIN.name]
    assert not loaded_unseen(text)
    assert loaded_unseen(text.replace("$held = Open-NetworkScript\n", "$held = $null\n"))
    assert loaded_unseen(text.replace("-ceq $rights[1]", "-ne ''"))
    assert loaded_unseen(text.replace("'Open', 'Read', 'Read')", "'Open', 'Read', 'ReadWrite')"))
    assert loaded_unseen(
        'if ($PSScriptRoot) { try { . "$PSScriptRoot\\windows-network.ps1" } catch { $a = 1 } }'
    )


def hide_user(text: str, url: str) -> str:
    """What Hide-User of this script makes of an address: .NET's pattern means the same here."""
    found = re.search(r"function Hide-User.*-replace '([^']*)', '([^']*)'", text)
    assert found
    return re.sub(found[1], found[2].replace("$1", r"\1"), url, flags=re.IGNORECASE)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://proxy.corp:3128", "http://proxy.corp:3128"),
        ("http://user:pw@proxy.corp:3128/", "http://proxy.corp:3128/"),
        ("user:pw@proxy.corp:3128", "proxy.corp:3128"),
        ("user@proxy", "proxy"),
        ("http://user:p/w@proxy:3128", "http://proxy:3128"),
        ("http://user:p@w@proxy:3128", "http://proxy:3128"),
        ("HTTPS://CORP\\user:p:w@proxy", "HTTPS://proxy"),
        ("//user:pw@proxy", "proxy"),
        ("user:p\nw@proxy", "proxy"),
        ("", ""),
    ],
)
def test_no_user_of_a_proxy_is_shown(url: str, shown: str) -> None:
    assert hide_user(SCRIPTS[MAIN.name], url) == shown


def test_that_rule_catches_a_user_without_a_scheme() -> None:
    before = "function Hide-User([string]$Url) { $Url -replace '//[^/]*@', '//' }"
    assert hide_user(before, "user:pw@proxy.corp:3128") == "user:pw@proxy.corp:3128"


def kept_configs(text: str) -> list[str]:
    """Which kinds of secret a config may hold and be left where it is."""
    body = said(functions(parse(text))["Open-Config"])
    usable = re.search(r"\$usable = \$ConfigText -match '([^']*)'", body)
    assert usable
    assert body.index("config-no-token") < body.index("$script:Secret = if") < body.index("config-secret")
    secrets = ("access-token", "service-principal-secret")
    return [name for name in secrets if not re.search(usable[1], f'{{"{name}": "x"}}')]


def test_a_config_with_a_secret_of_any_kind_is_removed() -> None:
    text = SCRIPTS[MAIN.name]
    assert kept_configs(text) == []
    before = text.replace("(access-token|service-principal-(cert-thumbprint|secret))", "(access-token)")
    assert kept_configs(before) == ["service-principal-secret"]


def hidden(text: str) -> list[str]:
    """Parameters by the name of a variable of the script's, which they hide from what they call."""
    own = {
        name.casefold()
        for line in re.findall(r"(?m)^(\$.*?) = ", text)
        for name in re.findall(r"\$\w+", line)
    }
    heads = re.findall(r"(?m)^function [\w-]+\((.*)\) \{", text)
    return [name for head in heads for name in re.findall(r"\$\w+", head) if name.casefold() in own]


def test_no_parameter_hides_a_variable_of_the_script() -> None:
    assert hidden("\n".join(SCRIPTS.values())) == []
    sin = "$Config, $Work = 'a', 'b'\nfunction Invoke-Connect([string]$config) { Open-Config }\n"
    assert hidden(sin) == ["$config"]


def secrets_in_commands(text: str) -> list[str]:
    """Commands that are handed the config's text: module logging writes arguments to the event log."""
    return [
        said(n)
        for n in nodes(parse(text))
        if n.type == "command" and re.search(r"\$(script:)?ConfigText", said(n))
    ]


def test_the_token_is_never_an_argument_of_a_command() -> None:
    assert secrets_in_commands(SCRIPTS[MAIN.name]) == []
    assert secrets_in_commands("$a = ConvertFrom-Json -InputObject $ConfigText")


def test_certificates_are_judged_by_windows_alone() -> None:
    body = said(functions(parse(SCRIPTS[NETWORK.name]))["Open-Tls"])
    assert "$problems -eq [Net.Security.SslPolicyErrors]::None" in body
    assert "$true" not in body.replace("$false, $record", "")


def test_verbs_are_those_of_linux() -> None:
    linux = (FOLDER / "linux.sh").read_text(encoding="utf-8")
    verbs = set(re.findall(r"^#   sh linux\.sh (\w+)", linux, re.MULTILINE))
    assert set(re.findall(r"^#   windows\.ps1 (\w+)", SCRIPTS[MAIN.name], re.MULTILINE)) == verbs
    dispatch = said(functions(parse(SCRIPTS[MAIN.name]))["Invoke-Verb"])
    assert set(re.findall(r"^        '(\w+)' \{", dispatch, re.MULTILINE)) == verbs


def test_answers_to_facts_and_show_have_linux_names() -> None:
    linux = (FOLDER / "linux.sh").read_text(encoding="utf-8")
    facts = linux[linux.index("do_facts()") : linux.index("do_verify()")]
    windows = said(functions(parse(SCRIPTS[MAIN.name]))["Invoke-Facts"])
    missing = [key for key in re.findall(r'\\"(\w+)\\":', facts) if not re.search(rf"\b{key}\b", windows)]
    assert missing == []
    agent = re.findall(
        r"'(\w+):[A-Z]", linux[linux.index("agent_json()") : linux.index("installed_version()")]
    )
    assert len(agent) == 10
    assert [key for key in agent if f"{key} = " not in SCRIPTS[MAIN.name]] == []


@pytest.mark.parametrize("cloud", ["AzureCloud", "AzureUSGovernment", "AzureChinaCloud"])
def test_the_endpoints_are_the_catalogues(cloud: str) -> None:
    table = SCRIPTS[NETWORK.name].split("$Required = @{")[1].split("\n}")[0]
    block = re.split(r"\n    (?=Azure)", table)
    listed = next(part for part in block if part.startswith(cloud))
    where = {"AzureCloud": "eastasia", "AzureUSGovernment": "usgovvirginia", "AzureChinaCloud": "chinaeast2"}[
        cloud
    ]
    held = catalog.endpoints(catalog.cloud(cloud), catalog.region(where))
    names = [name.replace("{region}", where) for name in re.findall(r"'([^']+)'", listed)]
    assert names == [endpoint.host or f"*.{catalog.cloud(cloud).his_suffix}" for endpoint in held]


def test_the_token_of_a_killed_run_is_looked_for_before_anything_is_changed() -> None:
    code = SCRIPTS["windows.ps1"]
    verbs = code[code.index("function Invoke-Verb") :]
    assert verbs.index("Remove-OldWork") < verbs.index("switch ($Verb)")
    sweep = code[code.index("function Remove-OldWork") : code.index("# As the C runtime splits")]
    order = [
        "ReparsePoint",
        "GetOwner",
        "$owners -notcontains $owner",
        "Test-Running $number",
        "[IO.File]::Delete($left)",
    ]
    places = [sweep.index(word) for word in order]
    assert places == sorted(places), (
        "a folder of others, or a run at work, is left alone before anything is removed"
    )
    assert '"\\arcferry-$PID-"' in code, "a name that can be found again, and that says whose it is"


def test_only_its_own_needs_are_asked_for() -> None:
    """The agent asks for no .NET since 2023-09-26 and for PowerShell 3.0 (AZCM0154, 2026-07-07)."""
    code = code_of(SCRIPTS[MAIN.name])
    assert re.findall(r"the agent needs|393295|PSVersion\.Major", code) == []
    assert "this script itself needs .NET Framework 4.5; the agent does not" in code
