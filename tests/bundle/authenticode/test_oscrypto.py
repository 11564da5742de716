import subprocess
import sys

import pytest

LOAD = """
import ctypes, sys
from arcferry.bundle.authenticode import verify
{before}
verify.load_oscrypto()
from oscrypto import asymmetric
import re
assert re.search.__module__ == "re", re.search
print(asymmetric.load_public_key.__name__)
"""
# What oscrypto asks its OpenSSL for its version with, in the two ways that it can load it.
SAYS = """
class Says:
    restype = argtypes = None
    def __call__(self, kind): return {version!r}
class Library(ctypes.CDLL):
    def __getattr__(self, name):
        return Says() if name in ("OpenSSL_version", "SSLeay_version") else super().__getattr__(name)
ctypes.CDLL = Library
sys.modules["cffi"] = None
"""


def load(before: str) -> subprocess.CompletedProcess[str]:
    script = LOAD.format(before=before)
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.skipif(sys.platform != "linux", reason="oscrypto asks for OpenSSL's version on Linux only")
@pytest.mark.parametrize(
    "version", [b"OpenSSL 3.0.9 30 May 2023", b"OpenSSL 3.0.19 27 Jan 2026", b"OpenSSL 3.10.2 1 Jan 2027"]
)
def test_it_loads_whatever_the_version(version: bytes) -> None:
    done = load(SAYS.format(version=version))
    assert done.stdout == "load_public_key\n", done.stderr


def test_a_computer_without_openssl_is_told_so() -> None:
    done = load(SAYS.format(version=b"no version at all"))
    assert "BlockedError: signatures cannot be verified on this computer" in done.stderr
