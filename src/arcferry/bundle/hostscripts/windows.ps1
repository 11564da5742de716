# The arcferry host script for Windows: the only code that arcferry runs on a server.
#
#   windows.ps1 facts [LOCATION CLOUD [FILE]]       what this server is; with a location, also the path to Azure,
#                                                   written to FILE in the form that `arcferry explain` reads; with
#                                                   -PrivateLinkScope ID (or any) how the names answer that it serves
#   windows.ps1 verify FOLDER                       compare an unpacked bundle with its manifest
#   windows.ps1 verify FILE SHA256 [FILE SHA256 ...]  compare files with their hashes
#   windows.ps1 install MSI SHA256                  install or upgrade the agent
#   windows.ps1 check LOCATION CLOUD                the agent's own connectivity check
#   windows.ps1 evidence LOCATION CLOUD FILE        what `facts` tells and the ends of the agent's own logs in one file
#                                                   that only administrators can read, for `arcferry evidence pack`;
#                                                   for FILE - on standard output, before the answer
#   windows.ps1 connect CONFIG [PROXY]              connect to Azure Arc; CONFIG is removed; waits 300 seconds, or
#                                                   -WaitSeconds N, for Azure to hear from the agent
#   ... -AgentProxy URL                             the same PROXY, for facts, check and connect
#   windows.ps1 show                                the agent's state
#   windows.ps1 disconnect CONFIG|--local-only      disconnect from Azure Arc; CONFIG is removed
#   windows.ps1 uninstall                           remove the agent
#   windows.ps1 proxy URL|none                      set the proxy that the agent uses, or take it away
#
# CONFIG is a JSON file in the form of `azcmagent --config` with an access token, or with the thumbprint of a
# certificate that is on this server. Only Administrators and SYSTEM may have rights to it; "-" or "stdin" reads it
# from standard input instead. With -ReportFailure a failed install or connect is told to Azure Arc, as Microsoft's
# own script does: the code, the message and the names of subscription, resource group, tenant and location.
#
# Every run prints one line of JSON with "schema", "verb" and "ok", and where something failed "code" and "message".
# It ends with 0 where ok, 1 where not, 2 where it was called wrongly. Network connections are opened only by the
# functions of windows-network.ps1 beside this file. It needs PowerShell 3.0 to 5.1 in the full language mode, and
# .NET Framework 4.5.
param([string]$Verb, [switch]$ReportFailure)

Set-StrictMode -Version 3.0
$ErrorActionPreference, $ProgressPreference = 'Stop', 'SilentlyContinue'
# Where a policy restricts unsigned scripts, .NET cannot be called: say so, as everything below needs it.
if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
    Write-Output ('{"schema":1,"verb":"usage","ok":false,"code":"constrained-language","message":"a policy ' +
        'restricts unsigned scripts: sign this one with a certificate that the policy trusts"}')
    exit 1
}

$Trusted = 'S-1-5-18', 'S-1-5-32-544' # SYSTEM and Administrators
$ProductName = 'Azure Connected Machine Agent'
$WindowsKey = 'SOFTWARE\Microsoft\Windows\CurrentVersion'
$Patience = 5000 # milliseconds for one step that waits
$Answer = [ordered]@{ schema = 1; verb = 'usage'; ok = $false }
$Options, $Given = @{ '-PrivateLinkScope' = ''; '-WaitSeconds' = '300'; '-AgentProxy' = '' }, @()
# No parameters, which a word could be taken for by its place.
for ($at = 0; $at -lt $args.Count; $at++) {
    if (@($Options.Keys) -contains $args[$at]) { $Options[$args[$at]] = "$(@($args + '')[$at + 1])"; $at++ }
    else { $Given += $args[$at] }
}
$PrivateLinkScope = $Options['-PrivateLinkScope']
$Missing = New-Object Collections.ArrayList # facts that could not be had, and why
$LoadProblem = '' # why the functions of windows-network.ps1 are not here
$Work = '' # a private folder for this run
$Turn = $null # the file that one run at a time may hold
$Secret = '' # the file with the token, which is removed
$Config = '' # what the agent is handed: that file, or a copy in UTF-8
$ConfigText = '' # what it holds; never handed to a cmdlet, whose arguments module logging would write down
$AgentKeys = [ordered]@{ # our names, and what `azcmagent show` calls them as text and as JSON, letters and digits only
    status = 'agentstatus', 'status'; resource_id = 'resourceid', 'id'; resource_name = 'resourcename', 'name'
    subscription_id = @('subscriptionid'); resource_group = 'resourcegroupname', 'resourcegroup'
    location = @('location'); vm_id = @('vmid'); vm_uuid = @('vmuuid'); tenant_id = @('tenantid')
    last_heartbeat = 'agentlastheartbeat', 'lastheartbeat' }

# Own JSON, because ConvertTo-Json of 5.1 leaves what is not ASCII as it is, and the console's code page breaks it.
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
function Format-Json($Value) {
    if ($null -eq $Value) { return 'null' }
    if ($Value -is [bool]) { return $Value.ToString().ToLowerInvariant() }
    if ($Value -is [string]) { return (Format-JsonText $Value) }
    if ($Value -is [Collections.IDictionary]) {
        $parts = foreach ($key in $Value.Keys) { (Format-JsonText $key) + ':' + (Format-Json $Value[$key]) }
        return '{' + (@($parts) -join ',') + '}'
    }
    if ($Value -is [Collections.IEnumerable]) {
        $parts = foreach ($item in $Value) { Format-Json $item }
        return '[' + (@($parts) -join ',') + ']'
    }
    [Convert]::ToString($Value, [Globalization.CultureInfo]::InvariantCulture)
}
# Ends the run: the answer is what was put into $Answer so far, this code and this message.
function Stop-Verb([string]$Code, [string]$Message) {
    $problem = New-Object InvalidOperationException $Message
    $problem.Data['code'] = $Code
    throw $problem
}
function Get-End([string]$Text) { $Text.Substring([Math]::Max(0, $Text.Length - 16384)) }
# In Western digits and years, whatever the server's language: a Thai or Saudi Windows has a calendar of its own.
function Format-Time([DateTime]$Time, [string]$Form = 'yyyy-MM-ddTHH:mm:ssZ') {
    $Time.ToString($Form, [Globalization.CultureInfo]::InvariantCulture)
}
function Get-Now { Format-Time ([DateTime]::UtcNow) }
# .NET does not know PowerShell's current folder.
function Get-FullPath([string]$Path) { $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path) }
function Get-Sha256([string]$Path) {
    if (-not (Test-Path -LiteralPath $Path -PathType Leaf)) { return '' }
    $stream = $null
    try { # Get-FileHash came with PowerShell 4.0
        $stream = [IO.File]::OpenRead((Get-FullPath $Path))
        $hash = [Security.Cryptography.SHA256]::Create().ComputeHash($stream)
        [BitConverter]::ToString($hash).Replace('-', '').ToLowerInvariant()
    } catch { '' } finally { if ($null -ne $stream) { $stream.Dispose() } }
}

