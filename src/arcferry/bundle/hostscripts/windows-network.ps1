# All that arcferry's host script for Windows does on the network. Functions only: windows.ps1 loads this file from
# beside itself; run alone it does nothing, and without it windows.ps1 opens no connection.
#
#   Get-PrivateLink    how the names answer that a private link scope serves (`facts`, with -PrivateLinkScope)
#   Measure-Path       the path to Azure Arc (`facts LOCATION CLOUD`): names, TCP, TLS, `GET /`, the regional host
#   Test-AzureMachine  asks 169.254.169.254 whether this is an Azure virtual machine (`facts`, `install`)
#   Set-MissingCertificates  puts into the answer which of the bundle's certificates this server's store lacks, as that
#                      decides whom it believes; opens no connection, and installs nothing
#   Send-Failure       tells Azure Arc that an install or connect failed, with -ReportFailure only
Set-StrictMode -Version 3.0
$script:Stage = '' # of the connection that is being tried
$script:Peer = $null # what the last server's certificate said
$script:Reply = '' # what the last server answered
$Required = @{ # as in arcferry's catalogue; the star is the regional host, which only the discovery call names
    AzureCloud = 'agentserviceapi.guestconfiguration.azure.com', '*.his.arc.azure.com',
        '{region}-gas.guestconfiguration.azure.com', 'gbl.his.arc.azure.com', 'login.microsoftonline.com',
        'login.windows.net', 'management.azure.com', 'pas.windows.net'
    AzureUSGovernment = 'agentserviceapi.guestconfiguration.azure.us', '*.his.arc.azure.us',
        '{region}-gas.guestconfiguration.azure.us', 'gbl.his.arc.azure.us', 'login.microsoftonline.us',
        'management.usgovcloudapi.net', 'pasff.usgovcloudapi.net'
    AzureChinaCloud = 'agentserviceapi.guestconfiguration.azure.cn', '*.his.arc.azure.cn',
        '{region}-gas.guestconfiguration.azure.cn', 'gbl.his.arc.azure.cn', 'login.chinacloudapi.cn',
        'login.partner.chinacloudapi.cn', 'management.chinacloudapi.cn', 'pas.chinacloudapi.cn'
}
# Windows' numbers for what went wrong (winerror.h, winsock2.h, windns.h), in the words of `arcferry check`.
$Kinds = @{ 9002 = 'servfail'; 9003 = 'nxdomain'; 9501 = 'no-addresses'; 9852 = 'no-resolver'; 1460 = 'timeout'
    11001 = 'nxdomain'; 11002 = 'servfail'; 11003 = 'servfail'; 11004 = 'no-addresses'; 10060 = 'timeout'
    10061 = 'refused'; 10054 = 'reset'; 10053 = 'reset'; 10051 = 'unreachable'; 10065 = 'unreachable' }
$Otherwise = @{ dns = 'servfail'; tcp = 'unreachable'; tls = 'handshake-failed'; http = 'not-http' }
# Roots of Azure's certificates that an administrator may have put into the same store as the company's own:
# DigiCert Global Root CA, G2 and G3, Microsoft RSA and ECC Root Certificate Authority 2017.
$PublicRoots = 'A8985D3A65E5E5C4B2D7D66D40C6DD2FB19C5436', 'DF3C24F9BFD666761B268073FE06D1CC8D4F82A4',
    '7E04DE896A3E666D00E687D33FFAD93BE83D349E', '73A5E64A3BFF8316FF0EDCCC618A906E4EAE4D74',
    '999A64C37FF47D9FAB95F14769891460EEC4C3C5'

