#!/bin/sh
# The arcferry host script for Linux: the only code that arcferry runs on a server.
#
#   sh linux.sh facts [LOCATION CLOUD [FILE]]       what this server is; with a location, also the path to Azure,
#                                                   written to FILE in the form that `arcferry explain` reads;
#                                                   with --private-link-scope[=ID] how the names answer that it serves
#   sh linux.sh verify FOLDER                       compare an unpacked bundle with its manifest
#   sh linux.sh verify FILE SHA256 [FILE SHA256 ...]  compare files with their hashes
#   sh linux.sh install PACKAGE SHA256              install or upgrade the agent from a deb or rpm
#   sh linux.sh check LOCATION CLOUD                the agent's own connectivity check
#   sh linux.sh evidence LOCATION CLOUD FILE        what `facts` tells and the ends of the agent's own logs in one file
#                                                   that only root can read, for `arcferry evidence pack`; for FILE -
#                                                   on standard output, before the answer
#   sh linux.sh connect CONFIG [PROXY]              connect to Azure Arc; CONFIG is removed; waits 300 seconds, or
#                                                   --wait=SECONDS, for Azure to hear from the agent; --proxy=URL
#                                                   is PROXY too, and for facts and check the one that will be
#   sh linux.sh show                                the agent's state
#   sh linux.sh disconnect CONFIG|--local-only      disconnect from Azure Arc; CONFIG is removed
#   sh linux.sh uninstall                           remove the agent's package
#   sh linux.sh proxy URL|none                      set the proxy that the agent uses, or take it away
#
# CONFIG is a JSON file in the form of `azcmagent --config` that holds an access token. It must belong to
# root and be readable by nobody else; "-" reads it from standard input instead. With --report-failure a failed
# install or connect is told to Azure Arc, as Microsoft's own script does: the code, the message and the names of
# subscription, resource group, tenant and location.
#
# Every run prints one line of JSON with "schema", "verb" and "ok", and where something failed "code" and
# "message". It ends with 0 where ok, 1 where not, 2 where it was called wrongly. Network connections are opened
# only by the functions of linux-network.sh beside this file. It needs a POSIX shell and the base system's tools.
# shellcheck disable=SC2015 # in "A && B || refuse ...", refuse is also right where B fails
# shellcheck disable=SC2016 # the ${...} in single quotes are dpkg's own

# Nothing of the caller's may stand in a program's place. bash takes functions from its environment, and they come even
# before builtins, but for the special ones in POSIX mode, which this variable turns on and off. dash and busybox take
# none.
POSIXLY_CORRECT=1
set +aCefvx
unset -f unset declare
unset POSIXLY_CORRECT
case ${BASH_VERSION-} in
?*)
	# shellcheck disable=SC3044 # bash alone gets here
	for word in $(declare -F); do unset -f "$word"; done 2>/dev/null
	# shellcheck disable=SC3044
	declare +x SHELLOPTS BASHOPTS 2>/dev/null
	POSIXLY_CORRECT=1
	;;
esac
unalias -a 2>/dev/null
unset IFS CDPATH ENV BASH_ENV
# Neither may settings of the caller's decide which programs run as root, in which language they answer, or whom they
# trust. What names a proxy stays.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
HOME=/root
export PATH LC_ALL HOME
# shellcheck disable=SC2013 # names, each a word
for word in $(awk 'BEGIN { for (name in ENVIRON) if (name ~ /^[A-Za-z_][A-Za-z0-9_]*$/) print name }' </dev/null); do
	case $word in
	PATH | LC_ALL | HOME | PWD | OLDPWD | PPID | UID | EUID | *_PROXY | *_proxy) ;;
	*) unset "$word" ;;
	esac
done
set -u
umask 077

AGENT=/opt/azcmagent/bin/azcmagent
VERB=usage # until the call has proved right
WORK= # a private folder for this run
SECRET= # a file with a token in it
RUNNING= # not empty while the agent runs
JOBS= # the numbers of what linux-network.sh has started
EXIT=0 # how the last program ended
REPORT= # not empty where a failure is to be told to Azure Arc
EXPIRED='its identity has expired: disconnect it and connect it anew'
WAIT=300 # seconds in which the agent is to be heard from once it is connected
AGENT_PROXY= # the proxy that the agent is to use
SCOPE= # the private link scope that is meant to be used, "unnamed" where its id is not said
NETWORK= # not empty where linux-network.sh was read
HERE=. # the folder of this file

