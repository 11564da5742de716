"""Linux: a POSIX shell and the base system's tools."""

from collections.abc import Sequence

from arcferry.fleet.system.system import Room, System


def _program(text: str, words: Sequence[str]) -> list[str]:
    return ["sh", "-c", text, "sh", *words]


def _script(path: str | None, words: Sequence[str]) -> list[str]:
    return ["sh", path or "-s", *words]


LINUX = System(
    name="linux",
    suffix=".sh",
    program=_program,
    script=_script,
    staging="/var/lib/arcferry",
    # In memory, and root's alone.
    run_folder="/run/arcferry",
    token_files="/run/arcferry/connect-*.json",  # noqa: S106  # where they lie
    formats={"deb": "dpkg", "rpm": "rpm"},
    architectures=frozenset(("x86_64", "amd64", "aarch64", "arm64")),
    processors="x86_64 and arm64",
    # Under /var the staged package and the copy of it that is hashed and then installed; unpacked it takes
    # some three times its size.
    rooms=(Room("/var", "disk_free", 2), Room("/opt", "opt_free", 3)),
    needs="The host needs a POSIX shell and the base system's tools.",
    lock_hint="Look at what runs there: fuser -v /run/arcferry/lock",
    agent_log="/var/opt/azcmagent/log/himds.log",
    dotnet="",
    at_once=("--wait=0",),
    for_proxy=("--proxy={}",),
    for_scope=("--private-link-scope={}",),
)
