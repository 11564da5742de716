$path, $start, $wanted = [string]$args[0], [long]$args[1], [string]$args[2]
$part = "$path.part"
$in = [Console]::OpenStandardInput()
$hash = [Security.Cryptography.SHA256]::Create()
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
