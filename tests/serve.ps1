# serve.ps1: runs scripts one after another, each in a runspace of its own; a line of JSON on standard input names one,
# its words, and the files that take what it prints, its errors and how it ended.
while ($null -ne ($line = [Console]::In.ReadLine())) {
    $job = ConvertFrom-Json -InputObject $line
    $shell = [PowerShell]::Create()
    [void]$shell.AddCommand($job.script)
    foreach ($word in $job.words) { [void]$shell.AddArgument($word) }
    $lines, $thrown, $code = @(), @(), 0
    try { $lines = @($shell.Invoke()) } catch { $thrown, $code = @("$_"), 1 }
    $ended = $shell.Runspace.SessionStateProxy.GetVariable('LASTEXITCODE')
    if ($null -ne $ended) { $code = $ended }
    $problems = @($thrown) + @($shell.Streams.Error | ForEach-Object { "$_" })
    $shell.Dispose()
    [IO.File]::WriteAllText($job.out, ($lines | ForEach-Object { "$_`n" }) -join '')
    [IO.File]::WriteAllText($job.err, $problems -join "`n")
    [Console]::Out.WriteLine("ended $code")
    [Console]::Out.Flush()
}