# Standard input as a JSON string, in ASCII. Bytes are decoded here, not passed on: neither a terminal nor a
# JSON reader may meet control characters or broken UTF-8. What is not UTF-8 is left out.
json() {
	od -An -v -tu1 | awk '
		function put(point) {
			if (point == 34 || point == 92) printf "\\%c", point
			else if (point >= 32 && point < 127) printf "%c", point
			else if (point < 65536) printf "\\u%04x", point
			else printf "\\u%04x\\u%04x", 55232 + int(point / 1024), 56320 + point % 1024
		}
		function begin(count, bits, smallest) { left = count; sum = bits; least = smallest }
		function take(b) {
			if (left > 0 && b >= 128 && b < 192) {
				sum = sum * 64 + b - 128
				left--
				if (left == 0 && sum >= least && sum <= 1114111 && (sum < 55296 || sum > 57343)) put(sum)
				return
			}
			left = 0
			if (b > 0 && b < 128) put(b)
			else if (b >= 192 && b < 224) begin(1, b - 192, 128)
			else if (b >= 224 && b < 240) begin(2, b - 224, 2048)
			else if (b >= 240 && b < 248) begin(3, b - 240, 65536)
		}
		BEGIN { printf "\"" }
		{ for (i = 1; i <= NF; i++) take($i + 0) }
		END { printf "\"" }'
}
text() { printf '%s' "$1" | json; }
output() { tail -c 16384 "$WORK/output" 2>/dev/null | json; } # the end of what was printed last
truth() { "$@" && printf true || printf false; }
has() { command -v "$1" >/dev/null 2>&1; }
lower() { printf '%s' "$1" | tr '[:upper:]' '[:lower:]'; }
# answer true|false [FIELDS]: the one line of output, and the end. FIELDS is JSON and begins with a comma.
answer() {
	printf '{"schema":1,"verb":"%s","ok":%s%s}\n' "$VERB" "$1" "${2-}"
	[ "$1" = true ] && exit 0
	exit 1
}
# refuse CODE MESSAGE [FIELDS]
refuse() {
	reported=
	[ -z "$REPORT" ] || reported=",\"reported\":$(truth tell_azure "$1" "$2")"
	answer false ",\"code\":$(text "$1"),\"message\":$(text "$2")${3-}$reported"
}
tell_azure() { [ -n "$NETWORK" ] && send_failure "$@" >/dev/null 2>&1; }
usage() { (refuse usage "$1") || exit 2; }

# Runs however this script ends, except by SIGKILL: no token and no temporary file stays behind.
cleanup() {
	set +u # $! has no value before the first program was started
	# To the limiter's group: coreutils 9.1's timeout, signalled right after its start, leaves its program running.
	[ -z "$RUNNING" ] || { kill -TERM "-$!" || kill "$!"; wait "$!"; } 2>/dev/null
	# shellcheck disable=SC2086 # a list of numbers
	[ -z "$JOBS" ] || { kill $JOBS; wait $JOBS; } 2>/dev/null
	[ -z "$SECRET" ] || rm -f -- "$SECRET"
	# Again where something that was ended just now put another file there.
	[ -z "$WORK" ] || rm -rf -- "$WORK" 2>/dev/null || { sleep 1 && rm -rf -- "$WORK"; }
}
# The tokens of runs that were killed, in folders that are this user's own, so that nobody else has put one there or
# can swap it. A run names its folder by its number; none takes an hour.
sweep() {
	for left in /var/tmp/arcferry.*/config.json /tmp/arcferry.*/config.json; do
		folder=${left%/*}
		[ -f "$left" ] && [ -O "$folder" ] && [ ! -L "$folder" ] || continue
		number=${folder##*/arcferry.} number=${number%%.*}
		case $number in
		*[!0-9]*) ;;
		*) kill -0 "$number" 2>/dev/null && [ -z "$(find "$left" -mmin +60 2>/dev/null)" ] && continue ;;
		esac
		rm -rf -- "$folder"
	done
}
# A shell that dies of a signal skips its EXIT trap, so a signal is turned into an exit.
trap cleanup EXIT
trap 'exit 130' HUP INT PIPE TERM
need_root() { [ "$(id -u)" -eq 0 ] || refuse not-root "run this as root"; }
need_agent() { [ -x "$AGENT" ] || refuse not-installed "$AGENT does not exist: install the agent first"; }
# run_agent SECONDS ARGUMENT...: in the background, so that a signal to this script is acted upon at once.
# Standard input is closed off because this script itself may be what is on it.
run_agent() {
	limit=$1
	shift
	RUNNING=1 # before the start, as a signal may come at once after it
	timeout -k 10 "$limit" "$AGENT" "$@" >"$WORK/output" 2>&1 </dev/null &
	wait "$!"
	EXIT=$?
	RUNNING=
}
# The agent's code for how it ended: as printed, else from its exit status, which is the same number. From 124
# on a status is the time limit's, the shell's or a signal's.
agent_code() {
	[ "$EXIT" -ne 0 ] || return 0
	found=$(awk 'match($0, /AZCM[0-9][0-9][0-9][0-9]/) { print substr($0, RSTART, 8); exit }' "$WORK/output")
	[ -n "$found" ] || [ "$EXIT" -ge 124 ] || found=$(printf 'AZCM%04d' "$EXIT")
	printf '%s' "$found"
}
# answer_run [FIELDS]: report how the agent ended.
answer_run() {
	fields="${1-},\"exit\":$EXIT,\"output\":$(output)"
	[ "$EXIT" -ne 0 ] || answer true ",\"code\":\"\"$fields"
	refuse "$(agent_code)" "azcmagent $VERB ended with exit status $EXIT" "$fields"
}
# answer_unchanged [FIELDS]: nothing was to be done.
answer_unchanged() { answer true ",\"changed\":false,\"exit\":0,\"code\":\"\",\"output\":\"\"${1-}"; }
# `azcmagent show` into $WORK/show: "Key : Value" lines, documented where its JSON is not.
read_state() {
	: >"$WORK/show"
	[ -x "$AGENT" ] || return 0
	run_agent 60 show
	head -c 65536 "$WORK/output" >"$WORK/show"
}
# shown KEY: the value that `azcmagent show` printed for it; the value may hold colons itself.
shown() {
	awk -v key="$1" '
		function trimmed(s) { gsub(/^[ \t\r]+|[ \t\r]+$/, "", s); return s }
		{ at = index($0, ":") }
		at && trimmed(substr($0, 1, at - 1)) == key { print trimmed(substr($0, at + 1)); exit }' "$WORK/show"
}
# What read_state has read, as JSON.
agent_json() {
	version=$(shown 'Agent Version')
	version=${version:-$(installed_version deb)$(installed_version rpm)}
	printf '{"installed":%s,"version":%s' "$(truth [ -x "$AGENT" ])" "$(text "$version")"
	for pair in 'status:Agent Status' 'resource_id:Resource Id' 'resource_name:Resource Name' \
		'subscription_id:Subscription ID' 'resource_group:Resource Group Name' 'location:Location' \
		'vm_id:VM ID' 'vm_uuid:VM UUID' 'tenant_id:Tenant ID' 'last_heartbeat:Agent Last Heartbeat'; do
		printf ',"%s":%s' "${pair%%:*}" "$(text "$(shown "${pair#*:}")")"
	done
	printf '}'
}

