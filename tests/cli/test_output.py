"""Every form of output is printed by somebody: a new one does not pass mypy."""

import re
import subprocess
import sys
from pathlib import Path

from arcferry.cli import output

SOURCE = Path(output.__file__)


def test_a_new_form_does_not_pass_mypy(tmp_path: Path) -> None:
    """On a copy of the one module that chooses; other modules hand their printers to it."""
    copy = tmp_path / "output.py"
    text, count = re.subn('"markdown", "csv"', '"markdown", "csv", "toml"', SOURCE.read_text())
    assert count == 2
    for content, status in ((SOURCE.read_text(), 0), (text, 1)):
        copy.write_text(content)
        mypy = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=skip", "--ignore-missing-imports"]
        done = subprocess.run(
            [*mypy, "--config-file=", f"--cache-dir={tmp_path / 'cache'}", str(copy)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stdout
    assert 'Argument 1 to "assert_never" has incompatible type "Literal[\'toml\']"' in done.stdout


def test_no_other_module_chooses_by_comparing() -> None:
    """A chain of `if output is` would let a new form through in silence."""
    found = [
        f"{path.name}: {line.strip()}"
        for path in SOURCE.parent.glob("*.py")
        if not path.name.startswith("lab")
        for line in path.read_text().splitlines()
        if re.search(r'output (is|==|!=) "(table|json|jsonl)"', line)
    ]
    assert found == []
