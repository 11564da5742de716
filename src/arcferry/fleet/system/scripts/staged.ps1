$path, $words = $args
$words = @($words | Where-Object { $null -ne $_ })
try { & $path @words } catch [Management.Automation.PSSecurityException] {
    [Console]::Error.WriteLine("$_")
    exit 77
}
exit $LASTEXITCODE