# installed_version FORMAT: nothing where the package is absent or was left half installed.
installed_version() {
	case $1 in
	deb) dpkg-query -W -f='${db:Status-Abbrev}|${Version}\n' azcmagent | sed -n 's/^ii *|//p' ;;
	rpm) found=$(rpm -q --qf '%{VERSION}-%{RELEASE}\n' azcmagent) && printf '%s' "$found" ;;
	esac 2>/dev/null
}
# package_facts FORMAT FILE: its name, a space, its version.
package_facts() {
	case $1 in
	deb) dpkg-deb -W --showformat='${Package} ${Version}\n' "$2" ;;
	rpm) rpm -qp --nosignature --qf '%{NAME} %{VERSION}-%{RELEASE}\n' "$2" ;;
	esac 2>/dev/null
}
# older FORMAT A B: whether version A is older than B.
older() {
	case $1 in
	deb) dpkg --compare-versions "$2" lt "$3" ;;
	rpm) [ "$2" != "$3" ] && [ "$(printf '%s\n%s\n' "$2" "$3" | sort -V | head -n 1)" = "$2" ] ;;
	esac
}

# Run dpkg or rpm to its end: cutting an installer short breaks the package database, so here a signal has
# to wait. Unattended upgrades often hold the lock for a moment, and without a terminal rpm does not wait either.
run_installer() {
	for try in $(seq 150); do # two seconds apart, so five minutes
		[ "$try" -eq 1 ] || sleep 2
		DEBIAN_FRONTEND=noninteractive "$@" >"$WORK/output" 2>&1 </dev/null
		EXIT=$?
		[ "$EXIT" -ne 0 ] && grep -q -e 'locked by another process' -e 'create transaction lock' "$WORK/output" ||
			return 0
	done
}
need_place() {
	case $1 in '' | *[!a-z0-9]*) usage "not a location: $1" ;; esac
	case $2 in AzureCloud | AzureUSGovernment | AzureChinaCloud) ;; *) usage "not a cloud: $2" ;; esac
}
# hash_of FILE: nothing where it cannot be read.
hash_of() { [ -f "$1" ] && [ -r "$1" ] && sha256sum <"$1" | cut -c 1-64; }
need_hash() {
	[ ${#1} -eq 64 ] && [ -z "$(printf '%s' "$1" | tr -d '0-9A-Fa-f')" ] || usage "not a SHA-256: $1"
}
# take_config FILE|-: sets CONFIG to a file that only root can read, and sees to its removal.
take_config() {
	CONFIG=$1
	[ "$CONFIG" != - ] || { CONFIG=$WORK/config.json && head -c 65536 >"$CONFIG"; }
	[ -f "$CONFIG" ] && [ -r "$CONFIG" ] || refuse config-unreadable "$CONFIG: no such file, or not readable"
	# A path typed wrongly must not cost another file: what holds no token is refused and left alone.
	if ! grep -q -e '"access-token"' -e '"service-principal-secret"' "$CONFIG"; then
		! grep -q '"service-principal-cert-thumbprint"' "$CONFIG" ||
			refuse config-thumbprint "$CONFIG: certificate thumbprints are for Windows; Linux needs an access-token"
		refuse config-no-token "$CONFIG: no access-token in it; left alone"
	fi
	SECRET=$CONFIG
	! grep -q '"service-principal-secret"' "$CONFIG" ||
		refuse config-secret "$CONFIG: holds a long-lived secret, which no server needs; it was removed"
	[ -z "$REPORT" ] || [ -z "$NETWORK" ] || note_target
	# `ls -n` prints "-rw------- 1 0 ..." (mode, links, owner's number), and "l" first for a symbolic link.
	# shellcheck disable=SC2012 # mode and owner stand before the name, and stat's options are not portable
	case $(ls -ldn -- "$CONFIG" | awk 'NR == 1 { print $3, $1 }') in
	'0 -r'??------*) ;;
	*) refuse config-unsafe "$CONFIG: must be root's own file, readable by nobody else; it was removed" ;;
	esac
}
# config_value KEY: a string of the flat JSON in CONFIG. Only names of things are asked for, never the token.
config_value() {
	sed -n "s/.*\"$1\"[[:space:]]*:[[:space:]]*\"\([^\"]*\)\".*/\1/p" "$CONFIG" | head -n 1
}
# os_release KEY: read, not sourced, so that nothing in the file is run.
os_release() { sed -n "s/^$1=//p" /etc/os-release 2>/dev/null | head -n 1 | sed "s/^[\"']//; s/[\"']\$//"; }
package_format() {
	case " $(os_release ID) $(os_release ID_LIKE) " in
	*' debian '* | *' ubuntu '*) has dpkg && printf deb && return ;;
	esac
	has rpm && printf rpm && return
	has dpkg && printf deb || printf none
}
# Bytes that are free for a folder, or for the one it would be made in; null where that is not known.
free_bytes() {
	free=$({ df -Pk "$1" || df -Pk /; } 2>/dev/null | awk 'NR == 2 && $4 ~ /^[0-9]+$/ { printf "%.0f", $4 * 1024 }')
	printf '%s' "${free:-null}"
}
# Azure gives its own virtual machines this asset tag; the agent refuses to run on them.
azure_vm() {
	tag=$(cat /sys/class/dmi/id/chassis_asset_tag 2>/dev/null) || { printf null && return; }
	truth [ "$tag" = 7783-7084-3265-9085-8269-3286-77 ]
}

