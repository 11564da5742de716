# Installs arcferry from the bundle that this file lies in, without any network.
#
#   powershell.exe -ExecutionPolicy Bypass -File install.ps1 [-Into FOLDER] [-Python PROGRAM]
#
# FOLDER is "arcferry" in the Program Files where none is named. It gets everything, and deleting it uninstalls
# arcferry. PROGRAM is the python.exe to use: CPython for 64-bit Windows, of a version that the bundle was made for.
#
# Where no Python of these versions is found and the bundle carries one, python.org's own installer is run silently:
# for everybody as an administrator, else for this user. It is listed under Apps then, and is uninstalled there.
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

# The lines for install.py and for a Python's installer are the only things taken from the manifest here.
function Get-Listed([string]$Folder) {
    $manifest = Join-Path $Folder 'manifest.json'
    if (-not (Test-Path -LiteralPath $manifest -PathType Leaf)) {
        Stop-Install "$manifest is missing: unpack the whole bundle"
    }
    try {
        $files = (ConvertFrom-Json -InputObject ([IO.File]::ReadAllText($manifest))).files
        @($files | Where-Object { $_.name -and $_.sha256 })
    } catch { Stop-Install "$manifest is not a bundle's manifest" }
}
# The file, open so that nobody can change it, if it is what the manifest says.
function Open-Listed([string]$Folder, [string]$Name, $Listed) {
    $path = Join-Path $Folder ($Name -replace '/', '\')
    if (-not (Test-Path -LiteralPath $path -PathType Leaf)) {
        Stop-Install "$path is missing: unpack the whole bundle"
    }
    $wanted = @($Listed | Where-Object { $_ -and $_.name -ceq $Name } | ForEach-Object { $_.sha256 })
    $held = [IO.File]::Open($path, 'Open', 'Read', 'Read')
    $hash = (Get-FileHash -InputStream $held -Algorithm SHA256).Hash
    if ($wanted.Count -ne 1 -or $hash -ne $wanted[0]) {
        $held.Dispose()
        Stop-Install "$Name is not what the manifest says: it was changed"
    }
    $held
}
function Assert-Installer([string]$Folder) { (Open-Listed $Folder 'install.py' (Get-Listed $Folder)).Dispose() }

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
function Get-Installed([int[]]$Versions) {
    $named = @($Versions | ForEach-Object { "cp3$_" })
    @(Get-Candidates $Versions | Where-Object { $_ } | Where-Object { (Get-About $_) -in $named }) |
        Select-Object -First 1
}
# Runs the installer of the newest CPython that the bundle carries; false where it carries none.
function Install-Python([string]$Folder) {
    $listed = @(Get-Listed $Folder)
    $carried = @($listed | Where-Object { $_ } | ForEach-Object { $_.name } |
        Where-Object { $_ -cmatch '^python/python-3\.[0-9]+\.[0-9]+-amd64\.exe$' } |
        Sort-Object -Descending { [version]($_ -replace '^python/python-|-amd64\.exe$', '') })
    if ($carried.Count -eq 0) { return $false }
    $held = Open-Listed $Folder $carried[0] $listed
    $user = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent())
    $everybody = [int]$user.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
    $for = @('this user', 'everybody')[$everybody]
    [Console]::Error.WriteLine("No Python was found: installing $($carried[0]) for $for. Apps lists it afterwards.")
    $options = @('/quiet', "InstallAllUsers=$everybody", 'Include_launcher=0', 'Include_test=0', 'Include_doc=0',
        'Include_tcltk=0', 'Shortcuts=0', 'AssociateFiles=0', 'PrependPath=0')
    try {
        $process = [Diagnostics.Process]::Start((New-Start $held.Name $options))
        $process.WaitForExit()
        $code = $process.ExitCode
    } finally { $held.Dispose() }
    # 3010: done, and what was in use is replaced at the next start of Windows.
    if ($code -notin 0, 3010) {
        Stop-Install "the installer of CPython ended with $code; its logs are in $([IO.Path]::GetTempPath())"
    }
    $true
}
function Find-Python([string]$Folder) {
    $versions = @(Get-Versions $Folder)
    if ($versions.Count -eq 0) { Stop-Install 'this bundle is not for Windows' }
    $found = Get-Installed $versions
    if (-not $found -and (Install-Python $Folder)) { $found = Get-Installed $versions }
    if ($found) { return $found }
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
