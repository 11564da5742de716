"""Write the locks of `arcferry bundle self` from uv.lock: for each target the one wheel of every dependency.

With --check nothing is written; it ends with 1 where a lock doesn't match uv.lock.
"""

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import canonicalize_name, parse_wheel_filename

from arcferry.bundle.itself.lock import PLATFORMS, PYTHONS, LockedWheel, WheelTarget, to_requirements

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "src/arcferry/bundle/itself/locks"
EXPORT = ("--frozen", "--offline", "--no-dev", "--no-emit-project", "--no-hashes", "--no-annotate")
# What markers ask of a platform; everything not named here is the same for all targets.
ENVIRONMENTS = {
    "linux_x86_64": {
        "os_name": "posix",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
    },
    "win_amd64": {
        "os_name": "nt",
        "sys_platform": "win32",
        "platform_system": "Windows",
        "platform_machine": "AMD64",
    },
}
CPYTHON = {"implementation_name": "cpython", "platform_python_implementation": "CPython"}


def exported() -> list[Requirement]:
    """Every dependency of arcferry's, pinned, with the marker that says where it is needed."""
    uv = [sys.executable, "-m", "uv", "export", "--quiet", *EXPORT, "--format", "requirements.txt"]
    lines = subprocess.run(uv, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def wheels_of_lock() -> dict[tuple[str, str], dict[str, str]]:
    """For a name and version the SHA-256 of each of its wheels, by file name."""
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    return {
        (package["name"], package.get("version", "")): {
            wheel["url"].rpartition("/")[2]: wheel["hash"].removeprefix("sha256:")
            for wheel in package.get("wheels", ())
        }
        for package in packages
    }


def tags(target: WheelTarget) -> Iterator[Tag]:
    """What the target's pip takes, preferred first."""
    version = tuple(int(part) for part in target.python.split("."))
    platforms = target.wheel_platforms
    yield from cpython_tags(version, [target.abi], platforms)
    yield from compatible_tags(version, target.abi, platforms)


def locked_wheels(target: WheelTarget) -> Iterator[LockedWheel]:
    """The wheel of every dependency that the target needs."""
    python = {"python_version": target.python, "python_full_version": f"{target.python}.0"}
    environment = {**CPYTHON, **ENVIRONMENTS[target.platform], **python}
    ranks = {tag: rank for rank, tag in enumerate(tags(target))}
    held = wheels_of_lock()
    for requirement in exported():
        if requirement.marker and not requirement.marker.evaluate(environment):
            continue
        name = canonicalize_name(requirement.name)
        version = str(requirement.specifier).removeprefix("==")
        files = held[name, version]
        fitting = {
            file: min((ranks[tag] for tag in parse_wheel_filename(file)[3] if tag in ranks), default=None)
            for file in files
        }
        best = min((rank, file) for file, rank in fitting.items() if rank is not None)[1]
        yield LockedWheel(name, version, with_one_platform(best, target), files[best])


def with_one_platform(file: str, target: WheelTarget) -> str:
    """The wheel's name with one of its platforms: with all of them some are too long for a bundle's file."""
    stem, _, platforms = file.removesuffix(".whl").rpartition("-")
    known = [one for one in target.wheel_platforms if one in platforms.split(".")]
    return f"{stem}-{known[0]}.whl" if known else file


def main() -> int:
    """Write or check every lock."""
    stale = []
    for target in (WheelTarget(python, platform) for python in PYTHONS for platform in PLATFORMS):
        path = FOLDER / f"{target.tag}.txt"
        text = to_requirements(locked_wheels(target))
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="ascii")
        elif not path.exists() or path.read_text(encoding="ascii") != text:
            stale.append(str(path.relative_to(ROOT)))
    for name in stale:
        print(f"{name} does not match uv.lock: run scripts/self_lock.py", file=sys.stderr)
    return bool(stale)


if __name__ == "__main__":
    sys.exit(main())
