# Tells Configuration Manager and Intune whether the agent can be installed here: prints `suitable`, or the one word
# that says why not. The rule is: String, equals, suitable. It changes nothing and opens no connection.
Set-StrictMode -Version 3.0
$ErrorActionPreference, $ProgressPreference = 'Stop', 'SilentlyContinue'
$Least = 2147483648 # bytes free on the system's disk, for the copy of the bundle and the agent

# The 64-bit view, whatever this process is; nothing where the key is absent.
function Get-RegistryValue([string]$Key, [string]$Name) {
    $opened = [Microsoft.Win32.RegistryKey]::OpenBaseKey('LocalMachine', 'Registry64').OpenSubKey($Key)
    if ($null -eq $opened) { return $null }
    try { $opened.GetValue($Name) } finally { $opened.Close() }
}
function Get-Reason {
    if (-not [Environment]::Is64BitOperatingSystem) { return 'not-64-bit' }
    if ([Environment]::OSVersion.Version -lt [Version]'6.2') { return 'windows-too-old' }
    if ($PSVersionTable.PSVersion.Major -lt 4) { return 'powershell-too-old' } # for arcferry's own scripts
    $release = Get-RegistryValue 'SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full' 'Release'
    if ([int]$release -lt 378389) { return 'dotnet-too-old' } # .NET Framework 4.5, for arcferry's own script
    $edition = [string](Get-RegistryValue 'SOFTWARE\Microsoft\Windows NT\CurrentVersion' 'EditionID')
    if ($edition -like '*AzureStackHCI*') { return 'azure-local' } # which has its own way
    # Azure's own virtual machines have this service; the agent refuses to run on them.
    $guest = Get-RegistryValue 'SYSTEM\CurrentControlSet\Services\WindowsAzureGuestAgent' 'ImagePath'
    if ($guest) { return 'azure-vm' }
    $disk = New-Object IO.DriveInfo ([IO.Path]::GetPathRoot([Environment]::SystemDirectory))
    if ($disk.AvailableFreeSpace -lt $Least) { return 'disk-full' }
    'suitable'
}
try { Write-Output (Get-Reason) } catch { Write-Output 'unknown' }
exit 0
