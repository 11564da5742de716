$folder, $seconds, $mode, $path, $words = $args
[void][IO.Directory]::CreateDirectory($folder)
$clock = [Diagnostics.Stopwatch]::StartNew()
# Held by an open file, it is free as soon as this process is gone, whatever ended it.
while ($true) {
    try {
        $lock = [IO.File]::Open("$folder\lock", 'OpenOrCreate', 'ReadWrite', 'None')
        break
    } catch [IO.IOException] {
        # A sharing or a lock violation: anything else, such as a full disk, does not pass by waiting.
        if (0x80070020, 0x80070021 -notcontains $_.Exception.GetBaseException().HResult) { throw }
        if ($clock.Elapsed.TotalSeconds -ge [int]$seconds) { exit 75 }
    }
    Start-Sleep -Milliseconds 500
}
$words = @($words | Where-Object { $null -ne $_ })
if ($mode -eq 'token') { $words += '-' }
try { & $path @words } catch [Management.Automation.PSSecurityException] {
    [Console]::Error.WriteLine("$_")
    exit 77
} finally { $lock.Dispose() }
exit $LASTEXITCODE
