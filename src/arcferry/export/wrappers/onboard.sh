#!/bin/sh
# Takes this server into Azure Arc with the host script of the bundle that lies beside, and leaves one result file.
#
#   sh onboard.sh [--spread] [--from SHARE] [TOKEN_FILE [RESULTS]]
#
# TOKEN_FILE holds a short-lived access token: a file of root's alone, in folders that only root can change; without it,
# what settings.json names. RESULTS is the folder for the result file; without it, `results` on the share. SHARE is
# where `bundle` and `results` lie; without it, this script's own folder. With --spread it waits for a random time
# first, of at most the minutes in settings.json, so that a thousand servers do not read the share at once. Nothing
# secret is in settings.json, in the result, or on a command line; the token goes from its file to the host script by
# standard input.
#
# The bundle is copied to where only root can write, and the copy is used: verify, facts, install, check, connect, show,
# up to the first that fails. It can be run again at any time: a connected server only reports, once; one that Azure has
# not heard from is looked at anew. Where settings.json says that it is to upgrade, a server that is connected gets the
# agent of the bundle if its own is older, with no token, and any other is left alone. Where servers.json lies beside
# settings.json, a server goes where its own row says, and one without a row only reports that. Ends with 0 where
# connected, 1 where not or not yet heard from, 2 where it was called wrongly, 75 where another run is at work or the
# window of time is closed: try again later.
# shellcheck disable=SC2015 # in "A && B || fail ...", fail is also right where B fails

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

BASE=/var/lib/arcferry
AGENT=/opt/azcmagent/bin/azcmagent
USAGE="called as: sh onboard.sh [--spread] [--from SHARE] [TOKEN_FILE [RESULTS]]"
SETTINGS= # the copy of settings.json, which nobody changes while this runs
CONFIG= # what the host script's connect is to read, with the token in it
RESULT= # where the result is before it is delivered
SPREAD= # not empty where the start is to be spread
SLEEPER= # the number of what waits
BEGAN=$(date -u +%Y-%m-%dT%H:%M:%SZ)
# A host's name becomes a file's name.
HOST=$(uname -n | tr -cd 'A-Za-z0-9._-' | cut -c 1-64)

