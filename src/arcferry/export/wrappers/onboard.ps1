# Takes this server into Azure Arc with the host script of the bundle that lies beside, and leaves one result file.
#
#   onboard.ps1               verify, facts, install, check, connect, show, up to the first that fails
#   onboard.ps1 -Uninstall    disconnect here and remove the agent; the machine in Azure is left to be deleted there
#
# With -From SHARE the bundle is taken from there, and not from beside this script. With -Spread it waits for a random
# time first, of at most the minutes in settings.json, so that a thousand servers do not read the share at once. Where
# to, how to sign in and where the result goes is in settings.json beside it, which holds no secret. The bundle is
# copied to where only administrators can write, and the copy is used. The token goes from its file to the host script
# by standard input. It can be run again at any time: a connected server only reports, once; one that Azure has not
# heard from is looked at anew. Where settings.json says that it is to upgrade, a server that is connected gets the
# agent of the bundle if its own is older, with no token, and any other is left alone. Where servers.json lies beside
# settings.json, a server goes where its own row says, and one without a row only reports that. Ends with 0 where
# connected, 3010 where it is and Windows wants a restart, 1 where not or not yet heard from, 2 where it was called
# wrongly, 1618 where another run is at work or the window of time is closed: try again later. It needs PowerShell 4.0
# or 5.1 in the full language mode, and opens no connection but to the files of the share.
param([switch]$Uninstall, [switch]$Spread, [string]$From)

Set-StrictMode -Version 3.0
$ErrorActionPreference, $ProgressPreference = 'Stop', 'SilentlyContinue'
# Where a policy restricts unsigned scripts, .NET cannot be called, and nothing below works without it.
if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
    Write-Output 'a policy restricts unsigned scripts: sign this one with a certificate that the policy trusts'
    exit 1
}

$Trusted = 'S-1-5-18', 'S-1-5-32-544' # SYSTEM and Administrators
$Patience = 5000 # milliseconds
$Longest = 21600 # seconds for one verb: an installer waits for others, and is never cut short
$Home64 = '' # this script's own folder on this server
$Copy = '' # the copy of the bundle in it
$Began = ''
$Settings = $null
$Answers = New-Object Collections.Generic.List[string]
$Kept = '' # what the names of reports on this server begin with
$Restart = $false
$Closed = $false # whether the window of time is
$TokenText = '' # never handed to a cmdlet, whose arguments module logging would write down
$ConfigText = '' # what the host script's connect is to read, with the token in it; likewise

