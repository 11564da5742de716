# shellcheck shell=sh
# All that arcferry's host script for Linux does on the network. Functions only: linux.sh reads this file from
# beside itself; run alone it does nothing, and without it linux.sh opens no connection.
#
#   measure_path          the path to Azure Arc (`facts LOCATION CLOUD`): names, TCP, TLS, `GET /`, the regional host
#   routes                by which way the addresses that were tried are reached
#   certificate_facts     which of the bundle's root certificates this server does not trust; opens no connection
#   send_failure          tells Azure Arc that an install or connect failed, with --report-failure only
#
# Certificates are always verified, against this system's own store. It needs openssl, as the agent's package does.
# shellcheck disable=SC2154 # WORK, CONFIG, PROXY and SCOPE are set by linux.sh
PATIENCE=10 # seconds for a connection, from TCP to the end of the answer

# As in arcferry's catalogue; the star is the regional host, which only the discovery call names.
required_hosts() {
	case $1 in
	AzureCloud)
		printf '%s\n' agentserviceapi.guestconfiguration.azure.com '*.his.arc.azure.com' \
			'{region}-gas.guestconfiguration.azure.com' gbl.his.arc.azure.com login.microsoftonline.com \
			login.windows.net management.azure.com pas.windows.net
		;;
	AzureUSGovernment)
		printf '%s\n' agentserviceapi.guestconfiguration.azure.us '*.his.arc.azure.us' \
			'{region}-gas.guestconfiguration.azure.us' gbl.his.arc.azure.us login.microsoftonline.us \
			management.usgovcloudapi.net pasff.usgovcloudapi.net
		;;
	AzureChinaCloud)
		printf '%s\n' agentserviceapi.guestconfiguration.azure.cn '*.his.arc.azure.cn' \
			'{region}-gas.guestconfiguration.azure.cn' gbl.his.arc.azure.cn login.chinacloudapi.cn \
			login.partner.chinacloudapi.cn management.chinacloudapi.cn pas.chinacloudapi.cn
		;;
	esac
}
resolver() { awk '$1 == "nameserver" { print $2; exit }' /etc/resolv.conf 2>/dev/null; }
uptime_now() { cut -d ' ' -f 1 /proc/uptime 2>/dev/null || printf 0; }
# fail STAGE KIND SAYS: why this endpoint was not reached, in the words of `arcferry check`.
fail() {
	stage=$1 kind=$2 says=$3
	return 1
}

