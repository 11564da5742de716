"""Who is signed in: by the token, or by a link that works once; for a while, and never more than so many."""

import hashlib
import hmac
import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

IDLE = 60 * 60.0
"""Seconds without a request after which a session ends; a page that only listens makes none."""

LONGEST = 12 * 60 * 60
LINK = 10 * 60.0
"""Seconds for which the first link works."""

_MOST_SESSIONS = 64
_WRONG, _WITHIN = 5, 60.0
"""So many wrong tokens from one address in so many seconds, and further ones are not looked at."""

_MOST_ADDRESSES = 1024
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in.

    Attributes:
        csrf: what each form of theirs carries.
        begun: when they signed in; `seen` likewise when they last asked for something.
    """

    csrf: str = field(repr=False)
    begun: float
    seen: float

    def ends(self) -> float:
        """When it ends if nothing more is asked for."""
        return min(self.seen + IDLE, self.begun + LONGEST)


class Sessions:
    """The sessions of one server; nothing of them is kept on disk, and none survives it."""

    def __init__(self, token: str, clock: Clock = time.monotonic) -> None:
        self._token = _hash(token)
        self._clock = clock
        self._sessions: dict[bytes, Session] = {}
        self._link: tuple[bytes, float] | None = None

    def link(self) -> str:
        """The secret of a link that signs in once, and soon."""
        secret = secrets.token_urlsafe(32)
        self._link = _hash(secret), self._clock() + LINK
        return secret

    def by_link(self, secret: str) -> str:
        """A new session's name; empty where the link is wrong, used or too old."""
        if self._link is None or not hmac.compare_digest(self._link[0], _hash(secret)):
            return ""
        ends, self._link = self._link[1], None
        return self._begin() if self._clock() < ends else ""

    def by_token(self, token: str) -> str:
        """A new session's name; empty where the token is another."""
        return self._begin() if hmac.compare_digest(self._token, _hash(token)) else ""

    def _begin(self) -> str:
        name, now = secrets.token_urlsafe(32), self._clock()
        self._sessions = {key: one for key, one in self._sessions.items() if one.ends() > now}
        while len(self._sessions) >= _MOST_SESSIONS:
            self._sessions.pop(min(self._sessions, key=lambda key: self._sessions[key].seen))
        self._sessions[_hash(name)] = Session(secrets.token_urlsafe(32), now, now)
        return name

    def of(self, name: str, *, looks: bool = False) -> Session | None:
        """The session of that name that has not ended; one that `looks` goes on no longer for it."""
        key, now = _hash(name), self._clock()
        session = self._sessions.get(key)
        if session is None or session.ends() <= now:
            self._sessions.pop(key, None)
            return None
        if not looks:
            session = self._sessions[key] = replace(session, seen=now)
        return session

    def is_own(self, name: str, csrf: str) -> bool:
        """Whether a form is of that session."""
        session = self._sessions.get(_hash(name))
        return session is not None and hmac.compare_digest(_hash(session.csrf), _hash(csrf))

    def end(self, name: str) -> None:
        """Sign out."""
        self._sessions.pop(_hash(name), None)


class Attempts:
    """Wrong tokens, by the address that they came from."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._wrong: dict[str, list[float]] = {}

    def wait(self, address: str) -> int:
        """Whole seconds until a token from there is looked at again; 0 for at once."""
        now = self._clock()
        recent = [at for at in self._wrong.get(address, ()) if now - at < _WITHIN]
        return math.ceil(recent[0] + _WITHIN - now) if len(recent) >= _WRONG else 0

    def wrong(self, address: str) -> None:
        """Take note of a wrong one."""
        now = self._clock()
        recent = [at for at in self._wrong.pop(address, ()) if now - at < _WITHIN]
        while len(self._wrong) >= _MOST_ADDRESSES:
            self._wrong.pop(next(iter(self._wrong)))
        self._wrong[address] = [*recent, now][-_WRONG:]


def _hash(secret: str) -> bytes:
    """Of one length, so that comparing tells nothing of the secret's."""
    return hashlib.sha256(secret.encode("utf-8", errors="replace")).digest()
