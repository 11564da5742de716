"""The command line of the twin agent."""

import os
import socket
import sys
import time
import zipfile
from argparse import SUPPRESS, ArgumentParser, Namespace
from pathlib import Path
from typing import Any, NoReturn

from . import check, himds, layout, local_config, show
from .clouds import clean_location, find_cloud
from .connect import connect, disconnect, need_root
from .console import Console
from .failure import AgentError
from .identity import connection
from .network import AgentHttps
from .options import Options

_NETWORK_ERROR = 26
_HELP = "https://aka.ms/arc/azcmerror"


class _Parser(ArgumentParser):
    """Complains in AZCM codes, and never repeats a value, because a mistyped option's may be a secret."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - handed through to argparse
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        raise AgentError(23, message)

    def understand(self, argv: list[str]) -> Namespace:
        """Parse everything.

        Raises:
            AgentError: an option or argument that the command has not (AZCM0023).
        """
        arguments, rest = self.parse_known_args(argv)
        flags = [
            word.partition("=")[0] if word.startswith("--") else word[:2] for word in rest if word[0:1] == "-"
        ]
        if flags:
            raise AgentError(23, f"unknown flag: {', '.join(flags)}")
        if rest:
            raise AgentError(23, "too many arguments")
        return arguments


def main(argv: list[str], version: str) -> int:
    """Run one command and return its exit code, which is the number of its AZCM code."""
    _journal(argv)
    console = Console(layout.AGENT_LOG)
    try:
        arguments = _parser().understand(argv)
        options = Options(arguments)
        console = Console(
            layout.AGENT_LOG,
            as_json=options.flag("json"),
            verbose=options.flag("verbose"),
            to_stderr=options.flag("log-stderr"),
            colour=not options.flag("no-color"),
        )
        return _run(arguments, options, console, version)
    except AgentError as error:
        return _fail(console, error)
    except KeyboardInterrupt:
        return _fail(console, AgentError(11, "interrupted"))
    except BrokenPipeError:
        # Whoever read the output has gone; Python's own last flush must not complain about it either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except Exception as error:  # noqa: BLE001 - a server's log names the kind of a fault, never its values
        return _fail(console, AgentError(2, f"unexpected fault: {type(error).__name__}"))


def _fail(console: Console, error: AgentError) -> int:
    console.info(f"Exit Code:  {error.code}: {error.title}")
    console.info(f"For troubleshooting, see {_HELP}")
    console.fatal(error.detail)
    if console.as_json:
        console.document({"status": "failed", "error": {"code": error.code, "message": error.detail}})
    return error.number


def _run(arguments: Namespace, options: Options, console: Console, version: str) -> int:
    command = getattr(arguments, "command", None)
    if command == "version":
        _version(console, version)
    elif command == "check":
        return _check(options, console)
    elif command == "connect":
        connect(AgentHttps.load(), options, console, version)
    elif command == "disconnect":
        disconnect(AgentHttps.load(), options, console)
    elif command == "show":
        show.run(console, version, options.words("property"), with_os=options.flag("os"))
    elif command == "config":
        local_config.run(console, arguments.action, options.text("name"), options.text("value"))
    elif command == "logs":
        _logs(options, console)
    elif command == "himdsd":
        himds.serve(version)
    else:
        _parser().print_help()
    return 0


def _version(console: Console, version: str) -> None:
    if console.as_json:
        console.document({"version": version})
    else:
        console.out(f"azcmagent version {version}")


def _check(options: Options, console: Console) -> int:
    known = connection()
    if options.text("cloud") and not options.text("location"):
        raise AgentError(16, 'required flag(s) "location" not set')
    location = options.text("location") or str(known.get("location", ""))
    if not location:
        raise AgentError(16, 'required flag(s) "location" not set, and this machine is not connected')
    cloud = find_cloud(options.text("cloud") or str(known.get("cloud", "AzureCloud")))
    passed = check.run(AgentHttps.load(), cloud, clean_location(location), console)
    return 0 if passed else _NETWORK_ERROR


def _logs(options: Options, console: Console) -> None:
    """Pack the logs and the connection's record; certificates and keys stay where they are."""
    need_root("logs")
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    target = Path(options.text("output") or f"azcmagent-{stamp}-{socket.gethostname()}.zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (layout.AGENT_LOG, layout.HIMDS_LOG, layout.AGENT_CONFIG, layout.LOCAL_CONFIG):
            if path.is_file():
                archive.write(path, path.name)
    console.info(f"Logs written to {target.resolve()}")


def _journal(argv: list[str]) -> None:
    """Keep the arguments as they came, for the lab alone: its tests look here for secrets in argv."""
    if not layout.LAB.exists():
        return
    try:
        descriptor = os.open(layout.ARGV_JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError:
        return
    with os.fdopen(descriptor, "wb") as stream:
        stream.write("\x1f".join(["azcmagent", *argv]).encode(errors="surrogateescape") + b"\0")


def _parser() -> _Parser:
    common = _Parser(add_help=False, argument_default=SUPPRESS)
    common.add_argument("--config", metavar="FILE")
    common.add_argument("-j", "--json", action="store_true")
    common.add_argument("-v", "--verbose", action="store_true")
    common.add_argument("--log-stderr", action="store_true")
    common.add_argument("--no-color", action="store_true")
    parser = _Parser(prog="azcmagent", parents=[common], description="The lab's twin of azcmagent.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)

    def command(name: str, says: str) -> _Parser:
        return commands.add_parser(name, help=says, parents=[common], argument_default=SUPPRESS)

    command("version", "print the version")
    command("help", "print this help")
    command("himdsd", "the background service; started by connect")
    checking = command("check", "test the connection to every required endpoint")
    checking.add_argument("-l", "--location")
    checking.add_argument("--cloud")
    checking.add_argument("-p", "--enable-pls-check", action="store_true")
    checking.add_argument("-e", "--extensions")
    _connect_options(command("connect", "connect this host to Azure"))
    leaving = command("disconnect", "disconnect this host from Azure")
    leaving.add_argument("-f", "--force-local-only", action="store_true")
    _credential_options(leaving)
    leaving.add_argument("--tenant-id")
    showing = command("show", "print what the agent knows")
    showing.add_argument("property", nargs="*")
    showing.add_argument("--os", action="store_true")
    setting = command("config", "read and change local settings")
    setting.add_argument("action", choices=["list", "get", "set", "clear"])
    setting.add_argument("name", nargs="?")
    setting.add_argument("value", nargs="?")
    packing = command("logs", "pack the logs")
    packing.add_argument("-f", "--full", action="store_true")
    packing.add_argument("-o", "--output")
    return parser


def _credential_options(parser: ArgumentParser) -> None:
    parser.add_argument("--access-token")
    parser.add_argument("-i", "--service-principal-id")
    parser.add_argument("-p", "--service-principal-secret")


def _connect_options(parser: ArgumentParser) -> None:
    _credential_options(parser)
    parser.add_argument("-s", "--subscription-id")
    parser.add_argument("-g", "--resource-group")
    parser.add_argument("-l", "--location")
    parser.add_argument("-n", "--resource-name")
    parser.add_argument("-t", "--tenant-id")
    parser.add_argument("--cloud")
    parser.add_argument("--tags")
    parser.add_argument("--private-link-scope")
    parser.add_argument("--gateway-id")
    parser.add_argument("--correlation-id")
    parser.add_argument("--ignore-network-check", action="store_true")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], "0"))