# What a resolver's tool says of a name, with its aliases; the tool's own words where there is no answer.
ask_resolver() {
	if has dig; then timeout 8 dig +time=2 +tries=2 "$1." A
	elif has host; then timeout 8 host -W 2 -t A "$1."
	elif has nslookup; then timeout 8 nslookup "$1."
	elif has resolvectl; then timeout 8 resolvectl -4 query "$1"
	fi >"$PLACE/asked" 2>&1 </dev/null
}
# The names behind the one asked for, in order; without a resolver's tool the last of them alone.
aliases() {
	{
		awk '$3 == "IN" && $4 == "CNAME" { print $5 } / is an alias for / { print $NF }
			/canonical name = / { print $NF }' "$PLACE/asked"
		[ -s "$PLACE/asked" ] || awk -v name="$1" 'NF == 3 && $3 != name { print $3; exit }' "$PLACE/hosts"
	} 2>/dev/null | sed 's/[.]$//' | head -n 16 | words
}
# As programs here see it (hosts file, name services), else as the resolver's tool printed it. IPv4 first, as `arcferry
# check` has it; $PLACE/hosts keeps the order in which this system takes them.
addresses_of() {
	if has getent; then
		timeout 12 getent ahosts "$1" 2>/dev/null >"$PLACE/hosts"
		awk '$1 !~ /:/ { print $1 }' "$PLACE/hosts"
		awk '$1 ~ /:/ { print $1 }' "$PLACE/hosts"
	else
		awk '$3 == "IN" && $4 == "A" { print $5 } / has address / { print $NF }
			/^Name:/ { named = 1 } named && /^Address/ { print $NF }' "$PLACE/asked"
	fi | awk '(/^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$/ || /^[0-9a-f]*:[0-9a-f:.]*$/) && !seen[$0]++' | head -n 8
}
resolve() {
	: >"$PLACE/asked"
	ask_resolver "$1"
	addresses=$(addresses_of "$1")
	if [ -n "$addresses" ]; then
		chain=$(aliases "$1")
		# What the hosts file says has no chain.
		! awk -v name="$1" '{ sub(/#.*/, ""); for (i = 2; i <= NF; i++) if (tolower($i) == name) found = 1 }
			END { exit !found }' /etc/hosts 2>/dev/null || chain=
		dns="{\"chain\":[$chain],\"addresses\":[$(printf '%s\n' "$addresses" | words)]"
		dns="$dns,\"resolver\":$(text "$(resolver)")}"
		return 0
	fi
	case $(cat "$PLACE/asked") in
	'') fail dns no-addresses "$1 has no address here; neither dig, host nor nslookup is installed to say why" ;;
	*NXDOMAIN* | *'not found'*) fail dns nxdomain "the resolver says that $1 does not exist" ;;
	*SERVFAIL* | *REFUSED*) fail dns servfail "the resolver has no answer for $1" ;;
	*'timed out'* | *'no servers'* | *'onnection refused'*) fail dns no-resolver "no resolver answered for $1" ;;
	*) fail dns no-addresses "$1 has no address" ;;
	esac
}
is_private() {
	case $1 in
	10.* | 127.* | 169.254.* | 192.168.* | 172.1[6-9].* | 172.2?.* | 172.3[01].*) ;;
	100.6[4-9].* | 100.[7-9]?.* | 100.1[01]?.* | 100.12[0-7].* | f[cd]*:*) ;;
	*) return 1 ;;
	esac
}

