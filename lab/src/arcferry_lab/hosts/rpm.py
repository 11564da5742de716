"""Writing an RPM package, the same bytes for the same content.

It has a lead, a header with digests, the package's own header, and a compressed cpio archive. Written here
and not by rpmbuild, so that a package can be built on a computer that has none. The numbers of tags and flags
are those of rpm 4.18's rpmtag.h and rpmds.h.
"""

import gzip
import hashlib
import stat
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from arcferry_lab.hosts.packaged import PackagedFile, source_moment
from arcferry_lab.hosts.rpm_header import (
    Value,
    binary,
    header_bytes,
    numbers,
    shorts,
    text,
    texts,
    translated,
)

_LEAD = struct.Struct(">4sBBhh66shh16x")
_SIGNATURE_REGION, _REGION = 62, 63
_LEAD_ARCHITECTURES = {"x86_64": 1, "aarch64": 19}  # ignored by rpm since it reads the header's own
_EQUAL, _OF_RPM = 0x08, 0x01000000 | 0x08 | 0x02
_SHA256 = 8
_VERIFY_ALL = 0xFFFFFFFF
_OF_RPMLIB = {
    "rpmlib(CompressedFileNames)": "3.0.4-1",
    "rpmlib(FileDigests)": "4.6.0-1",
    "rpmlib(PayloadFilesHavePrefix)": "4.0-1",
}
_SCRIPT_TAGS = {"pre": (1023, 1085), "post": (1024, 1086), "preun": (1025, 1087), "postun": (1026, 1088)}