# setting KEY: a plain value at the top of settings.json, which has one key a line.
setting() { sed -n "s/^  \"$1\": \"\{0,1\}\([^\"\\\\,]*\)\"\{0,1\},\{0,1\}\$/\1/p" "$SETTINGS"; }
# inside BLOCK KEY: the same one level down.
inside() {
	awk -v block="  \"$1\": {" -v key="    \"$2\": \"" '
		$0 == block { found = 1; next }
		/^  [}]/ { found = 0 }
		found && index($0, key) == 1 { s = substr($0, length(key) + 1); sub(/",?$/, "", s); print s; exit }' \
		"$SETTINGS"
}
hash_of() { [ -f "$1" ] && sha256sum <"$1" | cut -c 1-64; }
# What goes into JSON as it is: nothing that would have to be escaped.
plain() { printf '%s' "$1" | tr -cd ' !#-[]-~' | cut -c 1-300; }
leave() {
	printf '%s\n' "$2" >&2
	exit "$1"
}
cleanup() {
	[ -z "$SLEEPER" ] || kill "$SLEEPER" 2>/dev/null
	[ -z "$SETTINGS" ] || rm -f -- "$SETTINGS"
}
trap cleanup EXIT
trap 'exit 130' HUP INT PIPE TERM

# What the agent says of its connection, where it is to the place that this is to take it to: Connected, Disconnected
# (Azure does not hear from it) or Expired, which counts as none. Nothing where it is to none, or to another.
standing() {
	[ -x "$AGENT" ] || return 0
	wanted="/subscriptions/$(inside connect subscription-id)/resourceGroups/$(inside connect resource-group)/"
	timeout 60 "$AGENT" show </dev/null 2>/dev/null | head -c 65536 >"$BASE/shown"
	grep -qiF -- "$wanted" "$BASE/shown" || return 0
	sed -n 's/^[Aa]gent [Ss]tatus *: *\([A-Za-z]*\).*/\1/p' "$BASE/shown" | grep -v Expired | head -n 1
}
# fail VERB CODE MESSAGE: an answer of this script's own, in the form of the host script's.
fail() {
	printf '{"schema":1,"verb":"%s","ok":false,"code":"%s","message":"%s"}\n' "$1" "$2" "$(plain "$3")" \
		>>"$BASE/answers"
	finish failed 1
}
# ask VERB ARGUMENT...: one verb of the host script; ends the run where it is not ok.
ask() {
	printf '%s' "$CONFIG" | sh "$COPY/host/linux.sh" "$@" >"$BASE/answer" 2>/dev/null
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
	} >"$RESULT"
	rm -f -- "$DELIVERED" # what is on the share is no longer so
	deliver
	[ "$1" = failed ] || rm -rf -- "$COPY"
	rm -f -- "$BASE/answer" "$BASE/answers" "$BASE/shown" "$BASE/path.json"
	exit "$2"
}
has_connected() { grep -q '"outcome":"connected"' "$RESULT" 2>/dev/null; }
# put FILE: into the folder of results, in which every server can write: neither the folder's own name nor a name in it
# may be a link, which would lead root's writing elsewhere. cp makes the new name itself, which nobody can know before,
# and mv -T puts it in the place of whatever has its name.
put() {
	above=$(cd -P -- "$(dirname -- "$RESULTS")" && pwd -P) && cd -P -- "$RESULTS" || return 1
	[ "$(pwd -P)" = "${above%/}/$(basename -- "$RESULTS")" ] || return 1
	beside=$(mktemp -u "./.$HOST.XXXXXXXXXX").tmp
	umask 027
	cp -- "$1" "$beside" && mv -fT -- "$beside" "./$HOST.json" && return 0
	rm -f -- "$beside"
	return 1
}
# What could not be delivered stays here, and where it says connected the next run delivers it. It holds no secret;
# on a folder whose files take the folder's group, that group may read it.
deliver() {
	chmod 640 -- "$RESULT"
	if (put "$RESULT"); then
		! has_connected || mv -f -- "$RESULT" "$DELIVERED"
	else
		why="$RESULTS cannot be written, or is a link"
		[ ! -d "$RESULTS/$HOST.json" ] || why="$RESULTS/$HOST.json is a folder: remove it"
		printf '%s\n' "$why; the result is $RESULT" >&2
	fi
}
prepare() {
	mkdir -p -- "$BASE" && [ ! -L "$BASE" ] && chown 0:0 -- "$BASE" && chmod 700 -- "$BASE" ||
		leave 1 "$BASE cannot be made"
	exec 9>"$BASE/lock"
	if command -v flock >/dev/null; then
		flock -n 9 || leave 75 "another run is at work: nothing was done; try again later" # EX_TEMPFAIL
	fi
	SETTINGS=$BASE/settings.json
	rm -f -- "$SETTINGS"
	cp -- "$HERE/settings.json" "$SETTINGS" || leave 1 "settings.json cannot be copied to $BASE"
	case $(setting bundle) in '' | *[!0-9a-f]*) leave 2 "$HERE/settings.json is not what an export wrote" ;; esac
}
# What servers.json says of this server stands in place of what the settings say of all. It is read from the share once.
look_up() {
	for name in servers.json servers.awk; do
		wanted=$(inside files "$name")
		[ -n "$wanted" ] || return 0
		[ "$(hash_of "$BASE/$name")" != "$wanted" ] || continue
		wait_a_while
		SPREAD= # once
		said=$(cp -- "$FROM/$name" "$BASE/$name" 2>&1) || fail verify no-copy "$name cannot be copied to $BASE: $said"
		[ "$(hash_of "$BASE/$name")" = "$wanted" ] ||
			fail verify hash-mismatch "$name is not what it was when this was exported"
	done
	own=$(awk -f "$BASE/servers.awk" "host=$HOST" "$BASE/servers.json" "$SETTINGS") ||
		fail onboard not-listed "the inventory that was exported has no server ${HOST%%.*}: nothing was done"
	printf '%s\n' "$own" >"$SETTINGS"
}
# In the background, so that a signal ends it at once; without the lock, should this be killed.
wait_a_while() {
	minutes=$(setting delay_minutes)
	[ -n "$SPREAD" ] && [ "${minutes:-0}" -gt 0 ] || return 0
	seconds=$(awk -v most="$((minutes * 60))" -v seed="$(od -An -N3 -tu4 /dev/urandom 2>/dev/null)" \
		'BEGIN { srand(seed); print int(rand() * (most + 1)) }')
	printf '%s\n' "starts in $seconds s (at random, at most $minutes min; without --spread at once)," \
		"so that not all servers read the share at one time" >&2
	sleep "$seconds" >/dev/null 2>&1 9>&- &
	SLEEPER=$!
	wait "$SLEEPER"
	SLEEPER=
}
# The window is a list of FROM/UNTIL in UTC, which compare as texts; none is open at any time.
keep_to_window() {
	window=$(setting window)
	[ -n "$window" ] || return 0
	opens=$(awk -v now="$(date -u +%Y-%m-%dT%H:%M:%SZ)" -v window="$window" 'BEGIN {
		count = split(window, stretch, " ")
		for (i = 1; i <= count; i++) {
			split(stretch[i], ends, "/")
			if (now < ends[1]) { print ends[1]; exit }
			if (now < ends[2]) { print "now"; exit }
		}
		print "never again with this bundle"
	}')
	[ "$opens" = now ] || leave 75 "the window of time is closed: nothing was done; it opens $opens"
}
# What is verified must be what is run: the copy lies where only root can change it.
take_copy() {
	rm -rf -- "$COPY" "$COPY.part"
	said=$(cp -RP -- "$FROM/bundle" "$COPY.part" 2>&1) ||
		fail verify no-copy "the bundle cannot be copied to $BASE: $said"
	# A link would be read on the share again, after what it leads to was verified.
	odd=$(find "$COPY.part" ! -type d ! -type f | head -n 1)
	[ -z "$odd" ] || fail verify extra-file "${odd#"$COPY.part"}: on the share it is neither a file nor a folder"
	said=$(mv -- "$COPY.part" "$COPY" 2>&1) || fail verify no-copy "the bundle cannot be copied to $BASE: $said"
	for name in manifest.json host/linux.sh host/linux-network.sh; do
		wanted=$(inside files "$name")
		[ -z "$wanted" ] || [ "$(hash_of "$COPY/$name")" = "$wanted" ] ||
			fail verify hash-mismatch "$name is not what it was when this was exported"
	done
}
# is_older A B: whether version A is older than version B, by their numbers.
is_older() {
	awk -v one="$1" -v other="$2" 'BEGIN {
		split(one, here, ".")
		count = split(other, there, ".")
		for (i = 1; i <= count; i++) if (here[i] + 0 != there[i] + 0) exit !(here[i] + 0 < there[i] + 0)
		exit 1
	}'
}
# The package for this server, by its own facts.
choose_package() {
	format=$(sed -n 's/.*"package_format":"\([a-z]*\)".*/\1/p' "$BASE/answer")
	arch=$(sed -n 's/.*"arch":"\([A-Za-z0-9_]*\)".*/\1/p' "$BASE/answer")
	case $arch in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; esac
	package=$(inside packages "$format-$arch")
	[ -n "$package" ] || fail install no-package "the bundle holds no $format package for $arch"
}
install() { ask install "$COPY/$package" "$(inside files "$package")"; }
# A newer agent is left as it is. The one that is installed now has to be heard from before it counts.
upgrade() {
	installed=$(sed -n 's/.*"agent":{"installed":true,"version":"\([^"]*\)".*/\1/p' "$BASE/answer")
	is_older "$installed" "$(inside versions "$format-$arch")" || return 0
	install
	until=$(($(date +%s) + $(setting wait_seconds)))
	while [ "$(standing)" != Connected ] && [ "$(date +%s)" -lt "$until" ]; do sleep 2; done
}
# shellcheck disable=SC2012 # mode and owner stand before the name, and stat's options are not portable
owner_and_mode() { ls -ldn -- "$1" | awk 'NR == 1 { print $3, $1 }'; }
# is_roots_alone FILE: a plain file of root's that nobody else can read, below folders that nobody else can change.
is_roots_alone() {
	[ ! -L "$1" ] && above=$(cd -P -- "$(dirname -- "$1")" && pwd -P) || return 1
	case $(owner_and_mode "$1") in '0 -r'[w-]-------*) ;; *) return 1 ;; esac
	while :; do
		case $(owner_and_mode "$above") in '0 d'????[!w]??[!w]*) ;; *) return 1 ;; esac
		[ "$above" != / ] || return 0
		above=$(dirname -- "$above")
	done
}
connect() {
	[ ! -e "$TOKEN_FILE" ] || is_roots_alone "$TOKEN_FILE" || fail connect token-unsafe \
		"$TOKEN_FILE: must be a plain file of root's that nobody else can read, in folders that only root can change"
	token=$(head -c 32768 "$TOKEN_FILE" 2>/dev/null | tr -d '\r\n')
	case $token in
	'' | *[!A-Za-z0-9._~+/=-]*) fail connect token-unreadable "$TOKEN_FILE: not readable, or not a token" ;;
	esac
	CONFIG=$(
		awk '$0 == "  \"connect\": {" { found = 1; print "{"; next }
			/^  [}]/ { found = 0 }
			found && !/"service-principal-/ { sub(/,$/, ""); print $0 "," }' "$SETTINGS"
		printf '"resource-name": "%s",\n"access-token": "%s"\n}\n' "$HOST" "$token"
	)
	proxy=$(setting proxy)
	seconds=$(setting wait_seconds)
	[ "$seconds" != 300 ] || seconds= # linux.sh waits so long of itself
	ask connect - ${proxy:+"$proxy"} ${seconds:+"--wait=$seconds"}
	CONFIG=
}
main() {
	HERE=$(cd -- "$(dirname -- "$0")" && pwd) || leave 2 "the folder of this script cannot be entered"
	FROM=$HERE
	while :; do
		case ${1-} in
		--spread) SPREAD=1 ;;
		--from) FROM=${2-} && [ -n "$FROM" ] && shift || leave 2 "--from needs the folder of the share" ;;
		-*) leave 2 "$USAGE" ;;
		*) break ;;
		esac
		shift
	done
	[ $# -le 2 ] || leave 2 "$USAGE"
	[ -f "$HERE/settings.json" ] || leave 2 "settings.json must lie in $HERE"
	[ -d "$FROM/bundle" ] || leave 2 "the bundle must lie in $FROM"
	[ "$(id -u)" -eq 0 ] || leave 2 "run this as root"
	prepare
	TOKEN_FILE=${1:-$(setting token_file)}
	RESULTS=${2:-$FROM/results}
	COPY=$BASE/$(setting bundle)
	DELIVERED=$BASE/delivered-$(setting bundle).json
	RESULT=$BASE/result.json
	UPGRADES= # not empty where this is to upgrade, which has reports of its own
	if [ "$(setting way)" = upgrade ]; then
		UPGRADES=1 RESULT=$BASE/upgrade.json
		DELIVERED=$BASE/upgraded-$(setting bundle).json
	fi
	: >"$BASE/answers"
	rm -f -- "$BASE/path.json"
	look_up
	standing=$(standing)
	if [ "$standing" = Connected ]; then
		[ ! -f "$DELIVERED" ] || return 0
		if has_connected; then
			deliver
			return 0
		fi
	elif [ -z "$standing" ] && [ -n "$UPGRADES" ]; then
		fail upgrade not-held \
			"its agent is not connected to this resource group, or its connection has ended: nothing was done"
	elif [ -z "$standing" ] && [ -z "$TOKEN_FILE" ]; then
		leave 2 "name the file with the token: on Linux the agent takes no certificate"
	fi
	wait_a_while
	keep_to_window
	take_copy
	ask verify "$COPY"
	ask facts "$(inside connect location)" "$(inside connect cloud)" "$BASE/path.json"
	# A connected server only reports: a newer agent in the bundle is no reason to upgrade it unasked.
	[ -n "$standing" ] && [ -z "$UPGRADES" ] || choose_package
	if [ -z "$standing" ]; then
		install
		ask check "$(inside connect location)" "$(inside connect cloud)"
		connect
	elif [ -n "$UPGRADES" ]; then
		upgrade
	fi
	ask show
	# Connected only where the agent says that Azure has heard from it.
	grep -q '"status":"Connected"' "$BASE/answer" || finish not-heard-from 1
	finish connected 0
}

# Everything above is read before anything runs, so a script cut short on its way here does nothing.
main "$@"
