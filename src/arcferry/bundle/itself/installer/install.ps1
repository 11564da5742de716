# Installs arcferry from the bundle that this file lies in, without any network.
#
#   powershell.exe -ExecutionPolicy Bypass -File install.ps1 [-Into FOLDER] [-Python PROGRAM]
#
# FOLDER is "arcferry" in the Program Files where none is named. It gets everything, and deleting it uninstalls
# arcferry. PROGRAM is the python.exe to use: CPython for 64-bit Windows, of a version that the bundle was made for.
#
# This file chooses the Python and compares install.py with the manifest; install.py does the rest. Whether the
# manifest itself is the builder's is for minisign to say: INSTALL.txt tells how.
# It ends with 0 installed, 1 failed and taken back, 2 called wrongly, 3 refused before anything was changed.
param([string]$Into, [string]$Python)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$About = 'import sys; print(''cp%d%d'' % sys.version_info[:2])'

function Stop-Install([string]$Message) {
    [Console]::Error.WriteLine("install: $Message")
    [Console]::Error.WriteLine('install: nothing was changed')
    exit 3
}

# As the C runtime splits a command line (CommandLineToArgvW).
function Format-Argument([string]$Text) {
    if ($Text -ne '' -and $Text -notmatch '[\s"]') { return $Text }
    '"' + [regex]::Replace([regex]::Replace($Text, '(\\*)"', '$1$1\"'), '(\\+)$', '$1$1') + '"'
}
function New-Start([string]$Path, [string[]]$Arguments) {
    New-Object Diagnostics.ProcessStartInfo -Property @{ FileName = $Path; UseShellExecute = $false
        Arguments = @($Arguments | ForEach-Object { Format-Argument $_ }) -join ' ' }
}
# What the Python at this path calls itself, such as cp312; empty where it does not run.
function Get-About([string]$Path) {
    if (-not (Test-Path -LiteralPath $Path -PathType Leaf)) { return '' }
    $start = New-Start $Path @('-I', '-c', $About)
    $start.RedirectStandardOutput = $true
    try { $process = [Diagnostics.Process]::Start($start) } catch { return '' }
    try {
        $printed = $process.StandardOutput.ReadToEnd().Trim()
        $process.WaitForExit()
        if ($process.ExitCode -eq 0) { $printed } else { '' }
    } finally { $process.Dispose() }
}

# A Python that is named has to be able to read install.py, which says the rest about it.
function Assert-Python([string]$Path) {
    $named = Get-About $Path
    if (-not $named) { Stop-Install "$Path is no Python that runs" }
    if ($named -notmatch '^cp3(1[1-9]|[2-9][0-9])$') {
        Stop-Install "$Path is $named, and arcferry needs CPython 3.11 or newer"
    }
}

# The manifest's line for install.py is the only thing taken from it here.
function Assert-Installer([string]$Folder) {
    $manifest, $installer = (Join-Path $Folder 'manifest.json'), (Join-Path $Folder 'install.py')
    foreach ($path in $manifest, $installer) {
        if (-not (Test-Path -LiteralPath $path -PathType Leaf)) {
            Stop-Install "$path is missing: unpack the whole bundle"
        }
    }
    try {
        $files = (ConvertFrom-Json -InputObject ([IO.File]::ReadAllText($manifest))).files
        $wanted = @($files | Where-Object { $_.name -ceq 'install.py' } | ForEach-Object { $_.sha256 })
    } catch { Stop-Install "$manifest is not a bundle's manifest" }
    if ($wanted.Count -ne 1 -or (Get-FileHash -LiteralPath $installer -Algorithm SHA256).Hash -ne $wanted[0]) {
        Stop-Install 'install.py is not what the manifest says: it was changed'
    }
}

# Versions that the bundle has wheels for, newest first.
function Get-Versions([string]$Folder) {
    Get-ChildItem -LiteralPath (Join-Path $Folder 'requirements') -Filter 'cp3*-win_amd64.txt' |
        ForEach-Object { [int]$_.Name.Substring(3, $_.Name.IndexOf('-') - 3) } | Sort-Object -Descending
}
# Where Python's installer writes itself down (PEP 514), for everybody and for this user; then what PATH leads to.
function Get-Candidates([int[]]$Versions) {
    foreach ($minor in $Versions) {
        foreach ($root in 'HKEY_LOCAL_MACHINE', 'HKEY_CURRENT_USER') {
            $key = "$root\SOFTWARE\Python\PythonCore\3.$minor\InstallPath"
            [Microsoft.Win32.Registry]::GetValue($key, 'ExecutablePath', $null)
        }
    }
    Get-Command python.exe -CommandType Application -ErrorAction SilentlyContinue | ForEach-Object { $_.Path }
}
function Find-Python([string]$Folder) {
    $versions = @(Get-Versions $Folder)
    if ($versions.Count -eq 0) { Stop-Install 'this bundle is not for Windows' }
    $named = @($versions | ForEach-Object { "cp3$_" })
    foreach ($path in @(Get-Candidates $versions | Where-Object { $_ })) {
        if ((Get-About $path) -in $named) { return $path }
    }
    $said = @($versions | ForEach-Object { "3.$_" }) -join ' or '
    Stop-Install "no CPython $said for 64-bit Windows was found: install it, or name its python.exe with -Python"
}

if ([Environment]::OSVersion.Platform -ne 'Win32NT') {
    Stop-Install 'install.ps1 is for Windows; here it is install.sh'
}
if (-not [Environment]::Is64BitOperatingSystem -or $env:PROCESSOR_ARCHITECTURE -eq 'ARM64') {
    Stop-Install "this processor is $env:PROCESSOR_ARCHITECTURE, and arcferry's wheels are for x64"
}
Assert-Installer $PSScriptRoot
if ($Python) { Assert-Python $Python } else { $Python = Find-Python $PSScriptRoot }
# -I -B: neither the user's settings nor this folder's files change what runs, and nothing is written beside it.
$words = @('-I', '-B', (Join-Path $PSScriptRoot 'install.py'))
if ($Into) { $words += '--into', $Into }
$running = [Diagnostics.Process]::Start((New-Start $Python $words))
$running.WaitForExit()
exit $running.ExitCode