# The 64-bit view, whatever this process is; nothing where the key is absent or may not be read.
function Open-RegistryKey([string]$Key) {
    try { [Microsoft.Win32.RegistryKey]::OpenBaseKey('LocalMachine', 'Registry64').OpenSubKey($Key) } catch { $null }
}
function Get-RegistryValue([string]$Key, [string]$Name) {
    $opened = Open-RegistryKey $Key
    if ($null -eq $opened) { return $null }
    try { $opened.GetValue($Name) } finally { $opened.Close() }
}
function Get-RegistryKeyNames([string]$Key) {
    $opened = Open-RegistryKey $Key
    if ($null -eq $opened) { return }
    try { $opened.GetSubKeyNames() } finally { $opened.Close() }
}

function Test-Elevated {
    $me = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent())
    $me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
}
function Assert-Elevated {
    if (-not (Test-Elevated)) { Stop-Verb 'not-root' 'run this in a PowerShell started as administrator' }
    if ([Environment]::Is64BitProcess -or -not [Environment]::Is64BitOperatingSystem) { return }
    Stop-Verb 'not-64-bit' ('this is the 32-bit PowerShell; the 64-bit one is ' +
        '%SystemRoot%\Sysnative\WindowsPowerShell\v1.0\powershell.exe from here')
}
function Set-PrivateAccess([string]$Path, $Rights, [string]$Inherit) {
    $Rights.SetAccessRuleProtection($true, $false)
    foreach ($who in $Trusted | ForEach-Object { New-Object Security.Principal.SecurityIdentifier $_ }) {
        $words = $who, 'FullControl', $Inherit, 'None', 'Allow'
        $Rights.AddAccessRule((New-Object Security.AccessControl.FileSystemAccessRule $words))
    }
    Set-Acl -LiteralPath $Path -AclObject $Rights
}
function New-Workplace {
    $script:Work = (Get-TemporaryFolder) + "\arcferry-$PID-" + [Guid]::NewGuid().ToString('N')
    [void](New-Item -ItemType Directory -Path $Work)
    Set-PrivateAccess $Work (New-Object Security.AccessControl.DirectorySecurity) 'ContainerInherit, ObjectInherit'
}
# Never over a file that is there: others may have made one in a folder before it was private.
function New-File([string]$Path) { [IO.File]::Open($Path, 'CreateNew', 'Write', 'None') }
function Test-Running([int]$Id) { try { $null -ne [Diagnostics.Process]::GetProcessById($Id) } catch { $false } }
function Get-TemporaryFolder { [Environment]::GetFolderPath('Windows') + '\Temp' }
# What earlier runs left, tokens first, in folders that are no links and whose owner is trusted, so that nobody else has
# put one there or can swap it. A run names its folder by its process; none takes an hour, but for an installer's.
function Remove-OldWork {
    $owners = @($Trusted) + [Security.Principal.WindowsIdentity]::GetCurrent().User.Value
    foreach ($folder in @(Get-ChildItem -LiteralPath (Get-TemporaryFolder) -Filter 'arcferry-*' -Force)) {
        if (-not $folder.PSIsContainer -or $folder.Attributes -match 'ReparsePoint') { continue }
        $owner = (Get-Acl -LiteralPath $folder.FullName).GetOwner([Security.Principal.SecurityIdentifier]).Value
        if ($owners -notcontains $owner) { continue }
        $number = if ($folder.Name -match '^arcferry-([0-9]{1,9})-') { [int]$Matches[1] } else { 0 }
        $runs = $number -and (Test-Running $number)
        $left = $folder.FullName + '\config.json'
        $young = [IO.File]::GetLastWriteTimeUtc($left) -gt [DateTime]::UtcNow.AddHours(-1)
        if (-not $young -or -not $runs) { [IO.File]::Delete($left) }
        if (-not $runs) { Remove-Item -LiteralPath $folder.FullName -Recurse -Force -ErrorAction SilentlyContinue }
    }
}

# As the C runtime splits a command line (CommandLineToArgvW).
function Format-Argument([string]$Text) {
    if ($Text -ne '' -and $Text -notmatch '[\s"]') { return $Text }
    '"' + [regex]::Replace([regex]::Replace($Text, '(\\*)"', '$1$1\"'), '(\\+)$', '$1$1') + '"'
}
# Ends with 124 at the time limit. An installer is then left to itself: cut short, it leaves half a product.
function Invoke-Program([string]$Path, [string[]]$Arguments, [int]$Seconds, [switch]$LetRun) {
    $start = New-Object Diagnostics.ProcessStartInfo -Property @{ FileName = $Path; UseShellExecute = $false
        Arguments = @($Arguments | ForEach-Object { Format-Argument $_ }) -join ' '; CreateNoWindow = $true
        RedirectStandardInput = $true; RedirectStandardOutput = $true; RedirectStandardError = $true
        StandardOutputEncoding = [Text.Encoding]::UTF8; StandardErrorEncoding = [Text.Encoding]::UTF8 }
    $process = [Diagnostics.Process]::Start($start)
    try {
        $process.StandardInput.Close() # this script itself may be what is on it
        $output = $process.StandardOutput.ReadToEndAsync()
        $errors = $process.StandardError.ReadToEndAsync()
        $ended = $process.WaitForExit($Seconds * 1000)
        if (-not $ended -and -not $LetRun) { $process.Kill() }
        # A child that lives on may hold the pipes open, so reading them has a limit too.
        $printed = if ($output.Wait($Patience)) { $output.Result } else { '' }
        $logged = if ($errors.Wait($Patience)) { $errors.Result } else { '' }
        $status = if ($ended) { $process.ExitCode } else { 124 }
        @{ 'exit' = $status; printed = $printed; output = $printed + $logged }
    } finally { $process.Dispose() }
}

