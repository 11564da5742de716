from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path

from arcferry.bundle import manifest
from arcferry.bundle.edition import EXPIRES_AFTER, Edition
from arcferry.bundle.itself.gather import Say, gather
from arcferry.bundle.itself.lock import LockedWheel, locked, to_requirements
from arcferry.bundle.itself.target import Target
from arcferry.bundle.itself.wheel import own_wheel
from arcferry.bundle.keys import SecretKey
from arcferry.bundle.manifest import Manifest, Role
from arcferry.bundle.packing import Packing
from arcferry.bundle.place import refuse_taken, staging
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

    targets: tuple[Target, ...]
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
    """Build a sealed bundle of arcferry itself at `out`, whole or not at all: a zip where the name ends so.

    The same arcferry, targets, key, `created`, version and life give the same bytes, wherever the wheels come
    from. `version`, where None, is the digits of `created`. `replace` says whether a bundle that lies at
    `out` may be replaced; `say` is told what goes on.

    Raises:
        BlockedError: pip could not get the wheels.
        InputError: a setting is out of range; among it FileInputError, naming the file: a wheel is missing or
            not the locked one, `out` is taken, or the disk full.
    """
    edition = Edition.at(created, version, expires_after)
    out = out.absolute()
    refuse_taken(out, replace=replace)
    own, own_bytes = own_wheel(selection.wheel)
    with staging(out) as workshop:
        packing = Packing(workshop, out)
        wheels = packing.folder / _WHEELS
        wheels.mkdir()
        gather(selection.targets, wheels, selection.wheels, say)
        say("sealing")
        packing.add(f"{_WHEELS}/{own.file}", Role.WHEEL, own_bytes)
        _list_wheels(packing, {wheel for target in selection.targets for wheel in locked(target)})
        _add_installer(packing, selection.targets, own)
        content = Manifest(
            edition.version,
            edition.created,
            edition.expires,
            agents=(),
            files=tuple(packing.packed),
            kind=manifest.ITSELF,
        )
        return packing.finish(content, key, replace=replace)


def _list_wheels(packing: Packing, wheels: Iterable[LockedWheel]) -> None:
    """Take the wheels that were gathered, each only as what it is locked to."""
    for wheel in wheels:
        if packing.add_present(f"{_WHEELS}/{wheel.file}", Role.WHEEL).sha256 != wheel.sha256:
            raise FileInputError(wheel.file, "was changed while it was copied", hint="Start again.")


def _add_installer(packing: Packing, targets: Iterable[Target], own: LockedWheel) -> None:
    """The scripts that install it, and for each target the list of what is to be installed."""
    here = resources.files("arcferry").joinpath("bundle/itself/installer")
    for name, role in _INSTALLER:
        packing.add(name, role, here.joinpath(name).read_bytes())
    for target in targets:
        listed = to_requirements((own, *locked(target)))
        packing.add(f"requirements/{target.tag}.txt", Role.INSTALLER, listed.encode("ascii"))
