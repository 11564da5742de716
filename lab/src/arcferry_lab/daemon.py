"""The process in which a lab runs in the background: `python -m arcferry_lab.daemon --folder DIR`."""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from arcferry import files
from arcferry.errors import ArcferryError
from arcferry_lab.control import control
from arcferry_lab.document import document
from arcferry_lab.errors import LabError
from arcferry_lab.faults import LOOPBACK
from arcferry_lab.folder import Lease, control_path, take
from arcferry_lab.hosts.windows.versions import DEFAULT_VERSION
from arcferry_lab.twin import Twin, TwinSettings

_log = logging.getLogger("arcferry_lab.daemon")


def main() -> None:
    """Run a lab until it is told to stop; say on `--ready-fd` whether it runs, or why not."""
    arguments = _arguments()
    os.set_inheritable(arguments.ready_fd, False)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings = TwinSettings(
        arguments.folder,
        network=arguments.network,
        hosts=arguments.hosts,
        rpm_hosts=arguments.rpm_hosts,
        windows_hosts=arguments.windows_hosts,
        windows_version=arguments.windows_version,
        port=arguments.port,
        location=arguments.location,
    )
    try:
        lease = take(arguments.folder)
        if lease is None:
            raise LabError(f"a lab is running in {arguments.folder} already")
    except ArcferryError as error:
        _tell(arguments.ready_fd, error)
        sys.exit(error.exit_code)
    sys.exit(_hold(lease, settings, arguments.ready_fd))


def _hold(lease: Lease, settings: TwinSettings, ready: int) -> int:
    try:
        lease.clear()
        asyncio.run(_serve(settings, ready))
    except ArcferryError as error:
        _log.exception("the lab could not run")
        _tell(ready, error)
        return error.exit_code
    finally:
        lease.remove_folder()
        lease.release()
    return 0


async def _serve(settings: TwinSettings, ready: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Twin.start(settings) as twin:
        with control_path(settings.folder) as path:
            runner = web.AppRunner(control(twin, stop), access_log=None)
            await runner.setup()
            await web.UnixSite(runner, path).start()
            text = json.dumps(document(twin), indent=2) + "\n"
            files.write_whole(twin.paths.document, text.encode(), mode=0o600)
            _log.info("the lab runs on port %s, resolver %s", twin.network.port, twin.network.resolver)
            if _tell(ready):
                await stop.wait()
            await runner.cleanup()
    _log.info("the lab has stopped")


def _tell(ready: int, error: ArcferryError | None = None) -> bool:
    """Whether somebody listened; a lab that nobody waits for any more is not wanted."""
    said = {"ok": True} if error is None else {"message": error.message, "hint": error.hint}
    code = {} if error is None else {"exit_code": error.exit_code}
    with suppress(OSError):
        os.write(ready, json.dumps(said | code).encode())
        os.close(ready)
        return True
    return False


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="arcferry_lab.daemon")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--network", default=LOOPBACK)
    parser.add_argument("--hosts", type=int, default=0)
    parser.add_argument("--rpm-hosts", type=int, default=0)
    parser.add_argument("--windows-hosts", type=int, default=0)
    parser.add_argument("--windows-version", default=DEFAULT_VERSION)
    parser.add_argument("--port", type=int)
    parser.add_argument("--location", default="eastasia")
    parser.add_argument("--ready-fd", type=int, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
