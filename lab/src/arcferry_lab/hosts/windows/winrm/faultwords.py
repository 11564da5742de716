"""WS-Management's faults, as a client judges them: by the code, never by the text."""

import tomllib
from functools import cache
from importlib import resources
from typing import Final

FILE_NOT_FOUND: Final = 2
ACCESS_DENIED: Final = 5
INVALID_PARAMETER: Final = 87
ABORTED: Final = 995
PAGING_FILE: Final = 1455
INVALID_TIMEOUT: Final = 2150858767
NOT_SUPPORTED: Final = 2150858771
TIMED_OUT: Final = 2150858793
INVALID_RESOURCE: Final = 2150858811
SCHEMA: Final = 2150858817
NO_SUCH_SHELL: Final = 2150858843
RECEIVE_IN_PROGRESS: Final = 2150859047
CODE_PAGE: Final = 2150859072
MAX_SHELLS: Final = 2150859173
MAX_OPERATIONS: Final = 2150859174
OTHER_USER: Final = 2150859177

_ENGLISH = "en-US"


class WsManFault(Exception):  # noqa: N818 - the protocol's own name for it
    """What goes to the client as a SOAP fault, with HTTP's status 500."""

    def __init__(self, code: int, *values: object) -> None:
        super().__init__(code)
        self.code = code
        self._values = values

    @property
    def side(self) -> str:
        """Whose fault it is, as SOAP has it: the sender's or the receiver's."""
        return _faults()[str(self.code)]["side"]

    @property
    def subcode(self) -> str:
        """WS-Management's own name for it."""
        return _faults()[str(self.code)]["subcode"]

    def text(self, language: str) -> str:
        """As a system of this language says it."""
        return in_words(self.code, language, *self._values)


def in_words(code: int, language: str, *values: object) -> str:
    """A code as a system of this language says it; in English where the twin has no such words."""
    texts = _faults()[str(code)]
    return texts.get(language, texts[_ENGLISH]).format(*values)


@cache
def _faults() -> dict[str, dict[str, str]]:
    return tomllib.loads(resources.files(__package__).joinpath("faults.toml").read_text(encoding="utf-8"))