function Get-ProgramFiles {
    $folder = Get-RegistryValue $WindowsKey 'ProgramFilesDir' # the 64-bit one, in a 32-bit process too
    if ($folder) { $folder } else { [Environment]::GetFolderPath('ProgramFiles') }
}
function Get-AgentPath { (Get-ProgramFiles) + '\AzureConnectedMachineAgent\azcmagent.exe' }
function Test-Agent { Test-Path -LiteralPath (Get-AgentPath) -PathType Leaf }
function Assert-Agent {
    if (-not (Test-Agent)) { Stop-Verb 'not-installed' "$(Get-AgentPath) does not exist: install the agent first" }
}
function Invoke-Agent([string[]]$Arguments, [int]$Seconds) { Invoke-Program (Get-AgentPath) $Arguments $Seconds }
# The agent's code for how it ended: as printed, else from its exit status, which is the same number.
function Get-AgentCode($Ran) {
    if ($Ran.exit -eq 0) { return '' }
    $found = [regex]::Match($Ran.output, 'AZCM[0-9]{4}')
    if ($found.Success) { return $found.Value }
    if ($Ran.exit -gt 0 -and $Ran.exit -lt 124) { 'AZCM{0:d4}' -f $Ran.exit } else { '' }
}
function Complete-AgentRun($Ran) {
    $Answer['exit'] = $Ran.exit
    $Answer['output'] = Get-End $Ran.output
    $Answer['code'] = Get-AgentCode $Ran
    if ($Ran.exit -eq 0) { return }
    Stop-Verb $Answer['code'] "azcmagent $Verb ended with exit status $($Ran.exit)"
}
function Set-Unchanged {
    $Answer['changed'] = $false
    $Answer['exit'] = 0
    $Answer['code'] = $Answer['output'] = ''
}
function Format-Key([string]$Text) { ($Text -replace '[^A-Za-z0-9]', '').ToLowerInvariant() }
# `Key : Value` lines, documented where the agent's JSON is not; a value may hold colons itself.
function Read-Shown([string]$Text) {
    $shown = @{}
    foreach ($line in ($Text -split '\r?\n')) {
        $at = $line.IndexOf(':')
        if ($at -lt 1) { continue }
        $key = Format-Key $line.Substring(0, $at)
        if (-not $shown.ContainsKey($key)) { $shown[$key] = $line.Substring($at + 1).Trim() }
    }
    $shown
}
# The same from `show -j`, whose keys are not documented: any spelling, anything but texts left out.
function Read-ShownJson([string]$Text) {
    $shown = @{}
    try { $document = ConvertFrom-Json -InputObject $Text } catch { return $shown }
    if ($document -isnot [Management.Automation.PSCustomObject]) { return $shown }
    foreach ($property in $document.PSObject.Properties) {
        $value = $property.Value
        if ($value -is [DateTime]) { $value = Format-Time $value.ToUniversalTime() }
        if ($value -is [string]) { $shown[(Format-Key $property.Name)] = $value }
    }
    $shown
}
function Get-Product {
    foreach ($code in @(Get-RegistryKeyNames "$WindowsKey\Uninstall")) {
        $key = "$WindowsKey\Uninstall\$code"
        if ($code -like '{*}' -and (Get-RegistryValue $key 'DisplayName') -eq $ProductName) {
            return @{ code = $code; version = [string](Get-RegistryValue $key 'DisplayVersion') }
        }
    }
    @{ code = ''; version = '' }
}
function Get-AgentState {
    $state = [ordered]@{ installed = (Test-Agent); version = (Get-Product).version }
    $shown = @{}
    if ($state.installed) {
        $ran = Invoke-Agent @('show') 60
        $shown = Read-Shown $ran.output
        if ($ran.exit -eq 124) { Add-Missing 'agent' 'azcmagent show did not end within 60 seconds' }
        elseif (-not $shown.ContainsKey('agentstatus')) {
            $shown = Read-ShownJson (Invoke-Agent @('show', '-j', '--log-stderr') 60).printed
        }
    }
    if ($shown['agentversion']) { $state['version'] = $shown['agentversion'] }
    foreach ($name in $AgentKeys.Keys) {
        $values = @($AgentKeys[$name] | ForEach-Object { $shown[$_] } | Where-Object { $_ })
        $state[$name] = if ($values.Count -gt 0) { $values[0] } else { '' }
    }
    $state
}

function Get-Windows {
    $key = 'SOFTWARE\Microsoft\Windows NT\CurrentVersion'
    $major = Get-RegistryValue $key 'CurrentMajorVersionNumber' # Windows 10 and Server 2016 on
    $version = [string](Get-RegistryValue $key 'CurrentVersion')
    if ($null -ne $major) { $version = "$major.$(Get-RegistryValue $key 'CurrentMinorVersionNumber')" }
    [ordered]@{ name = [string](Get-RegistryValue $key 'ProductName')
        version = "$version.$(Get-RegistryValue $key 'CurrentBuildNumber')"
        edition = [string](Get-RegistryValue $key 'EditionID')
        installation = [string](Get-RegistryValue $key 'InstallationType') }
}
function Test-AzureStackHci($Windows) {
    $Windows.edition -like '*AzureStackHCI*' -or $Windows.name -match '^Azure (Stack HCI|Local)'
}
# The usual places where Windows notes that it has to start anew.
function Get-PendingReboot {
    $manager = 'SYSTEM\CurrentControlSet\Control\Session Manager'
    $names = 'SYSTEM\CurrentControlSet\Control\ComputerName'
    $active = Get-RegistryValue "$names\ActiveComputerName" 'ComputerName'
    if (Open-RegistryKey "$WindowsKey\Component Based Servicing\RebootPending") { 'component-servicing' }
    if (Open-RegistryKey "$WindowsKey\WindowsUpdate\Auto Update\RebootRequired") { 'windows-update' }
    if (@(Get-RegistryValue $manager 'PendingFileRenameOperations' | Where-Object { $_ }).Count) { 'file-rename' }
    if ($active -ne (Get-RegistryValue "$names\ComputerName" 'ComputerName')) { 'computer-rename' }
    if (Get-RegistryValue 'SYSTEM\CurrentControlSet\Services\Netlogon' 'JoinDomain') { 'domain-join' }
}
# Windows Installer holds this mutex while it installs; one that is not ours to open is held by somebody.
function Test-InstallerBusy {
    $mutex = $null
    try {
        if (-not [Threading.Mutex]::TryOpenExisting('Global\_MSIExecute', [ref]$mutex)) { return $false }
        if (-not $mutex.WaitOne(0)) { return $true }
        $mutex.ReleaseMutex()
        return $false
    } catch { return $_.Exception.GetBaseException() -is [UnauthorizedAccessException] }
    finally { if ($null -ne $mutex) { $mutex.Dispose() } }
}
# The Log Analytics agent (MMA, OMS), which ended in August 2024, and where it reports to.
function Get-LegacyAgent {
    $key = 'SYSTEM\CurrentControlSet\Services\HealthService'
    $workspaces = @(Get-RegistryKeyNames "$key\Parameters\Service Connector Services" |
            Where-Object { $_ -like 'Log Analytics - *' } | ForEach-Object { $_.Substring(16) })
    [ordered]@{ installed = ($null -ne (Get-RegistryValue $key 'ImagePath')); workspaces = $workspaces
        management_groups = @(Get-RegistryKeyNames "$key\Parameters\Management Groups" |
                Where-Object { $_ -notlike 'AOI-*' }) }
}
# Loaded only where it has this file's owner and rights: into a folder like C:\Temp anybody could put one. While it is
# held open nobody can put another in its place.
function Open-NetworkScript {
    $path = "$PSScriptRoot\windows-network.ps1"
    $opened = [IO.File]::Open($path, 'Open', 'Read', 'Read')
    $rights = foreach ($one in $path, "$PSScriptRoot\windows.ps1") { (Get-Acl -LiteralPath $one).Sddl }
    $link = (Get-Item -LiteralPath $path -Force).Attributes -match 'ReparsePoint'
    if (-not $link -and $rights[0] -ceq $rights[1]) { return $opened }
    $opened.Dispose()
    Stop-Verb 'no-network-script' 'Its owner and rights are not those of windows.ps1: copy the whole bundle anew'
}
# Everything that opens a connection is in a file of its own, which a security team can take away.
function Test-Network { [bool](Get-Command Measure-Path -CommandType Function -ErrorAction SilentlyContinue) }
function Get-FreeBytes([string]$Folder) {
    try { (New-Object IO.DriveInfo ([IO.Path]::GetPathRoot($Folder))).AvailableFreeSpace } catch { $null }
}
# As the agent looks for it: its own setting, then the machine's environment. Never WinHTTP's or a browser's.
function Get-Proxy {
    if ($Options['-AgentProxy']) { return @{ url = $Options['-AgentProxy']; source = 'given' } }
    if (Test-Agent) {
        $ran = Invoke-Agent @('config', 'get', 'proxy.url') 30
        $url = ($ran.printed -split '\r?\n')[0].Trim()
        if ($ran.exit -eq 0 -and $url -match '^https?://') { return @{ url = $url; source = 'proxy.url' } }
    }
    $url = [Environment]::GetEnvironmentVariable('HTTPS_PROXY', 'Machine')
    if ($url) { return @{ url = $url; source = 'HTTPS_PROXY' } }
    @{ url = ''; source = '' }
}
function Hide-User([string]$Url) { $Url -replace '(?s)^([A-Za-z][A-Za-z0-9+.-]*://|).*@', '$1' }

