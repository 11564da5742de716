"""What is shipped in place of being fetched is what its table says."""

import hashlib
import tomllib
from importlib import resources

ASSETS = resources.files("arcferry.serve") / "assets"


def test_each_file_is_the_package_s_own() -> None:
    table = tomllib.loads((ASSETS / "assets.toml").read_text(encoding="utf-8"))["assets"]
    assert {one["file"] for one in table} == {one.name for one in ASSETS.iterdir() if ".min." in one.name}
    for one in table:
        assert hashlib.sha256((ASSETS / one["file"]).read_bytes()).hexdigest() == one["sha256"]
        assert one["licence"] == "0BSD"
