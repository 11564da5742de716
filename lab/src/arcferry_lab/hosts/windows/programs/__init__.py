"""Small programs for Windows hosts, each compiled from the C file of its name beside this one."""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from arcferry_lab.hosts.windows.compiler import compile_program

HOST_CONTROL = "host_control.exe"


def program_sources() -> Mapping[str, bytes]:
    """Every file beside this one that a host is made of, by name."""
    found = (item for item in resources.files(__package__).iterdir() if item.is_file())
    return {item.name: item.read_bytes() for item in sorted(found, key=lambda item: item.name)}


def compile_programs(folder: Path) -> None:
    """Compile all of them into a folder.

    Raises:
        LabError: the compiler is missing, or refused a source.
    """
    with resources.as_file(resources.files(__package__)) as sources:
        for source in sorted(sources.glob("*.c")):
            target = folder / f"{source.stem}.exe"
            target.unlink(missing_ok=True)  # in the place of Wine's own may be a link to Wine
            compile_program(source, target)
