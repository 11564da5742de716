"""The command line that sshd makes of what a client asks it to run."""

import pytest

from arcferry_lab.hosts.windows.ssh import CMD, POWERSHELL, Shell

CMD_EXE = r'"c:\windows\system32\cmd.exe"'
PS_EXE = r'"c:\windows\system32\windowspowershell\v1.0\powershell.exe"'


@pytest.mark.parametrize(
    ("shell", "command", "line"),
    [
        (CMD, "dir", f'{CMD_EXE} /c "dir"'),
        (CMD, r'"C:\a b\x.exe" "a b" & echo %OS%', f'{CMD_EXE} /c ""C:\\a b\\x.exe" "a b" & echo %OS%"'),
        (CMD, "sCp -t x", f'{CMD_EXE} /c "scp.exe -t x"'),
        (CMD, "SFTP-server.exe -arg", f'{CMD_EXE} /c "sftp-server.exe -arg"'),
        (CMD, 'internal-sftp "arg1 arg2"', f'{CMD_EXE} /c "sftp-server.exe "arg1 arg2""'),
        (CMD, None, CMD_EXE),
        (POWERSHELL, "Get-Date", f"{PS_EXE} -c Get-Date"),
        (POWERSHELL, 'Write-Output "a b"', f'{PS_EXE} -c "Write-Output \\"a b\\""'),
        (POWERSHELL, r'dir "C:\a\"', f'{PS_EXE} -c "dir \\"C:\\a\\\\\\""'),
        (POWERSHELL, "'a b'", f"{PS_EXE} -c 'a b'"),
        (POWERSHELL, None, PS_EXE),
    ],
)  # fmt: skip
def test_as_sshd_builds_it(shell: Shell, command: str | None, line: str) -> None:
    assert shell.command_line(command) == line
