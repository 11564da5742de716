"""The folders that arcferry keeps things in for a user."""

import os
from pathlib import Path

import platformdirs


def data_folder() -> Path:
    """Where dated data is held: `ARCFERRY_DATA`, else the user's own data folder. It need not exist."""
    named = os.environ.get("ARCFERRY_DATA")
    return Path(named).expanduser().absolute() if named else Path(platformdirs.user_data_dir("arcferry"))
