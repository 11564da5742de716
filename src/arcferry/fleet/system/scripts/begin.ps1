# Before each program: in the restricted language none of them could run.
if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') { exit 78 }
if ($PSVersionTable.PSVersion.Major -lt 3) { exit 79 }
$ErrorActionPreference, $ProgressPreference = 'Stop', 'SilentlyContinue'
trap { [Console]::Error.WriteLine("$_"); exit 73 }
