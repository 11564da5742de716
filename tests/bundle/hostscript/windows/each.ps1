# each.ps1 SCRIPT CALLS: runs the host script once for each list of words in a file of JSON, all in this engine.
foreach ($CaseCall in @(ConvertFrom-Json -InputObject ([IO.File]::ReadAllText($args[1])))) {
    $words = @($CaseCall.words)
    & $args[0] @words
}