# What tells one server from another: the firmware's id, which Azure knows as the machine's vmUuid, and that of the
# installed system, which is told as a hash, since it is not to leave the server as it is (machine-id(5)).
vm_uuid() { head -c 36 /sys/class/dmi/id/product_uuid 2>/dev/null; }
machine_id() {
	id=$(head -c 32 /etc/machine-id 2>/dev/null)
	[ ${#id} -ne 32 ] || printf 'arcferry:%s' "$id" | sha256sum | cut -c 1-32
}

# Where the system notes that it has to start anew, and a kernel whose modules an upgrade has removed.
pending_reboot() {
	[ ! -e /run/reboot-required ] && [ ! -e /var/run/reboot-required ] || echo package-update # Debian, Ubuntu
	[ ! -e /run/reboot-needed ] || echo package-update # SUSE
	[ -z "$(ls /lib/modules 2>/dev/null)" ] || [ -d "/lib/modules/$(uname -r)" ] || echo kernel
}
# Whether dpkg, rpm or what calls them is at work: a lock for writing on its file, or a process behind its number.
installer_busy() {
	cd /var/lib || return 1
	for file in dpkg/lock-frontend dpkg/lock rpm/.rpm.lock ../../usr/lib/sysimage/rpm/.rpm.lock; do
		inode=$(find "$file" -prune -exec ls -i {} + 2>/dev/null | awk '{ print $1 }')
		[ -n "$inode" ] && grep -q "WRITE .*:$inode " /proc/locks 2>/dev/null && return 0
	done
	for file in /run/yum.pid /run/zypp.pid /var/cache/dnf/*_lock.pid; do
		number=$(head -c 10 "$file" 2>/dev/null | tr -cd 0-9)
		[ -n "$number" ] && [ -d "/proc/$number" ] && return 0
	done
	return 1
}
# The agent's own ports (himds 40342, arcproxy 40343, in hexadecimal below) that something listens on.
ports_in_use() {
	cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
		awk '$4 == "0A" && $2 ~ /:9D96$/ { print 40342 } $4 == "0A" && $2 ~ /:9D97$/ { print 40343 }' | sort -u
}
# The workspaces that the Log Analytics agent (OMS), which ended in August 2024, reports to.
workspaces() {
	conf=/etc/opt/microsoft/omsagent
	sed -n 's/^WORKSPACE_ID=//p' "$conf"/*/conf/omsadmin.conf "$conf"/conf/omsadmin.conf 2>/dev/null | sort -u
}
# As the agent looks for it: its own setting, then systemd's environment; then this shell's.
find_proxy() {
	PROXY='' PROXY_SOURCE=proxy.url
	[ ! -x "$AGENT" ] || run_agent 15 config get proxy.url
	[ ! -x "$AGENT" ] || [ "$EXIT" -ne 0 ] || PROXY=$(grep -m 1 '^https\{0,1\}://' "$WORK/output")
	[ -n "$PROXY" ] || {
		PROXY_SOURCE=systemd
		PROXY=$(sed -n 's/.*[Hh][Tt][Tt][Pp][Ss]_[Pp][Rr][Oo][Xx][Yy]=\([^" ]*\).*/\1/p' \
			/lib/systemd/system.conf.d/azcmagent.conf 2>/dev/null | head -n 1)
	}
	[ -n "$PROXY" ] || PROXY_SOURCE=HTTPS_PROXY PROXY=${HTTPS_PROXY:-${https_proxy-}}
	[ -n "$PROXY" ] || PROXY_SOURCE=
	[ -z "$AGENT_PROXY" ] || need_proxy "$AGENT_PROXY"
	[ -z "$AGENT_PROXY" ] || PROXY_SOURCE=given PROXY=$AGENT_PROXY
}
need_proxy() {
	case $1 in
	http://* | https://*) place=${1#*://} ;;
	*) place= ;;
	esac
	case $place in
	'' | /* | *[!][A-Za-z0-9.:_/-]* | */?*) refuse bad-proxy "PROXY is http://HOST:PORT, without a user" ;;
	esac
}
hide_user() { printf '%s' "$1" | sed 's#^\([A-Za-z]*://\)\{0,1\}.*@#\1#'; }
# words: the lines on standard input as a JSON list of strings, without those that are no plain words.
words() { awk '/^[A-Za-z0-9._:*-]+$/ { printf "%s\"%s\"", comma, $0; comma = "," }'; }

