foreach ($path in $args) {
    if ([IO.File]::Exists($path)) {
        $stream = [IO.File]::OpenRead($path)
        try { $hash = [Security.Cryptography.SHA256]::Create().ComputeHash($stream) } finally { $stream.Dispose() }
        [Console]::WriteLine([BitConverter]::ToString($hash).Replace('-', '').ToLowerInvariant() + "  $path")
    }
    $half = New-Object IO.FileInfo "$path.part"
    if ($half.Exists) { [Console]::WriteLine("$($half.Length)  $path.part") }
}