# dial NAME TARGET [s_client's OPTIONS]: one connection with a request in it, which openssl sends only when the
# certificate has proved right; what came is in $PLACE/out, and what went wrong in $PLACE/err.
dial() {
	name=$1 target=$2 asked=$(date +%s)
	shift 2
	printf 'GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$target" "$name" >"$PLACE/request"
	(
		ulimit -f 256 # blocks of 512 bytes: whoever answers must not fill the disk
		exec timeout -k 2 "$PATIENCE" openssl s_client "$@" -servername "$name" -verify_hostname "$name" -showcerts \
			-verify_return_error -state -ign_eof -no_tls1 -no_tls1_1 <"$PLACE/request" >"$PLACE/out" 2>"$PLACE/err"
	)
	printf '%s' "$?" >"$PLACE/ended"
}
# dial_proxy NAME TARGET: the same by the proxy. A password goes by the environment, which only root can read.
dial_proxy() {
	place=${PROXY#*://} user=
	place=${place%/}
	case $place in *@*) user=${place%@*} place=${place##*@} ;; esac
	set -- "$1" "$2" -connect "$1:443" -proxy "$place"
	[ -z "$user" ] || set -- "$@" -proxy_user "${user%%:*}" -proxy_pass env:PROXY_PASS
	PROXY_PASS=${user#*:}
	export PROXY_PASS
	dial "$@"
}
# Tries the addresses until one takes a connection; behind a proxy the names are the proxy's to find.
connect_to() { # NAME TARGET
	if [ -n "$PROXY" ]; then
		dial_proxy "$1" "$2"
		reached || proxy_problem "$1"
		return
	fi
	resolve "$1" || return 1
	for address in $(printf '%s\n' "$addresses" | head -n 3); do
		dial "$1" "$2" -connect "$(at_port "$address")"
		reached && return 0
	done
	tcp_problem "$(at_port "$address")"
}
at_port() { case $1 in *:*) printf '[%s]:443' "$1" ;; *) printf '%s:443' "$1" ;; esac }
tcp_problem() { # ADDRESS:PORT
	case $(sed -n 's/.*errno=//p' "$PLACE/err" | head -n 1) in
	111) fail tcp refused "$1 refused the connection" ;;
	104) fail tcp reset "$1 reset the connection" ;;
	101 | 113) fail tcp unreachable "$1 cannot be reached: no route" ;;
	*) fail tcp timeout "$1 did not answer within $PATIENCE s" ;;
	esac
}
# other_family NAME: the first address of the IP version that was not used, how it answers, and whether this system
# takes it before the other.
other_family() {
	like=:
	case $address in *:*) like=. ;; esac
	other=$(printf '%s\n' "$addresses" | grep -F -- "$like" | head -n 1)
	if [ -z "$other" ] || [ -z "$address" ]; then
		printf null
		return
	fi
	first=null
	[ ! -s "$PLACE/hosts" ] || case $(sed 's/ .*//;q' "$PLACE/hosts") in
	*"$like"*) first=true ;;
	*) first=false ;;
	esac
	dial "$1" / -connect "$(at_port "$other")"
	problem=null
	reached || tcp_problem "$(at_port "$other")" ||
		problem="{\"stage\":\"tcp\",\"kind\":\"$kind\",\"says\":$(text "$says")}"
	printf '{"address":"%s","first":%s,"failure":%s}' "$other" "$first" "$problem"
}
# Whether TLS began: openssl tells its steps (-state) from there on, on standard error, which has no buffer.
reached() { grep -q '^SSL_connect:' "$PLACE/err"; }
proxy_problem() {
	said=$(sed -n 's/.*CONNECT failed, reason= *//p' "$PLACE/err" | head -n 1)
	case "=$said $(cat "$PLACE/err")" in
	=407*) fail proxy proxy-authentication-required "the proxy wants a user and a password" ;;
	=502* | =503* | =504*) fail proxy proxy-cannot-reach "the proxy cannot reach $1: $said" ;;
	=[1-9][0-9][0-9]*) fail proxy proxy-refused "the proxy refused CONNECT $1:443: $said" ;;
	*'not known'* | *'ame resolution'* | *'ddress associated'*)
		fail proxy proxy-name-not-found "the proxy's name has no address here" ;;
	*errno=*) fail proxy proxy-unreachable "the proxy does not take a connection" ;;
	*) case $(cat "$PLACE/ended") in
		124 | 137) fail proxy proxy-unreachable "the proxy did not answer within $PATIENCE s" ;;
		*) fail proxy proxy-not-http "what answers at the proxy's address is no proxy" ;;
		esac ;;
	esac
}
# handshook NAME: whether TLS was completed with the right server.
handshook() {
	grep -q '^New, [^(].*Cipher is [^(]' "$PLACE/out" && ! grep -q '^verify error' "$PLACE/err" && return 0
	number=$(sed -n 's/^verify error:num=\([0-9]*\):.*/\1/p' "$PLACE/err" | head -n 1)
	words=$(sed -n 's/^verify error:num=[0-9]*:\(.*\)/\1/p; s/^[0-9A-Fa-f]*:error:[^:]*:[^:]*:[^:]*:\([^:]*\):.*/\1/p' \
		"$PLACE/err" | head -n 1)
	case $number in
	'') ;;
	9) fail tls certificate-not-yet-valid "the certificate of $1: $words" ;;
	10) fail tls certificate-expired "the certificate of $1: $words" ;;
	18) fail tls self-signed "the certificate of $1: $words" ;;
	62 | 63 | 64) fail tls name-mismatch "the certificate is not for $1: $words" ;;
	*) if lacks_issuer; then fail tls incomplete-chain "$1 sent its own certificate alone: $words"
		else fail tls certificate-untrusted "the certificate of $1: $words"; fi ;;
	esac
	[ -z "$number" ] || return 1
	case $(cat "$PLACE/err") in
	*'protocol version'* | *'unsupported protocol'* | *'version too low'* | *'no protocols'*)
		fail tls tls-protocol-version "$1 speaks no TLS 1.2: $words" ;;
	*'alert handshake failure'* | *'insufficient security'* | *'no shared cipher'*)
		fail tls tls-cipher-mismatch "$1 and this server have no cipher in common: $words" ;;
	*'unexpected eof'* | *'errno='* | *'ssl handshake failure'*)
		fail tls tls-cut "the connection to $1 was cut during the TLS handshake" ;;
	*:error:*) fail tls handshake-failed "the TLS handshake with $1 failed: $words" ;;
	*) fail tls tls-timeout "$1 did not answer the TLS handshake within $PATIENCE s" ;;
	esac
}
# Whether the issuer is unknown, and the server sent one certificate, which says where its issuer's is to be had, as
# public ones do.
lacks_issuer() {
	case $number in 2 | 20 | 21) ;; *) return 1 ;; esac
	[ "$(grep -c '^-----BEGIN CERT' "$PLACE/out")" -eq 1 ] && grep -q 'CA Issuers' "$PLACE/leaf.txt"
}
# The server's own certificate, from a connection whose verification may have failed. Older openssl shows it only
# where it does not verify, so then it is asked again, with nothing sent.
keep_leaf() {
	grep -q '^-----BEGIN CERT' "$PLACE/out" || ! grep -q '^verify error' "$PLACE/err" || [ -n "$PROXY" ] ||
		timeout -k 2 "$PATIENCE" openssl s_client -connect "$address:443" -servername "$1" -showcerts \
			</dev/null >"$PLACE/out" 2>/dev/null
	sed -n '/^-----BEGIN CERT/,/^-----END CERT/p; /^-----END CERT/q' "$PLACE/out" >"$PLACE/leaf"
	openssl x509 -in "$PLACE/leaf" -noout -text -issuer -subject -enddate -nameopt RFC2253,-esc_msb \
		>"$PLACE/leaf.txt" 2>/dev/null
}
leaf_line() { sed -n "s/^$1= *//p" "$PLACE/leaf.txt" | tail -n 1; }
tls_json() {
	version=$(awk '/^ *Protocol *:/ { print $NF; exit }' "$PLACE/out")
	version=${version:-$(sed -n 's/^New, \([^,(]*\), .*/\1/p' "$PLACE/out" | head -n 1)}
	cipher=$(sed -n 's/^New, .*Cipher is \([^(].*\)/\1/p' "$PLACE/out" | head -n 1)
	names=$(sed -n '/Subject Alternative Name/{n;p;}' "$PLACE/leaf.txt" | tr ',' '\n' |
		sed 's/^ *DNS://; s/^ *IP Address://' | head -n 200 | words)
	printf '{"version":%s,"cipher":%s' "$(text "$(printf '%s' "$version" | sed 's/^TLSv/TLS /')")" "$(text "$cipher")"
	printf ',"issuer":%s,"subject":%s' "$(text "$(leaf_line issuer)")" "$(text "$(leaf_line subject)")"
	printf ',"names":[%s],"not_after":%s' "$names" "$(leaf_line notAfter | iso_date)"
	printf ',"public_root":%s}' "$(public_root)"
}
# "Nov 30 06:56:45 2026 GMT" as JSON.
iso_date() {
	awk '{ at = index("JanFebMarAprMayJunJulAugSepOctNovDec", $1) }
		at && NF == 5 { printf "\"%04d-%02d-%02dT%sZ\"", $4, (at + 2) / 3, $2, $3; done = 1 }
		END { if (!done) printf "null" }'
}
# Whether the chain ends in a root of the public web: not where it does not verify, or ends in one that an
# administrator has added; surely in Azure's; else unknown.
public_root() {
	root=$(sed -n 's/^depth=[1-9].*CN *= *//p' "$PLACE/err" | head -n 1)
	if grep -q '^verify error:num=\(2\|7\|18\|19\|20\|21\):' "$PLACE/err"; then printf false
	elif [ -z "$root" ]; then printf null
	elif grep -q -x -F -e "$root" "$WORK/anchors"; then printf false
	else
		case $root in
		'DigiCert Global Root '* | 'DigiCert TLS '* | 'Microsoft '*' Root Certificate Authority 2017') printf true ;;
		*) printf null ;;
		esac
	fi
}
# The names of the roots that an administrator has added to this system's.
added_anchors() {
	for anchor in /usr/local/share/ca-certificates/* /usr/local/share/ca-certificates/*/* \
		/etc/pki/ca-trust/source/anchors/* /usr/share/pki/ca-trust-source/anchors/* /etc/pki/trust/anchors/*; do
		[ ! -f "$anchor" ] || for form in PEM DER; do openssl x509 -inform "$form" -in "$anchor" -noout -subject; done
	done 2>/dev/null | sed -n 's/.*CN *= *//p'
}
# The answer's status, and how far this clock is from the server's.
answered() {
	sed -n '/^HTTP\/1[.][01] [0-9][0-9][0-9]/,$p' "$PLACE/out" | tr -d '\r' >"$PLACE/reply"
	status=$(head -n 1 "$PLACE/reply" | cut -c 10-12)
	if [ -z "$status" ]; then
		case $(cat "$PLACE/ended") in
		124 | 137) fail http timeout "$1 gave no HTTP answer within $PATIENCE s" ;;
		*) fail http not-http "what answers for $1 is not HTTP" ;;
		esac
		return
	fi
	http="{\"status\":$status}"
	skew=$(sed -n 's/^[Dd]ate: *//p; /^$/q' "$PLACE/reply" | head -n 1 | awk -v now="$asked" '
		{ at = index("JanFebMarAprMayJunJulAugSepOctNovDec", $3); split($5, t, ":") }
		at && NF == 6 {
			m = (at + 2) / 3; y = m > 2 ? $4 : $4 - 1; m = m > 2 ? m - 3 : m + 9 # a year that begins in March
			days = 365 * y + int(y / 4) - int(y / 100) + int(y / 400) + int((153 * m + 2) / 5) + $2 - 719469
			printf "%d", now - (days * 86400 + t[1] * 3600 + t[2] * 60 + t[3])
		}')
}
visit() { # NAME TARGET
	connect_to "$1" "$2" || return 1
	keep_leaf "$1"
	handshook "$1"
	right=$?
	[ ! -s "$PLACE/leaf.txt" ] || tls=$(tls_json)
	[ "$right" -eq 0 ] && answered "$1"
}
# measure NAME TARGET: one endpoint, from its name to its answer. What lies behind a failed step is not tested.
measure() {
	addresses='' dns=null address='' tls=null http=null skew='' stage='' began=$(uptime_now)
	family=null
	visit "$1" "$2" && reachable=true || reachable=false
	[ "$reachable" = false ] || family=$(other_family "$1")
	elapsed=$(printf '%s %s\n' "$began" "$(uptime_now)" | awk '{ printf "%.2f", $2 - $1 }')
	printf '%s\n' "$address" >"$PLACE/address"
}
# row NAME: what was measured, in the shape of `arcferry check --output json`.
row() {
	shown=null private=null proxied='not set' failure=null
	[ -z "$address" ] || shown="\"$address\"" private=$(truth is_private "$address")
	[ -z "$PROXY" ] || proxied='set'
	[ "$reachable" = true ] || failure="{\"stage\":\"$stage\",\"kind\":\"$kind\",\"says\":$(text "$says")}"
	printf '{"host":"%s","port":443,"purpose":null,"required":true,"steering":null' "$1"
	printf ',"reachable":%s,"private":%s,"tls":%s,"proxy":"%s"' "$reachable" "$private" "$tls" "$proxied"
	printf ',"dns":%s,"address":%s,"http":%s,"clock_skew":%s' "$dns" "$shown" "$http" "${skew:-null}"
	printf ',"failure":%s,"other_family":%s,"elapsed":%s}' "$failure" "$family" "$elapsed"
	[ -z "$SCOPE" ] || private_name "$1"
}
# The regional host is what the discovery call says, and only if it is one of the cloud's own.
measure_regional() { # SUFFIX LOCATION
	measure "gbl$1" "/discovery?location=$2&api-version=2.1"
	found=
	[ "$reachable" = false ] || [ "$status" != 200 ] || found=$(sed '1,/^$/d' "$PLACE/reply" |
		grep -o 'https://[a-z0-9-]\{1,60\}[.][a-z.]*' | sed 's#https://##' | head -n 1)
	[ "$found" = "${found%"$1"}" ] || { measure "$found" / && row "$found" && return; }
	[ "$reachable" = false ] || stage=http says="the answer names no host under $1"
	dns=null address='' tls=null http=null skew='' family=null reachable=false
	kind=discovery-failed says="the regional HIS host is unknown: $says"
	row ''
}
# private_name NAME: how a name that a private link scope can serve answers here, also where a proxy would resolve
# it. A name that stays public is left out.
private_name() {
	case $1 in *.his.arc.* | *.guestconfiguration.*) ;; *) return 0 ;; esac
	[ -n "$addresses" ] || resolve "$1"
	case $(for one in $addresses; do is_private "$one" && echo private || echo public; done | sort -u | tr -d '\n') in
	'') answers='no address' ;;
	private) answers=private ;;
	public) answers=public ;;
	*) answers=mixed ;;
	esac
	printf '{"host":"%s","served":true,"answers":"%s","zone":"privatelink.%s"}' "$1" "$answers" "${1#*.}" \
		>"$PLACE/private"
}
# The names that answer, the scope where its id is known, and what the agent sends past its proxy.
private_link() { # NUMBER of endpoints
	id=null bypass='' between=''
	[ "$SCOPE" = unnamed ] || id=$(text "$SCOPE")
	[ ! -x "$AGENT" ] || run_agent 15 config get proxy.bypass
	[ ! -x "$AGENT" ] || [ "$EXIT" -ne 0 ] || bypass=$(head -n 1 "$WORK/output")
	printf ',"private_link":{"scope":%s,"proxy_bypass":%s,"names":[' "$id" "$(text "$bypass")"
	for place in $(seq "$1"); do
		[ -s "$WORK/$place/private" ] || continue
		printf '%s' "$between"
		cat "$WORK/$place/private"
		between=,
	done
	printf ']}'
}
measure_path() { # LOCATION CLOUD
	has openssl || refuse no-openssl "install openssl first: the agent's package needs it, and so does this"
	[ -z "$PROXY" ] || openssl s_client -help 2>&1 | grep -q '^ *-proxy ' ||
		refuse no-openssl "this openssl is too old to go through a proxy: let the agent try, with \`check\`"
	added_anchors >"$WORK/anchors"
	set -f # the star is no file
	number=0
	for host in $(required_hosts "$2"); do
		number=$((number + 1))
		PLACE=$WORK/$number
		mkdir "$PLACE"
		case $host in
		'*'*) measure_regional "${host#?}" "$1" ;;
		'{region}'*) measure "$1${host#*\}}" / && row "$1${host#*\}}" ;;
		*) measure "$host" / && row "$host" ;;
		esac >"$PLACE/row" &
		JOBS="$JOBS $!"
	done
	set +f
	wait
	JOBS=
	{
		printf '{"schema":1,"kind":"check","cloud":"%s","location":"%s","taken":"%s"' "$2" "$1" \
			"$(date -u +%Y-%m-%dT%H:%M:%SZ)"
		printf ',"resolver":%s,"proxy":%s,"endpoints":[' "$(text "$(resolver)")" \
			"$([ -n "$PROXY" ] && text "$(hide_user "$PROXY")" || printf null)"
		for number in $(seq "$number"); do
			[ "$number" -eq 1 ] || printf ,
			cat "$WORK/$number/row"
		done
		printf ']'
		[ -z "$SCOPE" ] || private_link "$number"
		printf '}\n'
	} >"$WORK/path"
}
routes() {
	has ip || return 0
	comma=
	sort -u "$WORK"/*/address | while read -r tried; do
		[ -n "$tried" ] || continue
		printf '%s%s' "$comma" "$(text "$(ip -4 route get "$tried" 2>&1 </dev/null | head -n 1)")"
		comma=,
	done
}

# PEM on standard input as one line of Base64 a certificate.
certificate_lines() {
	tr -d '\r' | awk '/^-----BEGIN CERT/ { body = ""; next } /^-----END CERT/ { print body; next } { body = body $0 }'
}
# Unknown where the bundle's certificates do not lie beside the folder of this script.
certificate_facts() {
	cat /etc/ssl/certs/ca-certificates.crt /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem \
		/etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem 2>/dev/null |
		certificate_lines >"$WORK/trusted"
	comma='' list=null
	for file in "$HERE"/../certificates/*.crt; do
		[ -f "$file" ] || continue
		[ "$list" != null ] || list=
		certificate_lines <"$file" | head -n 1 >"$WORK/certificate"
		! grep -q -x -F -f "$WORK/certificate" "$WORK/trusted" || continue
		file=${file##*/}
		list="$list$comma{\"file\":$(text "certificates/$file")"
		list="$list,\"name\":$(text "$(printf '%s' "${file%.crt}" | tr _ ' ')")"
		list="$list,\"sha256\":\"$(base64 -d <"$WORK/certificate" 2>/dev/null | sha256sum | cut -c 1-64)\"}"
		comma=,
	done
	[ "$list" = null ] || list="[$list]"
	printf ',"missing_certificates":%s' "$list"
}

