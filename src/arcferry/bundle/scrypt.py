import hashlib
from dataclasses import dataclass
from pathlib import Path

from arcferry.errors import FileInputError

_BLOCK = 8
_SLACK = 1 << 20
_LARGEST = 1 << 30


@dataclass(frozen=True, slots=True)
class Cost:
    """How hard a key file's password is to try, as libsodium counts it: operations, and bytes of memory."""

    operations: int
    memory: int

    def to_bytes(self) -> bytes:
        """Two little-endian 64-bit numbers, as in minisign's secret key file."""
        return self.operations.to_bytes(8, "little") + self.memory.to_bytes(8, "little")

    @classmethod
    def from_bytes(cls, raw: bytes, path: Path) -> "Cost":
        """Read what `to_bytes` wrote.

        Raises:
            FileInputError: more than minisign's own 1 GiB is asked for.
        """
        cost = cls(int.from_bytes(raw[:8], "little"), int.from_bytes(raw[8:], "little"))
        n, p = cost.parameters()
        if 128 * n * _BLOCK > _LARGEST or p > 16:  # noqa: PLR2004 - minisign's own p is 1
            raise FileInputError(path, "asks for more memory or time than any minisign key does")
        return cost

    def parameters(self) -> tuple[int, int]:
        """N and p for r = 8, picked as libsodium's `crypto_pwhash_scryptsalsa208sha256` picks them."""
        operations = max(self.operations, 32768)
        if operations < self.memory // 32:
            return _power_of_two(operations // (_BLOCK * 4)), 1
        n = _power_of_two(self.memory // (_BLOCK * 128))
        return n, max(1, min(operations // 4 // n, 0x3FFFFFFF) // _BLOCK)


# 128 MiB, N = 2^17: OWASP's recommended cost (password storage cheat sheet, read 2026-11). minisign's
# own is 1 GiB, more than a small build machine may have to spare; it reads either.
DEFAULT = Cost(operations=1 << 22, memory=1 << 27)


def mask(data: bytes, password: str, salt: bytes, cost: Cost) -> bytes:
    """`data` exclusive-or the stream that scrypt makes of the password; the same call takes it off again."""
    n, p = cost.parameters()
    stream = hashlib.scrypt(
        password.encode(),
        salt=salt,
        n=n,
        r=_BLOCK,
        p=p,
        maxmem=128 * _BLOCK * (n + p) + _SLACK,
        dklen=len(data),
    )
    return bytes(a ^ b for a, b in zip(data, stream, strict=True))


def _power_of_two(most: int) -> int:
    power = 2
    while power <= most // 2 and power < 1 << 62:
        power *= 2
    return power
