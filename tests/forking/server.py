"""Runs `arcferry` for `client.py`: each command in a process forked from one that has loaded everything.

Loading takes most of a short command's time. What a module reads of its environment as it is loaded would be
the server's: arcferry's read theirs when they are called.
"""

import gc
import importlib
import marshal
import os
import pkgutil
import select
import signal
import socket
import sys

LIBRARIES = (
    "aiohttp",
    "asyncssh",
    "azure.identity.aio",
    "azure.mgmt.hybridcompute.aio",
    "azure.mgmt.resource.resources.aio",
    "cryptography.x509",
    "dbos",
    "dns.asyncquery",
    "h11",
    "jinja2",
    "pydantic",
    "rich.progress",
    "rich.table",
    "sqlalchemy",
    "typer",
    "yaml",
)


def serve(name: str) -> None:
    for library in LIBRARIES:
        importlib.import_module(library)
    importlib.import_module("arcferry.bundle.authenticode.verify").load_oscrypto()
    load("arcferry")
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0{name}")
        listener.listen(64)
        print("ready", flush=True)  # noqa: T201
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            client, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                attend(client)
                return
            client.close()
    sys.exit()


def load(package: str) -> None:
    """Every module of a package."""
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)


def attend(client: socket.socket) -> None:
    """Fork for the command and tell how it ended; returns only in the command's own process."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, streams, _, _ = socket.recv_fds(client, 1, 3)
    with client.makefile("rb") as asked:
        folder, words, environment = marshal.loads(asked.read())  # noqa: S302  # from client.py
    process = os.fork()
    if process:
        for stream in (0, 1, 2, *streams):
            os.close(stream)
        _, status = os.waitpid(process, 0)
        code = os.waitstatus_to_exitcode(status)
        client.send(bytes([code if code >= 0 else 128 - code]))
        os._exit(0)
    client.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    # As Python makes them at its start: these were made for other files.
    sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, errors="backslashreplace", closefd=False)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["arcferry", *words]


if __name__ == "__main__":
    serve(sys.argv[1])
    from arcferry.cli import main

    main()
