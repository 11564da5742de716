"""Resolve the dependencies anew and write uv.lock without naming any package index.

The lock pins versions and hashes; where the files come from is the business of whoever
installs: pip's own configuration, a mirror in a closed network, or the public index.
See docs/decisions/0003-lock-without-hosts.md.
"""

import re
import subprocess
import sys
from pathlib import Path

LOCK = Path("uv.lock")
NEUTRAL = "https://index.invalid"


def neutral(text: str) -> str:
    """The lock with every index replaced by a name that cannot exist; file names stay."""
    text = re.sub(r'registry = "https?://[^"]+"', f'registry = "{NEUTRAL}/simple"', text)
    return re.sub(r'url = "https?://[^"]*/([^"/]+)"', rf'url = "{NEUTRAL}/\1"', text)


def main() -> None:
    """Lock, then neutralise; extra arguments go to uv."""
    LOCK.unlink(missing_ok=True)
    subprocess.run([sys.executable, "-m", "uv", "lock", *sys.argv[1:]], check=True)
    LOCK.write_text(neutral(LOCK.read_text()))


if __name__ == "__main__":
    main()
