"""What stands in for what Wine lacks: it does what the scripts and the pages ask of it."""

import re

import pytest
from tests.lab.hosts.windows.conftest import Connected

from arcferry_lab.hosts.windows import CodeSigning, WindowsHost
from arcferry_lab.twin import Twin

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("wine")]
TASK = r"""<?xml version="1.0" encoding="utf-16"?>
<Task><Actions><Exec><Command>C:\windows\system32\cmd.exe</Command>
<Arguments>/c "echo it ran&gt;C:\temp\ran.txt&amp;exit 7"</Arguments></Exec></Actions></Task>
"""


async def test_certutil_adds_a_certificate_that_windows_then_has(host: WindowsHost) -> None:
    host.path(r"C:\temp").mkdir(exist_ok=True)
    host.path(r"C:\temp\ca.cer").write_bytes(CodeSigning().root_pem)
    for store in ("Root", "CA"):
        done = await host.run(rf"certutil -addstore {store} C:\temp\ca.cer")
        assert (done.exit_code, "completed successfully" in done.stdout) == (0, True)
        held = await host.powershell(
            "$store = New-Object Security.Cryptography.X509Certificates.X509Store $args[0], 'LocalMachine'\n"
            "$store.Open('ReadOnly'); $store.Certificates.Subject",
            store,
        )
        assert "twin code-signing CA" in held.stdout
    missing = await host.run(r"certutil -addstore Root C:\temp\none.cer")
    assert (missing.exit_code != 0, "FAILED" in missing.stdout) == (True, True)


async def test_icacls_says_whether_there_is_such_a_file(host: WindowsHost) -> None:
    there = await host.run(r"icacls C:\windows\win.ini /inheritance:r /grant *S-1-5-18:F")
    assert (there.exit_code, "Successfully processed 1 files" in there.stdout) == (0, True)
    assert (await host.run(r"icacls C:\none /inheritance:r")).exit_code == 2


async def test_schtasks_keeps_a_task_and_runs_it(host: WindowsHost) -> None:
    host.path(r"C:\temp").mkdir(exist_ok=True)
    host.path(r"C:\temp\task.xml").write_bytes(TASK.encode("utf-16"))
    assert (await host.run(r"schtasks /create /tn arcferry /xml C:\temp\task.xml")).exit_code == 0
    assert (await host.run(r"schtasks /create /tn arcferry /xml C:\temp\task.xml")).exit_code == 1
    query = "schtasks /query /tn arcferry /v /fo list"
    assert re.search(r"Last Result: +267011\n", (await host.run(query)).stdout), "it has not run"
    assert "SUCCESS" in (await host.run("schtasks /run /tn arcferry")).stdout
    for _ in range(100):
        said = (await host.run(query)).stdout
        if "Running" not in said:
            break
    assert re.search(r"Last Result: +7\n", said)
    assert host.path(r"C:\temp\ran.txt").read_text().strip() == "it ran"
    assert (await host.run("schtasks /delete /tn arcferry /f")).exit_code == 0
    assert (await host.run(query)).exit_code == 1


async def test_routes_as_route_exe_and_as_objects(host: WindowsHost) -> None:
    printed = (await host.run("route print -4")).stdout
    assert "Network Destination        Netmask          Gateway       Interface  Metric" in printed
    done = await host.powershell(
        'Get-NetRoute -AddressFamily IPv4 | ForEach-Object { "$($_.DestinationPrefix)" }'
    )
    rows = re.findall(r"(?m)^ +([0-9.]+) +255", printed)
    assert [one.partition("/")[0] for one in done.stdout.split() if "/0" not in one] == rows


async def test_names_resolve_with_their_aliases_by_the_twins_dns(host: WindowsHost, twin: Twin) -> None:
    host.reach(resolver=twin.network.resolver)
    done = await host.powershell(
        "Resolve-DnsName -Name agentserviceapi.guestconfiguration.azure.com -Type A |"
        ' ForEach-Object { "$($_.Type) $($_.NameHost)$($_.IPAddress)" }\n'
        'try { Resolve-DnsName -Name none.corp.example -ErrorAction Stop } catch { "$_" }\n'
        "[Net.Dns]::GetHostAddresses('login.microsoftonline.com').Count -gt 0"
    )
    *aliases, address, none, by_system = done.stdout.splitlines()
    assert [line.split()[0] for line in aliases] == ["CNAME"] * len(aliases)
    assert any("trafficmanager.net" in line for line in aliases)
    assert address.startswith("A 127.")
    assert "does not exist" in none
    assert by_system == "True", "what is resolved by Windows itself asks the same server"


async def test_programs_are_found_by_name(host: WindowsHost) -> None:
    done = await host.powershell("hostname; (cmd /c echo said); (Get-Command certutil.exe).Definition")
    assert done.stdout.splitlines() == ["WIN01", "said", r"C:\windows\system32\certutil.exe"]


async def test_schannel_trusts_the_twin_and_nobody_else(agent: Connected) -> None:
    host = agent.server.host
    await host.restart()  # certificates are read as Windows starts
    script = """
        $client = New-Object Net.Sockets.TcpClient 'management.azure.com', $args[0]
        $stream = New-Object Net.Security.SslStream $client.GetStream()
        try { $stream.AuthenticateAsClient('management.azure.com'); 'trusted' } catch { 'refused' }
    """
    port = str(agent.twin.network.port)
    assert (await host.powershell(script, port)).stdout == "trusted\n"
    await agent.twin.add_fault("tls/intercepted", "management.azure.com")
    assert (await host.powershell(script, port)).stdout == "refused\n"
