"""C sources to programs for Windows."""

from pathlib import Path

from arcferry_lab.hosts.windows.tools import COMPILER
from arcferry_lab.system import run_tool

# Windows 7's interfaces: Wine 8.0 refuses structures that have grown since.
_FLAGS = (
    "-std=c11", "-O1", "-s", "-Wall", "-Wextra", "-Werror", "-municode", "-DUNICODE", "-D_UNICODE",
    "-DWIN32_LEAN_AND_MEAN", "-D_WIN32_WINNT=0x0601", "-D__USE_MINGW_ANSI_STDIO=1",
)  # fmt: skip
_LIBRARIES = (
    "-lws2_32", "-lcrypt32", "-lbcrypt", "-lsecur32", "-lwininet", "-lshell32", "-lole32", "-liphlpapi",
)  # fmt: skip


def compile_program(source: Path, target: Path, *, version: str = "") -> None:
    """Write a console program of one C file, and of what that includes, to `target`; takes a second or two.

    Args:
        source: the file.
        target: where to.
        version: the agent's, of digits and dots alone; none where empty.

    Raises:
        LabError: the compiler is missing, or refused the source.
    """
    defined = (f'-DAGENT_VERSION="{version}"',) if version else ()
    run_tool(COMPILER, *_FLAGS, *defined, str(source), "-o", str(target.absolute()), *_LIBRARIES)
