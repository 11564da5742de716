# harness.ps1 SCRIPT FOLDER: runs FOLDER's case.ps1 with the functions of onboard.ps1 and prints a line of JSON. Only
# what touches Windows itself, and the host script, are put in place of the script's own; so the cases run in Windows
# PowerShell 5.1 and in PowerShell 7, on Windows and on Linux. FOLDER holds share (with settings.json and bundle),
# results and home.
param([string]$Script, [string]$Folder)
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$problems = $null
$tree = [Management.Automation.Language.Parser]::ParseFile($Script, [ref]$null, [ref]$problems)
if ($problems.Count -gt 0) { throw $problems[0].Message }
foreach ($statement in $tree.EndBlock.Statements) {
    $wanted = $statement -is [Management.Automation.Language.FunctionDefinitionAst] -or
    $statement -is [Management.Automation.Language.AssignmentStatementAst]
    if ($wanted) {
        # Where the script looks beside itself, it is to look into the case's share.
        . ([scriptblock]::Create($statement.Extent.Text.Replace('$PSScriptRoot', '$Beside')))
    }
}
$Beside = Join-Path $Folder 'share'
$Uninstall = $false
$Spread = $false
$From = ''
$Ran = New-Object Collections.Generic.List[string]
$Said = @{} # what the host script answers to a verb, where that is not plainly well
$Connected = $false
$Config = ''
$Problems = New-Object Collections.Generic.List[string]
function Test-Elevated { $true }
function Set-PrivateAccess([string]$Folder) { }
function Get-ProgramFiles { Join-Path $Folder 'home' }
function Get-HostName { 'web01' }
function Test-Connected { $Connected }
function Write-Problem([string]$Text) { $Problems.Add($Text) }
function Start-Sleep([int]$Seconds) { $Ran.Add("sleep $Seconds") }
function Join-Path([string]$Path, [string]$ChildPath) { [IO.Path]::Combine($Path, $ChildPath.Replace('\', '/')) }
function Invoke-Program([string]$Path, [string[]]$Arguments, [int]$Seconds) {
    $at = [Array]::IndexOf($Arguments, '-File')
    $words = @($Arguments[($at + 2)..($Arguments.Count - 1)])
    $Ran.Add($words -join ' ')
    if ($words[0] -eq 'facts') { [IO.File]::WriteAllText($words[3], '{"schema":1,"kind":"check"}') }
    if ($words[0] -eq 'connect') {
        $script:Config = [IO.File]::ReadAllText($words[1])
        [IO.File]::Delete($words[1])
    }
    $plain = '{"schema":1,"verb":"' + $words[0] + '","ok":true,"arch":"amd64"}'
    $printed = if ($Said.ContainsKey($words[0])) { $Said[$words[0]] } else { $plain }
    @{ 'exit' = 0; printed = $printed + "`n" }
}
. (Join-Path $Folder 'case.ps1')
Read-Settings
$Good = if ($Uninstall) { Invoke-Uninstall } else { Invoke-Run }
$result = Join-Path $Folder 'results/web01.json'
$text = if (Test-Path -LiteralPath $result) { [IO.File]::ReadAllText($result).Trim() } else { 'null' }
$lists = foreach ($list in $Ran, $Problems) { '[' + (@($list | ForEach-Object { Format-JsonText $_ }) -join ',') + ']' }
$left = @(Get-ChildItem -LiteralPath (Join-Path $Folder 'home') -Recurse | Where-Object { -not $_.PSIsContainer })
$files = @($left | ForEach-Object { Format-JsonText $_.Name })
Write-Output ('{"good":' + "$Good".ToLowerInvariant() + ',"restart":' + "$Restart".ToLowerInvariant() +
    ',"ran":' + $lists[0] + ',"problems":' + $lists[1] + ',"config":' + (Format-JsonText $Config) +
    ',"home":[' + ($files -join ',') + '],"answers":[' + ($Answers -join ',') + '],"result":' + $text + '}')