# Ends the run with an answer of this script's own, in the form of the host script's.
function Stop-Run([string]$Verb, [string]$Code, [string]$Message) {
    $problem = New-Object InvalidOperationException $Message
    $problem.Data['verb'] = $Verb
    $problem.Data['code'] = $Code
    throw $problem
}
function Write-Problem([string]$Text) { [Console]::Error.WriteLine($Text) }
function Get-Now { [DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ', [Globalization.CultureInfo]::InvariantCulture) }
function Format-JsonText([string]$Text) {
    $escaped = New-Object Text.StringBuilder
    foreach ($unit in $Text.ToCharArray()) {
        $code = [int]$unit
        if ($code -eq 34 -or $code -eq 92) { [void]$escaped.Append('\').Append($unit) }
        elseif ($code -ge 32 -and $code -lt 127) { [void]$escaped.Append($unit) }
        else { [void]$escaped.Append(('\u{0:x4}' -f $code)) }
    }
    '"' + $escaped.ToString() + '"'
}
function Get-HostName { [Net.Dns]::GetHostName() -replace '[^A-Za-z0-9._-]', '' } # it becomes a file's name
function Get-ProgramFiles {
    $native = [Environment]::GetEnvironmentVariable('ProgramW6432') # in a 32-bit process too
    if ($native) { $native } else { [Environment]::GetFolderPath('ProgramFiles') }
}
function Get-Engine {
    $folder = [Environment]::GetFolderPath('Windows')
    $redirected = [Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess
    $system = if ($redirected) { 'Sysnative' } else { 'System32' }
    "$folder\$system\WindowsPowerShell\v1.0\powershell.exe"
}
function Test-Elevated {
    $me = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent())
    $me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
}
function Set-PrivateAccess([string]$Folder) {
    $rights = New-Object Security.AccessControl.DirectorySecurity
    $rights.SetAccessRuleProtection($true, $false)
    foreach ($who in $Trusted | ForEach-Object { New-Object Security.Principal.SecurityIdentifier $_ }) {
        $words = $who, 'FullControl', 'ContainerInherit, ObjectInherit', 'None', 'Allow'
        $rights.AddAccessRule((New-Object Security.AccessControl.FileSystemAccessRule $words))
    }
    Set-Acl -LiteralPath $Folder -AclObject $rights
}

# As the C runtime splits a command line (CommandLineToArgvW).
function Format-Argument([string]$Text) {
    if ($Text -ne '' -and $Text -notmatch '[\s"]') { return $Text }
    '"' + [regex]::Replace([regex]::Replace($Text, '(\\*)"', '$1$1\"'), '(\\+)$', '$1$1') + '"'
}
function Invoke-Program([string]$Path, [string[]]$Arguments, [int]$Seconds) {
    $start = New-Object Diagnostics.ProcessStartInfo -Property @{ FileName = $Path; UseShellExecute = $false
        Arguments = @($Arguments | ForEach-Object { Format-Argument $_ }) -join ' '; CreateNoWindow = $true
        RedirectStandardInput = $true; RedirectStandardOutput = $true; RedirectStandardError = $true
        StandardOutputEncoding = [Text.Encoding]::UTF8; StandardErrorEncoding = [Text.Encoding]::UTF8 }
    $process = [Diagnostics.Process]::Start($start)
    try {
        # Bytes, since the writer's encoding is the console's. All of it is ASCII.
        $given = [Text.Encoding]::ASCII.GetBytes($ConfigText)
        $process.StandardInput.BaseStream.Write($given, 0, $given.Length)
        $process.StandardInput.Close()
        $output = $process.StandardOutput.ReadToEndAsync()
        $errors = $process.StandardError.ReadToEndAsync()
        $ended = $process.WaitForExit($Seconds * 1000)
        [void]$errors.Wait($Patience)
        $printed = if ($output.Wait($Patience)) { $output.Result } else { '' }
        @{ 'exit' = $(if ($ended) { $process.ExitCode } else { 124 }); printed = $printed }
    } finally { $process.Dispose() }
}
function Get-Place {
    $place = $Settings.connect
    "/subscriptions/$($place.'subscription-id')/resourceGroups/$($place.'resource-group')/"
}
# What the agent says of its connection, where it is to the place that this is to take it to: Connected, Disconnected
# (Azure does not hear from it) or Expired, which counts as none. Nothing where it is to none, or to another.
function Get-Standing {
    $agent = (Get-ProgramFiles) + '\AzureConnectedMachineAgent\azcmagent.exe'
    if (-not (Test-Path -LiteralPath $agent -PathType Leaf)) { return '' }
    $said = (Invoke-Program $agent @('show') 60).printed
    if ($said.IndexOf((Get-Place), [StringComparison]::OrdinalIgnoreCase) -lt 0) { return '' }
    $status = [regex]::Match($said, '(?im)^Agent Status\s*:\s*(\w+)').Groups[1].Value
    if ($status -eq 'Expired') { '' } else { $status }
}
# One verb of the host script; ends the run where it is not ok.
function Invoke-HostScript([string[]]$Words) {
    $script = Join-Path $Copy 'host\windows.ps1'
    $engine = '-NoProfile', '-NonInteractive', '-ExecutionPolicy', 'Bypass', '-File', $script
    $ran = Invoke-Program (Get-Engine) ($engine + $Words) $Longest
    $line = $ran.printed.Trim()
    try { $answer = ConvertFrom-Json -InputObject $line } catch { $answer = $null }
    $known = $line -notmatch '[\r\n]' -and $answer -is [Management.Automation.PSCustomObject] -and
    $null -ne $answer.PSObject.Properties['ok']
    if (-not $known) {
        $message = "the host script ended with exit status $($ran.exit) and without an answer"
        Stop-Run $Words[0] 'no-answer' $message
    }
    $Answers.Add($line)
    if ($answer.ok -ne $true) { Stop-Run '' '' 'the host script says why' }
    if ($null -ne $answer.PSObject.Properties['reboot_required'] -and $answer.reboot_required) {
        $script:Restart = $true
    }
    $answer
}

function Read-Settings {
    $script:Settings = ConvertFrom-Json -InputObject ([IO.File]::ReadAllText((Join-Path $PSScriptRoot 'settings.json')))
    $script:Home64 = Join-Path (Get-ProgramFiles) 'arcferry'
    [void](New-Item -ItemType Directory -Path $Home64 -Force)
    Set-PrivateAccess $Home64
    $script:Copy = Join-Path $Home64 $Settings.bundle
    $script:Kept = if (Test-Upgrades) { 'upgrade-' } else { '' } # its reports are not those of onboarding
}
function Test-Upgrades { $Settings.way -eq 'upgrade' }
function Get-Source { if ($From) { $From } else { $PSScriptRoot } }
function Get-Hash([string]$Path) {
    if (-not (Test-Path -LiteralPath $Path -PathType Leaf)) { return '' }
    $stream = [IO.File]::OpenRead($Path)
    try {
        $hash = [Security.Cryptography.SHA256]::Create().ComputeHash($stream)
        [BitConverter]::ToString($hash).Replace('-', '').ToLowerInvariant()
    } finally { $stream.Dispose() }
}
# What is verified must be what is run: the copy lies where only administrators can change it.
function Copy-Bundle {
    $part = "$Copy.part"
    try {
        foreach ($old in $Copy, $part | Where-Object { Test-Path -LiteralPath $_ }) {
            Remove-Item -LiteralPath $old -Recurse -Force
        }
        Copy-Item -LiteralPath (Join-Path (Get-Source) 'bundle') -Destination $part -Recurse
        # A link would be read on the share again, after what it leads to was verified.
        $links = @(Get-Item -LiteralPath $part -Force) + @(Get-ChildItem -LiteralPath $part -Recurse -Force) |
            Where-Object { $_.Attributes -match 'ReparsePoint' }
        if (@($links).Count -gt 0) { Stop-Run 'verify' 'extra-file' "$(@($links)[0].Name) is a link on the share" }
        [IO.Directory]::Move($part, $Copy)
    } catch {
        if ($_.Exception.Data['code']) { throw }
        Stop-Run 'verify' 'no-copy' "the bundle cannot be copied to ${Home64}: $($_.Exception.Message)"
    }
    foreach ($pinned in 'manifest.json', 'host/windows.ps1', 'host/windows-network.ps1') {
        $wanted = $Settings.files.PSObject.Properties[$pinned]
        if ($null -ne $wanted -and (Get-Hash (Join-Path $Copy $pinned.Replace('/', '\'))) -ne $wanted.Value) {
            Stop-Run 'verify' 'hash-mismatch' "$pinned is not what it was when this was exported"
        }
    }
}
# The map by host name, which is read from the share once; nothing where all servers go to one place.
function Get-ServerMap {
    $pin = $Settings.files.PSObject.Properties['servers.json']
    if ($null -eq $pin) { return '' }
    $copied = Join-Path $Home64 'servers.json'
    if ((Get-Hash $copied) -ne $pin.Value) {
        Wait-Awhile
        $script:Spread = $false # once
        try { Copy-Item -LiteralPath (Join-Path (Get-Source) 'servers.json') -Destination $copied -Force } catch {
            Stop-Run 'verify' 'no-copy' "servers.json cannot be copied to ${Home64}: $($_.Exception.Message)"
        }
        if ((Get-Hash $copied) -ne $pin.Value) {
            Stop-Run 'verify' 'hash-mismatch' 'servers.json is not what it was when this was exported'
        }
    }
    [IO.File]::ReadAllText($copied)
}
# A server or a place of the map: each is one line.
function Find-Line([string]$Map, [string]$Name, [string]$Begins) {
    $found = [regex]::Match($Map, '(?m)^    "' + [regex]::Escape($Name) + '": (\{"' + $Begins + '": .*\}),?$')
    if ($found.Success) { ConvertFrom-Json -InputObject $found.Groups[1].Value }
}
# What the map says of this server stands in place of what the settings say of all; detect.ps1 reads the note.
function Read-ServerRow {
    $map = Get-ServerMap
    if (-not $map) { return }
    $names = (Get-HostName), [Environment]::MachineName # the second is cut after 15 characters, as directories list it
    $row = $names | ForEach-Object { Find-Line $map ($_.Split('.')[0].ToLowerInvariant()) 'place' } |
        Select-Object -First 1
    if ($null -eq $row) {
        Stop-Run 'onboard' 'not-listed' "the inventory that was exported has no server $($names[0]): nothing was done"
    }
    $own = @((Find-Line $map $row.place 'location').PSObject.Properties)
    $own += @($row.PSObject.Properties | Where-Object { $_.Name -eq 'tags' })
    foreach ($one in $own) {
        $into = if ($one.Name -in 'proxy', 'window') { $Settings } else { $Settings.connect }
        $into.PSObject.Properties.Remove($one.Name)
        $into.PSObject.Properties.Add((New-Object Management.Automation.PSNoteProperty $one.Name, $one.Value))
    }
    $note = $Settings.files.'servers.json' + ' ' + (Get-Place)
    [IO.File]::WriteAllText((Join-Path $Home64 'place.txt'), $note)
}
# Whether a version is older than another, by their numbers.
function Test-Older([string]$Version, [string]$Other) {
    $here, $there = foreach ($text in $Version, $Other) {
        , @([regex]::Matches($text, '\d{1,9}') | ForEach-Object { [int]$_.Value })
    }
    for ($at = 0; $at -lt $there.Count; $at++) {
        $number = if ($at -lt $here.Count) { $here[$at] } else { 0 }
        if ($number -ne $there[$at]) { return $number -lt $there[$at] }
    }
    $false
}
function Get-PackageType($Facts) { @{ amd64 = 'amd64'; x86_64 = 'amd64'; arm64 = 'arm64' }[[string]$Facts.arch] }
function Install-Agent($Facts) {
    $package = $Settings.packages.PSObject.Properties["msi-$(Get-PackageType $Facts)"]
    if ($null -eq $package) { Stop-Run 'install' 'no-package' "the bundle holds no package for $($Facts.arch)" }
    $path = Join-Path $Copy $package.Value.Replace('/', '\')
    [void](Invoke-HostScript @('install', $path, $Settings.files.PSObject.Properties[$package.Value].Value))
}
# A newer agent is left as it is. The one that is installed now has to be heard from before it counts.
function Update-Agent($Facts) {
    $packed = $Settings.versions.PSObject.Properties["msi-$(Get-PackageType $Facts)"]
    if ($null -ne $packed -and -not (Test-Older $Facts.agent.version $packed.Value)) { return }
    Install-Agent $Facts
    $until = [DateTime]::UtcNow.AddSeconds($Settings.wait_seconds)
    while ((Get-Standing) -ne 'Connected' -and [DateTime]::UtcNow -lt $until) { Start-Sleep -Seconds 2 }
}
function Read-Token {
    if (-not $Settings.token_file) { return }
    try { $script:TokenText = [IO.File]::ReadAllText($Settings.token_file).Trim() } catch { $script:TokenText = '' }
    if ($TokenText -cmatch '^[A-Za-z0-9._~+/=-]{20,32768}$') { return }
    Stop-Run 'connect' 'token-unreadable' "$($Settings.token_file): not readable for this server, or not a token"
}
# On standard input, so that the token is in no file but its own.
function Connect-Server {
    Read-Token
    try {
        $pairs = @($Settings.connect.PSObject.Properties | ForEach-Object {
                (Format-JsonText $_.Name) + ': ' + (Format-JsonText $_.Value)
            })
        $pairs += '"resource-name": ' + (Format-JsonText (Get-HostName))
        $script:ConfigText = '{' + ($pairs -join ', ')
        if ($TokenText) { $script:ConfigText += ', "access-token": "' + $TokenText + '"' }
        $script:ConfigText += '}'
        $words = @('connect', 'stdin')
        if ($Settings.proxy) { $words += $Settings.proxy }
        if ($Settings.wait_seconds -ne 300) { $words += '-WaitSeconds', "$($Settings.wait_seconds)" } # its own default
        [void](Invoke-HostScript $words)
    } finally { $script:ConfigText = $script:TokenText = '' }
}
# Gives the outcome: connected only where the agent says at the end that Azure has heard from it.
function Invoke-Onboarding([string]$Standing) {
    $place = $Settings.connect
    $seen = Join-Path $Home64 'path.json'
    Copy-Bundle
    [void](Invoke-HostScript @('verify', $Copy))
    $facts = Invoke-HostScript @('facts', $place.location, $place.cloud, $seen)
    # A connected server only reports: a newer agent in the bundle is no reason to upgrade it unasked.
    if (-not $Standing) {
        Install-Agent $facts
        [void](Invoke-HostScript @('check', $place.location, $place.cloud))
        Connect-Server
    } elseif (Test-Upgrades) { Update-Agent $facts }
    $agent = (Invoke-HostScript @('show')).agent
    if ($agent.status -eq 'Connected') { 'connected' } else { 'not-heard-from' }
}

# The result, whole: here first, then beside its name on the share, then under its name.
function Write-Result([string]$Outcome) {
    $seen = Join-Path $Home64 'path.json'
    $path = if (Test-Path -LiteralPath $seen) { [IO.File]::ReadAllText($seen).Trim() } else { 'null' }
    $text = '{"schema":1,"kind":"host-run","host":' + (Format-JsonText (Get-HostName)) +
    ',"via":' + (Format-JsonText $Settings.via) + ',"bundle":' + (Format-JsonText $Settings.bundle) +
    ',"began":"' + $Began + '","ended":"' + (Get-Now) + '","outcome":"' + $Outcome +
    '","answers":[' + ($Answers -join ',') + '],"path":' + $path + "}`n"
    foreach ($old in 'connected', 'not-heard-from', 'failed') { [IO.File]::Delete((Get-HeldPath $old)) }
    [IO.File]::Delete((Get-DeliveredPath)) # what is on the share is no longer so
    [IO.File]::WriteAllText((Get-HeldPath $Outcome), $text)
}
# What could not be delivered stays here, and where it says connected the next run delivers it.
function Send-Result([string]$Outcome) {
    $held = Get-HeldPath $Outcome
    $name = Get-HostName
    $beside = Join-Path $Settings.results ('.' + $name + '.' + [Guid]::NewGuid().ToString('N') + '.tmp')
    $target = Join-Path $Settings.results "$name.json"
    try {
        $link = (New-Object IO.DirectoryInfo $Settings.results).Attributes -match 'ReparsePoint'
        if ($link) { throw 'it is a link' } # and would lead an administrator's writing elsewhere
        if ([IO.Directory]::Exists($target)) { throw 'it is a folder; remove it' }
        [IO.File]::Copy($held, $beside)
        [IO.File]::Delete($target)
        [IO.File]::Move($beside, $target)
        if ($Outcome -eq 'connected') { [IO.File]::WriteAllText((Get-DeliveredPath), '') }
        [IO.File]::Delete($held)
    } catch { Write-Problem "$target cannot be written: $($_.Exception.Message). The result is $held" }
}
function Get-HeldPath([string]$Outcome) { Join-Path $Home64 "$Kept$Outcome.json" }
function Get-DeliveredPath { Join-Path $Home64 "${Kept}delivered-$($Settings.bundle)" }
function Wait-Awhile {
    $minutes = [int]$Settings.delay_minutes
    if (-not $Spread -or $minutes -le 0) { return }
    $seconds = (New-Object Random).Next(0, 60 * $minutes + 1)
    Write-Problem ("starts in $seconds s (at random, at most $minutes min; without -Spread at once), " +
        'so that not all servers read the share at one time')
    Start-Sleep -Seconds $seconds
}
# The window is a list of FROM/UNTIL in UTC, which compare as texts; none is open at any time. Gives when it opens, and
# nothing where it is open.
function Get-Opening {
    if (-not $Settings.window) { return '' }
    $now = Get-Now
    foreach ($stretch in $Settings.window.Split(' ')) {
        $begins, $ends = $stretch.Split('/')
        if ([string]::CompareOrdinal($now, $begins) -lt 0) { return $begins }
        if ([string]::CompareOrdinal($now, $ends) -lt 0) { return '' }
    }
    'never again with this bundle'
}
function Add-Failure($Problem) {
    if ($Problem.Data['verb'] -eq '') { return } # the host script's own answer is there already
    $verb = if ($Problem.Data['verb']) { $Problem.Data['verb'] } else { 'onboard' }
    $code = if ($Problem.Data['code']) { $Problem.Data['code'] } else { 'internal' }
    $Answers.Add('{"schema":1,"verb":"' + $verb + '","ok":false,"code":"' + $code + '","message":' +
        (Format-JsonText $Problem.Message) + '}')
}
function Invoke-Uninstall {
    try {
        Copy-Bundle
        [void](Invoke-HostScript @('verify', $Copy))
        [void](Invoke-HostScript @('disconnect', '--local-only'))
        [void](Invoke-HostScript @('uninstall'))
        Remove-Item -LiteralPath $Copy -Recurse -Force
        foreach ($left in 'servers.json', 'place.txt') { [IO.File]::Delete((Join-Path $Home64 $left)) }
        foreach ($left in [IO.Directory]::GetFiles($Home64, 'upgrade-*')) { [IO.File]::Delete($left) }
        [IO.File]::Delete((Get-DeliveredPath))
        return $true
    } catch {
        Add-Failure $_.Exception
        return $false
    }
}
function Invoke-Run {
    $script:Began = Get-Now
    [IO.File]::Delete((Join-Path $Home64 'path.json'))
    try {
        Read-ServerRow
        $standing = Get-Standing
        if ((Test-Upgrades) -and -not $standing) {
            $message = 'its agent is not connected to this resource group, or its connection has ended'
            Stop-Run 'upgrade' 'not-held' "${message}: nothing was done"
        }
    } catch {
        Add-Failure $_.Exception
        Write-Result 'failed'
        Send-Result 'failed'
        return $false
    }
    $outcome = 'connected'
    if ($standing -eq 'Connected' -and (Test-Path -LiteralPath (Get-DeliveredPath))) { return $true }
    if ($standing -ne 'Connected' -or -not (Test-Path -LiteralPath (Get-HeldPath 'connected'))) {
        Wait-Awhile
        $opens = Get-Opening
        if ($opens) {
            Write-Problem "the window of time is closed: nothing was done; it opens $opens"
            $script:Closed = $true
            return $false
        }
        $script:Began = Get-Now
        try { $outcome = Invoke-Onboarding $standing } catch {
            $outcome = 'failed'
            Add-Failure $_.Exception
        }
        Write-Result $outcome
        if ($outcome -ne 'failed') { Remove-Item -LiteralPath $Copy -Recurse -Force }
    }
    Send-Result $outcome
    $outcome -eq 'connected'
}
function Invoke-Main {
    if (-not (Test-Elevated)) {
        Write-Problem 'run this as SYSTEM or as administrator'
        exit 2
    }
    $lock = $null
    try {
        try { Read-Settings } catch {
            Write-Problem "settings.json, which lies beside this script: $($_.Exception.Message)"
            exit 2
        }
        if ($Uninstall -and (Test-Upgrades)) {
            Write-Problem 'this was exported to upgrade: nothing is uninstalled'
            exit 2
        }
        try { $lock = [IO.File]::Open((Join-Path $Home64 'lock'), 'OpenOrCreate', 'ReadWrite', 'None') } catch {
            $problem = $_.Exception.GetBaseException()
            $shared = ($problem.HResult -band 0xFFFF) -in 32, 33 # ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION
            Write-Problem $(if ($shared) { 'another run is at work: nothing was done; try again later' }
                else { "${Home64}: $($problem.Message)" })
            exit $(if ($shared) { 1618 } else { 1 }) # ERROR_INSTALL_ALREADY_RUNNING
        }
        $good = if ($Uninstall) { Invoke-Uninstall } else { Invoke-Run }
        foreach ($line in $Answers) { Write-Output $line }
    } finally { if ($null -ne $lock) { $lock.Dispose() } }
    if ($Closed) { exit 1618 }
    exit $(if (-not $good) { 1 } elseif ($Restart) { 3010 } else { 0 })
}
# Everything above is read before anything runs, so a script cut short on its way here does nothing.
Invoke-Main
