# Get-NetRoute, which the engine lacks: what route.exe prints, as objects.
function Get-NetRoute {
    param([string]$AddressFamily = 'IPv4')
    if ($AddressFamily -ne 'IPv4') { return }
    foreach ($line in (& "$env:SystemRoot\system32\route.exe" print -4)) {
        $words = @($line.Trim() -split '\s+')
        if ($words.Count -ne 5 -or $words[0] -notmatch '^[0-9.]+$') { continue }
        $bits = -join ($words[1].Split('.') | ForEach-Object { [Convert]::ToString([int]$_, 2) })
        [pscustomobject]@{
            DestinationPrefix = "$($words[0])/$($bits.Replace('0', '').Length)"
            NextHop = $(if ($words[2] -eq 'On-link') { '0.0.0.0' } else { $words[2] })
            RouteMetric = [int]$words[4]; ifIndex = [int]$words[3]
        }
    }
}
