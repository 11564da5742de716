"""Where the agent keeps things on a Linux host (agent-overview of Microsoft's documentation, 2026-08)."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

STATE = Path("/var/opt/azcmagent")
AGENT_CONFIG = STATE / "agentconfig.json"
LOCAL_CONFIG = STATE / "localconfig.json"
HEARTBEAT = STATE / "heartbeat.json"
VM_ID = STATE / "vmid"
CERTIFICATE = STATE / "certs" / "myCert.pem"
PRIVATE_KEY = STATE / "certs" / "myKey.pem"
LOGS = STATE / "log"
AGENT_LOG = LOGS / "azcmagent.log"
HIMDS_LOG = LOGS / "himds.log"
HIMDS_PID = Path("/run/himds.pid")
LAB = Path("/etc/arcferry-lab.json")
ARGV_JOURNAL = Path("/var/log/argv.log")


def read_json(path: Path) -> dict[str, Any]:
    """The file's object; empty where the file is missing, unreadable or not an object."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def write_private(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace a file as a whole; nobody but its owner can read it unless `mode` says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        Path(beside).chmod(mode)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def write_json(path: Path, document: dict[str, Any], *, mode: int = 0o644) -> None:
    """Replace a file with a JSON object."""
    write_private(path, (json.dumps(document, indent=2) + "\n").encode(), mode=mode)
