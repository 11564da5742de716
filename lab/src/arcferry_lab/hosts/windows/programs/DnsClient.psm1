# Resolve-DnsName, which the engine lacks: the records of an answer in their order, aliases first, as Windows gives
# them. It asks the twin's resolver by UDP; it knows A, AAAA and CNAME, and neither a cache nor a hosts file.
function Read-DnsName([byte[]]$Bytes, [int]$At) {
    $labels, $next, $jumps = @(), -1, 0
    while ($Bytes[$At] -ne 0) {
        if (($Bytes[$At] -band 0xC0) -eq 0xC0) {
            if ($next -lt 0) { $next = $At + 2 }
            if (++$jumps -gt 20) { throw 'a name that leads in a circle' }
            $At = (($Bytes[$At] -band 0x3F) -shl 8) + $Bytes[$At + 1]
            continue
        }
        $labels += [Text.Encoding]::ASCII.GetString($Bytes, $At + 1, $Bytes[$At])
        $At += $Bytes[$At] + 1
    }
    if ($next -lt 0) { $next = $At + 1 }
    [pscustomobject]@{ Name = $labels -join '.'; Next = $next }
}
function Resolve-DnsName {
    param([Parameter(Mandatory)][string]$Name, [string]$Type = 'A')
    $kinds = @{ 1 = 'A'; 28 = 'AAAA'; 5 = 'CNAME' }
    $lab = Get-Content -Raw "$env:ProgramData\arcferry-lab.json" | ConvertFrom-Json
    $place, $port = $lab.resolver -split ':'
    $asked = ($kinds.GetEnumerator() | Where-Object { $_.Value -eq $Type }).Key
    [byte[]]$question = 0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0
    foreach ($label in $Name.TrimEnd('.').Split('.')) {
        $question += [byte]$label.Length
        $question += [Text.Encoding]::ASCII.GetBytes($label)
    }
    $question += [byte[]](0, 0, $asked, 0, 1)
    $client = New-Object Net.Sockets.UdpClient
    try {
        $client.Client.ReceiveTimeout = 5000
        $client.Connect($place, [int]$port)
        [void]$client.Send($question, $question.Length)
        $from = New-Object Net.IPEndPoint ([Net.IPAddress]::Any), 0
        $reply = $client.Receive([ref]$from)
    } catch { throw [ComponentModel.Win32Exception]::new(1460) } finally { $client.Close() }
    $code = $reply[3] -band 15
    # As Windows' own: 9003 is DNS_ERROR_RCODE_NAME_ERROR, 9002 a server's failure (winerror.h).
    if ($code -eq 3) { throw [ComponentModel.Win32Exception]::new(9003, "$Name : DNS name does not exist") }
    if ($code -ne 0) { throw [ComponentModel.Win32Exception]::new(9002, "$Name : DNS server failure") }
    $at = (Read-DnsName $reply 12).Next + 4
    for ($left = $reply[6] * 256 + $reply[7]; $left -gt 0; $left--) {
        $owner = Read-DnsName $reply $at
        $at = $owner.Next
        $kind = $kinds[[int]$reply[$at + 1]]
        $length = $reply[$at + 8] * 256 + $reply[$at + 9]
        $at += 10
        $record = [ordered]@{ Name = $owner.Name; Type = $kind; Section = 'Answer' }
        if ($kind -eq 'CNAME') { $record['NameHost'] = (Read-DnsName $reply $at).Name }
        elseif ($kind) { $record['IPAddress'] = [string][Net.IPAddress][byte[]]$reply[$at..($at + $length - 1)] }
        $at += $length
        if ($kind) { [pscustomobject]$record }
    }
}
