"""The held endpoint catalogue in the place of the built-in one, where it is newer."""

from arcferry.catalog.adoption import adopt
from arcferry.data.catalogue import read_catalogue
from arcferry.data.held import Held, HeldKind
from arcferry.data.store import Store


def adopt_held(store: Store) -> Held | None:
    """Use the newest held endpoint catalogue, if it is newer than the built-in one; which one is used.

    Raises:
        FileInputError: the held catalogue is damaged, or is for another version of arcferry.
    """
    for held in store.newest(HeldKind.ENDPOINTS, ""):
        read = read_catalogue(held.name, store.read(held))
        return held if adopt(read.content, read.taken) else None
    return None
