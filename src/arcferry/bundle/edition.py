from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from arcferry.bundle.manifest import HIGHEST_VERSION
from arcferry.errors import InputError

EXPIRES_AFTER = timedelta(days=90)
_LONGEST_LIFE = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Edition:
    """Which one of its origin's bundles this is, and from when to when it is to be believed.

    Attributes:
        version: grows from one bundle to the next.
        created: in UTC, whole seconds.
        expires: likewise.
    """

    version: int
    created: datetime
    expires: datetime

    @classmethod
    def at(cls, created: datetime, version: int | None, expires_after: timedelta) -> "Edition":
        """The edition of a bundle made at `created`; where there is no version, it is that instant's digits.

        Raises:
            InputError: the version or the life is out of range.
        """
        created = created.astimezone(UTC).replace(microsecond=0)
        version = int(created.strftime("%Y%m%d%H%M%S")) if version is None else version
        if not 1 <= version <= HIGHEST_VERSION:
            raise InputError(f"the version {version} is not between 1 and {HIGHEST_VERSION}")
        if not timedelta(days=1) <= expires_after <= _LONGEST_LIFE:
            raise InputError(f"a bundle lives from 1 to {_LONGEST_LIFE.days} days, not {expires_after.days}")
        return cls(version, created, created + expires_after)
