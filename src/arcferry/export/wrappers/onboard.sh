#!/bin/sh
# Takes this server into Azure Arc with the host script of the bundle that lies beside, and leaves one result file.
#
#   sh onboard.sh [TOKEN_FILE [RESULTS]]
#
# TOKEN_FILE holds a short-lived access token and is readable for root alone; without it, what settings.json names.
# RESULTS is the folder for the result file; without it, `results` beside this script. Nothing secret is in
# settings.json, in the result, or on a command line.
#
# The bundle is copied to where only root can write, and the copy is used: verify, facts, install, check, connect,
# show, up to the first that fails. It can be run again at any time: a connected server only reports, once. Ends
# with 0 where connected, 1 where not, 2 where it was called wrongly.
# shellcheck disable=SC2015 # in "A && B || fail ...", fail is also right where B fails

set -u
umask 077
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
unset IFS

BASE=/var/lib/arcferry
AGENT=/opt/azcmagent/bin/azcmagent
SECRET= # the file with the token, while it exists
BEGAN=$(date -u +%Y-%m-%dT%H:%M:%SZ)
# A host's name becomes a file's name.
HOST=$(uname -n | tr -cd 'A-Za-z0-9._-' | cut -c 1-64)

# setting KEY: a plain value at the top of settings.json, which has one key a line.
setting() { sed -n "s/^  \"$1\": \"\{0,1\}\([^\"\\\\,]*\)\"\{0,1\},\{0,1\}\$/\1/p" "$HERE/settings.json"; }
# inside BLOCK KEY: the same one level down.
inside() {
	awk -v block="  \"$1\": {" -v key="    \"$2\": \"" '
		$0 == block { found = 1; next }
		/^  [}]/ { found = 0 }
		found && index($0, key) == 1 { s = substr($0, length(key) + 1); sub(/",?$/, "", s); print s; exit }' \
		"$HERE/settings.json"
}
hash_of() { [ -f "$1" ] && sha256sum <"$1" | cut -c 1-64; }
# What goes into JSON as it is: nothing that would have to be escaped.
plain() { printf '%s' "$1" | tr -cd ' !#-[]-~' | cut -c 1-300; }
leave() {
	printf '%s\n' "$2" >&2
	exit "$1"
}
cleanup() { [ -z "$SECRET" ] || rm -f -- "$SECRET"; }
forget_token() { rm -f -- "$BASE/connect.json"; } # of a run that was killed; only with the lock held
trap cleanup EXIT
trap 'exit 130' HUP INT PIPE TERM

# Whether the agent is connected where this is to take it, as far as the agent knows.
is_connected() {
	[ -x "$AGENT" ] || return 1
	wanted="/subscriptions/$(inside connect subscription-id)/resourceGroups/$(inside connect resource-group)/"
	timeout 60 "$AGENT" show </dev/null 2>/dev/null | head -c 65536 >"$BASE/shown"
	grep -qiF -- "$wanted" "$BASE/shown" && ! grep -qi '^agent status *: *expired' "$BASE/shown"
}
# fail VERB CODE MESSAGE: an answer of this script's own, in the form of the host script's.
fail() {
	printf '{"schema":1,"verb":"%s","ok":false,"code":"%s","message":"%s"}\n' "$1" "$2" "$(plain "$3")" \
		>>"$BASE/answers"
	finish failed 1
}
# ask VERB ARGUMENT...: one verb of the host script; ends the run where it is not ok.
ask() {
	sh "$COPY/host/linux.sh" "$@" >"$BASE/answer" 2>/dev/null </dev/null
	status=$?
	# One line, or it is not the host script's.
	case $(head -c 30 "$BASE/answer")$(wc -l <"$BASE/answer" | tr -d ' ') in
	'{"schema":1,'*'1') cat "$BASE/answer" >>"$BASE/answers" ;;
	*) fail "$1" no-answer "the host script ended with exit status $status and without an answer" ;;
	esac
	[ "$status" -eq 0 ] || finish failed 1
}
# The result, whole: here first, then beside its name on the share, then under its name.
finish() {
	{
		printf '{"schema":1,"kind":"host-run","host":"%s","via":"%s",' "$HOST" "$(setting via)"
		printf '"bundle":"%s","began":"%s","ended":"%s",' "$(setting bundle)" "$BEGAN" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
		printf '"outcome":"%s","answers":[' "$1"
		paste -s -d , "$BASE/answers" | tr -d '\n'
		printf '],"path":'
		if [ -s "$BASE/path.json" ]; then cat "$BASE/path.json"; else printf null; fi
		printf '}\n'
	} >"$BASE/result.json"
	deliver
	forget_token
	[ "$1" != connected ] || rm -rf -- "$COPY"
	rm -f -- "$BASE/answer" "$BASE/answers" "$BASE/shown" "$BASE/path.json"
	exit "$2"
}
has_connected() { grep -q '"outcome":"connected"' "$BASE/result.json" 2>/dev/null; }
# What could not be delivered stays here, and where it says connected the next run delivers it. It holds no secret;
# on a folder whose files take the folder's group, that group may read it.
deliver() {
	beside="$RESULTS/.$HOST.$$.tmp"
	if cp -- "$BASE/result.json" "$beside" && chmod 640 -- "$beside" && mv -f -- "$beside" "$RESULTS/$HOST.json"; then
		! has_connected || mv -f -- "$BASE/result.json" "$DELIVERED"
	else
		rm -f -- "$beside"
		printf '%s\n' "$RESULTS cannot be written; the result is $BASE/result.json" >&2
	fi
}
prepare() {
	mkdir -p -- "$BASE" && [ ! -L "$BASE" ] && chown 0:0 -- "$BASE" && chmod 700 -- "$BASE" ||
		leave 1 "$BASE cannot be made"
	# Two starts at one time: the second one has nothing to do.
	exec 9>"$BASE/lock"
	if command -v flock >/dev/null; then flock -n 9 || leave 0 "another run is at work"; fi
	forget_token
}
wait_a_while() {
	minutes=$(setting delay_minutes)
	[ "${minutes:-0}" -gt 0 ] || return 0
	sleep "$(awk -v most="$((minutes * 60))" -v seed="$(od -An -N3 -tu4 /dev/urandom)" \
		'BEGIN { srand(seed); print int(rand() * (most + 1)) }')"
}
# What is verified must be what is run: the copy lies where only root can change it.
take_copy() {
	rm -rf -- "$COPY" "$COPY.part"
	said=$(cp -R -- "$HERE/bundle" "$COPY.part" 2>&1 && mv -- "$COPY.part" "$COPY" 2>&1) ||
		fail verify no-copy "the bundle cannot be copied to $BASE: $said"
	for name in manifest.json host/linux.sh host/linux-network.sh; do
		wanted=$(inside files "$name")
		[ -z "$wanted" ] || [ "$(hash_of "$COPY/$name")" = "$wanted" ] ||
			fail verify hash-mismatch "$name is not what it was when this was exported"
	done
}
# The package for this server, by its own facts.
install() {
	format=$(sed -n 's/.*"package_format":"\([a-z]*\)".*/\1/p' "$BASE/answer")
	arch=$(sed -n 's/.*"arch":"\([A-Za-z0-9_]*\)".*/\1/p' "$BASE/answer")
	case $arch in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; esac
	package=$(inside packages "$format-$arch")
	[ -n "$package" ] || fail install no-package "the bundle holds no $format package for $arch"
	ask install "$COPY/$package" "$(inside files "$package")"
}
connect() {
	token=$(head -c 32768 "$TOKEN_FILE" 2>/dev/null | tr -d '\r\n')
	case $token in
	'' | *[!A-Za-z0-9._~+/=-]*) fail connect token-unreadable "$TOKEN_FILE: not readable, or not a token" ;;
	esac
	SECRET=$BASE/connect.json
	rm -f -- "$SECRET"
	{
		awk '$0 == "  \"connect\": {" { found = 1; print "{"; next }
			/^  [}]/ { found = 0 }
			found && !/"service-principal-/ { sub(/,$/, ""); print $0 "," }' "$HERE/settings.json"
		printf '"resource-name": "%s",\n"access-token": "%s"\n}\n' "$HOST" "$token"
	} >"$SECRET"
	proxy=$(setting proxy)
	ask connect "$SECRET" ${proxy:+"$proxy"}
	rm -f -- "$SECRET"
	SECRET=
}
main() {
	HERE=$(cd -- "$(dirname -- "$0")" && pwd) || leave 2 "the folder of this script cannot be entered"
	[ $# -le 2 ] || leave 2 "called as: sh onboard.sh [TOKEN_FILE [RESULTS]]"
	[ -f "$HERE/settings.json" ] && [ -d "$HERE/bundle" ] || leave 2 "settings.json and bundle must lie in $HERE"
	[ "$(id -u)" -eq 0 ] || leave 2 "run this as root"
	TOKEN_FILE=${1:-$(setting token_file)}
	RESULTS=${2:-$HERE/results}
	COPY=$BASE/$(setting bundle)
	DELIVERED=$BASE/delivered-$(setting bundle).json
	prepare
	if is_connected; then
		[ ! -f "$DELIVERED" ] || return 0
		if has_connected; then
			deliver
			return 0
		fi
	elif [ -z "$TOKEN_FILE" ]; then
		leave 2 "name the file with the token: on Linux the agent takes no certificate"
	fi
	wait_a_while
	: >"$BASE/answers"
	rm -f -- "$BASE/path.json"
	take_copy
	ask verify "$COPY"
	ask facts "$(inside connect location)" "$(inside connect cloud)" "$BASE/path.json"
	# A connected server only reports: a newer agent in the bundle is no reason to upgrade it unasked.
	if ! is_connected; then
		install
		ask check "$(inside connect location)" "$(inside connect cloud)"
		connect
	fi
	ask show
	finish connected 0
}

# Everything above is read before anything runs, so a script cut short on its way here does nothing.
main "$@"
