# Tells Configuration Manager and Intune whether this server is in Azure Arc where it is to be. They read it so: ended
# with 0 and printed something: installed; ended with 0 and printed nothing: not installed. It changes nothing, and is
# right in a 32-bit PowerShell too. A server that Azure does not hear from (Disconnected, Expired) does not count.
Set-StrictMode -Version 3.0
$ErrorActionPreference, $ProgressPreference = 'Stop', 'SilentlyContinue'
$Wanted = '/subscriptions/{subscription}/resourceGroups/{group}/'

function Get-ProgramFiles {
    $native = [Environment]::GetEnvironmentVariable('ProgramW6432')
    if ($native) { $native } else { [Environment]::GetFolderPath('ProgramFiles') }
}
function Get-Shown([string]$Agent) {
    $start = New-Object Diagnostics.ProcessStartInfo -Property @{ FileName = $Agent; Arguments = 'show'
        UseShellExecute = $false; CreateNoWindow = $true; RedirectStandardOutput = $true; RedirectStandardError = $true
        StandardOutputEncoding = [Text.Encoding]::UTF8 }
    $process = [Diagnostics.Process]::Start($start)
    try {
        $errors = $process.StandardError.ReadToEndAsync()
        $output = $process.StandardOutput.ReadToEndAsync()
        if (-not $process.WaitForExit(60000)) { $process.Kill() }
        [void]$errors.Wait(5000)
        if ($output.Wait(5000)) { $output.Result } else { '' }
    } finally { $process.Dispose() }
}
try {
    $agent = (Get-ProgramFiles) + '\AzureConnectedMachineAgent\azcmagent.exe'
    if (Test-Path -LiteralPath $agent -PathType Leaf) {
        $shown = Get-Shown $agent
        $here = $shown.IndexOf($Wanted, [StringComparison]::OrdinalIgnoreCase) -ge 0
        if ($here -and $shown -match '(?im)^Agent Status\s*:\s*Connected\s*$') { Write-Output 'connected' }
    }
} catch { $agent = '' } # what cannot be asked is not installed
exit 0