# What Microsoft's script looks at too, and what tells why an installation fails.
server_facts() {
	printf ',"process_64_bit":%s' "$(truth [ "$(od -An -j4 -N1 -tu1 /bin/sh | tr -d ' ')" = 2 ])" # its ELF class
	printf ',"libc":%s,"tools":{' "$(text "$(getconf GNU_LIBC_VERSION 2>/dev/null)")"
	comma=
	for tool in curl wget openssl gpg; do
		printf '%s"%s":%s' "$comma" "$tool" "$(truth has "$tool")"
		comma=,
	done
	printf '},"pending_reboot":[%s]' "$(pending_reboot | sort -u | words)"
	printf ',"installer_busy":%s' "$(truth installer_busy)"
	printf ',"ports_in_use":[%s]' "$(ports_in_use | paste -s -d , -)"
	printf ',"legacy_agent":{"installed":%s,"workspaces":[%s]}' \
		"$(truth [ -d /opt/microsoft/omsagent ])" "$(workspaces | words)"
	printf ',"proxy":{"url":%s,"source":"%s"}' "$(text "$(hide_user "$PROXY")")" "$PROXY_SOURCE"
}
# write_whole NAME MODE FILE: a file of $WORK, whole or not at all. Others may be able to write its folder: cp makes
# the new name itself, which nobody knows, and mv -T puts it in a link's place.
write_whole() {
	beside=$(mktemp -u "$3.XXXXXXXXXX") || return 1
	chmod "$2" "$WORK/$1"
	[ ! -L "$3" ] && (umask 022 && cp -- "$WORK/$1" "$beside") && mv -fT -- "$beside" "$3" && return 0
	rm -f -- "$beside"
	return 1
} 2>/dev/null

