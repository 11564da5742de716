"""Write what azure-cli takes: the commands, options and choices of its own parsers, as JSON.

    python3 -m venv /tmp/az && /tmp/az/bin/pip install azure-cli
    AZURE_CONFIG_DIR=/tmp/az-config /tmp/az/bin/python scripts/az_reference.py tests/commands/az.json

Run it with the interpreter that azure-cli is installed for; with an empty configuration folder there are no
extensions, as in a closed network. `tests/commands` holds every line of `az` that arcferry prints against it.
After a new version run `tests/manual/az_sent.py` too.

Each option is `NARGS[!|^] [CHOICES]`: how many values it takes, as argparse has it (`0`, `1`, `?`, `*`, `+`);
`!` where the command needs it, `^` where it needs it unless `--ids` is given.
"""

# mypy: ignore-errors
import json
import sys
from argparse import SUPPRESS
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

GROUPS = (
    "account", "ad app", "ad sp", "cloud", "connectedmachine", "deployment group", "deployment sub",
    "graph", "group", "lock", "login", "network express-route", "network list-service-tags",
    "network private-dns", "network private-endpoint", "network route-filter", "policy assignment",
    "provider", "resource", "rest", "role assignment", "role definition", "version",
)  # fmt: skip
"""The command groups whose lines arcferry prints, and their neighbours."""
EXTENSIONS = ("arcappliance", "connectedk8s", "connectedmachine", "graph", "ssh")
"""Command groups that azure-cli fetches as an extension when they are first used; none is of its core."""


def main(path: Path) -> None:
    """Load every command with its arguments, and write those of `GROUPS`."""
    from azure.cli.core import get_default_cli  # noqa: PLC0415 - of the interpreter that runs this
    from azure.cli.core.file_util import create_invoker_and_load_cmds_and_args  # noqa: PLC0415 - as above

    cli = get_default_cli()
    create_invoker_and_load_cmds_and_args(cli)
    table = cli.invocation.commands_loader.command_table
    parsers = {
        " ".join((*group, name)): parser
        for group, of_group in cli.invocation.parser.subparsers.items()
        for name, parser in of_group.choices.items()
    }
    wanted = sorted(
        name
        for name in table
        if any(f"{name} ".startswith(f"{group} ") for group in GROUPS) and name in parsers
    )
    core = [name for name in table if name.split()[0] in EXTENSIONS]
    if core:
        sys.exit(f"no extensions, but of core az: {core[:5]}")
    replaced = _replaced_by_ids(cli)
    found = {name: _options(parsers[name], replaced.get(name, frozenset())) for name in wanted}
    everywhere = set.intersection(*(set(options.items()) for options in found.values()))
    document = {
        "source": "azure-cli of PyPI, without extensions, by its own parsers",
        "version": version("azure-cli"),
        "taken": datetime.now(UTC).date().isoformat(),
        "extensions": EXTENSIONS,
        "everywhere": dict(sorted(everywhere)),
        "commands": {name: dict(sorted(set(one.items()) - everywhere)) for name, one in found.items()},
    }
    path.write_text(_laid_out(document), encoding="utf-8")


def _options(parser: object, replaced_by_ids: frozenset[str]) -> dict[str, str]:
    found = {}
    for action in parser._actions:  # noqa: SLF001 - argparse lists them nowhere else
        if not action.option_strings or action.help == SUPPRESS:
            continue
        needed = "^" if action.dest in replaced_by_ids else "!" if action.required else ""
        nargs = "1" if action.nargs is None else str(action.nargs)
        choices = " ".join(("", *map(str, action.choices))) if action.choices else ""
        found[" ".join(sorted(map(str, action.option_strings)))] = f"{nargs}{needed}{choices}"
    return found


def _replaced_by_ids(cli: object) -> dict[str, frozenset[str]]:
    """For each command the arguments that it needs unless `--ids` is given.

    A parser no longer says so: azure-cli lifts the need and checks it itself, by a table within its handlers.
    """
    found: dict[str, frozenset[str]] = {}
    for handler in (one for several in cli._event_handlers.values() for one in several):  # noqa: SLF001 - nor does az
        names = handler.__code__.co_freevars if hasattr(handler, "__code__") else ()
        if "ids_metadata" in names:
            table = handler.__closure__[names.index("ids_metadata")].cell_contents
            for command, arguments in table.items():
                found[command] = found.get(command, frozenset()) | frozenset(arguments["required"])
    return found


def _laid_out(document: dict[str, object]) -> str:
    """JSON with a line a command, so that a new version's differences can be read."""
    parts = []
    for key, value in document.items():
        text = json.dumps(value)
        if key == "commands":
            text = "{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in value.items()) + "\n}"
        parts.append(f"{json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
