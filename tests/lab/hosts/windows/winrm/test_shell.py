"""The command shell, as pypsrp uses it over NTLM with encrypted messages."""

import asyncio
import hashlib
import os
import time
from pathlib import Path

import pytest
from pypsrp.exceptions import WinRMTransportError, WSManFaultError
from pypsrp.shell import CommandState, Process, SignalCode, WinRS
from tests.lab.hosts.windows.winrm.conftest import Service, in_thread

pytestmark = pytest.mark.lab
TIMED_OUT = 2150858793


async def test_output_and_exit_code_of_a_command(service: Service) -> None:
    done = await service.run("echo out; echo err >&2; exit 7")
    assert (done.stdout, done.stderr, done.rc) == (b"out\n", b"err\n", 7)
    assert service.server.shells.count == 0


async def test_a_command_goes_through_cmd_unless_it_is_to_skip_it(service: Service) -> None:
    def both() -> list[int | None]:
        with service.wsman() as wsman, WinRS(wsman) as shell:
            done = [
                Process(shell, "echo", ["a b", '"c"']),
                Process(shell, "/bin/true", ["-x"], no_shell=True),
            ]
            for process in done:
                process.invoke()
            return [process.rc for process in done]

    assert await in_thread(both) == [0, 0]
    assert service.computer.lines == ['cmd.exe /c echo a b "c"', "/bin/true -x"]


async def test_folder_and_variables_of_a_shell(service: Service, tmp_path: Path) -> None:
    def there() -> bytes:
        with (
            service.wsman() as wsman,
            WinRS(wsman, working_directory=str(tmp_path), environment={"SITE": "台北"}) as shell,
        ):
            process = Process(shell, 'pwd; echo "$SITE $USER"')
            process.invoke()
            return bytes(process.stdout)

    assert (await in_thread(there)).decode() == f"{tmp_path}\n台北 Administrator\n"


async def test_input_of_many_messages_arrives_whole(service: Service) -> None:
    data = os.urandom(3_000_000)

    def sent() -> Process:
        with service.wsman(max_envelope_size=512_000) as wsman, WinRS(wsman) as shell:
            process = Process(shell, "sha256sum")
            process.begin_invoke()
            step = wsman.max_payload_size
            for start in range(0, len(data), step):
                process.send(data[start : start + step], end=start + step >= len(data))
            process.end_invoke()
            return process

    done = await in_thread(sent)
    assert done.stdout.decode().split()[0] == hashlib.sha256(data).hexdigest()


async def test_a_lot_of_output_comes_in_answers_of_the_size_asked_for(service: Service) -> None:
    done = await service.run("head -c 5000000 /dev/zero; head -c 100000 /dev/zero >&2")
    assert (len(done.stdout), len(done.stderr), done.rc) == (5_000_000, 100_000, 0)


async def test_silence_ends_in_the_fault_of_a_timed_out_operation_and_loses_nothing(service: Service) -> None:
    def waited() -> tuple[WSManFaultError, bytes]:
        with service.wsman(operation_timeout=1) as wsman, WinRS(wsman) as shell:
            process = Process(shell, "read line; echo $line")
            process.begin_invoke()
            with pytest.raises(WSManFaultError) as raised:
                shell.receive("stdout stderr", process.id)
            process.send(b"late\n")
            process.end_invoke()
            return raised.value, bytes(process.stdout)

    fault, out = await in_thread(waited)
    assert (fault.code, fault.machine, out) == (TIMED_OUT, "WIN01", b"late\n")
    assert "OperationTimeout" in str(fault.reason)


@pytest.mark.parametrize(
    ("signal", "code"), [(SignalCode.TERMINATE, 87), (SignalCode.CTRL_C, None), (SignalCode.CTRL_BREAK, None)]
)
async def test_a_signal_ends_the_program(service: Service, signal: str, code: int | None) -> None:
    def signalled() -> tuple[object, int | None]:
        with service.wsman() as wsman, WinRS(wsman) as shell:
            process = Process(shell, "sleep 600 & wait")
            process.begin_invoke()
            process.signal(signal)
            try:
                process.end_invoke()
            except WSManFaultError as fault:
                return process.state, int(fault.code)
            return process.rc, None

    state, fault = await in_thread(signalled)
    assert fault == code
    assert state == (0xC000013A if code is None else CommandState.PENDING)
    assert await service.computer.programs[0].wait() == -9