# True, false, or nothing where the answer is none of Azure's. Other clouds have a service at this address too.
function Test-AzureMachine {
    try {
        $url = 'http://169.254.169.254/metadata/instance/compute?api-version=2019-06-01'
        $request = [Net.WebRequest]::Create($url)
        $request.Proxy = $null
        $request.Timeout = 1500
        $request.Headers.Add('Metadata', 'true')
        $buffer = New-Object char[] 16384
        $reader = New-Object IO.StreamReader ($request.GetResponse().GetResponseStream())
        try { $count = $reader.ReadBlock($buffer, 0, $buffer.Length) } finally { $reader.Close() }
        if ((New-Object string ($buffer, 0, $count)) -match '"azEnvironment"\s*:') { $true } else { $null }
    } catch { $false }
}
function Get-ErrorNumber($Problem) {
    for ($inner = $Problem; $null -ne $inner; $inner = $inner.InnerException) {
        if ($inner -is [Net.Sockets.SocketException]) { return [int]$inner.SocketErrorCode }
        if ($inner -is [ComponentModel.Win32Exception]) { return $inner.NativeErrorCode }
    }
    0
}
function Get-Failure($Problem) {
    $base = $Problem.GetBaseException()
    $kind = $base.Data['kind']
    if (-not $kind -and $Stage -eq 'tls' -and $null -ne $Peer) { $kind = $Peer['kind'] }
    if (-not $kind) { $kind = $Kinds[[int](Get-ErrorNumber $Problem)] }
    if ($Stage -eq 'tls' -and $kind -eq 'timeout') { $kind = 'tls-timeout' }
    if ($Stage -eq 'tls' -and $kind -eq 'reset') { $kind = 'tls-cut' }
    if ($Stage -eq 'proxy' -and $kind -notlike 'proxy-*') {
        $kind = if ($kind -eq 'nxdomain') { 'proxy-name-not-found' } else { 'proxy-unreachable' }
    }
    if (-not $kind) { $kind = $Otherwise[$Stage] }
    [ordered]@{ stage = $Stage; kind = $kind; says = $base.Message }
}
function Stop-Step([string]$Kind, [string]$Message) {
    $problem = New-Object InvalidOperationException $Message
    $problem.Data['kind'] = $Kind
    throw $problem
}
function Get-Resolver {
    $up = [Net.NetworkInformation.NetworkInterface]::GetAllNetworkInterfaces() |
        Where-Object { $_.OperationalStatus -eq 'Up' } | ForEach-Object { $_.GetIPProperties().DnsAddresses } |
        Where-Object { $_.AddressFamily -eq 'InterNetwork' }
    [string](@($up) | Select-Object -First 1)
}
function Resolve-Endpoint([string]$Name) {
    $answer = [ordered]@{ chain = @(); addresses = @(); resolver = (Get-Resolver) }
    if (Get-Command Resolve-DnsName -ErrorAction SilentlyContinue) {
        $records = @(Resolve-DnsName -Name $Name -Type A -ErrorAction Stop)
        $records += @(Resolve-DnsName -Name $Name -Type AAAA -ErrorAction SilentlyContinue)
        $chain = @($records | Where-Object { $_.Type -eq 'CNAME' } | ForEach-Object { $_.NameHost })
        $found = @($records | Where-Object { 'A', 'AAAA' -contains $_.Type } | ForEach-Object { $_.IPAddress })
    } else {
        $entry = [Net.Dns]::GetHostEntry($Name)
        $chain = @($entry.HostName | Where-Object { $_ -ne $Name })
        $found = @($entry.AddressList | ForEach-Object { $_.ToString() })
    }
    $answer['chain'] = @($chain | Select-Object -Unique)
    # IPv4 first, as `arcferry check` has it.
    $found = @($found | Select-Object -Unique)
    $answer['addresses'] = @($found | Where-Object { $_ -notmatch ':' }) + @($found | Where-Object { $_ -match ':' })
    $answer
}
# The first address of the IP version that was not used, how it answers, and whether Windows takes it before the other.
function Measure-OtherFamily($Row) {
    $six = $Row['address'] -match ':'
    $other = @($Row['dns']['addresses'] | Where-Object { ($_ -match ':') -ne $six })
    if ($other.Count -eq 0) { return $null }
    $found = [ordered]@{ address = $other[0]; first = $null; failure = $null }
    try { $found['first'] = ([Net.Dns]::GetHostAddresses($Row['host'])[0].ToString() -match ':') -ne $six }
    catch { $found['first'] = $null }
    try { (Open-Connection $other[0] 443).Close() } catch { $found['failure'] = Get-Failure $_.Exception }
    $found
}
function Test-PrivateAddress([string]$Address) {
    if ($Address -match ':') { return $Address -match '^f[cd]' }
    $Address -match '^(10|127|192\.168|169\.254|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\.'
}
function Open-Connection([string]$Name, [int]$Port) {
    $family = if ($Name -match ':') { 'InterNetworkV6' } else { 'InterNetwork' }
    $client = New-Object Net.Sockets.TcpClient ([Net.Sockets.AddressFamily]$family)
    try {
        $connected = $client.ConnectAsync($Name, $Port).Wait($Patience)
        if (-not $connected) { throw (New-Object Net.Sockets.SocketException 10060) } # timed out
        $client.ReceiveTimeout = $client.SendTimeout = $Patience
        return $client
    } catch {
        $client.Close()
        throw
    }
}
# Sends a request's head and reads until the pattern, the end or 16 KB. A byte is a character here.
function Get-Reply($Stream, [string]$Request, [string]$Until) {
    $bytes = [Text.Encoding]::ASCII.GetBytes($Request + "`r`n`r`n")
    $Stream.Write($bytes, 0, $bytes.Length)
    $buffer = New-Object byte[] 4096
    $text = ''
    $watch = [Diagnostics.Stopwatch]::StartNew()
    while ($text.Length -lt 16384 -and $text -notmatch $Until -and $watch.ElapsedMilliseconds -lt 2 * $Patience) {
        $count = $Stream.Read($buffer, 0, $buffer.Length)
        if ($count -eq 0) { break }
        $text += [Text.Encoding]::GetEncoding('iso-8859-1').GetString($buffer, 0, $count)
    }
    $text
}
function Open-Tunnel([string]$Proxy, [string]$Name) {
    $url = [Uri]$Proxy
    $client = Open-Connection $url.Host $url.Port
    $reply = Get-Reply $client.GetStream() "CONNECT ${Name}:443 HTTP/1.1`r`nHost: ${Name}:443" '\r\n\r\n'
    if ($reply -match '^HTTP/1\.[01] 2\d\d') { return $client }
    $client.Close()
    $status = if ($reply -match '^HTTP/1\.[01] (\d\d\d)') { $Matches[1] } else { '' }
    $kind = switch ($status) {
        '' { 'proxy-not-http' }
        '407' { 'proxy-authentication-required' }
        { $_ -in '502', '503', '504' } { 'proxy-cannot-reach' }
        default { 'proxy-refused' }
    }
    Stop-Step $kind "the proxy answered $status to CONNECT ${Name}:443"
}
function Get-CertificateKind($Leaf, $Chain, $Problems) {
    if ($Problems -eq 'None') { return '' }
    if ([DateTime]::Now -gt $Leaf.NotAfter) { return 'certificate-expired' }
    if ([DateTime]::Now -lt $Leaf.NotBefore) { return 'certificate-not-yet-valid' }
    if ("$Problems" -notmatch 'ChainErrors') { return 'name-mismatch' }
    if ($Leaf.Subject -eq $Leaf.Issuer) { return 'self-signed' }
    $faults = @($Chain.ChainStatus | ForEach-Object { "$($_.Status)" })
    if ($faults -contains 'PartialChain') { return 'incomplete-chain' }
    'certificate-untrusted'
}
function Test-PublicRoot($Root) {
    if ($PublicRoots -contains $Root.Thumbprint) { return $true }
    Test-Path -LiteralPath "Cert:\LocalMachine\AuthRoot\$($Root.Thumbprint)"
}
function Get-Peer($Certificate, $Chain, $Problems) {
    $leaf = New-Object Security.Cryptography.X509Certificates.X509Certificate2 $Certificate
    $names = @($leaf.Extensions | Where-Object { $_.Oid.Value -eq '2.5.29.17' } | ForEach-Object { $_.Format($false) })
    $root = $leaf
    foreach ($element in $Chain.ChainElements) { $root = $element.Certificate }
    [ordered]@{ version = 'TLS 1.2'; cipher = ''; issuer = $leaf.Issuer; subject = $leaf.Subject
        names = @([regex]::Matches("$names", '(?<=[=:])[A-Za-z0-9.*-]+') | ForEach-Object { $_.Value })
        not_after = (Format-Time $leaf.NotAfter.ToUniversalTime())
        public_root = (Test-PublicRoot $root); kind = (Get-CertificateKind $leaf $Chain $Problems) }
}
# The certificate is verified as Windows does it; the callback only writes down what it saw.
function Open-Tls($Client, [string]$Name) {
    $script:Peer = $null
    $record = [Net.Security.RemoteCertificateValidationCallback] {
        param($origin, $certificate, $chain, $problems)
        if ($null -ne $certificate) { $script:Peer = Get-Peer $certificate $chain $problems }
        $problems -eq [Net.Security.SslPolicyErrors]::None
    }
    $stream = New-Object Net.Security.SslStream($Client.GetStream(), $false, $record)
    $stream.AuthenticateAsClient($Name, $null, [Security.Authentication.SslProtocols]::Tls12, $false)
    if ($null -ne $script:Peer) { $script:Peer['cipher'] = "$($stream.CipherAlgorithm) $($stream.CipherStrength)" }
    $stream
}
function Open-Path($Row, [string]$Proxy) {
    if ($Proxy) {
        $script:Stage = 'proxy'
        return (Open-Tunnel $Proxy $Row['host'])
    }
    $script:Stage = 'dns'
    $Row['dns'] = Resolve-Endpoint $Row['host']
    if ($Row['dns']['addresses'].Count -eq 0) { Stop-Step 'no-addresses' "$($Row['host']) has no address" }
    $script:Stage = 'tcp'
    $Row['address'] = [string]$Row['dns']['addresses'][0]
    $Row['private'] = Test-PrivateAddress $Row['address']
    Open-Connection $Row['address'] 443
}
function Read-Head($Row, [string]$Head) {
    if ($Head -notmatch '^HTTP/1\.[01] (\d\d\d)') { Stop-Step 'not-http' 'what answered is not HTTP' }
    $Row['http'] = [ordered]@{ status = [int]$Matches[1] }
    $date = [DateTime]::MinValue
    if ($Head -notmatch '(?im)^Date: ([^\r\n]{20,40})') { return }
    $invariant = [Globalization.CultureInfo]::InvariantCulture
    if (-not [DateTime]::TryParseExact($Matches[1].Trim(), 'r', $invariant, 'None', [ref]$date)) { return }
    $Row['clock_skew'] = [Math]::Round(([DateTime]::UtcNow - $date).TotalSeconds, 1)
}
# One endpoint in the shape of `arcferry check --output json`. What lies behind a failed step is not tested.
function Measure-Endpoint([string]$Name, [string]$Proxy, [string]$Target, [string]$Until) {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $row = [ordered]@{ host = $Name; port = 443; purpose = $null; required = $true; steering = $null
        reachable = $false; private = $null; tls = $null; proxy = $(if ($Proxy) { 'set' } else { 'not set' })
        dns = $null; address = $null; http = $null; clock_skew = $null; failure = $null; other_family = $null
        elapsed = 0.0 }
    $client = $null
    $script:Peer = $null
    $script:Reply = ''
    try {
        $client = Open-Path $row $Proxy
        $script:Stage = 'tls'
        $stream = Open-Tls $client $Name
        $script:Stage = 'http'
        $script:Reply = Get-Reply $stream "GET $Target HTTP/1.1`r`nHost: $Name`r`nConnection: close" $Until
        Read-Head $row $script:Reply
        $row['reachable'] = $true
    } catch { $row['failure'] = Get-Failure $_.Exception }
    finally { if ($null -ne $client) { $client.Close() } }
    if ($null -ne $Peer) { $row['tls'] = $Peer }
    if ($row['reachable'] -and $row['address']) {
        $script:Stage = 'tcp'
        $row['other_family'] = Measure-OtherFamily $row
    }
    $row['elapsed'] = [Math]::Round($watch.Elapsed.TotalSeconds, 3)
    $row
}
# The regional host is what the discovery call says, and only if it is one of the cloud's own.
function Measure-RegionalHis([string]$Pattern, [string]$Location, [string]$Proxy) {
    $suffix = [regex]::Escape($Pattern.Substring(1))
    $until = "https://([a-z0-9-]+$suffix)[/`"\s]"
    $target = "/discovery?location=$Location&api-version=2.1"
    $row = Measure-Endpoint "gbl$($Pattern.Substring(1))" $Proxy $target "(?s)\r\n\r\n.*$until"
    if ($row['reachable'] -and $row['http']['status'] -eq 200 -and "$Reply " -match "(?s)\r\n\r\n.*$until") {
        return (Measure-Endpoint $Matches[1] $Proxy '/' '\r\n\r\n')
    }
    $says = if ($row['failure']) { $row['failure']['says'] } else { "the answer names no host under $Pattern" }
    $failed = if ($row['failure']) { $row['failure']['stage'] } else { 'http' }
    $row['failure'] = [ordered]@{ stage = $failed; kind = 'discovery-failed'
        says = "the regional HIS host is unknown: $says" }
    foreach ($name in 'private', 'tls', 'dns', 'address', 'http', 'clock_skew') { $row[$name] = $null }
    $row['host'] = ''
    $row['reachable'] = $false
    $row
}
# How a name that a private link scope can serve answers here, also where a proxy would resolve it.
function Get-PrivateName($Row) {
    $name = $Row['host']
    if ($name -notmatch '\.(his\.arc|guestconfiguration)\.') { return }
    $found = @()
    if ($Row['dns']) { $found = @($Row['dns']['addresses']) }
    else { try { $found = @((Resolve-Endpoint $name)['addresses']) } catch { $found = @() } }
    $kinds = @($found | ForEach-Object { Test-PrivateAddress $_ } | Select-Object -Unique)
    $answers = 'mixed'
    if ($kinds.Count -eq 0) { $answers = 'no address' }
    if ($kinds.Count -eq 1) { $answers = if ($kinds[0]) { 'private' } else { 'public' } }
    [ordered]@{ host = $name; served = $true; answers = $answers; zone = $name -replace '^[^.]+', 'privatelink' }
}
# The names that answer, the scope where its id is known, and what the agent sends past its proxy.
function Get-PrivateLink($Rows) {
    $bypass = ''
    if (Test-Agent) {
        $ran = Invoke-Agent @('config', 'get', 'proxy.bypass') 30
        if ($ran.exit -eq 0) { $bypass = ($ran.printed -split '\r?\n')[0].Trim() }
    }
    $scope = if ($PrivateLinkScope -match '^/') { $PrivateLinkScope } else { $null }
    [ordered]@{ scope = $scope; proxy_bypass = $bypass; names = @($Rows | ForEach-Object { Get-PrivateName $_ }) }
}
function Measure-Path([string]$Location, [string]$Cloud, [string]$Proxy) {
    $rows = foreach ($name in $Required[$Cloud]) {
        if ($name.StartsWith('*')) { Measure-RegionalHis $name $Location $proxy }
        else { Measure-Endpoint $name.Replace('{region}', $Location) $proxy '/' '\r\n\r\n' }
    }
    [ordered]@{ schema = 1; kind = 'check'; cloud = $Cloud; location = $Location; taken = (Get-Now)
        resolver = (Get-Resolver); proxy = $(if ($proxy) { Hide-User $proxy } else { $null }); endpoints = @($rows) }
}
# Roots are looked for among the roots, what another has issued among the intermediates.
function Get-MissingCertificate($File) {
    try { $read = New-Object Security.Cryptography.X509Certificates.X509Certificate2 $File.FullName } catch { return }
    $stores = if ($read.Subject -eq $read.Issuer) { 'Root', 'AuthRoot' } else { @('CA') }
    foreach ($store in $stores) {
        if (Test-Path -LiteralPath "Cert:\LocalMachine\$store\$($read.Thumbprint)") { return }
    }
    [ordered]@{ file = "certificates/$($File.Name)"; name = $read.GetNameInfo('SimpleName', $false)
        sha256 = (Get-Sha256 $File.FullName) }
}
# Nothing is known where the bundle's certificates do not lie beside the folder of this script.
function Set-MissingCertificates([string]$Beside) {
    $Answer['missing_certificates'] = $null
    if (-not $Beside) { return }
    $folder = Join-Path (Join-Path $Beside '..') 'certificates'
    if (-not (Test-Path -LiteralPath $folder -PathType Container)) { return }
    $Answer['missing_certificates'] = @(Get-ChildItem -LiteralPath $folder | Where-Object { $_.Name -like '*.cer' } |
            ForEach-Object { Get-MissingCertificate $_ })
}
function Get-Routes {
    if (-not (Get-Command Get-NetRoute -ErrorAction SilentlyContinue)) {
        $program = [Environment]::SystemDirectory + '\route.exe'
        return @((Invoke-Program $program @('print', '-4') 20).output -split '\r?\n')
    }
    Get-NetRoute -AddressFamily IPv4 | Select-Object -First 512 | ForEach-Object {
        [ordered]@{ prefix = $_.DestinationPrefix; next_hop = $_.NextHop; metric = [int]$_.RouteMetric }
    }
}

