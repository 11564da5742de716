from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from arcferry import typed
from arcferry.bundle import manifest, seal
from arcferry.bundle.form import BundleFile, Form, form_of, length_problem
from arcferry.bundle.keys import PublicKey, key_id_text, load_public_keys
from arcferry.bundle.manifest import MANIFEST, SEAL, AgentPackage, Manifest, Role, same_architecture
from arcferry.bundle.versions import Older, VersionRecord
from arcferry.errors import BundleFault, BundleRefusedError, InputError
from arcferry.evidence.case import BundleProblem, Document, Kind
from arcferry.text import one_line, quoted


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose seal, dates and files were all right when it was opened.

    Attributes:
        form: where it lies, as a folder or a zip.
        manifest: what the seal covers.
        key_id: which of the accepted keys made the seal.
        seal: the seal's file, as it was verified.
        older: set if it is older than one that was opened before, and that was allowed.
    """

    form: Form
    manifest: Manifest
    key_id: str
    seal: bytes = field(repr=False)
    older: Older | None = None

    @property
    def path(self) -> Path:
        """The folder or the zip that holds it."""
        return self.form.path

    @property
    def id(self) -> str:
        """12 hexadecimal digits that name exactly this content."""
        return self.manifest.id

    def file(self, name: str) -> BundleFile:
        """The file of this name.

        Raises:
            InputError: the bundle holds none.
        """
        found = next((file for file in self.manifest.files if file.name == name), None)
        if found is None:
            raise InputError(f"the bundle {self.path} holds no file {quoted(name)}")
        return self.form.located(found)

    def files(self, role: Role) -> tuple[BundleFile, ...]:
        """Every file of a role, by name."""
        return tuple(self.form.located(file) for file in self.manifest.files if file.role is role)

    def agent_package(self, package_format: str, architecture: str = "") -> BundleFile | None:
        """The agent for a package format (`deb`, `rpm`, `msi`) and processor (`x86_64` and `amd64` are one).

        If no architecture is named: the only package, or among several the one for amd64.
        """
        fitting = [agent for agent in self.manifest.agents if agent.format == package_format]
        if architecture:
            wanted = {same_architecture(architecture), "all", ""}
            fitting = [agent for agent in fitting if agent.processor in wanted]
        fitting.sort(key=lambda agent: agent.processor != "amd64")
        return self.file(fitting[0].file) if fitting else None

    def agent(self, file: BundleFile) -> AgentPackage:
        """What the manifest says about an agent package's version and architecture."""
        return next(agent for agent in self.manifest.agents if agent.file == file.name)

    def host_script(self, os_name: str) -> BundleFile:
        """The host script for `linux`.

        Raises:
            InputError: the bundle holds none for this operating system.
        """
        found = [file for file in self.files(Role.HOST_SCRIPT) if Path(file.name).stem == os_name.lower()]
        if not found:
            raise InputError(f"the bundle {self.path} holds no host script for {quoted(os_name)}")
        return found[0]


def open_bundle(
    path: Path,
    public_key: Path | PublicKey | Sequence[PublicKey],
    *,
    now: datetime,
    record: VersionRecord | None = None,
    allow_older: str = "",
) -> Bundle:
    """Open a bundle, a folder or a zip, after verifying everything in it.

    The order is fixed: the zip's own form, then the seal before anything the manifest says, then its dates,
    its version, the exact set of files with their lengths, then every hash.

    Args:
        path: the folder or the zip.
        public_key: a key file, a key, or several keys of one origin, any of which may have sealed it.
        now: the instant at which it must have begun and not have expired.
        record: which versions were opened before; an older bundle is then refused, this one remembered.
        allow_older: the operator's reason to open an older one all the same.

    Raises:
        BundleRefusedError: something is not as sealed, and the message begins with the file's name; or all of
            it is too old, and the message begins with `path`.
        FileInputError: `path` is no folder and no zip, `public_key` no public key, or the record cannot
            be kept.
    """
    if isinstance(public_key, Path):
        public_key = load_public_keys(public_key)
    keys = (public_key,) if isinstance(public_key, PublicKey) else tuple(public_key)
    with _refusing(BundleFault.FORM):
        form = form_of(path)
    with _refusing(BundleFault.SEAL):
        sealed, content, key = _sealed_manifest(form, keys)
    # Dates and version before the hashes: an old bundle is named as such, and not hashed for minutes first.
    with _refusing(BundleFault.DATES):
        manifest.check_dates(content, now, called=path)
    with _refusing(BundleFault.OLDER):
        older = record.check(content, keys, called=path, allow_older=allow_older) if record else None
    with _refusing(BundleFault.FILES):
        _check_set(form, content)
    with _refusing(BundleFault.CONTENT):
        for file in content.files:
            form.located(file).check()
    # Remembered last: a newer bundle that is damaged must not make the whole one at hand an older one.
    if record:
        record.remember(content, key, older, now=now)
    return Bundle(form, content, key.id, sealed, older)


