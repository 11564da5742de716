# Around each program: in the restricted language none of them could run.
& {
    if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') { exit 78 }
    if ($PSVersionTable.PSVersion.Major -lt 3) { exit 79 }
    Set-StrictMode -Version 3.0
    $ErrorActionPreference, $ProgressPreference = 'Stop', 'SilentlyContinue'
    try {
        $PROGRAM
    } catch {
        [Console]::Error.WriteLine("$_")
        # Where scripts have to be signed, a module of Windows' own may not load either.
        if ($_.FullyQualifiedErrorId -match '^CouldNotAutoloadMatchingModule') { exit 77 }
        exit 73
    }
}
