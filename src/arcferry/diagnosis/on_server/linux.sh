# Asks this server about the names below, changes nothing, and writes arcferry-evidence.txt for arcferry explain.
{ echo "arcferry-evidence 1 linux $(date -u +%Y-%m-%dT%H:%M:%SZ)"
sed -n 's/^nameserver[[:space:]]*/resolver /p' /etc/resolv.conf
env | sed -n 's#//[^/@]*@#//#; s/^\([A-Za-z]*_[Pp][Rr][Oo][Xx][Yy]\)=/proxy \1 /p'
for n in {hosts}; do
  echo "name $n"
  q=$({ dig +time=3 +tries=2 "$n." A || host -W 3 -t A "$n." || nslookup "$n."; } 2>&1)
  echo "$q" | awk '$4 == "CNAME" { print "alias " $5 } / is an alias for |canonical name = / { print "alias " $NF }'
  awk -v n="$n" '{ sub(/#.*/, ""); for (i = 2; i <= NF; i++) if (tolower($i) == n) print "hosts-file " $1 }' /etc/hosts
  a=$(getent ahostsv4 "$n" | awk 'seen[$1]++ == 0 { print $1 }' | head -n 3)
  [ "$a" ] || echo "unresolved $(echo "$q" | grep -oE 'NXDOMAIN|SERVFAIL|REFUSED|timed out|no servers|NOERROR' | head -n 1)"
  for i in $a; do
    echo "address $i $(date -u +%Y-%m-%dT%H:%M:%SZ)"
    printf 'GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$n" |
      timeout 12 openssl s_client -connect "$i:443" -servername "$n" -verify_hostname "$n" -ign_eof -state 2>&1 |
      tr -d '\r' | awk '/errno=/ { sub(/.*errno=/, ""); print (up ? "tls" : "tcp"), "errno=" $1 + 0 }
        /^SSL_connect:/ { if (up++ == 0) print "tcp connected" }
        /^depth=1 / { sub(/^depth=1 /, ""); if (known++ == 0) print "issuer", $0 }
        /^issuer=/ { sub(/^issuer= */, ""); if (known++ == 0) print "issuer", $0 }
        /^verify error:num=/ { sub(/^verify error:num=/, ""); if (bad++ == 0) print "verify", $0 }
        /[Aa]lert |:error:|no peer certificate/ { if (said++ == 0) print "tls", $0 }
        /Verify return code: 0 / || /finished successfully/ { if (done++ == 0) print "tls done" }
        /^HTTP\/1/ { print "http", $2 } /^[Dd]ate: / { print "date", substr($0, 7) }'
  done
done
echo 'arcferry-evidence end'
if command -v azcmagent >/dev/null; then
  { for c in version show 'config list'; do echo "\$ azcmagent $c"; eval "azcmagent $c"; done; } 2>&1 | sed 's#//[^/@]*@#//#'
fi
} | tee arcferry-evidence.txt
