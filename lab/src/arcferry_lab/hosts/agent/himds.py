"""The agent's background service: a heartbeat every few minutes for as long as the host runs."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from . import layout
from .azure import send_heartbeat
from .clouds import discover, find_cloud
from .console import append_log, logrus
from .failure import AgentError, NetworkError
from .identity import connection
from .network import AgentHttps

_ENTRY = "/opt/azcmagent/bin/azcmagent"
_INTERVAL = 300.0
_MISSED = timedelta(minutes=15)
_ACCEPTED, _MISDIRECTED = 204, 421


def beat(version: str) -> bool:
    """Send one heartbeat of this version of the agent and record its outcome; True where HIS took it.

    HTTP 421 means that another region's service is now in charge: it is discovered anew (since 1.64).
    """
    network, known = AgentHttps.load(), connection()
    if not known:
        return False
    try:
        status = send_heartbeat(network, str(known["hisHost"]), str(known["vmId"]), version)
        if status == _MISDIRECTED:
            cloud = find_cloud(str(known["cloud"]))
            known["hisHost"] = discover(network, cloud, str(known["location"]))
            layout.write_json(layout.AGENT_CONFIG, known)
            status = send_heartbeat(network, str(known["hisHost"]), str(known["vmId"]), version)
    except (NetworkError, AgentError, OSError) as error:
        return _record(_failure("AZCM0026", str(error)))
    if status != _ACCEPTED:
        return _record(_failure("AZCM0001", f"heartbeat was answered with HTTP {status}"))
    return _record({"lastHeartbeat": _now()})


def status() -> dict[str, Any]:
    """The last heartbeat's record with `status`: Connected, or Disconnected after fifteen minutes without."""
    record = layout.read_json(layout.HEARTBEAT)
    fresh = False
    with suppress(ValueError):
        last = datetime.fromisoformat(str(record.get("lastHeartbeat", "")))
        fresh = datetime.now(UTC) - last < _MISSED
    return record | {"status": "Connected" if fresh and connection() else "Disconnected"}


def running() -> bool:
    """Whether the service's process lives."""
    try:
        pid = int(layout.HIMDS_PID.read_text(encoding="ascii"))
        os.kill(pid, 0)
    except (OSError, ValueError):
        return False
    return True


def start() -> None:
    """Start the service in the background, detached from this command's session."""
    if running():
        return
    process = subprocess.Popen(
        [sys.executable, "-IB", _ENTRY, "himdsd"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )
    layout.write_private(layout.HIMDS_PID, f"{process.pid}\n".encode(), mode=0o644)


def stop() -> None:
    """End the service, if it runs."""
    with suppress(OSError, ValueError):
        os.kill(int(layout.HIMDS_PID.read_text(encoding="ascii")), signal.SIGTERM)
    layout.HIMDS_PID.unlink(missing_ok=True)


def serve(version: str) -> None:
    """The service itself, one heartbeat at its start too; ends when the machine is disconnected."""
    interval = float(layout.read_json(layout.LAB).get("heartbeat_seconds", _INTERVAL))
    layout.write_private(layout.HIMDS_PID, f"{os.getpid()}\n".encode(), mode=0o644)
    append_log(layout.HIMDS_LOG, logrus("info", "Hybrid Instance Metadata Service is running"))
    while connection():
        beat(version)
        time.sleep(interval)


def _record(outcome: dict[str, Any]) -> bool:
    good = "lastHeartbeat" in outcome
    kept = {} if good else layout.read_json(layout.HEARTBEAT)
    layout.write_json(layout.HEARTBEAT, kept | outcome)
    if good:
        append_log(layout.HIMDS_LOG, logrus("info", "Heartbeat sent"))
    else:
        text = str(outcome["agentErrorDetails"])
        append_log(layout.HIMDS_LOG, logrus("error", "Heartbeat failed", Error=text))
    return good


def _failure(code: str, text: str) -> dict[str, Any]:
    return {"agentErrorCode": code, "agentErrorDetails": text, "agentErrorTimestamp": _now()}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
