from datetime import datetime, timedelta
from pathlib import Path

from arcferry.bundle.contents import Contents, pack_certificates, pack_own_files
from arcferry.bundle.edition import EXPIRES_AFTER, Edition
from arcferry.bundle.guide import Packed, guide_files
from arcferry.bundle.keys import SecretKey
from arcferry.bundle.manifest import Manifest, Role
from arcferry.bundle.packing import Packing
from arcferry.bundle.place import refuse_taken, staging


def build(
    out: Path,
    contents: Contents,
    key: SecretKey,
    *,
    created: datetime,
    version: int | None = None,
    expires_after: timedelta = EXPIRES_AFTER,
    replace: bool = False,
) -> Manifest:
    """Build a sealed bundle at `out`, whole or not at all: a zip where the name ends so, else a folder.

    The same contents, key, `created`, version and life give the same bytes.

    `version` must grow from one bundle to the next; where None it is the digits of `created`. `replace` says
    whether a bundle that lies at `out` may be replaced.

    Raises:
        InputError: a setting is out of range; among it FileInputError, naming the file: unreadable, no
            agent package, no service tags, a name that cannot be carried, `out` taken, or the disk full.
        BundleRefusedError: an MSI is not signed by Microsoft, or was changed since.
    """
    edition = Edition.at(created, version, expires_after)
    out = out.absolute()
    refuse_taken(out, replace=replace)
    with staging(out) as workshop:
        packing = Packing(workshop, out)
        agents = contents.pack_agents(packing, edition.created)
        contents.pack_documents(packing)
        pack_own_files(packing)
        certificates = pack_certificates(packing, agents)
        packed = Packed(
            version=edition.version,
            created=edition.created,
            expires=edition.expires,
            key_id=key.public().id,
            agents=agents,
            files=tuple(packing.packed),
            certificates=certificates,
            location=contents.location,
            cloud=contents.cloud,
        )
        for name, data in guide_files(packed).items():
            packing.add(name, Role.GUIDE, data)
        content = Manifest(edition.version, edition.created, edition.expires, agents, tuple(packing.packed))
        return packing.finish(content, key, replace=replace)
