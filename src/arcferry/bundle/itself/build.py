from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path

from arcferry.bundle.itself.gather import Say, gather
from arcferry.bundle.itself.lock import LockedWheel, WheelTarget, locked, to_requirements
from arcferry.bundle.itself.wheel import own_wheel
from arcferry.bundle.keys import SecretKey
from arcferry.bundle.manifest import EXPIRES_AFTER, ITSELF, Manifest, Role, new_manifest
from arcferry.bundle.packing import Packing, new_bundle
from arcferry.errors import FileInputError

_WHEELS = "wheels"
_INSTALLER = (
    ("install.sh", Role.INSTALLER),
    ("install.ps1", Role.INSTALLER),
    ("install.py", Role.INSTALLER),
    ("INSTALL.txt", Role.GUIDE),
)


@dataclass(frozen=True, slots=True)
class Selection:
    """What to pack: arcferry for these targets.

    Attributes:
        wheels: a folder of wheels at hand; None lets pip get them.
        wheel: arcferry's own wheel; None makes it of the arcferry that is running.
    """

    targets: tuple[WheelTarget, ...]
    wheels: Path | None = None
    wheel: Path | None = None


def build_itself(
    out: Path,
    selection: Selection,
    key: SecretKey,
    *,
    created: datetime,
    version: int | None = None,
    expires_after: timedelta = EXPIRES_AFTER,
    replace: bool = False,
    say: Say = lambda _: None,
) -> Manifest:
    """Build a sealed bundle of arcferry itself at `out`, whole or not at all: a zip if the name ends so.

    The same arcferry, targets, key, `created`, version and life give the same bytes, wherever the wheels come
    from. `version`, if None, is the digits of `created`. `replace` says whether a bundle that lies at
    `out` may be replaced; `say` is told what goes on.

    Raises:
        BlockedError: pip could not get the wheels.
        InputError: a setting is out of range; among it FileInputError, naming the file: a wheel is missing or
            not the locked one, `out` is taken, or the disk full.
    """
    manifest = new_manifest(created, version, expires_after, kind=ITSELF)
    own, own_bytes = own_wheel(selection.wheel)
    with new_bundle(out, replace=replace) as packing:
        wheels = packing.folder / _WHEELS
        wheels.mkdir()
        gather(selection.targets, wheels, selection.wheels, say)
        say("sealing")
        packing.add(f"{_WHEELS}/{own.file}", Role.WHEEL, own_bytes)
        for wheel in {wheel for target in selection.targets for wheel in locked(target)}:
            # Hashed once more as it is listed: it lay in a folder of wheels, or came by pip.
            if packing.add_present(f"{_WHEELS}/{wheel.file}", Role.WHEEL).sha256 != wheel.sha256:
                raise FileInputError(wheel.file, "was changed while it was copied", hint="Start again.")
        _add_installer(packing, selection.targets, own)
        return packing.finish(manifest, key)


def _add_installer(packing: Packing, targets: Iterable[WheelTarget], own: LockedWheel) -> None:
    """The scripts that install it, and for each target the list of what is to be installed."""
    here = resources.files("arcferry").joinpath("bundle/itself/installer")
    for name, role in _INSTALLER:
        packing.add(name, role, here.joinpath(name).read_bytes())
    for target in targets:
        listed = to_requirements((own, *locked(target)))
        packing.add(f"requirements/{target.tag}.txt", Role.INSTALLER, listed.encode("ascii"))