# No fact costs another: what cannot be had is null, and named with the reason in "missing_facts".
function Add-Missing([string]$Fact, $Problem) {
    $says = if ($Problem -is [string]) { $Problem } else { $Problem.Exception.GetBaseException().Message }
    [void]$Missing.Add([ordered]@{ fact = $Fact; says = $says })
}
function Get-Fact([string]$Name, $Windows) {
    switch ($Name) {
        'hostname' { [Net.Dns]::GetHostName() }
        'fqdn' {
            $domain = [Net.NetworkInformation.IPGlobalProperties]::GetIPGlobalProperties().DomainName
            (@([Net.Dns]::GetHostName(), $domain) | Where-Object { $_ }) -join '.'
        }
        'arch' {
            $types = $env:PROCESSOR_ARCHITEW6432, $env:PROCESSOR_ARCHITECTURE, 'unknown'
            @($types | Where-Object { $_ })[0].ToLowerInvariant()
        }
        'root' { Test-Elevated }
        'disk_free' { Get-FreeBytes ([Environment]::GetFolderPath('CommonApplicationData')) }
        'opt_free' { Get-FreeBytes (Get-ProgramFiles) }
        'azure_vm' { if (Test-Network) { Test-AzureMachine } }
        'agent' { Get-AgentState }
        'azure_stack_hci' { Test-AzureStackHci $Windows }
        'machine_id' { [string](Get-RegistryValue 'SOFTWARE\Microsoft\Cryptography' 'MachineGuid') }
        'dotnet' { [string](Get-RegistryValue 'SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full' 'Version') }
        'pending_reboot' { , @(Get-PendingReboot) }
        'installer_busy' { Test-InstallerBusy }
        'legacy_agent' { Get-LegacyAgent }
        'routes' { , @(Get-Routes) }
    }
}
function Set-Fact([string]$Name, $Windows) {
    $Answer[$Name] = $null
    try { $Answer[$Name] = Get-Fact $Name $Windows } catch { Add-Missing $Name $_ }
}
function Invoke-Facts([string]$Location, [string]$Cloud, [string]$File) {
    if ($Location -and -not (Test-Network)) {
        Stop-Verb 'no-network-script' "windows-network.ps1 must lie beside this. $LoadProblem"
    }
    $proxy, $windows = @{ url = ''; source = '' }, @{ name = ''; version = ''; edition = ''; installation = '' }
    try { $proxy = Get-Proxy } catch { Add-Missing 'proxy' $_ }
    if ($Location) { # first, as it is what a failed connection is explained by
        $path = $Answer['path'] = Measure-Path $Location $Cloud $proxy.url
        if ($PrivateLinkScope) { $path['private_link'] = Get-PrivateLink $path['endpoints'] }
        if ($File) { Write-Whole (Get-FullPath $File) ([Text.Encoding]::ASCII.GetBytes((Format-Json $path) + "`n")) }
    }
    try { $windows = Get-Windows } catch { Add-Missing 'distro' $_ }
    $known = [ordered]@{ os = 'windows'; package_format = 'msi'; systemd = $false; time = (Get-Now)
        distro = [ordered]@{ id = 'windows'; version = $windows.version; name = $windows.name }
        edition = $windows.edition; installation = $windows.installation; powershell = "$($PSVersionTable.PSVersion)"
        process_64_bit = [Environment]::Is64BitProcess
        vm_uuid = '' # the firmware's id, which WMI alone tells
        proxy = [ordered]@{ url = (Hide-User $proxy.url); source = $proxy.source } }
    foreach ($name in @($known.Keys)) { $Answer[$name] = $known[$name] }
    $names = 'hostname', 'fqdn', 'arch', 'root', 'disk_free', 'opt_free', 'azure_vm', 'agent', 'azure_stack_hci',
        'machine_id', 'dotnet', 'pending_reboot', 'installer_busy', 'legacy_agent'
    foreach ($name in $names) { Set-Fact $name $windows }
    if ($Location) { Set-Fact 'routes' $windows }
    if (Test-Network) {
        try { Set-MissingCertificates $PSScriptRoot }
        catch { Add-Missing 'missing_certificates' $_ }
    }
    $Answer['missing_facts'] = @($Missing.ToArray())
}
# Others may be able to write its folder: a new file of a name that nobody knows takes the place of a link, which would
# lead an administrator's writing elsewhere.
function Write-Whole([string]$Path, [byte[]]$Bytes, [switch]$Private) {
    $beside = $Path + '.' + [Guid]::NewGuid().ToString('N')
    try {
        $stream = New-File $beside
        try {
            if ($Private) { Set-PrivateAccess $beside (New-Object Security.AccessControl.FileSecurity) 'None' }
            $stream.Write($Bytes, 0, $Bytes.Length)
        } finally { $stream.Dispose() }
        [IO.File]::Delete($Path)
        [IO.File]::Move($beside, $Path)
    } catch {
        if (Test-Path -LiteralPath $beside) { [IO.File]::Delete($beside) }
        Stop-Verb 'no-file' "${Path}: cannot be written: $($_.Exception.GetBaseException().Message)"
    }
}
# What is a secret by its form or by its name, as far as one line tells; `arcferry evidence pack` looks closer. A colon
# after "token" or "secret" often begins an error's own words, so there a value must be long or quoted.
function Hide-Secrets([string]$Text) {
    $value, $is = '("[^"]*"|[^",;\s]+)', '\s*[:=]\s*'
    $names = '(?:secret|token|signature|api-?key|shared-?key)[a-z_-]*'
    $rules = '(://)[^@\s"<>]*(?=@)', '(?m)^()[a-z0-9+/=]{60,}(?=\r?$)', '()ey[J][a-z0-9_-]{8,}(?:\.[a-z0-9_-]*)*',
        '((?:bearer|basic) +)[a-z0-9+/=._~-]{8,}', '([?&](?:sig|sv|code|key)=)[^&"\s]*',
        ('((?:password|passwd|passphrase|pwd)[a-z_-]*"?' + $is + ')' + $value),
        ('(' + $names + '(?:\s*=\s*|"' + $is + '))' + $value), ('(' + $names + ':\s*)[a-z0-9+/=._~-]{20,}')
    foreach ($rule in $rules) { $Text = $Text -replace $rule, '$1[redacted]' }
    $Text
}
# The end of a file that somebody may be writing.
function Read-End([string]$Path) {
    $stream = [IO.File]::Open($Path, 'Open', 'Read', 'ReadWrite, Delete')
    try {
        [void]$stream.Seek(-[Math]::Min($stream.Length, 1048576), 'End')
        (New-Object IO.StreamReader $stream).ReadToEnd()
    } finally { $stream.Dispose() }
}
# The logs themselves, and not the zip of `azcmagent logs`, as on Linux: the agent may be what does not run.
function Get-AgentLogs {
    $data = [Environment]::GetFolderPath('CommonApplicationData')
    $names = 'AzureConnectedMachineAgent\Log\himds.log', 'AzureConnectedMachineAgent\Log\azcmagent.log',
        'GuestConfig\arc_policy_logs\gc_agent.log', 'GuestConfig\ext_mgr_logs\gc_ext.log'
    foreach ($log in @($names | ForEach-Object { "$data\$_" } | Where-Object { Test-Path -LiteralPath $_ })) {
        try { $said = Hide-Secrets (Read-End $log) } catch { $said = "cannot be read: $_" }
        "`n==> $log <==`n$said"
    }
}
function Invoke-Evidence([string]$Location, [string]$Cloud, [string]$File) {
    Assert-Elevated
    $Answer['verb'] = 'facts'
    try {
        Invoke-Facts $Location $Cloud ''
        $Answer['ok'] = $true
    } catch { $Answer['code'], $Answer['message'] = $_.Exception.Data['code'], $_.Exception.Message }
    $text = (Format-Json $Answer) + "`n" + (@(Get-AgentLogs) -join '')
    foreach ($name in @($Answer.Keys)) { $Answer.Remove($name) }
    $Answer['schema'], $Answer['verb'], $Answer['ok'] = 1, 'evidence', $false
    $bytes = (New-Object Text.UTF8Encoding $false).GetBytes($text)
    if ($File -ceq '-') {
        # Past PowerShell's own output, which would be in the console's code page.
        $stream = [Console]::OpenStandardOutput()
        $stream.Write($bytes, 0, $bytes.Length)
        $stream.WriteByte(10)
        $stream.Flush()
    } else { Write-Whole (Get-FullPath $File) $bytes -Private }
    $Answer['file'], $Answer['bytes'] = $File, $bytes.Length
}