# What Microsoft's installation script reports, and only where the caller asked for it. Nothing waits for it.
function Send-Failure {
    $suffix = switch (Get-ConfigValue 'cloud') {
        'AzureUSGovernment' { 'us' }
        'AzureChinaCloud' { 'cn' }
        default { 'com' }
    }
    $message = "$($Answer['message'])"
    $report = [ordered]@{ operation = 'onboarding'; osType = 'windows'; namespace = 'Microsoft.HybridCompute'
        messageType = $Answer['code']; message = $message.Substring(0, [Math]::Min(600, $message.Length))
        subscriptionId = (Get-ConfigValue 'subscription-id'); resourceGroup = (Get-ConfigValue 'resource-group')
        tenantId = (Get-ConfigValue 'tenant-id'); location = (Get-ConfigValue 'location') }
    try {
        $request = [Net.WebRequest]::Create("https://gbl.his.arc.azure.$suffix/log")
        $proxy = (Get-Proxy).url
        # No New-Object here: module logging would write down a password in the proxy's URL.
        $request.Proxy = if ($proxy) { [Net.WebProxy]$proxy } else { $null }
        $request.Method, $request.ContentType, $request.Timeout = 'PUT', 'application/json', 10000
        $bytes = [Text.Encoding]::ASCII.GetBytes((Format-Json $report))
        $stream = $request.GetRequestStream()
        $stream.Write($bytes, 0, $bytes.Length)
        $stream.Close()
        $request.GetResponse().Close()
        $Answer['reported'] = $true
    } catch { $Answer['reported'] = $false }
}
