#!/bin/sh
# The arcferry host script for Linux: the only code that arcferry runs on a server.
#
#   sh linux.sh facts                               what this server is, and its agent's state
#   sh linux.sh verify FILE SHA256 [FILE SHA256 ...]  compare files with their hashes
#   sh linux.sh install PACKAGE SHA256              install or upgrade the agent from a deb or rpm
#   sh linux.sh check LOCATION CLOUD                the agent's own connectivity check
#   sh linux.sh connect CONFIG                      connect to Azure Arc; CONFIG is removed
#   sh linux.sh show                                the agent's state
#   sh linux.sh disconnect CONFIG|--local-only      disconnect from Azure Arc; CONFIG is removed
#   sh linux.sh uninstall                           remove the agent's package
#
# CONFIG is a JSON file in the form of `azcmagent --config` that holds an access token. It must belong to
# root and be readable by nobody else; "-" reads it from standard input instead.
#
# Every run prints one line of JSON with "schema", "verb" and "ok", and where something failed "code" and
# "message". It ends with 0 where ok, 1 where not, 2 where it was called wrongly. The script itself opens no
# network connection. It needs a POSIX shell and the base system's tools, and nothing else.
# shellcheck disable=SC2015 # in "A && B || refuse ...", refuse is also right where B fails
# shellcheck disable=SC2016 # the ${...} in single quotes are dpkg's own

set -u
umask 077
# The caller's settings must not decide which programs run as root, or in which language they answer.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
unset IFS

AGENT=/opt/azcmagent/bin/azcmagent
VERB=usage # until the call has proved right
WORK= # a private folder for this run
SECRET= # a file with a token in it
RUNNING= # not empty while the agent runs
EXIT=0 # how the last program ended

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
lower() { printf '%s' "$1" | tr '[:upper:]' '[:lower:]'; }
# answer true|false [FIELDS]: the one line of output, and the end. FIELDS is JSON and begins with a comma.
answer() {
	printf '{"schema":1,"verb":"%s","ok":%s%s}\n' "$VERB" "$1" "${2-}"
	[ "$1" = true ] && exit 0
	exit 1
}
# refuse CODE MESSAGE [FIELDS]
refuse() { answer false ",\"code\":$(text "$1"),\"message\":$(text "$2")${3-}"; }
usage() { (refuse usage "$1") || exit 2; }

# Runs however this script ends, except by SIGKILL: no token and no temporary file stays behind.
cleanup() {
	set +u # $! has no value before the first program was started
	# To the limiter's group: coreutils 9.1's timeout, signalled right after its start, leaves its program running.
	[ -z "$RUNNING" ] || { kill -TERM "-$!" || kill "$!"; wait "$!"; } 2>/dev/null
	[ -z "$SECRET" ] || rm -f -- "$SECRET"
	[ -z "$WORK" ] || rm -rf -- "$WORK"
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
	fields="${1-},\"exit\":$EXIT,\"code\":$(text "$(agent_code)"),\"output\":$(output)"
	[ "$EXIT" -ne 0 ] || answer true "$fields"
	answer false ",\"message\":$(text "azcmagent $VERB ended with exit status $EXIT")$fields"
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
		'vm_id:VM ID' 'last_heartbeat:Agent Last Heartbeat'; do
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
# to wait. Unattended upgrades often hold dpkg's lock for a moment; rpm waits for its own lock by itself.
run_installer() {
	for try in $(seq 150); do # two seconds apart, so five minutes
		[ "$try" -eq 1 ] || sleep 2
		DEBIAN_FRONTEND=noninteractive "$@" >"$WORK/output" 2>&1 </dev/null
		EXIT=$?
		[ "$EXIT" -eq 2 ] && grep -q 'locked by another process' "$WORK/output" || return 0
	done
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
	grep -q '"access-token"' "$CONFIG" || refuse config-no-token "$CONFIG: no access-token in it; left alone"
	SECRET=$CONFIG
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
	*' debian '* | *' ubuntu '*) command -v dpkg >/dev/null && printf deb && return ;;
	esac
	command -v rpm >/dev/null && printf rpm && return
	command -v dpkg >/dev/null && printf deb || printf none
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

do_facts() {
	read_state
	# Without a name server `hostname -f` would wait; the short name is then the only one there is.
	fqdn=$(timeout 3 hostname -f 2>/dev/null </dev/null)
	fields=",\"os\":\"linux\",\"hostname\":$(text "$(uname -n)"),\"fqdn\":$(text "${fqdn:-$(uname -n)}")"
	fields="$fields,\"distro\":{\"id\":$(text "$(os_release ID)"),\"version\":$(text "$(os_release VERSION_ID)")"
	fields="$fields,\"name\":$(text "$(os_release PRETTY_NAME)")},\"arch\":$(text "$(uname -m)")"
	fields="$fields,\"package_format\":\"$(package_format)\",\"root\":$(truth [ "$(id -u)" -eq 0 ])"
	fields="$fields,\"systemd\":$(truth [ -d /run/systemd/system ]),\"disk_free\":$(free_bytes /var)"
	fields="$fields,\"opt_free\":$(free_bytes /opt),\"time\":\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\""
	answer true "$fields,\"azure_vm\":$(azure_vm),\"agent\":$(agent_json)"
}

do_verify() {
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
	command -v "$2" >/dev/null || refuse wrong-format "$1: this server cannot install $format packages"
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
	case $1 in '' | *[!a-z0-9]*) usage "not a location: $1" ;; esac
	case $2 in AzureCloud | AzureUSGovernment | AzureChinaCloud) ;; *) usage "not a cloud: $2" ;; esac
	need_agent
	run_agent 300 check --location "$1" --cloud "$2"
	answer_run
}

do_connect() {
	take_config "$1"
	need_root
	need_agent
	read_state
	name=$(config_value resource-name)
	wanted="/subscriptions/$(config_value subscription-id)/resourceGroups/$(config_value resource-group)"
	wanted="$wanted/providers/Microsoft.HybridCompute/machines/${name:-$(uname -n)}"
	[ "$(lower "$(shown 'Resource Id')")" != "$(lower "$wanted")" ] || answer_unchanged
	# The agent itself gives up after ten minutes.
	run_agent 900 connect --config "$CONFIG"
	rm -f -- "$CONFIG"
	answer_run ",\"changed\":$(truth [ "$EXIT" -eq 0 ])"
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

main() {
	case ${1-}-$# in
	facts-1 | show-1 | uninstall-1 | connect-2 | disconnect-2 | install-3 | check-3) ;;
	verify-[3579] | verify-[1-9]*[13579]) ;;
	*) usage "no such verb, or not with these arguments: ${1-}; see the top of this script" ;;
	esac
	VERB=$1
	shift
	# /var/tmp first: /tmp is memory on many systems, and a package needs 100 MB.
	WORK=$(mktemp -d /var/tmp/arcferry.XXXXXXXX 2>/dev/null || mktemp -d /tmp/arcferry.XXXXXXXX 2>/dev/null)
	[ -n "$WORK" ] || refuse no-temporary-folder "neither /var/tmp nor /tmp can be written"
	"do_$VERB" "$@"
}

# Everything above is read before anything runs, so a script cut short on its way here does nothing.
main "$@"