function Assert-Hash([string]$Text) {
    if ($Text -notmatch '^[0-9A-Fa-f]{64}$') { Stop-Verb 'usage' "not a SHA-256: $Text" }
}
function Get-Signature([string]$Path) {
    $found = Get-AuthenticodeSignature -LiteralPath $Path
    $by = $found.SignerCertificate
    $microsoft = $null -ne $by -and $by.GetNameInfo('SimpleName', $false) -ceq 'Microsoft Corporation' -and
    $by.Subject -cmatch '(^|, )O=Microsoft Corporation(,|$)'
    [ordered]@{ status = "$($found.Status)"; says = "$($found.StatusMessage)"
        publisher = $(if ($null -ne $by) { $by.Subject }); ok = ("$($found.Status)" -eq 'Valid' -and $microsoft) }
}
function Assert-Signature([string]$Path, [string]$Name) {
    $signature = $Answer['signature'] = Get-Signature $Path
    if ($signature.ok) { return }
    Stop-Verb 'signature-invalid' "$Name is not signed by Microsoft Corporation: $($signature.status)"
}
function Compare-Files($Pairs) {
    $Answer['files'] = @(foreach ($pair in $Pairs) {
            $hash = Get-Sha256 $pair.path
            [ordered]@{ name = $pair.name; sha256 = $hash; ok = ($hash -eq $pair.sha256) }
        })
    $wrong = @($Answer['files'] | Where-Object { -not $_.ok })
    if ($wrong.Count -gt 0) { Stop-Verb 'hash-mismatch' "$($wrong[0].name): missing, or not what its hash says" }
}
function Invoke-VerifyFiles([string[]]$Words) {
    $pairs = for ($at = 0; $at -lt $Words.Count; $at += 2) {
        Assert-Hash $Words[$at + 1]
        @{ name = $Words[$at]; path = (Get-FullPath $Words[$at]); sha256 = $Words[$at + 1] }
    }
    Compare-Files $pairs
}
function Read-Manifest([string]$Path) {
    if (-not (Test-Path -LiteralPath $Path -PathType Leaf)) { Stop-Verb 'no-manifest' "$Path does not exist" }
    if ((Get-Item -LiteralPath $Path).Length -gt 16777216) { Stop-Verb 'bad-manifest' "$Path is larger than 16 MB" }
    $hash = Get-Sha256 $Path
    $Answer['manifest'] = [ordered]@{ sha256 = $hash; id = $hash.Substring(0, 12) }
    try { (ConvertFrom-Json -InputObject ([IO.File]::ReadAllText($Path))).files | Select-Object 'name', 'sha256' }
    catch { Stop-Verb 'bad-manifest' "$Path is not a bundle's manifest" }
}
# The whole bundle: every file that the manifest names, none besides, and the signature of the agent.
function Invoke-VerifyFolder([string]$Folder) {
    $root = Get-FullPath $Folder
    $pairs = foreach ($file in @(Read-Manifest (Join-Path $root 'manifest.json'))) {
        $plain = "$($file.name)" -match '^\w[\w.+~-]*(/\w[\w.+~-]*)*$'
        if (-not $plain -or "$($file.sha256)" -notmatch '^[0-9a-f]{64}$') {
            Stop-Verb 'bad-manifest' "the manifest names '$($file.name)', which no bundle holds"
        }
        @{ name = $file.name; path = (Join-Path $root $file.name.Replace('/', '\')); sha256 = $file.sha256 }
    }
    Compare-Files $pairs
    $known = @($pairs | ForEach-Object { $_.path }) + @('manifest.json', 'manifest.json.minisig' |
            ForEach-Object { Join-Path $root $_ })
    $extra = @(Get-ChildItem -LiteralPath $root -Recurse -Force | Where-Object { -not $_.PSIsContainer } |
            Where-Object { $known -notcontains $_.FullName })
    if ($extra.Count -gt 0) { Stop-Verb 'extra-file' "$($extra[0].FullName) does not belong to the bundle" }
    foreach ($pair in @($pairs | Where-Object { $_.name -like '*.msi' })) { Assert-Signature $pair.path $pair.name }
}

# The agent asks for no .NET since 2023-09, and for PowerShell 3.0; 4.5 is what this script itself calls.
function Assert-Installable {
    $release = Get-RegistryValue 'SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full' 'Release'
    if ([int]$release -lt 378389) {
        Stop-Verb 'dotnet-too-old' 'this script itself needs .NET Framework 4.5; the agent does not'
    }
    if (Test-AzureStackHci (Get-Windows)) { Stop-Verb 'azure-stack-hci' 'this is Azure Local, which has its own way' }
    if ((Test-Network) -and (Test-AzureMachine)) { Stop-Verb 'azure-vm' 'Azure manages this virtual machine already' }
}
function Invoke-Member($Target, [string]$Name, [string]$Kind, [object[]]$Values) {
    $Target.GetType().InvokeMember($Name, [Reflection.BindingFlags]$Kind, $null, $Target, $Values)
}
# The MSI's own words on what it is. The installer's objects answer only to late binding.
function Get-PackageProperties([string]$Path) {
    $found = @{ ProductName = ''; ProductVersion = '' }
    $database = $view = $null
    $installer = New-Object -ComObject WindowsInstaller.Installer
    try {
        $database = Invoke-Member $installer 'OpenDatabase' 'InvokeMethod' @($Path, 0)
        $view = Invoke-Member $database 'OpenView' 'InvokeMethod' @('SELECT `Property`, `Value` FROM `Property`')
        [void](Invoke-Member $view 'Execute' 'InvokeMethod' $null)
        while ($null -ne ($row = Invoke-Member $view 'Fetch' 'InvokeMethod' $null)) {
            $name = Invoke-Member $row 'StringData' 'GetProperty' @(1)
            $found[$name] = Invoke-Member $row 'StringData' 'GetProperty' @(2)
        }
        $found
    } finally { # or the file stays open, and can be neither installed nor removed
        foreach ($object in @($view, $database, $installer | Where-Object { $null -ne $_ })) {
            [void][Runtime.InteropServices.Marshal]::FinalReleaseComObject($object)
        }
        [GC]::Collect()
    }
}
function Get-LogFolder { [Environment]::GetFolderPath('Windows') + '\Logs\arcferry' } # only administrators write here
# One installer of ours at a time: a second one waits ten minutes for it. The file is let go however this run ends.
function Enter-Turn {
    $folder = Get-LogFolder
    [void](New-Item -ItemType Directory -Path $folder -Force)
    for ($try = 1; $null -eq $Turn; $try++) {
        try { $script:Turn = [IO.File]::Open("$folder\lock", 'OpenOrCreate', 'ReadWrite', 'None') } catch {
            $held = $_.Exception.GetBaseException()
            # A sharing or a lock violation passes; a full disk does not.
            $waits = -2147024864, -2147024863 -contains $held.HResult
            if (-not $waits -or $try -ge 300) { Stop-Verb 'busy' "$folder\lock: $($held.Message)" }
            Start-Sleep -Seconds 2
        }
    }
}
# 1618 says that another installation runs: wait for it, ten times half a minute.
function Invoke-Installer([string]$Action, [string]$What) {
    $name = 'msi-' + (Format-Time ([DateTime]::UtcNow) 'yyyyMMdd-HHmmss') + "-$PID.log"
    $log = Join-Path (Get-LogFolder) $name
    $words = @($Action, $What, '/qn', '/norestart', 'REBOOT=ReallySuppress', '/l*v', $log)
    for ($try = 1; $try -le 10; $try++) {
        $ran = Invoke-Program ([Environment]::SystemDirectory + '\msiexec.exe') $words 3600 -LetRun
        if ($ran.exit -ne 1618) { break }
        if ($try -lt 10) { Start-Sleep -Seconds 30 }
    }
    $Answer['exit'] = $ran.exit
    $Answer['log'] = $log
    $Answer['reboot_required'] = $ran.exit -in 3010, 1641
    $Answer['output'] = ''
    if ($ran.exit -in 0, 3010, 1641) { return }
    if ($ran.exit -eq 124) { Stop-Verb "$Verb-failed" "msiexec goes on after an hour; its log is $log" }
    if (Test-Path -LiteralPath $log) { $Answer['output'] = Get-End ([IO.File]::ReadAllText($log)) }
    Stop-Verb "$Verb-failed" "msiexec ended with $($ran.exit); its log is $log"
}
function Test-Older([string]$New, [string]$Old) { try { [Version]$New -lt [Version]$Old } catch { $false } }
function Copy-Package([string]$Source, [string]$Hash) {
    $path = Get-FullPath $Source
    if (-not (Test-Path -LiteralPath $path -PathType Leaf)) { Stop-Verb 'no-package' "${Source}: no such file" }
    New-Workplace
    # What is hashed must be what is installed: the copy lies where only administrators can change it.
    $package = Join-Path $Work 'package.msi'
    try { [IO.File]::Copy($path, $package) } catch { Stop-Verb 'no-copy' "${Source}: $_" }
    $found = Get-Sha256 $package
    if ($found -ne $Hash) { Stop-Verb 'hash-mismatch' "${Source}: SHA-256 is $found, not $Hash; nothing was installed" }
    $package
}
function Invoke-Install([string]$Source, [string]$Hash) {
    Assert-Hash $Hash
    Assert-Elevated
    Assert-Installable
    Enter-Turn
    $package = Copy-Package $Source $Hash
    Assert-Signature $package $Source
    try { $facts = Get-PackageProperties $package } catch { Stop-Verb 'not-a-package' "$Source is no MSI package" }
    if ($facts.ProductName -ne $ProductName) { Stop-Verb 'not-the-agent' "$Source is '$($facts.ProductName)'" }
    $old = (Get-Product).version
    $new = $facts.ProductVersion
    $Answer['version'] = $old
    if ($new -eq $old -and (Test-Agent)) { Set-Unchanged; return }
    if (Test-Older $new $old) { Stop-Verb 'downgrade-refused' "${Source}: is version $new, and $old is installed" }
    $Answer['changed'] = $true
    Invoke-Installer '/i' $package
    $Answer['version'] = (Get-Product).version
    if (-not (Test-Agent)) { Stop-Verb 'install-failed' "msiexec ended well, but $(Get-AgentPath) is missing" }
}

function Invoke-Check([string]$Location, [string]$Cloud) {
    Assert-Agent
    if ($Options['-AgentProxy']) { Set-AgentProxy $Options['-AgentProxy'] }
    Complete-AgentRun (Invoke-Agent @('check', '--location', $Location, '--cloud', $Cloud) 300)
}

# A string of the flat JSON in the config: only names of things are asked for, never the token.
function Get-ConfigValue([string]$Name) {
    $found = [regex]::Match($ConfigText, '"' + $Name + '"\s*:\s*"((?:[^"\\]|\\.)*)"')
    if ($found.Success) { $found.Groups[1].Value } else { '' }
}
function Assert-PrivateFile([string]$Path) {
    $rights = Get-Acl -LiteralPath $Path
    $kind = [Security.Principal.SecurityIdentifier]
    $me = [Security.Principal.WindowsIdentity]::GetCurrent().User.Value
    $strangers = @($rights.GetAccessRules($true, $true, $kind) | Where-Object { $_.AccessControlType -eq 'Allow' } |
            Where-Object { $Trusted -notcontains $_.IdentityReference.Value })
    $owned = @($Trusted) + $me -contains $rights.GetOwner($kind).Value
    $link = (Get-Item -LiteralPath $Path -Force).Attributes -match 'ReparsePoint'
    if ($owned -and $strangers.Count -eq 0 -and -not $link) { return }
    Stop-Verb 'config-unsafe' ("${Path}: others than Administrators and SYSTEM have rights to it; it was removed. " +
        'Before the token goes in: icacls FILE /inheritance:r /grant *S-1-5-18:F *S-1-5-32-544:F')
}
# Standard input as bytes: the console's code page would break what is not ASCII.
function Read-Bytes([string]$Path) {
    $read = New-Object IO.MemoryStream
    $stream = if ($Path) { [IO.File]::OpenRead($Path) } else { [Console]::OpenStandardInput() }
    try { $stream.CopyTo($read) } finally { $stream.Dispose() }
    , $read.ToArray()
}
# UTF-8 or UTF-16, by its mark or, as PowerShell's redirection of JSON has it, by the zero beside its first letter.
function Read-Text([byte[]]$Bytes) {
    $encoding = New-Object Text.UTF8Encoding $false, $true
    if ($Bytes.Length -gt 1 -and $Bytes[0] -ne 0 -and $Bytes[1] -eq 0) { $encoding = [Text.Encoding]::Unicode }
    if ($Bytes.Length -gt 1 -and $Bytes[0] -eq 0 -and $Bytes[1] -ne 0) { $encoding = [Text.Encoding]::BigEndianUnicode }
    $reader = New-Object IO.StreamReader ((New-Object IO.MemoryStream (, $Bytes)), $encoding, $true)
    $reader.ReadToEnd()
}
# Sees to the removal of what holds a token. A path typed wrongly must not cost another file.
function Open-Config([string]$Source) {
    $path = ''
    if ($Source -in '-', 'stdin') { Assert-Elevated } else { $path = Get-FullPath $Source }
    try { $bytes = Read-Bytes $path } catch { Stop-Verb 'config-unreadable' "${Source}: no such file, or not readable" }
    try { $script:ConfigText = Read-Text $bytes }
    catch { Stop-Verb 'config-encoding' "${Source}: neither UTF-8 nor UTF-16: save it as UTF-8; left alone" }
    $script:Config = $path
    # The agent takes UTF-8 without a mark, and nothing else.
    if (-not $path -or $bytes -contains 0 -or @($bytes | Select-Object -First 1) -gt 127) {
        New-Workplace
        $script:Config = Join-Path $Work 'config.json'
        $stream = New-File $Config
        $bytes = (New-Object Text.UTF8Encoding $false).GetBytes($ConfigText)
        try { $stream.Write($bytes, 0, $bytes.Length) } finally { $stream.Dispose() }
    }
    $usable = $ConfigText -match '"(access-token|service-principal-(cert-thumbprint|secret))"\s*:'
    if (-not $usable) { Stop-Verb 'config-no-token' "${Source}: neither access-token nor thumbprint in it; left alone" }
    $script:Secret = if ($path) { $path } else { $Config }
    if ($ConfigText -match '"service-principal-secret"\s*:') {
        Stop-Verb 'config-secret' "${Source}: holds a long-lived secret, which no server needs; it was removed"
    }
    if ($path) { Assert-PrivateFile $path }
}
function Set-AgentProxy([string]$Proxy) {
    $words = @('config', 'set', 'proxy.url', $Proxy)
    if ($Proxy -ceq 'none') { $words = @('config', 'clear', 'proxy.url') }
    if ($Proxy -notmatch '^(none|https?://[^/@\s]+/?)$') {
        Stop-Verb 'bad-proxy' 'PROXY is http://HOST:PORT, without a user'
    }
    $ran = Invoke-Agent $words 60
    if ($ran.exit -ne 0) { Complete-AgentRun $ran }
}
function Invoke-Connect([string]$Source, [string]$Proxy) {
    Open-Config $Source
    Assert-Elevated
    Assert-Agent
    $name = @((Get-ConfigValue 'resource-name'), [Net.Dns]::GetHostName() | Where-Object { $_ })[0]
    $wanted = "/subscriptions/$(Get-ConfigValue 'subscription-id')/resourceGroups/$(Get-ConfigValue 'resource-group')" +
    "/providers/Microsoft.HybridCompute/machines/$name"
    $state = Get-AgentState
    if ($state['resource_id'] -eq $wanted) {
        if ($state['status'] -eq 'Expired') { Stop-Verb 'expired' 'its identity has expired: disconnect it first' }
        Set-Unchanged
    } else {
        foreach ($one in @($Proxy, $Options['-AgentProxy'] | Where-Object { $_ })) { Set-AgentProxy $one }
        $ran = Invoke-Agent @('connect', '--config', $Config) 900 # the agent itself gives up after ten minutes
        $Answer['changed'] = $ran.exit -eq 0
        Complete-AgentRun $ran
    }
    Remove-Secret
    Wait-Heartbeat
}
# `connect` ends well before Azure has heard from the machine: only the agent's own status says so.
function Wait-Heartbeat {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    while ($true) {
        $status = (Get-AgentState)['status']
        if ($status -eq 'Connected' -or $watch.Elapsed.TotalSeconds -ge [int]$Options['-WaitSeconds']) { break }
        Start-Sleep -Seconds 2
    }
    $Answer['heard_from'] = $status -eq 'Connected'
    $Answer['status'] = $status
}
function Invoke-Disconnect([string]$Source) {
    $local = $Source -in '--local-only', 'local-only'
    if (-not $local) { Open-Config $Source }
    Assert-Elevated
    if (-not (Get-AgentState)['resource_id']) { Set-Unchanged; return }
    $words = if ($local) { @('disconnect', '--force-local-only') } else { @('disconnect', '--config', $Config) }
    $ran = Invoke-Agent $words 300
    $Answer['changed'] = $ran.exit -eq 0
    Complete-AgentRun $ran
}
function Invoke-Uninstall {
    Assert-Elevated
    # A product removed while connected leaves a machine in Azure that nobody answers for.
    if ((Get-AgentState)['resource_id']) { Stop-Verb 'still-connected' 'disconnect first, or disconnect --local-only' }
    $product = Get-Product
    if (-not $product.code) { Set-Unchanged; return }
    Enter-Turn
    $Answer['changed'] = $true
    Invoke-Installer '/x' $product.code
}

function Assert-Place([string]$Location, [string]$Cloud) {
    if ($Location -cnotmatch '^[a-z0-9]+$') { Stop-Verb 'usage' "not a location: $Location" }
    $clouds = 'AzureCloud', 'AzureUSGovernment', 'AzureChinaCloud'
    if ($clouds -cnotcontains $Cloud) { Stop-Verb 'usage' "not a cloud: $Cloud" }
}
function Invoke-Verb([string[]]$Words) {
    $count = $Words.Count
    $shapes = @{ facts = 0, 2, 3; check = @(2); evidence = @(3); install = @(2); connect = 1, 2; show = @(0)
        disconnect = @(1); uninstall = @(0); proxy = @(1) }
    $known = @($shapes.Keys) -ccontains $Verb -and $shapes[$Verb] -contains $count
    if ($Verb -ceq 'verify') { $known = $count -eq 1 -or ($count -gt 0 -and $count % 2 -eq 0) }
    if (-not $known) { Stop-Verb 'usage' "no such verb, or not with these arguments: $Verb; see this script's top" }
    $Answer['verb'] = $Verb
    if ($Verb -in 'facts', 'check', 'evidence' -and $count -gt 0) { Assert-Place $Words[0] $Words[1] }
    if ($Options['-WaitSeconds'] -notmatch '^[0-9]{1,4}$') { Stop-Verb 'usage' 'not a number of seconds' }
    if ($PrivateLinkScope -notmatch '^([A-Za-z]*|/[A-Za-z0-9/._()-]+)$') { Stop-Verb 'usage' 'not the id of a scope' }
    $padded = @($Words) + @('', '', '')
    if ($Verb -in 'install', 'connect', 'disconnect', 'uninstall' -and (Test-Elevated)) { Remove-OldWork }
    switch ($Verb) {
        'facts' { Invoke-Facts $padded[0] $padded[1] $padded[2] }
        'verify' { if ($count -eq 1) { Invoke-VerifyFolder $Words[0] } else { Invoke-VerifyFiles $Words } }
        'install' { Invoke-Install $Words[0] $Words[1] }
        'check' { Invoke-Check $Words[0] $Words[1] }
        'evidence' { Invoke-Evidence $Words[0] $Words[1] $Words[2] }
        'connect' { Invoke-Connect $padded[0] $padded[1] }
        'show' { Assert-Agent; $Answer['agent'] = Get-AgentState }
        'disconnect' { Invoke-Disconnect $Words[0] }
        'uninstall' { Invoke-Uninstall }
        'proxy' { Assert-Elevated; Assert-Agent; Set-AgentProxy $Words[0]; $Answer['changed'] = $true }
    }
}
# Runs however the verb ended: no token and no temporary file stays behind.
function Remove-Secret { foreach ($one in @($Secret, $Config | Where-Object { $_ })) { [IO.File]::Delete($one) } }
function Remove-Leftovers {
    if ($null -ne $Turn) { $Turn.Dispose() } # or the next run in this very window waits for it
    try { if ($Secret) { Remove-Secret } } catch {
        $Answer['ok'], $Answer['code'] = $false, 'config-left'
        $Answer['message'] = "remove $Secret, which holds a token"
    }
    if (-not $Work) { return }
    for ($try = 1; $try -le 5 -and (Test-Path -LiteralPath $Work); $try++) {
        # What has read a signature may hold the package open until its finalizer has run.
        [GC]::Collect()
        [GC]::WaitForPendingFinalizers()
        try { Remove-Item -LiteralPath $Work -Recurse -Force } catch { Start-Sleep -Milliseconds 200 }
    }
    if (Test-Path -LiteralPath $Work) { $Answer['left'] = $Work } # the next run removes it
}
function Invoke-Main([string[]]$Words) {
    try {
        if ([Environment]::OSVersion.Platform -ne 'Win32NT') { Stop-Verb 'not-windows' 'this script is for Windows' }
        # TLS 1.2, for this process alone: .NET before 4.7 leaves it out.
        [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor 3072
        $null = Invoke-Verb $Words
        $Answer['ok'] = $true
    } catch {
        $Answer['code'] = $_.Exception.Data['code']
        $Answer['message'] = $_.Exception.Message
        if ($null -eq $Answer['code']) {
            $Answer['code'] = 'internal'
            $Answer['message'] = "line $($_.InvocationInfo.ScriptLineNumber): $($_.Exception.Message)"
        }
    } finally { Remove-Leftovers }
    if ($ReportFailure -and -not $Answer['ok'] -and $Answer['verb'] -in 'install', 'connect' -and (Test-Network)) {
        Send-Failure
    }
    Write-Output (Format-Json $Answer)
    exit $(if ($Answer['ok']) { 0 } elseif ($Answer['code'] -eq 'usage') { 2 } else { 1 })
}
# Everything above is read before anything runs, so a script cut short on its way here does nothing.
$held = $null
if ($PSScriptRoot) {
    try {
        $held = Open-NetworkScript
        . "$PSScriptRoot\windows-network.ps1"
    } catch { $LoadProblem = "$_" } finally { if ($null -ne $held) { $held.Dispose() } }
}
Invoke-Main $Given
