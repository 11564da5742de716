# Asks this server about the names below, changes nothing, and writes arcferry-evidence.txt for arcferry explain.
& { $t = { [DateTime]::UtcNow.ToString('s', [Globalization.CultureInfo]::InvariantCulture) + 'Z' }
"arcferry-evidence 1 windows $(& $t)"
[Net.NetworkInformation.NetworkInterface]::GetAllNetworkInterfaces() | Where-Object { $_.OperationalStatus -eq 'Up' } |
  ForEach-Object { $_.GetIPProperties().DnsAddresses } | ForEach-Object { "resolver $_" }
foreach ($v in 'HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY') {
  $p = [Environment]::GetEnvironmentVariable($v, 'Machine'); if ($p) { "proxy $v $p" }
}
foreach ($n in '{hosts}'.Split(' ')) {
  "name $n"; $a = @()
  try {
    if (Get-Command Resolve-DnsName -ErrorAction SilentlyContinue) {
      $r = @(Resolve-DnsName $n -Type A -ErrorAction Stop)
      $r | Where-Object { $_.Type -eq 'CNAME' } | ForEach-Object { "alias $($_.NameHost)" }
      $a = @($r | Where-Object { $_.Type -eq 'A' } | ForEach-Object { $_.IPAddress })
    } else {
      $e = [Net.Dns]::GetHostEntry($n); if ($e.HostName -ne $n) { "alias $($e.HostName)" }
      $a = @($e.AddressList | Where-Object { $_.AddressFamily -eq 'InterNetwork' } | ForEach-Object { "$_" })
    }
    if (-not $a) { 'unresolved NOERROR' }
  } catch { "unresolved $($_.Exception.GetBaseException().NativeErrorCode)" }
  foreach ($i in @($a | Select-Object -Unique -First 3)) {
    "address $i $(& $t)"; $step = 'tcp'; $seen = @{}; $c = New-Object Net.Sockets.TcpClient
    try {
      $w = $c.BeginConnect($i, 443, $null, $null)
      if (-not $w.AsyncWaitHandle.WaitOne(8000)) { throw (New-Object Net.Sockets.SocketException 10060) }
      $c.EndConnect($w); 'tcp connected'; $step = 'tls'; $c.ReceiveTimeout = 8000
      $look = [Net.Security.RemoteCertificateValidationCallback] { param($from, $shown, $chain, $wrong)
        $seen['issuer'] = $shown.Issuer
        $seen['wrong'] = "$wrong $(@($chain.ChainStatus | ForEach-Object { $_.Status }) -join ' ')"
        $true }
      $s = New-Object Net.Security.SslStream ($c.GetStream(), $false, $look)
      $s.AuthenticateAsClient($n, $null, [Security.Authentication.SslProtocols]'Tls12', $false)
      "issuer $($seen['issuer'])"; "verify $($seen['wrong'])"; 'tls done'; $step = 'http'
      $b = [Text.Encoding]::ASCII.GetBytes("GET / HTTP/1.1`r`nHost: $n`r`nConnection: close`r`n`r`n")
      $s.Write($b, 0, $b.Length)
      $r = New-Object IO.StreamReader $s; "http $($r.ReadLine().Split(' ')[1])"
      while ($l = $r.ReadLine()) { if ($l -like 'date: *') { "date $($l.Substring(6))" } }
    } catch {
      $x = $_.Exception.GetBaseException(); "$step errno=$($x.NativeErrorCode) $($x.Message -replace '\s+', ' ')"
    } finally { $c.Close() }
  }
}
'arcferry-evidence end'
'PS> netsh winhttp show proxy'; netsh winhttp show proxy
$agent = "$env:ProgramW6432\AzureConnectedMachineAgent\azcmagent.exe"
foreach ($o in 'version', 'show', 'config list') {
  "PS> azcmagent $o"
  if (Test-Path $agent) { & $agent $o.Split(' ') 2>&1 | ForEach-Object { "$_" } } else { 'not installed' }
} } | ForEach-Object { $_ -replace '//[^/@\s]*@', '//' } | Set-Content arcferry-evidence.txt -Encoding UTF8
Get-Content arcferry-evidence.txt
