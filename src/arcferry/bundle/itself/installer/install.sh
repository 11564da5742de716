#!/bin/sh
# Installs arcferry from the bundle that this file lies in, without any network.
#
#   sh install.sh [--into FOLDER] [--python PROGRAM]
#
# FOLDER is /opt/arcferry where none is named. It gets everything, and deleting it uninstalls arcferry. PROGRAM is
# the Python to use: CPython of a version that the bundle was made for.
#
# This file chooses the Python and compares install.py with the manifest; install.py does the rest. Whether the
# manifest itself is the builder's is for minisign to say: INSTALL.txt tells how.
# It ends with 0 installed, 1 failed and taken back, 2 called wrongly, 3 refused before anything was changed.

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
set -u
umask 022
LC_ALL=C
export LC_ALL

PYTHON=
INTO=/opt/arcferry

refuse() {
	status=$1
	shift
	printf 'install: %s\n' "$@" "nothing was changed" >&2
	exit "$status"
}

while [ $# -gt 0 ]; do
	case $1 in
	--into | --python)
		[ -n "${2-}" ] || refuse 2 "$1 needs a value"
		case $1 in --into) INTO=$2 ;; *) PYTHON=$2 ;; esac
		shift 2
		;;
	-h | --help)
		awk 'NR > 1 && /^#/ { sub(/^# ?/, ""); print; next } NR > 1 { exit }' "$0"
		exit 0
		;;
	*) refuse 2 "unknown argument: $1; it is: sh install.sh [--into FOLDER] [--python PROGRAM]" ;;
	esac
done

HERE=$(cd -- "$(dirname -- "$0")" && pwd -P) || refuse 3 "the folder of $0 cannot be entered"

# The manifest has one key a line, sorted, so a file's hash follows its name.
[ -f "$HERE/manifest.json" ] || refuse 3 "$HERE/manifest.json is missing: unpack the whole bundle"
WANTED=$(awk -F '"' '$2 == "name" { name = $4 } $2 == "sha256" && name == "install.py" { print $4; exit }' \
	"$HERE/manifest.json")
FOUND=$(sha256sum <"$HERE/install.py") || refuse 3 "$HERE/install.py cannot be read"
[ "${FOUND%% *}" = "$WANTED" ] || refuse 3 "install.py is not what the manifest says: it was changed"

SYSTEM=$(uname -sm)
[ "$SYSTEM" = "Linux x86_64" ] || refuse 3 "this is $SYSTEM, and install.sh is for Linux on x86_64"

# fits PROGRAM: it runs, and the bundle has wheels for its version.
fits() {
	about=$("$1" -I -c 'import sys; print("cp%d%d" % sys.version_info[:2])' 2>/dev/null) || return 1
	[ -f "$HERE/requirements/$about-linux_x86_64.txt" ]
}

if [ -z "$PYTHON" ]; then
	for list in "$HERE"/requirements/cp3*-linux_x86_64.txt; do
		version=${list##*/cp3}
		version=3.${version%%-*}
		for program in python3 "python$version" "/usr/bin/python$version" "/usr/local/bin/python$version"; do
			! fits "$program" || PYTHON=$program
		done
	done
fi
[ -n "$PYTHON" ] || PYTHON=python3
"$PYTHON" -I -c '' 2>/dev/null ||
	refuse 3 "$PYTHON does not run: install CPython 3.11 or newer, or name it with --python"
"$PYTHON" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
	refuse 3 "$PYTHON is $("$PYTHON" -V 2>&1), and arcferry needs CPython 3.11 or newer"

# -I -B: neither the user's settings nor this folder's files change what runs, and nothing is written beside it.
exec "$PYTHON" -I -B "$HERE/install.py" --into "$INTO"