@contextmanager
def _refusing(fault: BundleFault) -> Iterator[None]:
    """What is refused in here is refused for this."""
    try:
        yield
    except BundleRefusedError as refused:
        refused.fault = fault
        raise


def checked(path: Path, now: datetime, refused: BundleRefusedError | None = None) -> Document:
    """What opening a bundle has shown, as evidence: nothing amiss, or for what it was refused.

    Of the refusal's words only the file's name is taken, with which they begin.
    """
    problems = []
    if refused is not None and refused.fault:
        file = refused.message.partition(": ")[0].removeprefix(f"{path.parent}/")
        problems.append(BundleProblem(refused.fault, typed.name(one_line(file))))
    name = typed.name(one_line(path.name)) or "bundle"
    return Document(name, Kind.BUNDLE_CHECK, now, bundle_problems=tuple(problems))


def read_unverified(path: Path) -> Manifest:
    """What a bundle says about itself, for looking at only: nothing vouches for it.

    Raises:
        BundleRefusedError: there is no manifest, or it is not one.
        FileInputError: `path` is no folder and no zip.
    """
    return manifest.read_manifest(form_of(path).small(MANIFEST, manifest.LIMIT))


def claimed_key(path: Path) -> str:
    """The id of the key that the seal names, for looking at only.

    Raises:
        BundleRefusedError: there is no seal, or it is not one.
    """
    return key_id_text(seal.read_seal(form_of(path).small(SEAL, seal.LIMIT)).key_id)


def unlisted(path: Path) -> list[str]:
    """Names of files and folders in the bundle that its own manifest does not account for.

    Raises:
        BundleRefusedError: there is no manifest, or something is neither file nor folder.
    """
    form = form_of(path)
    content = manifest.read_manifest(form.small(MANIFEST, manifest.LIMIT))
    return _extra(form.found(), content)


def _sealed_manifest(form: Form, keys: tuple[PublicKey, ...]) -> tuple[bytes, Manifest, PublicKey]:
    data = form.small(MANIFEST, manifest.LIMIT)
    sealed = seal.read_seal(form.small(SEAL, seal.LIMIT))
    key = next((key for key in keys if key.key_id == sealed.key_id), None)
    if key is None and len(keys) > 1:
        given = " or ".join(key.id for key in keys)
        raise BundleRefusedError(
            f"{SEAL}: made with key {key_id_text(sealed.key_id)}, not with one of those given, {given}",
            hint="If its builder has a new key: arcferry bundle key accept NEW.pub --into your key file.",
        )
    key = key or keys[0]
    seal.check_seal(sealed, data, key)
    content = manifest.read_manifest(data)
    if sealed.comment != content.trusted_comment:
        raise BundleRefusedError(f"{SEAL}: its trusted comment is not about this manifest")
    return sealed.to_bytes(), content, key


def _check_set(form: Form, content: Manifest) -> None:
    found = form.found()
    extra = _extra(found, content)
    for file in content.files:
        if file.name not in found:
            twin = next((name for name in extra if found[name] == file.length), None)
            why = f"; {twin} is not in the manifest and has its length: was it renamed?" if twin else ""
            raise BundleRefusedError(f"{file.name}: missing{why}")
        length = found[file.name]
        if length is None:
            raise BundleRefusedError(f"{file.name}: is a folder, not a file")
        if length != file.length:
            raise BundleRefusedError(f"{file.name}: {length_problem(length, file.length)}")
    if extra:
        others = f" ({len(extra) - 1:,} more such files and folders)" if len(extra) > 1 else ""
        raise BundleRefusedError(
            f"{extra[0]}: is not in the manifest{others}",
            hint="Nothing may be added to a sealed bundle. Did the copying program leave it there?",
        )


def _extra(found: dict[str, int | None], content: Manifest) -> list[str]:
    files = {MANIFEST, SEAL, *(file.name for file in content.files)}
    parents = {
        "/".join(parts[:count])
        for parts in (file.name.split("/") for file in content.files)
        for count in range(1, len(parts))
    }
    # A zip, unlike a folder, can hold a file of the name that is a folder in other files' names.
    return sorted(
        name
        for name, length in found.items()
        if name not in files and (name not in parents or length is not None)
    )
