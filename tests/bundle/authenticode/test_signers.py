import importlib
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from asn1crypto import cms, pem

from arcferry.bundle.authenticode import MICROSOFT
from arcferry.bundle.authenticode.verify import load_oscrypto
from arcferry.errors import BundleRefusedError

if TYPE_CHECKING:
    from arcferry.bundle.authenticode import Signature

# Microsoft's own signature of vcruntime140.dll 14.44.35112 (in the wheel msvc-runtime of that version, read
# 2026-11-23), and the file's digest. An MSI is signed by the same kind of message.
MESSAGE = pem.unarmor(Path(__file__).with_name("microsoft.pem").read_bytes())[2]
DIGEST = bytes.fromhex("161c678ac52fa039a4a90f75908ce8cb7da9398b9d1e9f21dfa731d78e36459a")
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def judge(
    message: bytes = MESSAGE,
    digest: bytes = DIGEST,
    at: datetime = NOW,
) -> "Signature":
    load_oscrypto()
    signers = importlib.import_module("arcferry.bundle.authenticode.signers")
    said = cast("Callable[..., Signature]", signers.judge)
    return said(
        message,
        lambda algorithm: digest if algorithm == "sha256" else None,
        MICROSOFT,
        at,
        called=Path("agent.msi"),
    )


def test_microsofts_own_signature_holds_after_its_certificate_expired() -> None:
    found = judge()
    assert found.says == (
        "signed by Microsoft Corporation at 2025-06-10T22:29:20Z, "
        "certified by Microsoft Root Certificate Authority 2011"
    )
    carried = cms.ContentInfo.load(MESSAGE)["content"]["certificates"]
    (own,) = [one.chosen for one in carried if one.chosen.sha1.hex().upper() == found.thumbprint]
    assert own.not_valid_after < NOW


def test_it_holds_in_twenty_years_too() -> None:
    assert judge(at=NOW.replace(year=2046)).says.startswith("signed by Microsoft Corporation")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"digest": bytes(32)}, "changed after it was signed"),
        ({"at": NOW.replace(year=2024)}, "in the future"),
        ({"message": MESSAGE[:-1]}, "cannot be read"),
        ({"message": b""}, "cannot be read"),
        ({"message": b"0\x80" * 5000}, "cannot be read"),
    ],
)
def test_whatever_does_not_fit_is_refused(changed: dict[str, object], says: str) -> None:
    with pytest.raises(BundleRefusedError, match=says):
        cast("Callable[..., Signature]", judge)(**changed)


def test_a_changed_message_is_refused_or_says_the_same() -> None:
    good = judge()
    chance = random.Random(20261123)  # noqa: S311 - the same damage in every run
    refused = 0
    for _ in range(60):
        damaged = bytearray(MESSAGE)
        damaged[chance.randrange(len(MESSAGE))] ^= 1 << chance.randrange(8)
        try:
            found = judge(bytes(damaged))
        except BundleRefusedError:
            refused += 1
        else:
            assert (found.thumbprint, found.says) == (good.thumbprint, good.says)
    assert refused > 40
