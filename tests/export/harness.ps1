# harness.ps1 SCRIPT FOLDER: runs FOLDER's case.ps1 with the functions of onboard.ps1 and prints a line of JSON. Put in
# place of the script's own is what a case decides: the host script, what the agent says, this server's name, the folder
# for programs, and sleep. FOLDER holds share (with settings.json and bundle), results and home. Variables of the
# harness begin with Case, so that none of the script's hides one.
param([string]$CaseScript, [string]$CaseFolder)
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$CaseErrors = $null
$CaseTree = [Management.Automation.Language.Parser]::ParseFile($CaseScript, [ref]$null, [ref]$CaseErrors)
if ($CaseErrors.Count -gt 0) { throw $CaseErrors[0].Message }
foreach ($CaseStatement in $CaseTree.EndBlock.Statements) {
    $wanted = $CaseStatement -is [Management.Automation.Language.FunctionDefinitionAst] -or
    $CaseStatement -is [Management.Automation.Language.AssignmentStatementAst]
    if ($wanted) {
        # Where the script looks beside itself, it is to look into the case's share.
        . ([scriptblock]::Create($CaseStatement.Extent.Text.Replace('$PSScriptRoot', '$CaseShare')))
    }
}
$CaseShare = Join-Path $CaseFolder 'share'
$Uninstall = $false
$Spread = $false
$From = ''
$CaseRan = New-Object Collections.Generic.List[string]
$CaseSaid = @{ show = '{"schema":1,"verb":"show","ok":true,"agent":{"status":"Connected"}}' } # else: plainly well
$CaseStanding = ''
$CaseConfig = ''
$CaseProblems = New-Object Collections.Generic.List[string]
function Get-ProgramFiles { Join-Path $CaseFolder 'home' }
function Get-HostName { 'web01' }
function Get-Standing { $CaseStanding }
function Write-Problem([string]$Text) { $CaseProblems.Add($Text) }
function Start-Sleep([int]$Seconds) { $CaseRan.Add("sleep $Seconds") }
function Invoke-Program([string]$Path, [string[]]$Arguments, [int]$Seconds) {
    $at = [Array]::IndexOf($Arguments, '-File')
    $words = @($Arguments[($at + 2)..($Arguments.Count - 1)])
    $CaseRan.Add($words -join ' ')
    if ($words[0] -eq 'facts') { [IO.File]::WriteAllText($words[3], '{"schema":1,"kind":"check"}') }
    if ($ConfigText) { $script:CaseConfig = $words[0] + ' ' + $ConfigText }
    $plain = '{"schema":1,"verb":"' + $words[0] + '","ok":true,"arch":"amd64"}'
    $printed = if ($CaseSaid.ContainsKey($words[0])) { $CaseSaid[$words[0]] } else { $plain }
    @{ 'exit' = 0; printed = $printed + "`n" }
}
. (Join-Path $CaseFolder 'case.ps1')
Read-Settings
$CaseGood = if ($Uninstall) { Invoke-Uninstall } else { Invoke-Run }
$CaseResult = Join-Path $CaseFolder 'results\web01.json'
$CaseText = if (Test-Path -LiteralPath $CaseResult -PathType Leaf) { [IO.File]::ReadAllText($CaseResult).Trim() } else { 'null' }
$CaseLists = foreach ($list in $CaseRan, $CaseProblems) {
    '[' + (@($list | ForEach-Object { Format-JsonText $_ }) -join ',') + ']'
}
$CaseLeft = @(Get-ChildItem -LiteralPath (Join-Path $CaseFolder 'home') -Recurse | Where-Object { -not $_.PSIsContainer })
$CaseFiles = @($CaseLeft | ForEach-Object { Format-JsonText $_.Name })
Write-Output ('{"good":' + "$CaseGood".ToLowerInvariant() + ',"restart":' + "$Restart".ToLowerInvariant() +
    ',"ran":' + $CaseLists[0] + ',"problems":' + $CaseLists[1] + ',"config":' + (Format-JsonText $CaseConfig) +
    ',"home":[' + ($CaseFiles -join ',') + '],"answers":[' + ($Answers -join ',') + '],"result":' + $CaseText + '}')
