"""The accounts of a Windows host, as its servers know them."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in.

    Attributes:
        name: without a domain.
        password: nobody signs in by an empty one.
        domain: its Active Directory domain; empty for a local account.
        administrator: a member of the server's Administrators.
        built_in: the Administrator that Windows itself makes, which no token filter touches.
        locked: after too many wrong passwords; the right one is refused as well.
    """

    name: str
    password: str = field(default="", repr=False)
    domain: str = ""
    administrator: bool = True
    built_in: bool = False
    locked: bool = False

    @property
    def profile(self) -> str:
        """The user's folder."""
        return rf"C:\Users\{self.name}"
