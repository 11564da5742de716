# leave look|remove FOLDER...: names those of arcferry's folders that are there, once they were removed for `remove`.
$mode, $folders = $args
foreach ($folder in @($folders | Where-Object { $null -ne $_ })) {
    $folder = [string]$folder
    if (-not [IO.Directory]::Exists($folder)) { continue }
    $link = [IO.File]::GetAttributes($folder) -match 'ReparsePoint'
    if ($mode -eq 'remove' -and -not $link) {
        if ([IO.File]::Exists("$folder\lock")) {
            # Whoever is at work there holds it open.
            $lock = [IO.File]::Open("$folder\lock", 'Open', 'ReadWrite', 'None')
            $lock.Dispose()
        }
        [IO.Directory]::Delete($folder, $true)
    }
    if ([IO.Directory]::Exists($folder)) { [Console]::Out.WriteLine($folder) }
}
exit 0
