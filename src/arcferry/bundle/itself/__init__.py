from arcferry.bundle.itself.build import Selection, build_itself
from arcferry.bundle.itself.lock import LockedWheel, locked
from arcferry.bundle.itself.target import PLATFORMS, PYTHONS, Target, targets

__all__ = [
    "PLATFORMS",
    "PYTHONS",
    "LockedWheel",
    "Selection",
    "Target",
    "build_itself",
    "locked",
    "targets",
]
