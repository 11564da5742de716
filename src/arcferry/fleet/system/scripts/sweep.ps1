$folder = [string]$args[0]
if (-not [IO.Directory]::Exists($folder)) { exit 0 }
try { $lock = [IO.File]::Open("$folder\lock", 'OpenOrCreate', 'ReadWrite', 'None') } catch [IO.IOException] { exit 0 }
# The host script has its token in a folder named by its process. Where that is gone, nobody will remove it.
$temporary = [Environment]::GetFolderPath('Windows') + '\Temp'
foreach ($one in @(Get-ChildItem -LiteralPath $temporary -Filter 'arcferry-*' -Force)) {
    $token = $one.FullName + '\config.json'
    if ($one.Attributes -match 'ReparsePoint' -or -not [IO.File]::Exists($token)) { continue }
    $number = if ($one.Name -match '^arcferry-([0-9]{1,9})-') { [int]$Matches[1] } else { 0 }
    $process = try { [Diagnostics.Process]::GetProcessById($number) } catch { $null }
    if ($number -and $null -ne $process) { continue }
    [IO.File]::Delete($token)
}
$lock.Dispose()
