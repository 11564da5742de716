"""A newer endpoint catalogue in the place of the one that arcferry came with."""

from collections.abc import Mapping
from datetime import date
from importlib import import_module
from typing import Any

from arcferry.catalog import store

_NAME = "endpoints"


def adopt(content: Mapping[str, Any], taken: date) -> bool:
    """Use this endpoint catalogue from now on, if it is newer than the built-in one; whether it is used.

    Args:
        content: in the form of `data/endpoints.toml`, checked by whoever read it.
        taken: the day it was true.
    """
    if taken <= store.built_in(_NAME).source.taken:
        return False
    store.replace(_NAME, content)
    _forget()
    return True


def disown() -> None:
    """Use the built-in endpoint catalogue again."""
    store.replace(_NAME, None)
    _forget()


def _forget() -> None:
    """Drop what `requirements` has made of the old rows."""
    # By its name, because the package has a function that is called like the module.
    module = import_module("arcferry.catalog.requirements")
    for made in vars(module).values():
        clear = getattr(made, "cache_clear", None)
        if callable(clear) and getattr(made, "__module__", "") == module.__name__:
            clear()
