$folder = [string]$args[0]
if (-not [IO.Directory]::Exists($folder)) { exit 0 }
try { $lock = [IO.File]::Open("$folder\lock", 'OpenOrCreate', 'ReadWrite', 'None') } catch [IO.IOException] { exit 0 }
# The host script has its token in a folder named by its process. Where that is gone, nobody will remove it.
# A folder of an ordinary user's is none of ours: he may hold its file open, or lead us elsewhere by a link.
$temporary = [Environment]::GetFolderPath('Windows') + '\Temp'
$owners = 'S-1-5-18', 'S-1-5-32-544', [Security.Principal.WindowsIdentity]::GetCurrent().User.Value
$kept = @()
foreach ($one in @(Get-ChildItem -LiteralPath $temporary -Filter 'arcferry-*' -Force)) {
    $token = $one.FullName + '\config.json'
    if ($one.Attributes -match 'ReparsePoint' -or -not [IO.File]::Exists($token)) { continue }
    $owner = (Get-Acl -LiteralPath $one.FullName).GetOwner([Security.Principal.SecurityIdentifier]).Value
    if ($owners -notcontains $owner) { continue }
    $number = if ($one.Name -match '^arcferry-([0-9]{1,9})-') { [int]$Matches[1] } else { 0 }
    $process = try { [Diagnostics.Process]::GetProcessById($number) } catch { $null }
    if ($number -and $null -ne $process) { continue }
    try { [IO.File]::Delete($token) } catch { $kept += $token }
}
$lock.Dispose()
if ($kept.Count -gt 0) { throw "not removed: $($kept -join ', ')" }
