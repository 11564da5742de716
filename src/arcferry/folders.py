"""The folders that arcferry keeps things in for a user."""

import os
from pathlib import Path

import platformdirs


def data_folder() -> Path:
    """Where dated data is held: `ARCFERRY_DATA`, else the user's own data folder. It need not exist."""
    return _named("ARCFERRY_DATA") or Path(platformdirs.user_data_dir("arcferry"))


def state_folder() -> Path:
    """Where runs, histories and the newest bundles are remembered: `ARCFERRY_STATE`, else the user's own."""
    return _named("ARCFERRY_STATE") or Path(platformdirs.user_state_dir("arcferry"))


def _named(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value).expanduser().absolute() if value else None