async def test_closing_a_shell_ends_its_programs_and_what_waits_for_them(service: Service) -> None:
    def closed() -> int:
        with service.wsman() as wsman, service.wsman() as other:
            shell = WinRS(wsman)
            shell.open()
            process = Process(shell, "sleep 600")
            process.begin_invoke()
            same = WinRS(other, id=shell.id)
            same._selector_set = shell._selector_set
            same.opened = True
            same.close()
            with pytest.raises(WSManFaultError) as raised:
                process.poll_invoke()
            shell.opened = False
            return int(raised.value.code)

    assert await in_thread(closed) == 2150858843
    assert await service.computer.programs[0].wait() == -9


async def test_a_shell_that_nobody_uses_is_closed(service: Service) -> None:
    def left() -> WinRS:
        shell = WinRS(service.wsman(), idle_time_out=1)
        shell.open()
        Process(shell, "sleep 600").begin_invoke()
        return shell

    shell = await in_thread(left)
    assert shell.idle_time_out == "PT1.000S"
    async with asyncio.timeout(10):
        assert await service.computer.programs[0].wait() == -9
    assert service.server.shells.count == 0


async def test_nobody_else_gets_at_a_shell(service: Service) -> None:
    def stolen() -> int:
        with service.wsman() as wsman, service.wsman(user="CORP\\arc") as other, WinRS(wsman) as shell:
            thief = WinRS(other)
            thief._selector_set = shell._selector_set
            with pytest.raises(WSManFaultError) as raised:
                thief.command("id", [])
            return int(raised.value.code)

    assert await in_thread(stolen) == 2150859177


@pytest.mark.parametrize(
    ("changes", "line", "code"),
    [
        ({"no_shell": True}, "missing.exe", 2),
        ({"command_id": "not a uuid"}, "true", 87),
    ],
)
async def test_what_cannot_be_started_is_a_fault(
    service: Service, changes: dict[str, object], line: str, code: int
) -> None:
    def tried() -> int:
        with service.wsman() as wsman, WinRS(wsman) as shell, pytest.raises(WSManFaultError) as raised:
            shell.command(line, [], **changes)  # type: ignore[arg-type] # each takes its own
        return int(raised.value.code)

    assert await in_thread(tried) == code


async def test_cmd_takes_no_line_of_more_than_8191_characters(service: Service) -> None:
    fits = await service.run(f"true {'x' * (8191 - len('cmd.exe /c true '))}")
    done = await service.run(f"true {'x' * 8191}")
    assert (fits.rc, fits.stderr) == (0, b"")
    assert (done.rc, done.stderr) == (1, b"The command line is too long.\r\n")


async def test_a_code_page_that_windows_has_not_is_refused(service: Service) -> None:
    def opened(page: int) -> int:
        with service.wsman() as wsman:
            try:
                with WinRS(wsman, codepage=page):
                    return 0
            except WSManFaultError as fault:
                return int(fault.code)

    assert [await in_thread(opened, page) for page in (65001, 950, 4711)] == [0, 0, 2150859072]


async def test_the_envelope_may_have_500_kb_and_not_more(service: Service) -> None:
    """More is HTTP's own error, which Windows' client words as "exceeded the configured MaxEnvelopeSize"."""

    def sized() -> tuple[int, int]:
        with service.wsman() as wsman:
            wsman.update_max_payload_size()
            shell = WinRS(wsman)
            shell.open()
            process = Process(shell, "cat >/dev/null")
            process.begin_invoke()
            process.send(b"x" * wsman.max_payload_size, end=False)
            with pytest.raises(WinRMTransportError) as raised:
                process.send(b"x" * (wsman.max_payload_size + 5000))
            return wsman.max_envelope_size, int(raised.value.code)

    assert await in_thread(sized) == (512_000, 413)


async def test_60_mb_of_input_take_no_longer_than_their_encryption(service: Service) -> None:
    """1.3 s on a machine with nothing else to do; twice the work for each message would show."""
    chunk = os.urandom(300_000)

    def sent() -> tuple[float, Process]:
        with service.wsman(max_envelope_size=512_000) as wsman, WinRS(wsman) as shell:
            process = Process(shell, "wc -c")
            start = time.monotonic()
            process.begin_invoke()
            for _ in range(200):
                process.send(chunk, end=False)
            process.send(b"", end=True)
            process.end_invoke()
            return time.monotonic() - start, process

    seconds, done = await in_thread(sent)
    assert done.stdout.strip() == b"60000000"
    assert seconds < 20
