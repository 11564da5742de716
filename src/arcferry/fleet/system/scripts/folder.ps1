# The outermost folder is the private one: what lies in it inherits its rights.
$path = [string]$args[0]
$base = [string]$args[1]
$trusted = @('S-1-5-18', 'S-1-5-32-544')
$me = [Security.Principal.WindowsIdentity]::GetCurrent().User.Value
if (-not [IO.Directory]::Exists($base)) { [void][IO.Directory]::CreateDirectory($base) }
# In Program Files no ordinary user makes folders; this one may still be older than us, and somebody else's.
if ((Get-Item -LiteralPath $base -Force).Attributes -match 'ReparsePoint') { throw "$base is a link" }
$owner = (Get-Acl -LiteralPath $base).GetOwner([Security.Principal.SecurityIdentifier]).Value
if ($trusted + $me -notcontains $owner) { throw "$base belongs to $owner" }
$rights = New-Object Security.AccessControl.DirectorySecurity
$rights.SetAccessRuleProtection($true, $false)
foreach ($sid in $trusted) {
    $words = (New-Object Security.Principal.SecurityIdentifier $sid), 'FullControl',
        'ContainerInherit, ObjectInherit', 'None', 'Allow'
    $rights.AddAccessRule((New-Object Security.AccessControl.FileSystemAccessRule $words))
}
Set-Acl -LiteralPath $base -AclObject $rights
[void][IO.Directory]::CreateDirectory($path)
if ((Get-Item -LiteralPath $path -Force).Attributes -match 'ReparsePoint') { throw "$path is a link" }