# What Microsoft's installation script reports, and only where the caller asked for it. Nothing waits for it.
note_target() { # from CONFIG, which is removed before there is something to report
	TARGET=
	for pair in subscriptionId:subscription-id resourceGroup:resource-group tenantId:tenant-id location:location; do
		TARGET="$TARGET,\"${pair%%:*}\":$(text "$(config_value "${pair#*:}")")"
	done
	TARGET_CLOUD=$(config_value cloud)
}
send_failure() { # CODE MESSAGE
	case ${TARGET_CLOUD-} in
	AzureUSGovernment) url=https://gbl.his.arc.azure.us/log ;;
	AzureChinaCloud) url=https://gbl.his.arc.azure.cn/log ;;
	*) url=https://gbl.his.arc.azure.com/log ;;
	esac
	CONFIG=${CONFIG:-/dev/null}
	[ -n "${TARGET-}" ] || note_target
	{
		printf '{"operation":"onboarding","osType":"linux","namespace":"Microsoft.HybridCompute"'
		printf ',"messageType":%s,"message":%s%s}' "$(text "$1")" "$(text "$(printf '%.500s' "$2")")" "$TARGET"
	} >"$WORK/report"
	find_proxy
	https_proxy=$PROXY # not on a command line: it may hold a password
	export https_proxy
	if has curl; then
		timeout 15 curl -q -f -s -m 10 -X PUT -H 'Content-Type: application/json' --data-binary "@$WORK/report" \
			-o /dev/null "$url"
	else
		timeout 15 wget -q -T 10 -t 1 --method=PUT --header='Content-Type: application/json' \
			--body-file="$WORK/report" -O /dev/null "$url"
	fi
}
# shellcheck disable=SC2034 # linux.sh asks for it
NETWORK=1
