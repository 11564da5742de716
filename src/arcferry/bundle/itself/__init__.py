from arcferry.bundle.itself.build import Selection, build_itself
from arcferry.bundle.itself.lock import PLATFORMS, PYTHONS, LockedWheel, WheelTarget, locked, targets

__all__ = [
    "PLATFORMS",
    "PYTHONS",
    "LockedWheel",
    "Selection",
    "WheelTarget",
    "build_itself",
    "locked",
    "targets",
]
