"""Before anything begins: a folder with a letter a team, and what of it is proved since."""

from arcferry.prepare.facts import Facts, facts_of
from arcferry.prepare.folder import MARK, Prepared, prepare, read_prepared, site_of
from arcferry.prepare.site import Site, read_site
from arcferry.prepare.status import Answer, Item, Status, status
from arcferry.prepare.words import LANGUAGES, Words, words

__all__ = [
    "LANGUAGES",
    "MARK",
    "Answer",
    "Facts",
    "Item",
    "Prepared",
    "Site",
    "Status",
    "Words",
    "facts_of",
    "prepare",
    "read_prepared",
    "read_site",
    "site_of",
    "status",
    "words",
]