# "SHA256  NAME" for each file of a manifest, which has one key a line; "! NAME" where no bundle holds such a file.
manifest_files() {
	awk '
		function fails(why) { print "! " why; failed = 1; exit 1 }
		function plain(name, parts, i, n) {
			n = split(name, parts, "/")
			for (i = 1; i <= n; i++)
				if (length(parts[i]) > 100 || parts[i] !~ /^[A-Za-z0-9_]([A-Za-z0-9_.+~-]*[A-Za-z0-9_+~-])?$/) return 0
			return n && length(name) <= 200 && name !~ /^manifest[.]json([.]minisig)?$/ && !taken[tolower(name)]++
		}
		/^  "kind": "arcferry-bundle",$/ { kind = 1 }
		/^  "schema": 1,$/ { schema = 1 }
		/^  "files": \[$/ { if (seen++) fails(""); inside = 1; next }
		inside && /^  \],$/ { inside = 0 }
		!inside || /^      "(length|origin|role)": / { next }
		/^    [{]$/ { name = hash = ""; next }
		/^      "name": ".*",$/ { name = substr($0, 16, length($0) - 17); next }
		/^      "sha256": "[0-9a-f]+"$/ { hash = substr($0, 18, length($0) - 18); next }
		/^    [}],?$/ && length(hash) == 64 && ++count <= 10000 {
			if (!plain(name)) fails(name)
			print hash "  " name
			next
		}
		{ fails("") }
		END { exit failed || inside || !(seen && kind && schema) }' "$1"
}
verify_folder() {
	[ -f "$1/manifest.json" ] && head -c 16777217 <"$1/manifest.json" 2>/dev/null >"$WORK/manifest" ||
		refuse no-manifest "$1/manifest.json: no such file, or not readable"
	[ "$(wc -c <"$WORK/manifest")" -le 16777216 ] || refuse bad-manifest "$1/manifest.json is larger than 16 MB"
	hash=$(hash_of "$WORK/manifest")
	manifest=",\"manifest\":{\"sha256\":\"$hash\",\"id\":\"$(printf '%.12s' "$hash")\"}"
	manifest_files "$WORK/manifest" >"$WORK/listed" || {
		name=$(sed -n 's/^! //p' "$WORK/listed")
		[ -z "$name" ] || refuse bad-manifest "the manifest names '$name', which no bundle holds" "$manifest"
		refuse bad-manifest "$1/manifest.json is not a bundle's manifest" "$manifest"
	}
	cd -- "$1/." || refuse no-manifest "$1: cannot be entered"
	extra=$(find . ! -type d ! -type f | head -n 1)
	[ -z "$extra" ] || refuse extra-file "${extra#./} is neither a file nor a folder, as all in a bundle is" "$manifest"
	cut -c 67- "$WORK/listed" | xargs sha256sum -- >"$WORK/found" 2>/dev/null
	awk -v found="$WORK/found" -v first="$WORK/wrong" '
		BEGIN { while ((getline line <found) > 0) hash[substr(line, 67)] = substr(line, 1, 64) }
		{
			name = substr($0, 67)
			right = hash[name] == substr($0, 1, 64) ? "true" : "false"
			if (right == "false" && !wrong++) print name >first
			printf "%s{\"name\":\"%s\",\"sha256\":\"%s\",\"ok\":%s}", comma, name, hash[name], right
			comma = ","
		}' "$WORK/listed" >"$WORK/files"
	fields="$manifest,\"files\":[$(cat "$WORK/files")]"
	[ ! -s "$WORK/wrong" ] || refuse hash-mismatch "$(cat "$WORK/wrong"): missing, or not what its hash says" "$fields"
	extra=$(find . -type f | awk -v listed="$WORK/listed" '
		BEGIN {
			while ((getline line <listed) > 0) known["./" substr(line, 67)] = 1
			known["./manifest.json"] = known["./manifest.json.minisig"] = 1
		}
		!known[$0]-- { print; exit }')
	[ -z "$extra" ] || refuse extra-file "${extra#./} does not belong to the bundle" "$fields"
	answer true "$fields"
}

do_facts() {
	[ $# -eq 0 ] || need_place "$1" "$2"
	read_state
	find_proxy
	# Without a name server `hostname -f` would wait; the short name is then the only one there is.
	fqdn=$(timeout 3 hostname -f 2>/dev/null </dev/null)
	fields=",\"os\":\"linux\",\"hostname\":$(text "$(uname -n)"),\"fqdn\":$(text "${fqdn:-$(uname -n)}")"
	fields="$fields,\"distro\":{\"id\":$(text "$(os_release ID)"),\"version\":$(text "$(os_release VERSION_ID)")"
	fields="$fields,\"name\":$(text "$(os_release PRETTY_NAME)")},\"arch\":$(text "$(uname -m)")"
	fields="$fields,\"package_format\":\"$(package_format)\",\"root\":$(truth [ "$(id -u)" -eq 0 ])"
	fields="$fields,\"systemd\":$(truth [ -d /run/systemd/system ]),\"disk_free\":$(free_bytes /var)"
	fields="$fields,\"opt_free\":$(free_bytes /opt),\"time\":\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\""
	fields="$fields,\"vm_uuid\":$(text "$(vm_uuid)"),\"machine_id\":$(text "$(machine_id)")"
	fields="$fields,\"azure_vm\":$(azure_vm),\"agent\":$(agent_json)$(server_facts)"
	[ -z "$NETWORK" ] || fields="$fields$(certificate_facts)"
	[ $# -gt 0 ] || answer true "$fields"
	[ -n "$NETWORK" ] || refuse no-network-script "linux-network.sh must lie beside this, as readable as this" "$fields"
	measure_path "$1" "$2"
	fields="$fields,\"routes\":[$(routes)],\"path\":$(cat "$WORK/path")"
	# Readable, since it goes to whoever runs `arcferry explain`.
	[ $# -lt 3 ] || write_whole path 644 "$3" || refuse no-file "$3: cannot be written, or is a link" "$fields"
	answer true "$fields"
}

do_verify() {
	[ $# -gt 1 ] || verify_folder "$1"
	wrong='' list=''
	while [ $# -gt 0 ]; do
		need_hash "$2"
		hash=$(hash_of "$1")
		[ "$hash" = "$(lower "$2")" ] || wrong=${wrong:-$1}
		right=$(truth [ "$hash" = "$(lower "$2")" ])
		list="$list${list:+,}{\"name\":$(text "$1"),\"sha256\":\"$hash\",\"ok\":$right}"
		shift 2
	done
	[ -z "$wrong" ] || refuse hash-mismatch "$wrong: missing, or not what its hash says" ",\"files\":[$list]"
	answer true ",\"files\":[$list]"
}

do_install() {
	need_hash "$2"
	need_root
	[ "$(azure_vm)" != true ] || refuse azure-vm "Azure manages this virtual machine already"
	[ -f "$1" ] && [ -r "$1" ] || refuse no-package "$1: no such file, or not readable"
	# What is hashed must be what is installed: the copy lies where only root can change it.
	package=$WORK/package
	said=$(cp -- "$1" "$package" 2>&1) || refuse no-copy "$1: cannot be copied" ",\"output\":$(text "$said")"
	hash=$(hash_of "$package")
	[ "$hash" = "$(lower "$2")" ] || refuse hash-mismatch "$1: SHA-256 is $hash, not $2; nothing was installed"
	case $(od -An -N8 -tx1 "$package" | tr -d ' \n') in
	213c617263683e0a) format=deb && set -- "$1" dpkg --force-confold -i "$package" ;; # asks nothing
	edabeedb*) format=rpm && set -- "$1" rpm -U "$package" ;;
	*) refuse not-a-package "$1: is neither a deb nor an rpm package" ;;
	esac
	has "$2" || refuse wrong-format "$1: this server cannot install $format packages"
	facts=$(package_facts "$format" "$package")
	[ "${facts% *}" = azcmagent ] || refuse not-the-agent "$1: is the package '${facts% *}', not azcmagent"
	new=${facts#* }
	old=$(installed_version "$format")
	[ "$new" != "$old" ] || answer_unchanged ",\"version\":$(text "$old")"
	[ -z "$old" ] || ! older "$format" "$new" "$old" ||
		refuse downgrade-refused "$1: is version $new, and $old is installed" ",\"version\":$(text "$old")"
	shift
	run_installer "$@"
	fields=",\"changed\":true,\"version\":$(text "$(installed_version "$format")")"
	fields="$fields,\"exit\":$EXIT,\"output\":$(output)"
	[ "$EXIT" -eq 0 ] || refuse install-failed "$1 ended with exit status $EXIT" "$fields"
	[ -x "$AGENT" ] || refuse install-failed "the package was installed, but $AGENT is missing" "$fields"
	answer true "$fields"
}

do_check() {
	need_place "$1" "$2"
	need_agent
	[ -z "$AGENT_PROXY" ] || set_proxy "$AGENT_PROXY"
	run_agent 300 check --location "$1" --cloud "$2"
	answer_run
}

# What is a secret by its form or by its name, as far as one line tells; `arcferry evidence pack` looks closer. A colon
# after "token" or "secret" often begins an error's own words, so there a value must be long or quoted.
hide_secrets() {
	value='("[^"]*"|[^",;[:space:]]+)' is='[[:space:]]*[:=][[:space:]]*'
	secret='(secret|token|signature|api-?key|shared-?key)[a-z_-]*'
	sed -E -e 's#(://)[^@[:space:]"<>]*@#\1[redacted]@#g' -e 's#^[a-z0-9+/=]{60,}.?$#[redacted]#I' \
		-e 's#ey[J][a-z0-9_-]{8,}([.][a-z0-9_-]*)*#[redacted]#gI' \
		-e 's#((bearer|basic) +)[a-z0-9+/=._~-]{8,}#\1[redacted]#gI' \
		-e 's#([?&](sig|sv|code|key)=)[^&"[:space:]]*#\1[redacted]#gI' \
		-e "s#((password|passwd|passphrase|pwd)[a-z_-]*\"?$is)$value#\1[redacted]#gI" \
		-e "s#($secret([[:space:]]*=[[:space:]]*|\"$is))$value#\1[redacted]#gI" \
		-e "s#($secret:[[:space:]]*)[a-z0-9+/=._~-]{20,}#\1[redacted]#gI"
}
# The logs themselves, and not the zip of `azcmagent logs`: no tool of the base system masks what is in a zip, and
# the agent may be what does not run.
agent_logs() {
	for log in /var/opt/azcmagent/log/himds.log /var/opt/azcmagent/log/azcmagent.log \
		/var/lib/GuestConfig/arc_policy_logs/gc_agent.log /var/lib/GuestConfig/ext_mgr_logs/gc_ext.log; do
		[ -f "$log" ] || continue
		printf '\n==> %s <==\n' "$log"
		tail -c 1048576 "$log"
	done 2>/dev/null
}
do_evidence() {
	need_place "$1" "$2"
	need_root
	(VERB=facts && do_facts "$1" "$2") >"$WORK/evidence"
	agent_logs | hide_secrets >>"$WORK/evidence"
	if [ "$3" = - ]; then
		cat "$WORK/evidence" && echo
	else
		write_whole evidence 600 "$3" || refuse no-file "$3: cannot be written, or is a link"
	fi
	answer true ",\"file\":$(text "$3"),\"bytes\":$(wc -c <"$WORK/evidence" | tr -d ' ')"
}

set_proxy() {
	[ "$1" != none ] || run_agent 60 config clear proxy.url
	[ "$1" = none ] || need_proxy "$1"
	[ "$1" = none ] || run_agent 60 config set proxy.url "$1"
	[ "$EXIT" -eq 0 ] || answer_run ',"changed":false'
}
do_proxy() { need_root; need_agent; set_proxy "$1"; answer_run ',"changed":true'; }
# Ends well before Azure has heard from the machine: only the agent's own status says so.
heard() { printf ',"heard_from":%s,"status":%s' "$(truth [ "$STATUS" = Connected ])" "$(text "$STATUS")"; }
await_status() {
	until=$(($(date +%s) + WAIT))
	for try in $(seq $((WAIT / 2 + 1))); do # so that a clock set back does not make it longer
		[ "$try" -eq 1 ] || sleep 2
		read_state
		STATUS=$(shown 'Agent Status')
		[ "$STATUS" != Connected ] && [ "$(date +%s)" -lt "$until" ] || return 0
	done
}
do_connect() {
	take_config "$1"
	need_root
	need_agent
	read_state
	name=$(config_value resource-name)
	wanted="/subscriptions/$(config_value subscription-id)/resourceGroups/$(config_value resource-group)"
	wanted="$wanted/providers/Microsoft.HybridCompute/machines/${name:-$(uname -n)}"
	[ "$(lower "$(shown 'Resource Id')")" != "$(lower "$wanted")" ] || {
		rm -f -- "$CONFIG"
		[ "$(shown 'Agent Status')" != Expired ] || refuse expired "$EXPIRED"
		await_status
		answer_unchanged "$(heard)"
	}
	[ $# -lt 2 ] || set_proxy "$2"
	[ -z "$AGENT_PROXY" ] || set_proxy "$AGENT_PROXY"
	# The agent itself gives up after ten minutes.
	run_agent 900 connect --config "$CONFIG"
	rm -f -- "$CONFIG"
	[ "$EXIT" -eq 0 ] || answer_run ',"changed":false'
	said=$(output)
	await_status
	answer true ",\"code\":\"\",\"changed\":true,\"exit\":0,\"output\":$said$(heard)"
}

do_show() {
	need_agent
	read_state
	answer true ",\"agent\":$(agent_json)"
}

do_disconnect() {
	[ "$1" = --local-only ] || take_config "$1"
	need_root
	read_state
	[ -n "$(shown 'Resource Id')" ] || answer_unchanged
	[ "$1" = --local-only ] && set -- --force-local-only || set -- --config "$CONFIG"
	run_agent 300 disconnect "$@"
	[ -z "$SECRET" ] || rm -f -- "$SECRET"
	answer_run ",\"changed\":$(truth [ "$EXIT" -eq 0 ])"
}

do_uninstall() {
	need_root
	read_state
	# A package removed while connected leaves a machine in Azure that nobody answers for.
	[ -z "$(shown 'Resource Id')" ] || refuse still-connected "disconnect first, or disconnect --local-only"
	[ -z "$(installed_version deb)" ] || set -- dpkg --purge azcmagent
	[ -z "$(installed_version rpm)" ] || set -- rpm -e azcmagent
	[ $# -gt 0 ] || answer_unchanged
	run_installer "$@"
	fields=",\"changed\":true,\"exit\":$EXIT,\"output\":$(output)"
	[ "$EXIT" -eq 0 ] || refuse uninstall-failed "the installer ended with exit status $EXIT" "$fields"
	answer true "$fields"
}

# Read only where it has this file's owner and mode: into a folder like /tmp anybody could put one. A file cut short
# ends the subshell, and not this.
load_network() {
	case $0 in
	*/*.sh) HERE=${0%/*} ;;
	*.sh) ;;
	*) return 0 ;; # this came through standard input
	esac
	[ -f "$HERE/linux-network.sh" ] || return 0
	# shellcheck disable=SC2012 # mode and owner stand before the name, and stat's options are not portable
	[ "$(ls -ldn -- "$HERE/linux-network.sh" "$0" | awk '{ print $1, $3 }' | sort -u | wc -l)" -eq 1 ] || return 0
	# shellcheck source=/dev/null
	(. "$HERE/linux-network.sh" && [ -n "$NETWORK" ]) >/dev/null 2>&1 && . "$HERE/linux-network.sh"
}
main() {
	report=
	for word in "$@"; do
		shift
		case $word in
		--report-failure) report=1 ;;
		--wait=*) WAIT=${word#*=} ;;
		--proxy=*) AGENT_PROXY=${word#*=} ;;
		--private-link-scope) SCOPE=unnamed ;;
		--private-link-scope=/*) SCOPE=${word#*=} ;;
		*) set -- "$@" "$word" ;;
		esac
	done
	case $SCOPE in *[!][A-Za-z0-9/._\(\)-]*) usage "not the id of a private link scope" ;; esac
	case $WAIT in '' | *[!0-9]* | ?????*) usage "not a number of seconds: $WAIT" ;; esac
	case ${1-}-$# in
	facts-[134] | show-1 | uninstall-1 | connect-[23] | disconnect-2 | proxy-2 | install-3 | check-3 | evidence-4) ;;
	verify-[23579] | verify-[1-9]*[13579]) ;;
	*) usage "no such verb, or not with these arguments: ${1-}; see the top of this script" ;;
	esac
	VERB=$1
	shift
	# /var/tmp first: /tmp is memory on many systems, and a package needs 100 MB.
	WORK=$(mktemp -d "/var/tmp/arcferry.$$.XXXXXXXX" 2>/dev/null || mktemp -d "/tmp/arcferry.$$.XXXXXXXX" 2>/dev/null)
	[ -n "$WORK" ] || refuse no-temporary-folder "neither /var/tmp nor /tmp can be written"
	load_network
	case $VERB in install | connect) REPORT=$report ;; esac
	case $VERB in connect | disconnect | install | uninstall) sweep ;; esac
	"do_$VERB" "$@"
}

# Everything above is read before anything runs, so a script cut short on its way here does nothing.
main "$@"
