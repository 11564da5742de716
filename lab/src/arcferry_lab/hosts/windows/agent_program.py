"""The twin agent's program, compiled from the C sources beside this file."""

from importlib import resources
from pathlib import Path

from arcferry_lab.hosts.windows.tools import COMPILER
from arcferry_lab.system import run_tool

# Windows 7's interfaces: Wine 8.0 refuses structures that have grown since.
_FLAGS = (
    "-std=c11", "-O1", "-s", "-Wall", "-Wextra", "-Werror", "-municode", "-DUNICODE", "-D_UNICODE",
    "-DWIN32_LEAN_AND_MEAN", "-D_WIN32_WINNT=0x0601", "-D__USE_MINGW_ANSI_STDIO=1",
)  # fmt: skip
_LIBRARIES = ("-lws2_32", "-lcrypt32", "-lbcrypt", "-lsecur32", "-lwininet", "-lshell32", "-lole32")


def compile_agent(target: Path, version: str) -> None:
    """Write `azcmagent.exe` of a version, which has digits and dots alone, to `target`; takes two seconds.

    Raises:
        LabError: the compiler is missing, or refused the sources.
    """
    agent = resources.files(__package__).joinpath("agent")
    with resources.as_file(agent) as sources:
        run_tool(
            COMPILER, *_FLAGS, f'-DAGENT_VERSION="{version}"', str(sources / "azcmagent.c"),
            "-o", str(target.absolute()), *_LIBRARIES,
        )  # fmt: skip
