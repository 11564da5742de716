# Tells Configuration Manager and Intune whether this server is in Azure Arc where it is to be. They read it so: ended
# with 0 and printed something: installed; ended with 0 and printed nothing: not installed. It changes nothing, and is
# right in a 32-bit PowerShell too. A server that Azure does not hear from (Disconnected, Expired) does not count, and
# where a version is wanted, one with an older agent does not either.
Set-StrictMode -Version 3.0
$ErrorActionPreference, $ProgressPreference = 'Stop', 'SilentlyContinue'
$Wanted = '/subscriptions/{subscription}/resourceGroups/{group}/'
$Servers = '{servers}' # SHA-256 of servers.json, which gives each server its own place; nothing without it
$Version = '{version}' # of the agent, at least; any will do without it

function Get-ProgramFiles {
    $native = [Environment]::GetEnvironmentVariable('ProgramW6432')
    if ($native) { $native } else { [Environment]::GetFolderPath('ProgramFiles') }
}
# By a map, this server's own place is what onboard.ps1 noted of that very map; nothing where it has not run with it.
function Get-Place {
    if (-not $Servers) { return $Wanted }
    $noted = (Get-ProgramFiles) + '\arcferry\place.txt'
    if (-not (Test-Path -LiteralPath $noted -PathType Leaf)) { return '' }
    $map, $place = [IO.File]::ReadAllText($noted).Split(' ')
    if ($map -eq $Servers) { $place } else { '' }
}
# Whether the version that the agent shows is at least the wanted one, by their numbers.
function Test-Version([string]$Shown) {
    $has = [regex]::Match($Shown, '(?im)^Agent Version\s*:\s*([\d.]+)').Groups[1].Value
    $here, $there = foreach ($text in $has, $Version) {
        , @([regex]::Matches($text, '\d{1,9}') | ForEach-Object { [int]$_.Value })
    }
    for ($at = 0; $at -lt $there.Count; $at++) {
        $number = if ($at -lt $here.Count) { $here[$at] } else { 0 }
        if ($number -ne $there[$at]) { return $number -gt $there[$at] }
    }
    $true
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
    $place = Get-Place
    if ($place -and (Test-Path -LiteralPath $agent -PathType Leaf)) {
        $shown = Get-Shown $agent
        $here = $shown.IndexOf($place, [StringComparison]::OrdinalIgnoreCase) -ge 0
        $heard = $shown -match '(?im)^Agent Status\s*:\s*Connected\s*$'
        if ($here -and $heard -and (Test-Version $shown)) { Write-Output 'connected' }
    }
} catch { $agent = '' } # what cannot be asked is not installed
exit 0
