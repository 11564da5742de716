"""The zip for Microsoft's support: the request, the judgement, and the files without credentials."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from arcferry import __version__, catalog, files
from arcferry.diagnosis.finding import Diagnosis
from arcferry.diagnosis.support import Support
from arcferry.evidence.pack import Cleaning
from arcferry.redaction import mask
from arcferry.report import as_json, findings, support_case

_EARLIEST = (1980, 1, 1, 0, 0, 0)
_UNIX, _MODE = 3, 0o100600 << 16
_WIDE = 120


def entries(told: Support, cleaning: Cleaning) -> dict[str, bytes]:
    """Every file of the pack by its name, in order.

    Of the findings nothing is hidden again: what stands in them was masked as it was read, and their own
    words are about secrets.
    """
    diagnosis = told.diagnosis
    found = {
        "case.txt": support_case.draw(told),
        "findings.json": _json(as_json.findings(diagnosis)),
        "findings.txt": _drawn(diagnosis),
        "versions.json": _json(versions(diagnosis)),
        "REDACTED.txt": redacted(cleaning),
        **{one.name: one.text for one in cleaning.files},
    }
    data = {name: text.encode("utf-8", errors="replace") for name, text in sorted(found.items())}
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in data.items())
    return dict(sorted({**data, "SHA256SUMS": sums.encode()}.items()))


def write(path: Path, content: Mapping[str, bytes]) -> None:
    """The zip, readable by its owner alone; the same content gives the same bytes.

    Raises:
        FileInputError: it cannot be written.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.create_system, entry.external_attr = _UNIX, _MODE
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    files.write_whole(path, packed.getvalue(), mode=0o600)


def versions(diagnosis: Diagnosis) -> dict[str, Any]:
    """arcferry, its catalogue, the dated data that was judged by, and the agents that the evidence names."""
    case = diagnosis.case
    endpoints = catalog.endpoints_source()
    dated = (
        *(("service-tags", one.name, one.taken) for one in case.service_tags),
        *(("community-list", one.name, one.taken) for one in case.community_lists),
        *(("route-filter", one.origin, one.taken) for one in case.filters),
    )
    return {
        "schema": as_json.SCHEMA,
        "kind": "evidence-pack",
        "arcferry": __version__,
        "catalogue": catalog.dated().isoformat(),
        "endpoints": {"source": endpoints.text, "taken": endpoints.taken.isoformat()},
        "data": [
            {"kind": kind, "name": mask(name), "taken": taken.isoformat() if taken else None}
            for kind, name, taken in dated
        ],
        "agents": sorted({one.version for one in case.agents if one.version}),
    }


def redacted(cleaning: Cleaning) -> str:
    """What was taken out of which file, by kind and count; never the value."""
    lines = [
        "What was taken out of each file before it was packed, by kind and count; the values are nowhere."
    ]
    for one in cleaning.files:
        lines += ["", f"{one.name}  (handed in as {mask(one.of)})"]
        lines += [f"  {count:>6}  {kind}" for kind, count in sorted(one.hidden.items())] or ["  nothing"]
        lines += [f"  note: {one.note}"] if one.note else []
    lines += ["", "Left out:"]
    lines += [f"  {one.name}: {one.why}" for one in cleaning.left_out] or ["  nothing"]
    return "\n".join(lines) + "\n"


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=1) + "\n"


def _drawn(diagnosis: Diagnosis) -> str:
    drawn = io.StringIO()
    findings.draw(diagnosis, Console(file=drawn, width=_WIDE, highlight=False, emoji=False, markup=False))
    return drawn.getvalue()
