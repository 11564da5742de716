# harness.ps1 HOSTSCRIPTS FOLDER: runs FOLDER's case.ps1 with the host script's own functions and prints a line of JSON.
# Only what touches Windows itself is put in place of the script's own (registry, elevation, programs, COM); so the
# cases run in Windows PowerShell 5.1 and in PowerShell 7, on Windows and on Linux.
param([string]$HostScripts, [string]$Folder)
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
# The script's variables and functions, without the lines at its end that run it.
foreach ($name in 'windows-network.ps1', 'windows.ps1') {
    $problems = $null
    $path = Join-Path $HostScripts $name
    $tree = [Management.Automation.Language.Parser]::ParseFile($path, [ref]$null, [ref]$problems)
    if ($problems.Count -gt 0) { throw "${name}: $($problems[0].Message)" }
    foreach ($statement in $tree.EndBlock.Statements) {
        $wanted = $statement -is [Management.Automation.Language.FunctionDefinitionAst] -or
        $statement -is [Management.Automation.Language.AssignmentStatementAst]
        if ($wanted) { . ([scriptblock]::Create($statement.Extent.Text)) }
    }
}
$Verb = 'connect'
$ReportFailure = $false
$Ran = New-Object Collections.Generic.List[string]
$Exits = New-Object Collections.Generic.Queue[int]
$Shown = "Resource Id    :`r`nAgent Version : 1.67.0`r`nAgent Status  : Disconnected`r`n"
$Product = @{ code = ''; version = '' }
$Package = @{ ProductName = 'Azure Connected Machine Agent'; ProductVersion = '1.67.0.1' }
$Signed = [ordered]@{ status = 'Valid'; says = ''; publisher = 'CN=Microsoft Corporation'; ok = $true }
function Test-Elevated { $true }
function Assert-Installable { }
function Assert-PrivateFile([string]$Path) { }
function New-Workplace {
    $script:Work = Join-Path $Folder 'work'
    [void](New-Item -ItemType Directory -Path $Work)
}
function Get-LogFolder { Join-Path $Folder 'logs' }
function Test-Agent { $true }
function Get-AgentPath { 'azcmagent' }
function Get-Product { $Product }
function Get-PackageProperties([string]$Path) { $script:Package } # a caller has a $package of its own
function Get-Signature([string]$Path) { $Signed }
function Start-Sleep([int]$Seconds) { $Ran.Add("sleep $Seconds") }
function Invoke-Program([string]$Path, [string[]]$Arguments, [int]$Seconds, [switch]$LetRun) {
    $Ran.Add((@(($Path -split '[\\/]')[-1]) + $Arguments) -join ' ')
    $printed = if ($Arguments[0] -eq 'show') { $Shown } else { 'done' }
    $status = if ($Arguments[0] -ne 'show' -and $Exits.Count -gt 0) { $Exits.Dequeue() } else { 0 }
    @{ 'exit' = $status; printed = $printed; output = $printed }
}
# Runs a verb as the script's own main does, but for the check that this is Windows.
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
    $Answer['ran'] = @($Ran.ToArray())
    $Answer['secret_left'] = [bool]$Secret -and (Test-Path -LiteralPath $Secret)
    $Answer['work_left'] = [bool]$Work -and (Test-Path -LiteralPath $Work)
}
. (Join-Path $Folder 'case.ps1')
Write-Output (Format-Json $Answer)
