# harness.ps1 HOSTSCRIPTS FOLDER: runs FOLDER's case.ps1 with the host script's own functions and prints a line of JSON.
# What Windows itself does is done by Windows here (registry, elevation, folders, COM), but for what Wine cannot do or a
# case has to decide. Variables of the harness begin with Case, so that none of the script's hides one.
param([string]$CaseScripts, [string]$CaseFolder)
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
# The script's variables and functions, without the lines at its end that run it.
foreach ($CaseName in 'windows-network.ps1', 'windows.ps1') {
    $CaseErrors = $null
    $CasePath = Join-Path $CaseScripts $CaseName
    $CaseTree = [Management.Automation.Language.Parser]::ParseFile($CasePath, [ref]$null, [ref]$CaseErrors)
    if ($CaseErrors.Count -gt 0) { throw "${CaseName}: $($CaseErrors[0].Message)" }
    foreach ($CaseStatement in $CaseTree.EndBlock.Statements) {
        $wanted = $CaseStatement -is [Management.Automation.Language.FunctionDefinitionAst] -or
        $CaseStatement -is [Management.Automation.Language.AssignmentStatementAst]
        if ($wanted) { . ([scriptblock]::Create($CaseStatement.Extent.Text)) }
    }
}
$Verb = 'connect'
$ReportFailure = $false
$CaseRan = New-Object Collections.Generic.List[string]
$CaseExits = New-Object Collections.Generic.Queue[int]
$CaseShown = "Resource Id    :`r`nAgent Version : 1.67.0`r`nAgent Status  : Disconnected`r`n"
$CaseSigned = [ordered]@{ status = 'Valid'; says = ''; publisher = 'CN=Microsoft Corporation'; ok = $true }
$Options['-WaitSeconds'] = '0' # nothing here becomes connected

# What stays replaced, and why:
# Wine keeps no ACLs: others seem to have rights to every file.
function Assert-PrivateFile([string]$Path) { }
# Wine calls a changed MSI, or one by an unknown CA, valid.
function Get-Signature([string]$Path) { $CaseSigned }
# An MSI that is no MSI stands for the agent's, so that installers can end with codes that Wine's never gives.
function Get-PackageProperties([string]$Path) {
    @{ ProductName = 'Azure Connected Machine Agent'; ProductVersion = '1.67.0.1' }
}
function Get-Product { @{ code = ''; version = '' } }
# The agent with words and ends that the twin's never has, and msiexec; neither is started.
function Test-Agent { $true }
function Get-AgentPath { 'azcmagent' }
function Invoke-Program([string]$Path, [string[]]$Arguments, [int]$Seconds, [switch]$LetRun) {
    $CaseRan.Add((@(($Path -split '[\\/]')[-1]) + $Arguments) -join ' ')
    $printed = if ($Arguments[0] -eq 'show') { $CaseShown } else { 'done' }
    $status = if ($Arguments[0] -ne 'show' -and $CaseExits.Count -gt 0) { $CaseExits.Dequeue() } else { 0 }
    @{ 'exit' = $status; printed = $printed; output = $printed }
}
# Half a minute ten times.
function Start-Sleep([int]$Seconds) { $CaseRan.Add("sleep $Seconds") }

# Runs a verb as the script's own main does.
function Invoke-Case([string]$Name, [string[]]$Words) {
    $script:Verb = $Name
    try {
        $null = Invoke-Verb $Words
        $Answer['ok'] = $true
    } catch {
        $code = $_.Exception.Data['code']
        if ($null -eq $code) { throw }
        $Answer['code'] = $code
        $Answer['message'] = $_.Exception.Message
    } finally { Remove-Leftovers }
    $Answer['ran'] = @($CaseRan.ToArray())
    $Answer['token_left'] = [bool]$Secret -and (Test-Path -LiteralPath $Secret)
    $Answer['work_left'] = [bool]$Work -and (Test-Path -LiteralPath $Work)
}
. (Join-Path $CaseFolder 'case.ps1')
Write-Output (Format-Json $Answer)
