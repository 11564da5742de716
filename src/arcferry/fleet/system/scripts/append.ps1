$path, $start, $wanted = [string]$args[0], [long]$args[1], [string]$args[2]
$part = "$path.part"
$in = [Console]::OpenStandardInput()
$hash = [Security.Cryptography.SHA256]::Create()
# Nothing is known of what lies there: one start of the engine finds out and, where nothing does, receives.
if ($start -lt 0) {
    if ([IO.File]::Exists($path)) {
        $file = [IO.File]::OpenRead($path)
        try { $sum = [BitConverter]::ToString($hash.ComputeHash($file)).Replace('-', '') } finally { $file.Dispose() }
        if ($sum -eq $wanted) { exit 76 }
        $hash.Initialize()
    }
    $half = New-Object IO.FileInfo $part
    if ($half.Exists -and $half.Length -gt 0) {
        [Console]::WriteLine("$($half.Length)  $part")
        exit 74
    }
    $start = 0
}
$buffer = New-Object byte[] 1048576
try {
    $file = [IO.File]::Open($part, 'OpenOrCreate', 'ReadWrite', 'None')
    try {
        if ($start -eq 0) { $file.SetLength(0) }
        while (($read = $file.Read($buffer, 0, $buffer.Length)) -gt 0) {
            [void]$hash.TransformBlock($buffer, 0, $read, $null, 0)
        }
        while (($read = $in.Read($buffer, 0, $buffer.Length)) -gt 0) {
            $file.Write($buffer, 0, $read)
            [void]$hash.TransformBlock($buffer, 0, $read, $null, 0)
        }
    } finally { $file.Dispose() }
} catch [IO.IOException] {
    if ((New-Object IO.DriveInfo ([IO.Path]::GetPathRoot($path))).AvailableFreeSpace -gt 1048576) { throw }
    [IO.File]::Delete($part)
    exit 28
}
[void]$hash.TransformFinalBlock($buffer, 0, 0)
if ([BitConverter]::ToString($hash.Hash).Replace('-', '') -ne $wanted) { exit 65 }
[IO.File]::Delete($path)
[IO.File]::Move($part, $path)
