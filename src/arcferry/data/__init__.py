"""Dated data in the user's data folder: service tags, community lists, filters, circuits, the catalogue."""

from arcferry.data.conflicts import Comparison, Conflict, compare
from arcferry.data.documents import adopt_held, documents
from arcferry.data.held import OLD_AFTER, Held, HeldKind
from arcferry.data.kinds import Recognised, is_to_come, recognise
from arcferry.data.store import Store
from arcferry.folders import data_folder

__all__ = [
    "OLD_AFTER",
    "Comparison",
    "Conflict",
    "Held",
    "HeldKind",
    "Recognised",
    "Store",
    "adopt_held",
    "compare",
    "data_folder",
    "documents",
    "is_to_come",
    "recognise",
]
