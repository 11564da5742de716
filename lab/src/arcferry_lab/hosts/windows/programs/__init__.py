"""What Windows hosts have in the place of what Wine lacks: programs in C, and modules of PowerShell."""

from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path

from arcferry_lab.hosts.windows.compiler import compile_program

HOST_CONTROL = "host_control.exe"
INSTALLER_GATE = "msiexec_gate.exe"


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


def lay_out_modules(folder: Path, programs: Iterable[str]) -> None:
    """Put the modules into PowerShell's folder of them, and one that lets it find programs by name.

    PowerShell looks for a program in the folders of PATH, and in Wine 8 a folder that is asked for one name
    finds nothing. Only where it found none does it ask its modules for an alias.
    """
    for name, data in program_sources().items():
        if name.endswith(".psm1"):
            _write_module(folder, name.removesuffix(".psm1"), data.decode("utf-8"))
    aliases = {name: program for program in programs for name in (program, program.removesuffix(".exe"))}
    aliases |= dict.fromkeys(("powershell.exe", "powershell"), r"WindowsPowerShell\v1.0\powershell.exe")
    lines = ["$system = $env:SystemRoot + '\\system32\\'"]
    lines += [
        f"if (-not (Test-Path Alias:{name})) {{ Set-Alias {name} ($system + '{path}') }}"
        for name, path in aliases.items()
    ]
    _write_module(folder, "ProgramsByName", "\n".join([*lines, "Export-ModuleMember -Alias *", ""]))
    exported = ", ".join(f"'{name}'" for name in aliases)
    manifest = (
        "@{ ModuleVersion = '1.0'; RootModule = 'ProgramsByName.psm1'; FunctionsToExport = @()\n"
        f"CmdletsToExport = @(); VariablesToExport = @(); AliasesToExport = @({exported}) }}\n"
    )
    (folder / "ProgramsByName/ProgramsByName.psd1").write_text(manifest, encoding="utf-8")


def _write_module(folder: Path, name: str, text: str) -> None:
    (folder / name).mkdir(exist_ok=True)
    (folder / name / f"{name}.psm1").write_text(text, encoding="utf-8")