@dataclass(frozen=True, slots=True)
class RpmFields:
    """What a package says of itself; `architecture` is rpm's word, such as `x86_64` or `noarch`."""

    name: str
    version: str
    release: str
    architecture: str
    summary: str
    description: str
    license: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file or folder as it is installed."""

    path: PurePosixPath
    mode: int
    data: bytes


def rpm_bytes(fields: RpmFields, scripts: Mapping[str, str], content: Mapping[str, PackagedFile]) -> bytes:
    """A package as rpm reads it.

    Args:
        fields: what it says of itself.
        scripts: shell scripts by rpm's name for their moment: `pre`, `post`, `preun`, `postun`.
        content: what is installed, by absolute path; folders on the way are the package's own, but for the
            first, which belongs to the system.
    """
    entries = _entries(content)
    archive = _cpio(entries, source_moment())
    payload = gzip.compress(archive, mtime=0)
    header = header_bytes(
        _REGION,
        _own_values(fields)
        | _script_values(scripts)
        | _file_values(entries)
        | _payload_values(payload, archive),
    )
    signature = header_bytes(_SIGNATURE_REGION, _digests(header, payload, archive))
    return _lead(fields) + signature + bytes(-len(signature) % 8) + header + payload


def _entries(content: Mapping[str, PackagedFile]) -> list[_Entry]:
    files = [
        _Entry(PurePosixPath(path), stat.S_IFREG | file.mode, file.data) for path, file in content.items()
    ]
    folders = {folder for file in files for folder in file.path.parents if len(folder.parts) > 2}  # noqa: PLR2004 - "/" and one name
    made = [_Entry(folder, stat.S_IFDIR | 0o755, b"") for folder in folders]
    # rpm looks folders and names up by halving, so that both have to be in the order of their bytes
    return sorted([*files, *made], key=lambda entry: (_folder(entry).encode(), entry.path.name.encode()))


def _folder(entry: _Entry) -> str:
    return f"{entry.path.parent}/"


def _lead(fields: RpmFields) -> bytes:
    name = f"{fields.name}-{fields.version}-{fields.release}".encode()[:65]
    architecture = _LEAD_ARCHITECTURES.get(fields.architecture, 1)
    return _LEAD.pack(b"\xed\xab\xee\xdb", 3, 0, 0, architecture, name, 1, 5)


def _own_values(fields: RpmFields) -> dict[int, Value]:
    full = f"{fields.version}-{fields.release}"
    return {
        100: texts(["C"]),
        1000: text(fields.name),
        1001: text(fields.version),
        1002: text(fields.release),
        1004: translated(fields.summary),
        1005: translated(fields.description),
        1006: numbers([source_moment()]),
        1007: text("localhost"),
        1014: text(fields.license),
        1016: translated("Unspecified"),
        1021: text("linux"),
        1022: text(fields.architecture),
        1044: text(f"{fields.name}-{full}.src.rpm"),  # without it, rpm takes the package for a source
        1047: texts([fields.name]),
        1048: numbers([_OF_RPM] * len(_OF_RPMLIB)),
        1049: texts([*_OF_RPMLIB]),
        1050: texts([*_OF_RPMLIB.values()]),
        1064: text("4.18.0"),
        1112: numbers([_EQUAL]),
        1113: texts([full]),
        5062: text("utf-8"),
    }


def _script_values(scripts: Mapping[str, str]) -> dict[int, Value]:
    values: dict[int, Value] = {}
    for moment, script in scripts.items():
        body, interpreter = _SCRIPT_TAGS[moment]
        values |= {body: text(script), interpreter: text("/bin/sh")}
    return values


def _file_values(entries: Sequence[_Entry]) -> dict[int, Value]:
    count, moment = len(entries), source_moment()
    folders = list(dict.fromkeys(map(_folder, entries)))
    sizes = [len(entry.data) for entry in entries]
    digests = [_sha256(entry.data) if stat.S_ISREG(entry.mode) else "" for entry in entries]
    return {
        1009: numbers([sum(sizes)]),
        1028: numbers(sizes),
        1030: shorts([entry.mode for entry in entries]),
        1033: shorts([0] * count),
        1034: numbers([moment] * count),
        1035: texts(digests),
        1036: texts([""] * count),
        1037: numbers([0] * count),
        1039: texts(["root"] * count),
        1040: texts(["root"] * count),
        1045: numbers([_VERIFY_ALL] * count),
        1095: numbers([1] * count),
        1096: numbers(range(1, count + 1)),
        1097: texts([""] * count),
        1116: numbers([folders.index(_folder(entry)) for entry in entries]),
        1117: texts([entry.path.name for entry in entries]),
        1118: texts(folders),
        5011: numbers([_SHA256]),
    }


def _payload_values(payload: bytes, archive: bytes) -> dict[int, Value]:
    return {
        1124: text("cpio"),
        1125: text("gzip"),
        1126: text("9"),
        5092: texts([_sha256(payload)]),
        5093: numbers([_SHA256]),
        5097: texts([_sha256(archive)]),
    }


def _digests(header: bytes, payload: bytes, archive: bytes) -> dict[int, Value]:
    return {
        269: text(hashlib.sha1(header, usedforsecurity=False).hexdigest()),
        273: text(_sha256(header)),
        1000: numbers([len(header) + len(payload)]),
        1004: binary(hashlib.md5(header + payload, usedforsecurity=False).digest()),
        1007: numbers([len(archive)]),
    }


def _cpio(entries: Sequence[_Entry], moment: int) -> bytes:
    """The portable ASCII form that cpio calls `newc`; every part of it is filled up to four bytes."""
    members = [_member(f".{entry.path}", entry, number, moment) for number, entry in enumerate(entries, 1)]
    end = _Entry(PurePosixPath("TRAILER!!!"), 0, b"")
    return b"".join([*members, _member("TRAILER!!!", end, 0, 0)])


def _member(name: str, entry: _Entry, number: int, moment: int) -> bytes:
    encoded = name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    fields = (number, entry.mode, 0, 0, links, moment, len(entry.data), 0, 0, 0, 0, len(encoded), 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + encoded
    return head + bytes(-len(head) % 4) + entry.data + bytes(-len(entry.data) % 4)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
