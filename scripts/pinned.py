"""Print one package of uv.lock as a pip requirement with its hashes.

The virtual environment gets uv this way, so that uv itself comes by hash as everything else does.
"""

import sys
import tomllib
from pathlib import Path


def requirement(name: str) -> str:
    """`name==version --hash=… --hash=…`, on one line."""
    lock = tomllib.loads(Path("uv.lock").read_text())
    package = next(entry for entry in lock["package"] if entry["name"] == name)
    hashes = " ".join(f"--hash={wheel['hash']}" for wheel in package["wheels"])
    return f"{name}=={package['version']} {hashes}"


if __name__ == "__main__":
    print(requirement(sys.argv[1]))
